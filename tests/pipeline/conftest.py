"""Pipelines with the component that have learnt the toy corpora."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from toy_corpora import ENCODERS, make_examples, make_nlp, train


@pytest.fixture(scope="session", params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> str:
    """Where the token vectors come from."""
    return str(request.param)


@pytest.fixture(scope="session")
def saved(encoder: str, tiny_bert: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a trained pipeline, whose encoder is nowhere but in it."""
    folder = tmp_path_factory.mktemp("trained")
    source = folder / "encoder"
    shutil.copytree(tiny_bert, source)
    nlp = make_nlp(encoder, str(source))
    train(nlp, make_examples(nlp), steps=100, rate=0.005)
    nlp.to_disk(folder / "pipeline")
    shutil.rmtree(source)
    return folder / "pipeline"


@pytest.fixture
def nlp(saved: Path) -> Language:
    """The trained pipeline."""
    return spacy.load(saved)


@pytest.fixture
def untrained(encoder: str, tiny_bert: str) -> Callable[..., Language]:
    """Makes a pipeline that is not initialised, given settings of the component."""
    return lambda **settings: make_nlp(encoder, tiny_bert, **settings)
