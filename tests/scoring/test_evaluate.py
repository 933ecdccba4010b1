"""Running a pipeline over corpora, the results file and the table."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from hand_made import ASTHMA, GOLD, RECEPTOR, mark
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.reports.table import Table, results_table
from bioner_spacy.scope import set_gold
from bioner_spacy.scoring.evaluate import corpus_files, describe, evaluate, load_pipeline, make_doc, read_gold
from bioner_spacy.scoring.results import Results

PREDICTED = {
    ASTHMA: [("Aspirin", "CHEMICAL"), ("asthma", "DISEASE"), ("rare", "GENE")],
    RECEPTOR: [("interleukin 2 receptor gene", "GENE"), ("T", "CELL_TYPE")],
}
TABLE = """\
| Corpus | Entity type | Gold | Predicted | P | R | F1 |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
| drugs | CHEMICAL | 1 | 1 | 100.00 | 100.00 | 100.00 |
| drugs | DISEASE | 2 | 1 | 100.00 | 50.00 | 66.67 |
| drugs | all types | 3 | 2 | 100.00 | 66.67 | 80.00 |
| genes | CELL_TYPE | 1 | 1 | 0.00 | 0.00 | 0.00 |
| genes | GENE | 1 | 1 | 100.00 | 100.00 | 100.00 |
| genes | all types | 2 | 2 | 50.00 | 50.00 | 50.00 |
| mean over corpora | all types | – | – | 75.00 | 58.33 | 65.00 |
| all mentions | all types | 5 | 4 | 75.00 | 60.00 | 66.67 |
"""

MakePipeline = Callable[[dict[str, list[tuple[str, str]]]], Language]


def test_scores_of_all_corpora(make_pipeline: MakePipeline, corpus_folder: Path) -> None:
    results = evaluate(make_pipeline(PREDICTED), corpus_folder)
    assert results_table(results).to_markdown() == TABLE
    assert results.per_corpus["drugs"]["nested"]["gold"] == 2
    counts = {"gold": "2 0", "predicted": "1 0", "matched": "1 0"}
    assert results.documents["drugs"]["counts"]["DISEASE"] == counts
    assert results.documents["genes"]["unit"] == "document"
    assert results.tokens == sum(len(spacy.blank("en")(text)) for _, texts in GOLD.values() for text in texts)


def test_texts_of_any_length(tmp_path: Path) -> None:
    """But where a component of spaCy takes memory that grows with them."""
    spacy.blank("en").to_disk(tmp_path / "plain")
    long = " " * (10**6 + 1)
    assert len(load_pipeline(tmp_path / "plain")(long)) == 1
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("X")  # type: ignore[attr-defined]
    nlp.initialize()
    nlp.to_disk(tmp_path / "ner")
    with pytest.raises(BionerError, match="has 1,000,001 characters, and the pipeline reads 1,000,000 at most"):
        make_doc(load_pipeline(tmp_path / "ner"), long, None)


def test_only_the_chosen_corpora_and_documents(make_pipeline: MakePipeline, corpus_folder: Path) -> None:
    results = evaluate(make_pipeline({}), corpus_folder, corpora=["drugs"], limit=1)
    assert list(results.per_corpus) == ["drugs"]
    assert (results.limit, results.tokens) == (1, len(spacy.blank("en")(ASTHMA)))


def test_overlapping_mentions_are_left_out_on_demand(make_pipeline: MakePipeline, corpus_folder: Path) -> None:
    nlp = make_pipeline({RECEPTOR: [("interleukin 2 receptor gene", "GENE"), ("gene", "GENE")]})
    counts = [
        evaluate(nlp, corpus_folder, allow_overlap=allow).per_corpus["genes"]["predicted"] for allow in (True, False)
    ]
    assert counts == [2, 1]


@pytest.mark.parametrize("context", ["source", "sentence", "group", "document"])
def test_gold_mentions_are_the_same_in_every_context(
    context: str, make_pipeline: MakePipeline, tmp_path: Path
) -> None:
    """A corpus of one article of two sentences."""
    nlp = make_pipeline({f"{ASTHMA} {ASTHMA}": [("Aspirin", "CHEMICAL")], ASTHMA: [("Aspirin", "CHEMICAL")]})
    docs = DocBin()
    for _ in range(2):
        doc = nlp.make_doc(ASTHMA)
        set_gold(doc, mark(doc, [("Aspirin", "CHEMICAL")]), corpus="drugs", scope=["CHEMICAL"], doc_id="a")
        docs.add(doc)
    (tmp_path / "drugs").mkdir()
    docs.to_disk(tmp_path / "drugs" / "test.spacy")
    results = evaluate(nlp, tmp_path, context=context, context_tokens=len(doc))
    scores = results.per_corpus["drugs"]
    # The pipeline finds the first one of each text.
    assert (scores["gold"], scores["predicted"]) == (2, 1 if context == "document" else 2)
    assert results.tokens == 2 * len(doc)
    assert results.documents["drugs"]["n"] == 1
    assert results.documents["drugs"]["counts"]["CHEMICAL"]["gold"] == "2"
    assert (results.context, results.context_tokens) == (context, len(doc) if context == "group" else None)
    assert evaluate(nlp, tmp_path, context=context, limit=1).per_corpus["drugs"]["gold"] == 1


def test_context_that_is_not_known(corpus_folder: Path, make_pipeline: MakePipeline) -> None:
    with pytest.raises(BionerError, match="Setting context is 'page'"):
        evaluate(make_pipeline({}), corpus_folder, context="page")


def test_results_survive_the_disk(make_pipeline: MakePipeline, corpus_folder: Path, tmp_path: Path) -> None:
    results = evaluate(make_pipeline(PREDICTED), corpus_folder)
    path = tmp_path / "reports" / "results.json"
    results.to_disk(path)
    assert Results.from_disk(path) == results
    text = path.read_text(encoding="utf8")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert [file.name for file in path.parent.iterdir()] == ["results.json"]
    old = {name: value for name, value in json.loads(text).items() if name not in ("documents", "path")}
    path.write_text(json.dumps(old), encoding="utf8")
    assert Results.from_disk(path) == replace(results, documents={})


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"scores": {"per_corpus": {}}}', '{"scores": null}'])
def test_a_file_without_results_is_named(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match="results.json holds no results"):
        Results.from_disk(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("pipeline.seed", "one"),
        ("scores.per_corpus", {}),
        ("scores.per_corpus.drugs.predicted", "many"),
        ("scores.per_corpus.drugs", []),
        ("scores.per_corpus.drugs.f", "high"),
        ("scores.per_corpus.drugs.per_type", None),
        ("scores.per_corpus.drugs.per_type.DISEASE", {"f": 1.0}),
        ("documents", []),
        ("documents.drugs.n", 7),
        ("documents.drugs.unit", "page"),
        ("documents.drugs.counts.DISEASE", {"gold": "1"}),
        ("documents.drugs.counts.DISEASE.matched", "many"),
    ],
)
def test_results_of_another_form_are_refused(
    make_pipeline: MakePipeline, corpus_folder: Path, tmp_path: Path, place: str, value: object
) -> None:
    path = tmp_path / "results.json"
    evaluate(make_pipeline({}), corpus_folder).to_disk(path)
    changed = json.loads(path.read_text("utf8"))
    Results.from_disk(path)
    *outer, last = place.split(".")
    part = changed
    for key in outer:
        part = part[key]
    assert last in part
    part[last] = value
    path.write_text(json.dumps(changed), encoding="utf8")
    with pytest.raises(BionerError, match="results.json holds no results"):
        Results.from_disk(path)


def test_missing_corpora_are_named(corpus_folder: Path) -> None:
    with pytest.raises(BionerError, match="nowhere; there is one for: drugs, genes"):
        corpus_files(corpus_folder, ["genes", "nowhere"], "test")
    with pytest.raises(BionerError, match="holds no <corpus>/"):
        corpus_files(corpus_folder, None, "dev")
    with pytest.raises(BionerError, match="holds no <corpus>/"):
        corpus_files(corpus_folder, [], "test")


def test_broken_and_unannotated_corpora_are_named(nlp: Language, tmp_path: Path) -> None:
    path = tmp_path / "test.spacy"
    path.write_bytes(b"not a DocBin")
    with pytest.raises(BionerError, match="not a readable DocBin"):
        read_gold(nlp, "drugs", path)
    DocBin(docs=[nlp.make_doc("No annotation .")]).to_disk(path)
    with pytest.raises(BionerError, match="drugs has no annotated document"):
        read_gold(nlp, "drugs", path)


def test_documents_of_other_tools_get_the_name_of_their_folder(nlp: Language, tmp_path: Path) -> None:
    with_ents, with_spans = nlp.make_doc(ASTHMA), nlp.make_doc(ASTHMA)
    with_ents.ents = mark(with_ents, [("asthma", "DISEASE")])
    with_spans.spans["bioner"] = mark(with_spans, [("asthma", "DISEASE")])
    with_ents.spans["bioner"] = list(with_ents.ents)
    DocBin(docs=[with_ents, with_spans, nlp.make_doc("No annotation .")]).to_disk(tmp_path / "test.spacy")
    with pytest.warns(BionerWarning, match=r"\(drugs: DISEASE\)"):
        gold = read_gold(nlp, "drugs", tmp_path / "test.spacy")
    assert [doc.spans["bioner"].attrs["scope"] for doc in gold] == [["DISEASE"], ["DISEASE"]]
    assert [doc.spans["bioner"].attrs["corpus"] for doc in gold] == ["drugs", "drugs"]
    assert [[span.text for span in doc.spans["bioner"]] for doc in gold] == [["asthma"], ["asthma"]]


def test_entities_are_gold_on_demand(nlp: Language, tmp_path: Path) -> None:
    doc = nlp.make_doc(ASTHMA)
    doc.ents = mark(doc, [("asthma", "DISEASE")])
    DocBin(docs=[doc, nlp.make_doc("No annotation .")]).to_disk(tmp_path / "test.spacy")
    with pytest.raises(BionerError, match=r"has no doc.spans\['bioner'\]; it has: ents"):
        read_gold(nlp, "drugs", tmp_path / "test.spacy")
    with pytest.warns(BionerWarning, match=r"\(drugs: DISEASE\)"):
        [gold] = read_gold(nlp, "drugs", tmp_path / "test.spacy", spans_key="ents")
    assert gold.spans["ents"].attrs["corpus"] == "drugs"


def test_pipeline_without_entities_is_an_error(nlp: Language, corpus_folder: Path) -> None:
    nlp.add_pipe("sentencizer")
    with pytest.raises(BionerError, match="predicts no entities .components: sentencizer"):
        evaluate(nlp, corpus_folder)


def test_pipeline_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BionerError, match="nowhere cannot be loaded"):
        load_pipeline(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.cfg", b""),
        ("config.cfg", b"[nlp\n"),
        ("meta.json", b"{"),
        ("tokenizer", b"\x81"),
        ("vocab/strings.json", b"["),
    ],
)
def test_broken_pipelines_are_named(make_pipeline: MakePipeline, tmp_path: Path, file: str, content: bytes) -> None:
    make_pipeline({}).to_disk(tmp_path / "broken")
    (tmp_path / "broken" / file).write_bytes(content)
    with pytest.raises(BionerError, match="broken cannot be loaded: name the folder of a trained pipeline"):
        load_pipeline(tmp_path / "broken")


def test_missing_gpu_is_an_error() -> None:
    with pytest.raises(BionerError, match="GPU 99 cannot be used"):
        load_pipeline("any", gpu_id=99)


def test_description_of_a_pipeline(make_pipeline: MakePipeline) -> None:
    nlp = make_pipeline({})
    nlp.meta.update(name="bioner", version="1.2.3")
    assert describe(nlp).encoder is None
    nlp._config["vars"] = {"encoder": "a/model", "seed": 7}
    nlp.config["training"]["seed"] = "${vars.seed}"
    block = {"@architectures": "any.v1", "tok2vec": {"@architectures": "encoder.v1", "name": "${vars.encoder}"}}
    nlp._config["components"] = {"transformer": {"factory": "transformer", "model": block}}
    found = describe(nlp)
    assert (found.name, found.version, found.seed) == ("en_bioner", "1.2.3", 7)
    assert found.components == ["fixed_mentions"]


def test_markdown_cells_cannot_break_the_table() -> None:
    table = Table(["Corpus", "F1"], [["a|b", "1"]], numbers=1)
    assert table.to_markdown().splitlines()[2] == r"| a\|b | 1 |"


def test_empty_document_is_scored(make_pipeline: MakePipeline, corpus_folder: Path) -> None:
    nlp = make_pipeline({})
    doc = Doc(nlp.vocab)
    doc.spans["bioner"] = []
    (corpus_folder / "empty").mkdir()
    DocBin(docs=[doc]).to_disk(corpus_folder / "empty" / "test.spacy")
    results = evaluate(nlp, corpus_folder, corpora=["empty"])
    assert results.per_corpus["empty"]["f"] is None
    assert results_table(results).rows[0][-1] == "undefined"
