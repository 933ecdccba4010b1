"""Checks with the published corpora; they run where the environment variable BIONER_CORPORA names a folder of them."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest
from spacy.language import Language

from bioner_spacy.corpora import READERS, SPLITS, convert_split, fetch, load_catalogue
from bioner_spacy.corpora.files import checksum
from bioner_spacy.errors import BionerError

FOLDER = os.environ.get("BIONER_CORPORA", "")
CATALOGUE = load_catalogue(Path(__file__).parents[2] / "configs" / "catalogue.yml")
NAMES = [name for name, corpus in CATALOGUE.corpora.items() if corpus.url and name != "BC4CHEMD"]

# Published numbers of mentions: train, devel, test.
MENTIONS = {
    "AnatEM": (6946, 2139, 4616),
    "BC2GM": (15197, 3061, 6325),
    "BC5CDR": (9385, 9593, 9809),
    "BC5CDR-chem": (5203, 5347, 5385),
    "BC5CDR-disease": (4182, 4246, 4424),
    "BioNLP11EPI": (7586, 2495, 5730),
    "BioNLP11ID": (5674, 1598, 3810),
    "BioNLP13CG": (10826, 3616, 6881),
    "BioNLP13GE": (3566, 4132, 4359),
    "BioNLP13PC": (7853, 2734, 5306),
    "CRAFT": (29026, 9727, 18881),
    "Ex-PTM": (1787, 603, 2308),
    "JNLPBA": (46750, 4551, 8662),
    "NCBI-disease": (5134, 787, 960),
    "linnaeus": (2119, 711, 1433),
    "s800": (2557, 384, 767),
}
ARTICLES = {"JNLPBA": (1800, 200, 404)}

pytestmark = pytest.mark.skipif(not FOLDER, reason="BIONER_CORPORA names no folder")


@pytest.mark.parametrize("name", NAMES)
def test_files_and_mentions(name: str, tmp_path: Path, nlp: Language) -> None:
    corpus = CATALOGUE[name]
    fetch(CATALOGUE, [name], folder=tmp_path, source=FOLDER)
    for i, split in enumerate(SPLITS):
        path = corpus.path(split, tmp_path)
        assert checksum(path, "md5") == corpus.files[split].md5
        labels = Counter(re.findall(r"\tB-?(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        if list(labels) == [""]:
            labels = Counter({corpus.options["default_label"]: labels[""]})
        _, report = convert_split(corpus, split, assets=tmp_path, nlp=nlp)
        assert report.mentions_in == labels
        assert set(report.mentions_in) == set(corpus.labels)
        assert report.mentions_out.total() == MENTIONS[name][i]
        assert (report.count("lost"), report.count("duplicate")) == (0, 0)
        assert report.articles == ARTICLES.get(name, (0, 0, 0))[i]


@pytest.mark.parametrize(
    ("file", "format_", "documents", "mentions"),
    [
        ("NCBI-disease-pubtator/NCBItrainset_corpus.txt", "pubtator", 593, 5145),
        ("BC5CDR-pubtator/CDR_TestSet.PubTator.txt", "pubtator", 500, 9809),
        ("NLM-Chem/NLMchem_Test.PubTator", "pubtator", 3428, 12411),
        ("GENIA-nested/jsonlines/dev.jsonlines", "jsonlines", 1765, 4714),
        ("GENIA-nested/jsonlines/test.jsonlines", "jsonlines", 1732, 5119),
        ("GENIA-nested/layered-iob2/genia.dev.iob2", "iob", 1669, 4337),
        ("GENIA-nested/layered-iob2/genia.test.iob2", "iob", 1854, 5474),
    ],
)
def test_other_files_of_the_formats(file: str, format_: str, documents: int, mentions: int) -> None:
    found = list(READERS[format_](Path(FOLDER) / file))
    assert (len(found), sum(len(document.mentions) for document in found)) == (documents, mentions)


@pytest.mark.parametrize("split", ["devel", "test"])
def test_drifted_sentence_breaks_are_found(split: str) -> None:
    with pytest.raises(BionerError, match="sentence breaks of the file may be wrong"):
        list(READERS["iob"](Path(FOLDER) / "JNLPBA-IOBES" / f"{split}.tsv"))
