"""A small catalogue with one corpus per format, and the files of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
import srsly
from spacy.language import Language

from bioner_spacy.corpora import Catalogue, load_catalogue
from bioner_spacy.tokenization import create_tokenizer

IOB = "-DOCSTART-\tO\n\nMice\tO\nwith\tO\nFOX2\tB-gene\nkinase\tI-gene\n.\tO\n\nFOX2\tB-gene\nFOX3\tB-gene\n.\tO\n"
PUBTATOR = (
    "7|t|Ataxia in mice.\n7|a|Mice had gout.\n7\t0\t6\tAtaxia\tDis\tD1\n7\t16\t20\tMice\tTaxon\n7\tCID\tD1\tD2\n"
)
JSONLINES = (
    '{"tokens": ["FOX2", "promoter", "binds", "."], "sent_id": "s1", "doc_id": "d1", "entity_mentions": '
    '[{"start": 0, "end": 2, "entity_type": "DNA", "text": "FOX2 promoter"}, '
    '{"start": 0, "end": 1, "entity_type": "DNA"}, {"start": 0, "end": 1, "entity_type": "protein"}]}\n'
)
CONTENT = {
    "genes": ("iob", "tsv", IOB),
    "abstracts": ("pubtator", "txt", PUBTATOR),
    "nested": ("jsonlines", "jsonl", JSONLINES),
}
LABELS = {
    "genes": {"gene": "GENE"},
    "abstracts": {"Dis": "DISEASE", "Taxon": None},
    "nested": {"DNA": "DNA", "protein": "GENE"},
}
SPLITS = ("train", "devel", "test")


def small_catalogue() -> dict[str, Any]:
    """Data of a catalogue file; tests break copies of it."""
    corpora = {}
    for name, (format_, suffix, _) in CONTENT.items():
        corpora[name] = {
            "description": "a test",
            "format": format_,
            "source": "public",
            "files": {split: {"name": f"{split}.{suffix}", "sha256": None} for split in SPLITS},
            "labels": dict(LABELS[name]),
            "licence": "none",
            "homepage": "none",
            "redistributable": "yes",
        }
    return {
        "types": {"GENE": "gene", "DNA": "dna", "DISEASE": "disease"},
        "sources": {"public": "https://example.org/{corpus}/{file}"},
        "corpora": corpora,
        "sets": {"small": {"corpora": list(CONTENT), "epochs": 2, "batch_tokens": 50}},
    }


@pytest.fixture
def data() -> dict[str, Any]:
    return small_catalogue()


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Any], Catalogue]:
    """Writes the data of a catalogue to a file and loads it."""

    def load_data(data: Any) -> Catalogue:
        path = tmp_path / "catalogue.yml"
        srsly.write_yaml(path, data)
        return load_catalogue(path)

    return load_data


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder that holds the files of the small catalogue as their publishers have them."""
    folder = tmp_path / "published"
    for name, (_, suffix, content) in CONTENT.items():
        (folder / name).mkdir(parents=True)
        for split in SPLITS:
            (folder / name / f"{split}.{suffix}").write_bytes(content.encode())
    return folder


@pytest.fixture(scope="session")
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.tokenizer = create_tokenizer()(nlp)
    return nlp
