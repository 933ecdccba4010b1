"""The component on a GPU; skipped where there is none."""

import pytest
from thinc.api import Adam, prefer_gpu, require_cpu
from toy_corpora import BREAST_CANCER, ENCODERS, component, found, make_examples, make_nlp, train

from bioner_spacy.scope import SPANS_KEY


@pytest.fixture(autouse=True)
def gpu() -> object:
    if not prefer_gpu():
        pytest.skip("no GPU")
    yield
    require_cpu()


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("grain", ["type", "guideline"])
def test_learns_and_predicts(encoder: str, grain: str, tiny_bert: str) -> None:
    nlp = make_nlp(encoder, tiny_bert, grain=grain)
    losses = train(nlp, make_examples(nlp), steps=100, rate=0.005)
    assert losses[-1] < 0.1 * losses[0]
    assert nlp.evaluate(make_examples(nlp))["spans_bioner_f"] == 1.0
    scores = nlp(BREAST_CANCER[0]).spans[SPANS_KEY].attrs["scores"]
    assert scores and all(isinstance(score, float) for score in scores)
    component(nlp).add_label("SPECIES", corpus="diseases")
    nlp.update(make_examples(nlp), sgd=Adam(0.001))


def test_a_pipeline_trained_on_the_gpu_runs_on_the_cpu(tiny_bert: str) -> None:
    nlp = make_nlp("transformer", tiny_bert)
    train(nlp, make_examples(nlp), steps=100, rate=0.005)
    expected = found(nlp(BREAST_CANCER[0]))
    saved = nlp.to_bytes()
    require_cpu()
    assert found(make_nlp("transformer", tiny_bert).from_bytes(saved)(BREAST_CANCER[0])) == expected
