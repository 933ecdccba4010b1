"""Pipelines on corpora that they were not trained on: shared types, maps, the matrix and its files."""

import json
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from command_line import bioner
from hand_made import RECEPTOR, Mention, mark
from spacy.language import Language
from spacy.tokens import Doc, DocBin, SpanGroup

from bioner_spacy.analysis.cross_corpus import _known, cross_corpus
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.reports.cross_corpus import cross_corpus_page, matrix_table
from bioner_spacy.scope import SPANS_KEY

# Corpora of `GOLD`: drugs (CHEMICAL, DISEASE) and genes (CELL_TYPE, GENE).
FOUND: list[Mention] = [
    ("Aspirin", "CHEMICAL"),
    ("asthma", "DISEASE"),
    ("rare", "DISEASE"),
    ("rare", "GENE"),
    ("interleukin 2 receptor gene", "PROTEIN"),
    ("T cells", "PROTEIN"),
    ("T cells", "CELL_TYPE"),
]


class Trained:
    """A component that predicts the mentions of `FOUND` of its types, and says where it has them from."""

    def __init__(self, label_data: dict[str, list[str]]) -> None:
        self.label_data = label_data
        self.labels = tuple(sorted({name for types in label_data.values() for name in types}))

    def __call__(self, doc: Doc) -> Doc:
        found = [(words, name) for words, name in FOUND if name in self.labels and words in doc.text]
        doc.spans[SPANS_KEY] = SpanGroup(doc, spans=mark(doc, found))
        return doc


@Language.factory("trained", assigns=["doc.spans"], default_config={"label_data": {}})
def make_trained(nlp: Language, name: str, label_data: dict[str, list[str]]) -> Trained:
    return Trained(label_data)


@pytest.fixture
def trained() -> Callable[..., Language]:
    """Makes a pipeline from the types of each corpus that it was trained on."""

    def make(**label_data: list[str]) -> Language:
        nlp = spacy.blank("en")
        nlp.add_pipe("trained", config={"label_data": label_data})
        return nlp

    return make


def test_only_shared_types_count(trained: Callable[..., Language], corpus_folder: Path) -> None:
    found = cross_corpus([trained(other=["DISEASE", "GENE"])], corpus_folder)
    [name] = found.pipelines
    drugs, genes = found.cells[name, "drugs"], found.cells[name, "genes"]
    assert (name, drugs.types, drugs.in_domain, genes.types) == ("other", ["DISEASE"], False, ["GENE"])
    assert drugs.scores is not None and genes.scores is not None
    # Of two gold diseases one is found, and one more is predicted; the gene there is not annotated.
    assert {kind: drugs.scores[kind] for kind in ("gold", "predicted", "tp")} == {"gold": 2, "predicted": 2, "tp": 1}
    assert drugs.f == 0.5
    assert {kind: genes.scores[kind] for kind in ("gold", "predicted")} == {"gold": 1, "predicted": 0}


def test_a_map_holds_for_both_sides(trained: Callable[..., Language], corpus_folder: Path) -> None:
    pipeline = trained(genes=["PROTEIN", "CELL_TYPE"])
    plain = cross_corpus([pipeline], corpus_folder, corpora=["genes"])
    assert plain.cells["genes", "genes"].types == ["CELL_TYPE"] and plain.cells["genes", "genes"].f == 1.0
    mapped = cross_corpus([pipeline], corpus_folder, corpora=["genes"], mapped={"PROTEIN": "GENE"})
    cell = mapped.cells["genes", "genes"]
    assert (cell.types, cell.in_domain) == (["CELL_TYPE", "GENE"], True)
    # Right: the gene and the cells; wrong: the cells as a gene.
    assert cell.f == pytest.approx(2 * 2 / (2 + 3))
    other = cross_corpus([pipeline], corpus_folder, corpora=["genes"], mapped={"GENE": "X", "PROTEIN": "X"})
    assert other.cells["genes", "genes"].types == ["CELL_TYPE", "X"] and other.cells["genes", "genes"].f == cell.f
    # Two predictions of the same words that become one type are one prediction.
    merged = cross_corpus([pipeline], corpus_folder, corpora=["genes"], mapped={"PROTEIN": "T", "CELL_TYPE": "T"})
    scores = merged.cells["genes", "genes"].scores
    assert scores is not None and (scores["gold"], scores["predicted"], scores["tp"]) == (1, 2, 1)


def test_matrix_and_files(trained: Callable[..., Language], corpus_folder: Path, tmp_path: Path) -> None:
    pipelines = [trained(drugs=["CHEMICAL", "DISEASE"]), trained(genes=["CELL_TYPE"], other=["CHEMICAL"])]
    found = cross_corpus(pipelines, corpus_folder)
    assert matrix_table(found).header == ["Pipeline", "drugs", "genes"]
    assert matrix_table(found).rows == [["drugs", "66.67* (2)", "–"], ["genes, other", "100.00 (1)", "100.00* (1)"]]
    files = cross_corpus_page(found).to_disk(tmp_path / "out")
    assert [file.name for file in files] == [f"cross-corpus.{suffix}" for suffix in ("json", "md", "svg", "png")]
    data = json.loads(files[0].read_text("utf8"))
    assert data["pipelines"][1]["trained_on"] == ["genes", "other"]
    assert [cell["in_domain"] for cell in data["cells"]] == [True, False, False, True]
    page = files[1].read_text("utf8")
    assert "| genes, other | genes* | CELL_TYPE | 1 | 1 | 100.00 | 100.00 | 100.00 |" in page
    texts = [element.text for element in ElementTree.parse(files[2]).iter() if element.tag.endswith("text")]
    assert {"66.7", "2 types", "–", "0 types", "drugs", "genes, other"} <= set(texts)
    again = cross_corpus_page(cross_corpus(pipelines, corpus_folder)).to_disk(tmp_path / "again")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]


def test_names_of_pipelines(trained: Callable[..., Language], corpus_folder: Path, tmp_path: Path) -> None:
    trained(drugs=["DISEASE"]).to_disk(tmp_path / "one")
    trained(drugs=["DISEASE"]).to_disk(tmp_path / "two")
    twice = [tmp_path / "one", tmp_path / "two"]
    assert list(cross_corpus(twice, corpus_folder).pipelines) == [str(path) for path in twice]
    many = trained(**{name: ["DISEASE"] for name in "abcd"})
    assert list(cross_corpus([many], corpus_folder, names=["many"]).pipelines) == ["many"]
    assert list(cross_corpus([many], corpus_folder).pipelines) == ["pipeline"]
    for names in ("one", "one,one", "one,two,three", "one,two,two", "one,,two", "one,"):
        with pytest.raises(BionerError, match=f"There are {len({*names.split(',')} - {''})} names for 2 pipelines"):
            cross_corpus(twice, corpus_folder, names=names.split(","))


def test_corpora_of_other_components_stand_in_the_config(corpus_folder: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "DISEASE", "pattern": "asthma"}])  # type: ignore[attr-defined]
    with pytest.warns(BionerWarning, match="pipeline does not say which corpora"):
        found = cross_corpus([nlp], corpus_folder, predicted_keys=["ents"])
    assert found.cells["pipeline", "drugs"].in_domain is None and found.trained_on == {"pipeline": None}
    for setting in ("drugs, other", ["drugs", "other"]):
        nlp.config["corpora"] = {"train": {"corpora": setting}}
        found = cross_corpus([nlp], corpus_folder, predicted_keys=["ents"])
        assert found.trained_on == {"drugs, other": ["drugs", "other"]}
        assert matrix_table(found).rows == [["drugs, other", "66.67* (1)", "–"]]


@pytest.mark.parametrize(("factory", "label"), [("ner", "GENE"), ("spancat", "DISEASE"), ("entity_ruler", "GENE")])
def test_components_of_spacy(factory: str, label: str) -> None:
    """Their label data are no corpora, whatever they are."""
    nlp = spacy.blank("en")
    component: Any = nlp.add_pipe(factory)
    if factory == "entity_ruler":
        component.add_patterns([{"label": label, "pattern": "T"}])
    else:
        component.add_label(label)
    nlp.add_pipe("tagger").add_label("CHEMICAL")  # type: ignore[attr-defined]
    assert _known(nlp) == (frozenset([label]), None)


def test_documents_without_scope_are_annotated_for_the_types_of_their_corpus(
    trained: Callable[..., Language], corpus_folder: Path, nlp: Language
) -> None:
    doc = nlp.make_doc(RECEPTOR)
    doc.ents = mark(doc, [("T cells", "CELL_TYPE")])
    (corpus_folder / "plain").mkdir()
    doc.spans[SPANS_KEY] = list(doc.ents)
    DocBin(docs=[doc]).to_disk(corpus_folder / "plain" / "test.spacy")
    with pytest.warns(BionerWarning, match=r"\(plain: CELL_TYPE\)"):
        found = cross_corpus([trained(a=["CELL_TYPE", "PROTEIN"])], corpus_folder, corpora=["plain"])
    cell = found.cells["a", "plain"]
    assert (cell.types, cell.f) == (["CELL_TYPE"], 1.0)


@pytest.mark.parametrize(
    ("types", "mapped", "message"),
    [
        (["GENE"], {"GENES": "GENE"}, "map names GENES, which no .* there are: CELL_TYPE, CHEMICAL, DISEASE, GENE;"),
        (["PROTEIN"], {}, r"pipelines: PROTEIN; corpora: CELL_TYPE, CHEMICAL, DISEASE, GENE"),
        ([], {}, "The pipeline pipeline has no labels"),
    ],
)
def test_mistakes_of_the_user(
    types: list[str], mapped: dict[str, str], message: str, trained: Callable[..., Language], corpus_folder: Path
) -> None:
    with pytest.raises(BionerError, match=message):
        cross_corpus([trained(a=types)], corpus_folder, mapped=mapped)


def test_command(
    capsys: pytest.CaptureFixture[str], trained: Callable[..., Language], corpus_folder: Path, tmp_path: Path
) -> None:
    root = Path(__file__).parents[2]

    def command(*arguments: Any) -> int:
        return bioner("experiment", "cross-corpus", *arguments)

    shutil.copytree(corpus_folder / "genes", corpus_folder / "BC2GM")
    trained(BC2GM=["CELL_TYPE"], JNLPBA=["PROTEIN"]).to_disk(tmp_path / "pipeline")
    out = tmp_path / "out"
    options = ["--catalogue", root / "configs" / "catalogue.yml", "--corpora", "BC2GM", "--corpus", corpus_folder]
    arguments = [tmp_path / "pipeline", *options, "--output", out, "--names", "mine"]
    assert command(*arguments, "--map", "PROTEIN=GENE") == 0
    assert "80.00* (2)" in capsys.readouterr().out
    assert json.loads((out / "cross-corpus.json").read_text("utf8"))["map"] == {"PROTEIN": "GENE"}
    (tmp_path / "single" / "BC2GM").mkdir(parents=True)
    trained(BC2GM=["GENE"]).to_disk(tmp_path / "single" / "BC2GM" / "model-last")
    assert command(*arguments[:-1], "mine,single", "--each", tmp_path / "single") == 0
    pipelines = json.loads((out / "cross-corpus.json").read_text("utf8"))["pipelines"]
    assert [pipeline["name"] for pipeline in pipelines] == ["mine", "single"]
    assert command(*options, "--output", out, "--each", tmp_path / "single") == 0
    assert len(json.loads((out / "cross-corpus.json").read_text("utf8"))["pipelines"]) == 1
    assert command(*options, "--output", out, "--each", out) == 2
    assert command(*arguments, "--map", "PROTEIN") == 1
    assert "Option --map is 'PROTEIN'" in "".join(capsys.readouterr())
