"""Fixtures for all tests: tiny encoders, and no network.

torch and transformers are imported by the tests that need them, so that the others start at once.
"""

import os
import random
import sys

# Before any library reads them: a test that asks the network for a model must fail at once.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy
import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no fault of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def seeds() -> None:
    """The same random weights in every run of a test, whatever ran before it in the process."""
    random.seed(0)
    numpy.random.seed(0)
    if "torch" in sys.modules:  # its own seed is fixed when it is imported
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of an uncased BERT with random weights."""
    from tiny_encoder import write_bert

    return write_bert(tmp_path_factory.mktemp("encoders") / "bert", cased=False)


@pytest.fixture(scope="session")
def tiny_cased_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a cased BERT with random weights."""
    from tiny_encoder import write_bert

    return write_bert(tmp_path_factory.mktemp("encoders") / "cased-bert", cased=True)


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a RoBERTa (byte-level subwords, cased) with random weights."""
    from tiny_encoder import write_roberta

    return write_roberta(tmp_path_factory.mktemp("encoders") / "roberta")


@pytest.fixture(scope="session")
def tiny_electra(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of an ELECTRA with random weights, which is no BERT under another name."""
    from tiny_encoder import write_electra

    return write_electra(tmp_path_factory.mktemp("encoders") / "electra")
