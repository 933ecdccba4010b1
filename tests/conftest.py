"""Fixtures for all tests: tiny encoders, and no network.

torch and transformers are imported by the tests that need them, so that the others start at once.
"""

import os

# Before any library reads them: a test that asks the network for a model must fail at once.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no fault of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


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
    """Folder of a RoBERTa (byte-level pieces, cased) with random weights."""
    from tiny_encoder import write_roberta

    return write_roberta(tmp_path_factory.mktemp("encoders") / "roberta")


@pytest.fixture(scope="session")
def tiny_electra(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of an ELECTRA with random weights, which is no BERT under another name."""
    from tiny_encoder import write_electra

    return write_electra(tmp_path_factory.mktemp("encoders") / "electra")
