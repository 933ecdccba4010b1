"""Checks with the published corpora; they run where the environment variable BIONER_CORPORA names a folder of them."""

import os
import re
from collections import Counter
from pathlib import Path
from shutil import copyfile

import pytest
from spacy.language import Language

from bioner_spacy.corpora import SPLITS, Corpus, SourceDocument, SplitReport, convert_documents, fetch, load_catalogue
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.files import checksum
from bioner_spacy.formats import read_documents

FOLDER = os.environ.get("BIONER_CORPORA", "")
CATALOGUE = load_catalogue(Path(__file__).parents[2] / "configs" / "catalogue.yml")

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

# Published numbers of sentences and mentions: PROTEIN, DNA, CELL_TYPE, CELL_LINE, RNA; train, devel, test.
GENIA = {
    "GENIA": (
        (15049, (28874, 7708, 5863, 3069, 699)),
        (1765, (2466, 1161, 576, 372, 139)),
        (1732, (2900, 1132, 578, 403, 106)),
    ),
    "GENIA-order": (
        (15023, (28840, 7703, 5853, 3069, 699)),
        (1669, (2316, 1034, 558, 330, 133)),
        (1854, (3084, 1264, 606, 445, 112)),
    ),
}
# Two mentions inside one token of the tokenizer and of one type become one; the report lists the other as lost.
GENIA_LOST = {("GENIA", "train"): 1, ("GENIA-order", "train"): 1}

# Numbers of documents and mentions by label: those of the splits that there are.
PUBTATOR = {
    "NCBI-disease-pubtator": {
        "train": (593, {"SpecificDisease": 2972, "Modifier": 1289, "DiseaseClass": 769, "CompositeMention": 115}),
        "devel": (100, {"SpecificDisease": 412, "Modifier": 214, "DiseaseClass": 126, "CompositeMention": 35}),
        "test": (100, {"SpecificDisease": 555, "Modifier": 264, "DiseaseClass": 121, "CompositeMention": 20}),
    },
    "BC5CDR-pubtator": {
        "train": (500, {"Chemical": 5203, "Disease": 4182}),
        "devel": (500, {"Chemical": 5347, "Disease": 4244}),
        "test": (500, {"Chemical": 5385, "Disease": 4424}),
    },
    "GNormPlus": {
        "train": (432, {"Gene": 4246, "FamilyName": 1253, "DomainMotif": 294}),
        "test": (262, {"Gene": 3288, "FamilyName": 1202, "DomainMotif": 359}),
    },
    "NLM-Gene": {
        "train": (450, {"Gene": 11233, "FamilyName": 1528, "Cell": 956, "DomainMotif": 71, "ChromosomeLocation": 9}),
        "test": (100, {"Gene": 2365, "FamilyName": 391, "Cell": 272, "DomainMotif": 20, "ChromosomeLocation": 5}),
    },
    "SPECIES": {"train": (639, {"Species": 3053}), "test": (160, {"Species": 739})},
    "Linnaeus-pubtator": {"train": (80, {"Species": 2321}), "test": (20, {"Species": 576})},
    "NLM-Chem": {"test": (3428, {"Chemical": 11772, "OTHER": 570, "NonStandardRef": 69})},
    "BioID": {"test": (3993, {"CellLine": 1453})},
}
# Mentions that are lost on token boundaries, and duplicates.
PUBTATOR_ISSUES = {
    ("GNormPlus", "train"): (0, 1),
    ("NLM-Gene", "train"): (9, 0),
    ("NLM-Gene", "test"): (4, 0),
    ("NLM-Chem", "test"): (1, 0),
}


def converted(corpus: Corpus, split: str, assets: Path, nlp: Language) -> SplitReport:
    """What becomes of a split."""
    report = SplitReport(corpus.name, split, list(corpus.types))
    for _ in convert_documents(corpus.documents(split, assets), corpus, report, nlp=nlp):
        pass
    return report


pytestmark = pytest.mark.skipif(not FOLDER, reason="BIONER_CORPORA names no folder")


@pytest.mark.parametrize("name", MENTIONS)
def test_files_and_mentions(name: str, tmp_path: Path, nlp: Language) -> None:
    corpus = CATALOGUE[name]
    fetch(CATALOGUE, [name], folder=tmp_path, source=FOLDER)
    for i, split in enumerate(SPLITS):
        path = corpus.file_path(corpus.file(split), tmp_path)
        assert checksum(path) == corpus.files[split].sha256
        labels = Counter(re.findall(r"\tB-?(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        if list(labels) == [""]:
            labels = Counter({corpus.options["default_label"]: labels[""]})
        report = converted(corpus, split, tmp_path, nlp)
        assert report.mentions_in == labels
        assert set(report.mentions_in) == set(corpus.labels)
        assert report.mentions_out.total() == MENTIONS[name][i]
        assert (report.count("lost"), report.count("duplicate")) == (0, 0)
        assert report.documents == ARTICLES.get(name, (0, 0, 0))[i]


def test_medmentions(tmp_path: Path, nlp: Language) -> None:
    """Its sentences are apart by lines with a tab, its lines end as on Windows, and some tags continue no mention."""
    corpus = CATALOGUE["MedMentions-BIO"]
    fetch(CATALOGUE, [corpus.name], folder=tmp_path, source=FOLDER)
    assert corpus.splits == ("devel", "test")
    for split, sentences, repaired, chemicals, diseases, total in (
        ("devel", 8284, 65, 1989, 2243, 37604),
        ("test", 8312, 32, 2003, 2128, 37369),
    ):
        with pytest.warns(BionerWarning, match=f"{repaired} tags were not valid"):
            report = converted(corpus, split, tmp_path, nlp)
        assert (report.records, report.mentions_in.total()) == (sentences, total)
        assert report.mentions_out == {"CHEMICAL": chemicals, "DISEASE": diseases}
        assert set(report.mentions_in) == set(corpus.labels)


@pytest.mark.filterwarnings("ignore::bioner_spacy.errors.BionerWarning")
@pytest.mark.parametrize("name", GENIA)
def test_nested_genia(name: str, tmp_path: Path, nlp: Language) -> None:
    corpus = CATALOGUE[name]
    fetch(CATALOGUE, [name], folder=tmp_path, source=FOLDER)
    mentions_in = Counter[str]()
    for split, (sentences, counts) in zip(SPLITS, GENIA[name]):
        report = converted(corpus, split, tmp_path, nlp)
        expected = Counter(dict(zip(("PROTEIN", "DNA", "CELL_TYPE", "CELL_LINE", "RNA"), counts)))
        expected["PROTEIN"] -= GENIA_LOST.get((name, split), 0)
        assert (report.records, report.mentions_out) == (sentences, expected)
        assert report.count("lost") == GENIA_LOST.get((name, split), 0)
        mentions_in += report.mentions_in
    # Every `cons` of the file, and no label in the catalogue that the file does not have.
    assert (mentions_in.total(), set(mentions_in)) == (97876, set(corpus.labels))
    assert (mentions_in["coordinated_part"], mentions_in["coordination"]) == (5154, 1597)


@pytest.mark.filterwarnings("ignore::bioner_spacy.errors.BionerWarning")
@pytest.mark.parametrize("name", PUBTATOR)
def test_pubtator_corpora(name: str, tmp_path: Path, nlp: Language) -> None:
    corpus = CATALOGUE[name]
    fetch(CATALOGUE, [name], folder=tmp_path, source=FOLDER)
    assert corpus.splits == tuple(PUBTATOR[name])
    for split, (documents, labels) in PUBTATOR[name].items():
        report = converted(corpus, split, tmp_path, nlp)
        assert (report.records, report.mentions_in) == (documents, labels)
        assert set(corpus.labels) == set(labels)
        issues = (report.count("lost"), report.count("duplicate"))
        assert issues == PUBTATOR_ISSUES.get((name, split), (0, 0))
        kept = sum(number for label, number in labels.items() if corpus.labels[label])
        assert report.mentions_out.total() == kept - sum(issues)


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
    found = list(read_documents(format_, Path(FOLDER) / file))
    assert (len(found), sum(len(document.mentions) for document in found)) == (documents, mentions)


@pytest.mark.parametrize(
    ("folder", "documents", "mentions"),
    [
        (
            "RegEl/brat",
            305,
            {
                "GENE": 4125,
                "TISSUE": 1616,
                "ENHANCER": 809,
                "DISEASE": 699,
                "SPECIES": 587,
                "PROMOTER": 246,
                "TFBS": 206,
                "VARIANT": 80,
                "REGULATORY_REGION": 21,
            },
        ),
        (
            "CellFinder/brat",
            10,
            {
                "CellType": 2072,
                "GeneProtein": 1750,
                "Anatomy": 952,
                "Species": 481,
                "CellLine": 440,
                "CellComponent": 203,
            },
        ),
        ("JNLPBA-brat/test", 404, {"protein": 5067, "cell_type": 1921, "DNA": 1056, "cell_line": 500, "RNA": 118}),
    ],
)
def test_brat(folder: str, documents: int, mentions: dict[str, int]) -> None:
    found = list(read_documents("brat", Path(FOLDER) / folder))
    assert len(found) == documents
    assert Counter(mention.label for document in found for mention in document.mentions) == mentions


def test_brat_and_bioc_of_one_corpus_have_the_same_mentions() -> None:
    brat = {d.doc_id.removeprefix("PMID-"): d for d in read_documents("brat", Path(FOLDER) / "RegEl/brat")}
    bioc = {d.doc_id: d for d in read_documents("bioc", Path(FOLDER) / "RegEl/bioc/regel-corpus.xml")}
    assert {name: (d.text.split(), spans(d)) for name, d in brat.items()} == {
        name: (d.text.split(), spans(d)) for name, d in bioc.items()
    }


@pytest.mark.parametrize("unit", ["document", "passage"])
def test_bioc_xml_and_json_of_one_sample_are_the_same(unit: str) -> None:
    counts = Counter[str]()
    for path in sorted((Path(FOLDER) / "BioC-samples/bioc_xml").iterdir()):
        xml = list(read_documents("bioc", path, unit=unit))
        as_json = list(read_documents("bioc", path.parents[1] / "bioc_json" / f"{path.stem}.json", unit=unit))
        assert [(d.id, d.text, spans(d)) for d in xml] == [(d.id, d.text, spans(d)) for d in as_json]
        counts["documents"] += len({d.doc_id for d in xml})
        counts["mentions"] += sum(len(d.mentions) for d in xml)
        counts["discontinuous"] += sum(bool(m.fragments) for d in xml for m in d.mentions)
    assert counts == {"documents": 15, "mentions": 139, "discontinuous": 6}


def test_brat_and_bioc_of_one_sample_have_the_same_mentions(tmp_path: Path) -> None:
    """The only sample with discontinuous mentions whose texts are the same in both formats."""
    folder, name = Path(FOLDER) / "BioC-samples", "elliptic-coordination"
    for file in (folder / f"brat/{name}.ann", folder / f"txt/{name}.txt"):
        copyfile(file, tmp_path / file.name)
    (brat,), (bioc,) = read_documents("brat", tmp_path), read_documents("bioc", folder / f"bioc_xml/{name}.xml")
    assert (brat.text, spans(brat)) == (bioc.text, spans(bioc))
    assert sum(bool(mention.fragments) for mention in brat.mentions) == 2


def test_drifting_offsets_are_found() -> None:
    path = Path(FOLDER) / "BC5CDR-pubtator/CDR_sample.gold.BioC.xml"
    with pytest.raises(BionerError, match="line 340: .* is not the text at its offsets"):
        list(read_documents("bioc", path))
    with pytest.warns(BionerWarning, match="59 annotations"):  # 57 contiguous ones and two discontinuous ones
        found = list(read_documents("bioc", path, mismatch="offsets"))
    assert (len(found), sum(len(d.mentions) for d in found)) == (50, 945)
    assert sum(bool(m.fragments) for d in found for m in d.mentions) == 6


def spans(document: SourceDocument) -> list[tuple[int, int, str, tuple[tuple[int, int], ...]]]:
    return sorted((m.start, m.end, m.label, m.fragments) for m in document.mentions)


@pytest.mark.parametrize("split", ["devel", "test"])
def test_drifted_sentence_breaks_are_found(split: str) -> None:
    with pytest.raises(BionerError, match="sentence breaks of the file may be wrong"):
        list(read_documents("iob", Path(FOLDER) / "JNLPBA-IOBES" / f"{split}.tsv"))
