"""The component on a GPU: on a pretended one everywhere, and on a real one where there is one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy
import pytest
import spacy
from pretended_gpu import DEVICE, DeviceArray, Mixed, PretendedOps, pretended_gpu
from spacy.language import Language
from thinc.api import Adam, fix_random_seed, prefer_gpu, require_cpu
from tiny_encoder import NO_DROPOUT
from toy_corpora import (
    ASPIRIN,
    BRCA1,
    BREAST_CANCER,
    CORPORA,
    ENCODERS,
    TAG_HEADS,
    blank_nlp,
    component,
    make_examples,
    make_nlp,
    train,
    update,
    write_corpora,
)

from bioner_spacy.experiments.curves import read_curve
from bioner_spacy.scope import SPANS_KEY
from bioner_spacy.training.runs import CURVE_FILE, train_run

CONFIG = Path(__file__).parents[2] / "configs" / "small.cfg"

CROSS_SHARING = {"@architectures": "bioner_spacy.CrossSharing.v1", "hidden": 8, "width": 8}
HEADS: dict[str, dict[str, Any]] = {
    "tags": {"@architectures": TAG_HEADS},
    "tags without crf": {"@architectures": TAG_HEADS, "crf": False},
    "tags with guidelines": {"@architectures": TAG_HEADS, "guideline_rank": 2, "guideline_default": "mean"},
    "span pairs": {"@architectures": "bioner_spacy.SpanPairs.v1", "width": 6, "hidden": 16, "span_threshold": 0.1},
    "adv": {**CROSS_SHARING, "variant": "adv"},
    "cs": {**CROSS_SHARING, "variant": "cs"},
    "slots": {"@architectures": "bioner_spacy.SlotRecurrent.v1", "window": 4},
}
TEXTS = [BREAST_CANCER[0], "", f"{ASPIRIN[0]} {BRCA1[0]}"]

Device = Callable[[], AbstractContextManager[None]]


@contextmanager
def real_gpu() -> Iterator[None]:
    if not prefer_gpu():
        pytest.skip("no GPU")
    try:
        yield
    finally:
        require_cpu()


@pytest.fixture(params=[pretended_gpu, real_gpu])
def gpu(request: pytest.FixtureRequest) -> Device:
    """Makes a GPU the device on which is computed."""
    device: Device = request.param
    return device


def transformer_nlp(heads: dict[str, Any], folder: str, **settings: Any) -> Language:
    """A pipeline of a transformer and the component, without dropout, which each device draws in its own way."""
    nlp = blank_nlp()
    encoder = {"@architectures": "bioner_spacy.TransformerModel.v2", "name": folder, "window": 32, "overlap": 8}
    encoder |= {"precision": "float32", "transformer_config": NO_DROPOUT}
    nlp.add_pipe("transformer", config={"model": encoder})
    listener = {"@architectures": "spacy-transformers.TransformerListener.v1", "upstream": "*"}
    listener |= {"grad_factor": 1.0, "pooling": {"@layers": "reduce_mean.v1"}}
    nlp.add_pipe("multitask_ner", config={"model": {**heads, "dropout": 0.0, "tok2vec": listener}, **settings})
    nlp.add_pipe("trf_data_cleaner")
    return nlp


def learn(heads: dict[str, Any], folder: str, **settings: Any) -> tuple[list[float], Any, bytes]:
    """Losses of training, of which the last has one more type to learn; what is found then, and the pipeline."""
    nlp = transformer_nlp(heads, folder, **settings)
    examples = make_examples(nlp)
    fix_random_seed(0)
    # Where gradients are but rounding, steps of the usual epsilon would be as large as any.
    optimizer = nlp.initialize(lambda: examples, sgd=Adam(0.01, eps=1e-4))
    losses = update(nlp, examples, optimizer, steps=20)
    component(nlp).add_label("SPECIES", corpus="diseases")
    losses += update(nlp, examples, optimizer, steps=2)
    return losses, predictions(nlp), nlp.to_bytes()


def predictions(nlp: Language) -> list[list[tuple[int, int, str, float]]]:
    """All spans of `TEXTS`, with their scores."""
    docs = list(nlp.pipe(TEXTS))
    groups = [doc.spans[SPANS_KEY] for doc in docs]
    return [
        [(span.start, span.end, span.label_, score) for span, score in zip(group, group.attrs["scores"])]
        for group in groups
    ]


def assert_alike(one: Any, other: Any) -> None:
    assert [[span[:3] for span in spans] for spans in one] == [[span[:3] for span in spans] for spans in other]
    numpy.testing.assert_allclose(
        [span[3] for spans in one for span in spans], [span[3] for spans in other for span in spans], atol=0.001
    )


@pytest.mark.parametrize("heads", HEADS)
def test_is_on_a_gpu_what_it_is_on_the_cpu(heads: str, tiny_bert: str, gpu: Device) -> None:
    losses, expected, _ = learn(HEADS[heads], tiny_bert)
    assert sum(map(len, expected))
    with gpu():
        gpu_losses, gpu_predictions, saved = learn(HEADS[heads], tiny_bert)
    numpy.testing.assert_allclose(gpu_losses, losses, rtol=0.001)
    assert_alike(gpu_predictions, expected)
    nlp = transformer_nlp(HEADS[heads], tiny_bert).from_bytes(saved)
    assert_alike(predictions(nlp), expected)


@pytest.mark.parametrize(
    "settings",
    [
        {"grain": "guideline", "merge": "mean"},
        {"context": "document"},
        {"task_balance": {"@misc": "bioner_spacy.UncertaintyBalance.v1"}},
        {"task_balance": {"@misc": "bioner_spacy.DynamicWeightAverage.v1"}},
    ],
)
def test_settings_do_on_a_gpu_what_they_do_on_the_cpu(settings: Any, tiny_bert: str, gpu: Device) -> None:
    losses, expected, _ = learn(HEADS["tags"], tiny_bert, **settings)
    with gpu():
        gpu_losses, gpu_predictions, _ = learn(HEADS["tags"], tiny_bert, **settings)
    numpy.testing.assert_allclose(gpu_losses, losses, rtol=0.001)
    assert_alike(gpu_predictions, expected)


def test_an_encoder_of_another_kind(tiny_electra: str, gpu: Device) -> None:
    losses, _, _ = learn(HEADS["tags"], tiny_electra)
    with gpu():
        gpu_losses, _, _ = learn(HEADS["tags"], tiny_electra)
    numpy.testing.assert_allclose(gpu_losses, losses, rtol=0.001)


def test_a_training_run(tiny_bert: str, tmp_path: Path, gpu: Device) -> None:
    """As `spacy train` does it, mixed precision included on a real GPU; the pipeline runs on the CPU."""
    write_corpora(tmp_path / "corpus")
    settings = {"encoder": tiny_bert, "epochs": 2, "batch_tokens": 20, "corpus_folder": str(tmp_path / "corpus")}
    with gpu():
        train_run(CONFIG, tmp_path / "run", list(CORPORA), settings=settings, gpu_id=-1 if gpu is pretended_gpu else 0)
    curve = read_curve(tmp_path / "run" / CURVE_FILE)
    assert all(0 < loss < 100 for loss in curve.loss)
    assert SPANS_KEY in spacy.load(tmp_path / "run" / "model-last")(BRCA1[0]).spans


def test_the_pretended_gpu_finds_what_is_in_the_wrong_place() -> None:
    """Else the tests above would show nothing."""
    import torch

    with pretended_gpu():
        array = PretendedOps().asarray(numpy.ones(3))
        tensor = torch.ones(3, device=DEVICE)
        assert isinstance(array, DeviceArray) and (tensor + tensor).device == DEVICE
        mixtures: list[Callable[[], Any]] = [
            lambda: array + numpy.ones(3),
            lambda: numpy.ones(3) + array,
            lambda: numpy.asarray(array),
            lambda: PretendedOps.xp.concatenate([array, numpy.ones(3)]),
            lambda: array.__setitem__(0, numpy.ones(1)),
            lambda: tensor + torch.ones(3),
            lambda: torch.stack([tensor, torch.ones(3)]),
            lambda: PretendedOps().adam(array, array.astype("float32"), array, array, 0.9, 0.9, 0.1, 0.1),
        ]
        for mixture in mixtures:
            with pytest.raises(Mixed):
                mixture()
        with pytest.raises(AttributeError, match="Is it in CuPy"):
            PretendedOps.xp.nancumsum(array)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("grain", ["type", "guideline"])
def test_learns_and_predicts(encoder: str, grain: str, tiny_bert: str) -> None:
    with real_gpu():
        nlp = make_nlp(encoder, tiny_bert, grain=grain)
        losses = train(nlp, make_examples(nlp), steps=100, rate=0.005)
        assert losses[-1] < 0.1 * losses[0]
        assert nlp.evaluate(make_examples(nlp))["spans_bioner_f"] == 1.0
        scores = nlp(BREAST_CANCER[0]).spans[SPANS_KEY].attrs["scores"]
        assert scores and all(isinstance(score, float) for score in scores)
        component(nlp).add_label("SPECIES", corpus="diseases")
        nlp.update(make_examples(nlp), sgd=Adam(0.001))
