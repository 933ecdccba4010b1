"""What packing windows must not change, and quick dropout against its definition."""

from typing import Any

import numpy
import pytest
import torch
from tiny_encoder import NO_DROPOUT, POSITIONS
from transformers import AutoModel, BertConfig, BertModel

from bioner_spacy.layers.encoder.packed_bert import (
    Block,
    QuickDropout,
    _attention,
    encode_packed,
    is_packable,
    rounded,
    use_fast_dropout,
)


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [("tiny_bert", True), ("tiny_cased_bert", True), ("tiny_roberta", True), ("tiny_electra", False)],
)
def test_encoders_that_can_be_packed(encoder: str, expected: bool, request: pytest.FixtureRequest) -> None:
    assert is_packable(AutoModel.from_pretrained(request.getfixturevalue(encoder))) is expected


@pytest.mark.parametrize("setting", [{"position_embedding_type": "relative_key"}, {"is_decoder": True}])
def test_other_attention_is_not_packed(setting: dict[str, Any]) -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
    assert not is_packable(BertModel(BertConfig(vocab_size=10, **sizes, **setting)))


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("encoder", ["tiny_bert", "tiny_roberta"])
def test_padding_and_other_windows_change_nothing(encoder: str, train: bool, request: pytest.FixtureRequest) -> None:
    """Hidden states and gradients of windows of many lengths in one pass are those of each window by itself."""
    transformer = AutoModel.from_pretrained(request.getfixturevalue(encoder), **NO_DROPOUT).train(train)
    rng = numpy.random.default_rng(0)
    blocks, rows = [], []
    for lengths in ([9, 7, 4], [3, 3], [2]):  # 35 subwords, which are rounded up where nothing is learnt
        mask = numpy.arange(max(lengths)) < numpy.array(lengths)[:, None]
        blocks.append((mask, rng.integers(5, 40, mask.shape)))
        rows += [ids[kept] for kept, ids in zip(*blocks[-1], strict=True)]
    ids = torch.from_numpy(numpy.concatenate([part.ravel() for _, part in blocks]))
    places = [numpy.broadcast_to(numpy.arange(mask.shape[1]), mask.shape).ravel() for mask, _ in blocks]
    is_subword = torch.from_numpy(numpy.concatenate([mask.ravel() for mask, _ in blocks]))
    packed = encode_packed(
        transformer,
        ids,
        torch.from_numpy(numpy.concatenate(places)),
        [Block(*mask.shape, None if mask.all() else torch.from_numpy(mask)[:, None, None]) for mask, _ in blocks],
    )[is_subword]
    alone = torch.cat([transformer(torch.from_numpy(row)[None]).last_hidden_state[0] for row in rows])
    torch.testing.assert_close(packed, alone, atol=1e-5, rtol=1e-4)

    weights = [weight for name, weight in transformer.named_parameters() if not name.startswith("pooler")]
    d_hidden = torch.from_numpy(rng.normal(size=alone.shape).astype("f"))
    of_packed, of_alone = (torch.autograd.grad(hidden, weights, d_hidden) for hidden in (packed, alone))
    assert len(of_alone) > 30 and sum(gradient.abs().max() > 0.1 for gradient in of_alone) > 20
    for actual, expected in zip(of_packed, of_alone, strict=True):
        torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("length", [1, 7, 128, 129])
def test_attention_in_bfloat16_is_attention(length: int, masked: bool) -> None:
    query, key, value = (part.to(torch.bfloat16) for part in torch.randn(3, 2, 4, length, 8).unbind())
    lengths = torch.tensor([length, max(1, length - 3)])
    mask = (torch.arange(length) < lengths[:, None])[:, None, None] if masked else None
    with torch.inference_mode():
        found = _attention(query, key, value, mask, torch.nn.Dropout(0.1).eval())
    scores = query.double() @ key.double().transpose(2, 3) / 8**0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    expected = scores.softmax(dim=-1) @ value.double()
    assert found.dtype == torch.bfloat16 and found.shape == query.shape
    torch.testing.assert_close(found.double(), expected, atol=0.03, rtol=0.03)


def test_few_numbers_of_subwords_are_close_to_all() -> None:
    found = [rounded(n) for n in range(1, 4097)]
    assert all(n <= more <= n * 17 / 16 for n, more in enumerate(found, start=1))
    assert found[34] == 36 and found[-1] == 4096 and len(set(found)) < 150


def test_positions_reach_the_end_of_the_table(tiny_roberta: str) -> None:
    transformer = AutoModel.from_pretrained(tiny_roberta).eval()
    ids = torch.full((POSITIONS,), 5)
    packed = encode_packed(transformer, ids, torch.arange(POSITIONS), [Block(1, POSITIONS, None)])
    torch.testing.assert_close(packed, transformer(ids[None]).last_hidden_state[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(401, 333), (1,), (2, 3, 5), (0, 4)])
def test_dropout_keeps_a_share_and_the_mean(p: float, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.full(shape, 2.0, requires_grad=True)
    y = QuickDropout(p).train()(x)
    kept = y != 0
    assert y.shape == x.shape and y.dtype == x.dtype
    torch.testing.assert_close(y, kept * 2.0 / (1 - p), rtol=1e-3, atol=0)
    if x.numel() > 1000:
        # Six standard deviations; rows and columns too, lest a pattern repeat.
        assert abs(kept.double().mean().item() - (1 - p)) < 6 * (p * (1 - p) / x.numel()) ** 0.5
        for axis in (0, 1):
            spread = (p * (1 - p) / shape[axis]) ** 0.5
            assert (kept.double().mean(axis) - (1 - p)).abs().max().item() < 6 * spread
    y.sum().backward()
    torch.testing.assert_close(x.grad, kept / (1 - p), rtol=1e-3, atol=0)


def test_dropout_follows_the_seed_of_torch() -> None:
    layer, x = QuickDropout(0.3).train(), torch.ones(50, 50)
    torch.manual_seed(1)
    first, second = layer(x), layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_dropout_of_nothing_and_of_everything(p: float) -> None:
    assert torch.equal(QuickDropout(p).train()(torch.ones(100)), torch.full((100,), 1 - p))


def test_no_dropout_in_prediction() -> None:
    assert torch.equal(QuickDropout(0.5).eval()(torch.ones(100)), torch.ones(100))


def test_every_dropout_is_replaced(tiny_bert: str) -> None:
    transformer = AutoModel.from_pretrained(tiny_bert, hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.2)
    names = transformer.state_dict().keys()
    use_fast_dropout(transformer)
    rates = [module.p for module in transformer.modules() if isinstance(module, torch.nn.Dropout)]
    assert all(
        type(module) is QuickDropout for module in transformer.modules() if isinstance(module, torch.nn.Dropout)
    )
    assert sorted(rates) == [0.2, 0.2, 0.3, 0.3, 0.3, 0.3, 0.3]
    assert transformer.state_dict().keys() == names
