"""Token vectors of the encoder against Hugging Face's own forward pass."""

from typing import Any

import numpy
import pytest
import torch
from finite_differences import slope
from spacy.tokens import Doc
from tiny_encoder import NO_DROPOUT, POSITIONS, WIDTH, make_docs, make_encoder, own_encoder, token_vectors
from transformers import AutoModel, AutoTokenizer

from bioner_spacy.errors import BionerError
from bioner_spacy.layers.encoder.precision import _try_on_cpu

# The last is none for which windows are packed.
ENCODERS = ["tiny_bert", "tiny_cased_bert", "tiny_roberta", "tiny_electra"]
TEXTS = [
    "The mutant Protein in mice.",
    "  IL-2\u00a0gene\n\n(p53) ",
    "",
    "β-catenin 😀 naïve 👩‍🔬 ok",
    " \n ",
    "גן ה-BRCA1 نوع",
]


@pytest.fixture(params=ENCODERS)
def folder(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


def subwords_of_tokens(tokenizer: Any, doc: Doc) -> tuple[list[int], list[list[int]]]:
    """Ids of a text with its special subwords, and the places of the subwords of each token, by naive overlap."""
    encoding = tokenizer(doc.text, return_offsets_mapping=True, return_special_tokens_mask=True)
    rows = zip(encoding["offset_mapping"], encoding["special_tokens_mask"], strict=True)
    offsets = [(-1, -1) if special else pair for pair, special in rows]
    ends = [token.idx + len(token) for token in doc]
    places = [
        [i for i, (start, end) in enumerate(offsets) if start < token_end and end > token.idx]
        for token, token_end in zip(doc, ends, strict=True)
    ]
    return encoding["input_ids"], places


def direct_vectors(transformer: Any, tokenizer: Any, doc: Doc, pooling: str) -> torch.Tensor:
    """One forward pass over a whole text, pooled by a loop."""
    ids, places = subwords_of_tokens(tokenizer, doc)
    hidden = transformer(torch.tensor([ids])).last_hidden_state[0]
    pooled = [hidden[where[:1] if pooling == "first" else where].mean(dim=0) for where in places if where]
    rows = iter(pooled)
    return torch.stack([next(rows) if where else torch.zeros(WIDTH) for where in places])


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_vectors_are_those_of_a_direct_forward_pass(folder: str, pooling: str) -> None:
    docs = make_docs(*TEXTS)
    tokenizer, transformer = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vectors = token_vectors(make_encoder(folder, window=POSITIONS, pooling=pooling), docs)
    for doc, actual in zip(docs, vectors, strict=True):
        assert actual.shape == (len(doc), WIDTH) and actual.dtype == numpy.float32
        if len(doc):
            with torch.no_grad():
                expected = direct_vectors(transformer, tokenizer, doc, pooling).numpy()
            numpy.testing.assert_allclose(actual, expected, atol=1e-5)


def test_vectors_do_not_depend_on_the_batch(folder: str) -> None:
    docs = make_docs(*TEXTS, "gene " * 100, "mice " * 7)
    model = make_encoder(folder)
    together = token_vectors(model, docs)
    for batch_subwords in (1, 40):
        model.shims[0].batch_subwords = batch_subwords
        for actual, expected in zip(token_vectors(model, docs), together, strict=True):
            numpy.testing.assert_allclose(actual, expected, atol=1e-5)
    for doc, expected in zip(docs, together, strict=True):
        numpy.testing.assert_allclose(token_vectors(model, [doc])[0], expected, atol=1e-5)


def test_token_without_subwords_has_a_zero_vector(tiny_bert: str) -> None:
    docs = make_docs("gene  cell", " \n ")
    assert [token.is_space for token in docs[0]] == [False, True, False]
    vectors = token_vectors(make_encoder(tiny_bert), docs)
    assert [bool(row.any()) for row in vectors[0]] == [True, False, True]
    assert not vectors[1].any()


def test_subwords_far_away_change_nothing(tiny_bert: str) -> None:
    """Tokens of one subword each, windows of 30: those beyond a token's window do not reach its vector."""
    tokens = ["gene", "cell", "protein", "mice"] * 50
    changed = tokens.copy()
    changed[100] = "mutant"
    before, after = token_vectors(make_encoder(tiny_bert), make_docs(" ".join(tokens), " ".join(changed)))
    differs = numpy.abs(before - after).max(axis=1) > 1e-4
    affected = numpy.flatnonzero(differs)
    assert 100 in affected
    assert affected.min() >= 100 - 30 and affected.max() <= 100 + 30
    # Whatever is nearer than the overlap is context.
    assert differs[100 - 8 : 100 + 9].all()


def test_vector_of_a_token_in_a_long_document_is_that_of_its_window(tiny_bert: str) -> None:
    """First, inner and last window of a text of one subword a token, passed alone."""
    tokens = [f"{a}{b}" for a in "abcdef" for b in ".,;:"] * 3
    tokens = [character for token in tokens for character in token]
    doc = make_docs(" ".join(tokens))[0]
    [vectors] = token_vectors(make_encoder(tiny_bert, window=POSITIONS), [doc])
    tokenizer, transformer = AutoTokenizer.from_pretrained(tiny_bert), AutoModel.from_pretrained(tiny_bert).eval()
    # 144 subwords, room for 62, margins of 8: three windows, whose cores meet in the middle of what they share.
    for first, last, core, end in [(0, 58, 0, 50), (42, 101, 50, 93), (85, 144, 93, 144)]:
        window = make_docs(" ".join(tokens[first:last]))[0]
        with torch.no_grad():
            expected = direct_vectors(transformer, tokenizer, window, "mean")[core - first : end - first]
        numpy.testing.assert_allclose(vectors[core:end], expected.numpy(), atol=1e-5)


def test_a_sentence_has_the_same_vectors_wherever_it_is(folder: str) -> None:
    sentences = ["Genes mutate. ", "Mice (n = 3) had it. ", "Cells, E. coli too,\n\n", "gene " * 70 + ". ", "Mutant. "]
    docs = make_docs("".join(sentences), "", " ", sentences[0])
    model = make_encoder(folder, context="sentence")
    alone = numpy.concatenate(token_vectors(model, make_docs(*sentences)))
    together, *_, last = token_vectors(model, docs)
    numpy.testing.assert_allclose(together, alone, atol=1e-5)
    numpy.testing.assert_allclose(last, together[: len(last)], atol=1e-5)
    [again] = token_vectors(make_encoder(folder, context="source"), docs[:1])
    # Not bit by bit: MKL may add up in another order for another address of the same batch.
    numpy.testing.assert_allclose(again, together, atol=1e-5)
    for context in ("group", "document"):
        [whole] = token_vectors(make_encoder(folder, context=context), docs[:1])
        assert numpy.abs(whole - alone).max() > 0.01
    with pytest.raises(BionerError, match="Setting context is 'page'; allowed: source, sentence, group, document"):
        make_encoder(folder, context="page")


def test_any_document_gets_finite_vectors(folder: str) -> None:
    texts = ["", " ", "\n\n\t", "\u200b", "\ufeff\u0301", "x" * 5000, "gene cell, " * 1000, "😀" * 300, "\x00 gene"]
    docs = make_docs(*texts)
    assert len(docs[6]) == 3000
    for doc, vectors in zip(docs, token_vectors(make_encoder(folder), docs), strict=True):
        assert vectors.shape == (len(doc), WIDTH)
        assert numpy.isfinite(vectors).all()


def test_no_documents(tiny_bert: str) -> None:
    assert make_encoder(tiny_bert).predict([]).doc_data == []


@pytest.mark.parametrize("window, overlap", [(256, 32), (2000, 999)])
@pytest.mark.parametrize("tokenizer_config", [{}, {"model_max_length": 10**9}], ids=["", "no maximum"])
def test_window_is_lowered_to_what_the_encoder_takes(
    folder: str, window: int, overlap: int, tokenizer_config: dict[str, Any]
) -> None:
    """Texts around the limit of 62 subwords: one of 62 is one window, as if windows had been asked to be so wide."""
    docs = make_docs(*(" ".join("abcdefghij"[i % 10] for i in range(length)) for length in (61, 62, 63, 200)))
    model = make_encoder(folder, window=window, overlap=overlap, tokenizer_config=tokenizer_config)
    fitting = make_encoder(folder, window=POSITIONS, overlap=overlap * POSITIONS // window)
    for actual, expected in zip(token_vectors(model, docs), token_vectors(fitting, docs), strict=True):
        numpy.testing.assert_allclose(actual, expected, atol=1e-5)


def test_window_without_room_for_a_token(tiny_bert: str) -> None:
    with pytest.raises(BionerError, match="window is 2 subwords"):
        make_encoder(tiny_bert, window=2, overlap=0).predict(make_docs("gene"))
    [vectors] = token_vectors(make_encoder(tiny_bert, window=3, overlap=0), make_docs("gene cell"))
    assert vectors.any(axis=1).all()


@pytest.mark.parametrize("pooling", ["mean", "first"])
@pytest.mark.parametrize("grad_factor", [1.0, 0.5])
def test_gradient_is_that_of_torch(folder: str, pooling: str, grad_factor: float) -> None:
    docs = make_docs(*TEXTS)
    model = own_encoder(folder, grad_factor, window=POSITIONS, overlap=8, pooling=pooling)
    rng = numpy.random.default_rng(0)
    d_vectors = [rng.normal(size=(len(doc), WIDTH)).astype("f") for doc in docs]
    vectors, backprop = model.begin_update(docs)
    assert [len(array) for array in vectors] == [len(doc) for doc in docs]
    backprop(d_vectors.copy())
    [shim] = [shim for node in model.walk() for shim in node.shims]
    gradients = {name: weight.grad for name, weight in shim.transformer.named_parameters() if weight.grad is not None}

    tokenizer = AutoTokenizer.from_pretrained(folder)
    transformer = AutoModel.from_pretrained(folder, **NO_DROPOUT).train()
    for doc, d_array in zip(docs, d_vectors, strict=True):
        expected = direct_vectors(transformer, tokenizer, doc, pooling) if len(doc) else torch.zeros(0)
        if expected.requires_grad:
            expected.backward(torch.from_numpy(d_array * grad_factor))
    compared = 0
    for name, weight in transformer.named_parameters():
        if weight.grad is not None:
            torch.testing.assert_close(gradients[name].to_dense(), weight.grad, atol=1e-3, rtol=1e-3)
            compared += 1
    assert compared > 20


def test_gradient_by_finite_differences(tiny_bert: str) -> None:
    """Several windows a document, which a direct pass cannot check."""
    docs = make_docs("gene cell mutant protein " * 20, "mice")
    model = own_encoder(tiny_bert, window=16, overlap=4)
    rng = numpy.random.default_rng(0)
    d_vectors = [rng.normal(size=(len(doc), WIDTH)).astype("f") for doc in docs]
    _, backprop = model.begin_update(docs)
    backprop(d_vectors.copy())
    [shim] = [shim for node in model.walk() for shim in node.shims]
    weight = shim.transformer.encoder.layer[0].attention.self.value.weight
    place = divmod(int(weight.grad.abs().argmax()), weight.shape[1])

    def loss() -> float:
        return sum(float((v.astype("float64") * d).sum()) for v, d in zip(model.predict(docs), d_vectors))

    with torch.no_grad():
        expected = slope(weight, place, loss, step=1e-2)
    assert weight.grad[place].item() == pytest.approx(expected, rel=1e-2)


def test_update_with_an_empty_document(tiny_bert: str) -> None:
    model = own_encoder(tiny_bert)
    docs = make_docs("", " ", "gene")
    vectors, backprop = model.begin_update(docs)
    assert [len(array) for array in vectors] == [0, 1, 1]
    backprop([numpy.ones_like(array) for array in vectors])
    [shim] = [shim for node in model.walk() for shim in node.shims]
    assert shim.transformer.encoder.layer[0].output.dense.weight.grad.any()


def test_dropout_in_training_only(tiny_bert: str) -> None:
    docs = make_docs("gene cell mutant protein")
    model = make_encoder(tiny_bert)
    before = token_vectors(model, docs)[0]
    (first, _), (second, _) = model.begin_update(docs), model.begin_update(docs)
    assert numpy.abs(first.doc_data[0].tensors[0] - second.doc_data[0].tensors[0]).max() > 1e-3
    numpy.testing.assert_array_equal(token_vectors(model, docs)[0], before)


def test_bfloat16_is_close_to_float32(folder: str) -> None:
    if _try_on_cpu() is None:
        pytest.skip("computing in bfloat16 crashes on this machine")
    docs = make_docs(*TEXTS, "gene cell " * 40)
    exact = numpy.concatenate(token_vectors(make_encoder(folder), docs))
    close = numpy.concatenate(token_vectors(make_encoder(folder, precision="bfloat16"), docs))
    assert close.dtype == numpy.float32
    difference = numpy.abs(close - exact)
    assert 0 < difference.mean() < 0.03 and difference.max() < 0.3
