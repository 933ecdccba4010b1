"""Review of predictions that the corpora do not annotate: the sample, and all of it from drawing to scores."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import spacy
from command_line import bioner
from hand_made import ASTHMA, RECEPTOR, mark
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin, SpanGroup
from spacy.training import Example

from bioner_spacy.analysis.review import (
    CONTEXT_CHARACTERS,
    Prediction,
    Review,
    allocate_evenly,
    draw,
    make_review,
    out_of_scope,
    to_row,
)
from bioner_spacy.analysis.review_scores import score_review
from bioner_spacy.analysis.review_sheet import Row
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.reports.review import write_review
from bioner_spacy.scope import SPANS_KEY, set_gold

# Words, type and score; the first of each text is annotated in its corpus.
ALPHABET = " ".join("abcdefghijklmnopqrst")
PREDICTED = {
    ALPHABET: [(letter, "GENE", place / 20) for place, letter in enumerate(ALPHABET.split())],
    ASTHMA: [("Aspirin", "CHEMICAL", 0.9), ("Aspirin", "GENE", 0.4), ("rare", "GENE", 0.8)],
    RECEPTOR: [("interleukin 2", "GENE", 0.9), ("receptor", "DISEASE", 0.7)],
    "Nothing to see .": [("see", "SPECIES", 0.1)],
}


@Language.component("three_types")
def three_types(doc: Doc) -> Doc:
    found = PREDICTED[doc.text]
    spans = mark(doc, [(words, entity_type) for words, entity_type, _ in found])
    doc.spans[SPANS_KEY] = SpanGroup(doc, spans=spans, attrs={"scores": [score for _, _, score in found]})
    return doc


@pytest.fixture
def pipeline() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("three_types")
    return nlp


def write_corpus(folder: Path, nlp: Language, texts: Sequence[str]) -> None:
    """Write a corpus named made, of one document in these records, annotated for chemicals, without any."""
    docs = DocBin()
    for text in texts:
        doc = nlp.make_doc(text)
        set_gold(doc, [], corpus="made", scope=["CHEMICAL"], doc_id="1")
        docs.add(doc)
    (folder / "made").mkdir()
    docs.to_disk(folder / "made" / "test.spacy")


def predictions(scores: Sequence[float | None], entity_type: str = "GENE") -> list[Prediction]:
    """A prediction of each score."""
    return [Prediction("c", number, "d", "text", 0, 4, entity_type, score) for number, score in enumerate(scores)]


def test_only_predictions_that_are_not_annotated(pipeline: Language, corpus_folder: Path) -> None:
    review = make_review(pipeline, corpus_folder, definitions={"GENE": "gene"})
    rows = [(row.corpus, row.entity_type, row.left, row.mention, row.right) for row in review.rows]
    assert sorted(rows) == [
        ("drugs", "GENE", "", "Aspirin", "-induced asthma is rare ."),
        ("drugs", "GENE", "Aspirin-induced asthma is ", "rare", " ."),
        ("drugs", "SPECIES", "Nothing to ", "see", " ."),
        ("genes", "DISEASE", "The interleukin 2 ", "receptor", " gene of T cells ."),
    ]
    assert [row.entity_type for row in review.rows] == ["DISEASE", "GENE", "GENE", "SPECIES"]
    assert review.definitions == {"DISEASE": "", "GENE": "gene", "SPECIES": ""}
    found = {review.key.rows[row.row]["text"]: review.key.rows[row.row]["score"] for row in review.rows}
    assert found == {"Aspirin": 0.4, "rare": 0.8, "see": 0.1, "receptor": 0.7}
    assert sum(stratum.population for stratum in review.key.strata) == 4


def test_documents_without_scope_are_annotated_for_all_types(pipeline: Language, nlp: Language) -> None:
    gold = nlp.make_doc(RECEPTOR)
    gold.spans[SPANS_KEY] = []
    assert list(out_of_scope([Example(pipeline(RECEPTOR), gold)])) == []
    set_gold(gold, [], corpus="c", scope=[])
    assert [found.entity_type for found in out_of_scope([Example(pipeline(RECEPTOR), gold)])] == ["GENE", "DISEASE"]


def test_the_order_of_rows_does_not_tell_scores(pipeline: Language, corpus_folder: Path, nlp: Language) -> None:
    write_corpus(corpus_folder, nlp, [ALPHABET])
    review = make_review(pipeline, corpus_folder, corpora=["made"])
    stratum = {row: place for place, stratum in enumerate(review.key.strata) for row in stratum.rows}
    places = [stratum[row.row] for row in review.rows]
    assert sorted(Counter(places).values()) == [4, 4, 4, 4, 4]
    assert places not in (sorted(places), sorted(places, reverse=True))


def test_judges_do_not_see_scores(pipeline: Language, corpus_folder: Path, tmp_path: Path) -> None:
    sheet, page, _ = write_review(make_review(pipeline, corpus_folder), tmp_path)
    for file in (sheet, page):
        assert not re.search(r"\b0\.[1478]\b", re.sub("<style>.*?</style>", "", file.read_text("utf8"), flags=re.S))


def test_the_same_seed_gives_the_same_files(pipeline: Language, corpus_folder: Path, tmp_path: Path) -> None:
    files = write_review(make_review(pipeline, corpus_folder, number=3), tmp_path / "one")
    again = write_review(make_review(pipeline, corpus_folder, number=3), tmp_path / "two")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]
    assert {file.name for file in files} == {"sheet.tsv", "sheet.html", "key.json"}


def test_mistakes_of_the_user_when_drawing(pipeline: Language, corpus_folder: Path) -> None:
    with pytest.raises(BionerError, match=r"A sample of 2 is too small for predictions of 3 types \(DISEASE, GENE"):
        make_review(pipeline, corpus_folder, number=2)
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "DISEASE", "pattern": "asthma"}])  # type: ignore[attr-defined]
    with pytest.raises(BionerError, match="predicts nothing in the split 'test' of drugs that"):
        make_review(nlp, corpus_folder, corpora=["drugs"], predicted_key="ents")


def test_without_scores(make_pipeline: Callable[..., Language], corpus_folder: Path) -> None:
    nlp = make_pipeline({ASTHMA: [("rare", "GENE"), ("is", "GENE"), ("asthma", "GENE"), ("Aspirin", "GENE")]})
    with pytest.warns(BionerWarning, match="4 predictions have no score"):
        [stratum] = make_review(nlp, corpus_folder).key.strata
    assert (stratum.population, stratum.low, len(stratum.rows)) == (4, None, 4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 40))
def test_even_shares(sizes: list[int], number: int) -> None:
    shares = allocate_evenly(sizes, number)
    assert sum(shares) == min(number, sum(sizes))
    assert all(share <= size for share, size in zip(shares, sizes))
    unfilled = [share for share, size in zip(shares, sizes) if share < size]
    assert all(share >= max(shares) - 1 for share in unfilled)


def test_strata_are_of_equal_numbers_and_in_the_order_of_scores() -> None:
    population = predictions([((7 * place) % 50) / 50 for place in range(50)]) + predictions([0.5, 0.6], "DNA")
    strata = draw(population, 22, seed=0)
    assert [(members[0].entity_type, len(members), len(rows)) for members, rows in strata] == [
        ("DNA", 2, 2),
        *[("GENE", 10, 4)] * 5,
    ]
    scores = [[found.score for found in members] for members, _ in strata[1:]]
    assert scores == [[(10 * part + place) / 50 for place in range(10)] for part in range(5)]
    for members, rows in strata:
        assert len(set(rows)) == len(rows) and set(rows) <= set(members)
    assert draw(population, 22, seed=1) != strata


def test_every_prediction_of_a_stratum_is_drawn_equally_often() -> None:
    population = predictions([0.5] * 10)
    counts = Counter(found.record for seed in range(1000) for _, rows in draw(population, 4, seed) for found in rows)
    assert all(abs(counts[number] - 400) < 80 for number in range(10))


def test_equal_sentences_of_a_document_stay_apart(pipeline: Language, corpus_folder: Path, nlp: Language) -> None:
    """Two records with the same text, document and score are two predictions."""
    write_corpus(corpus_folder, nlp, ["Nothing to see ."] * 2)
    assert len(make_review(pipeline, corpus_folder, corpora=["made"]).rows) == 2


def test_long_texts_are_cut_between_words() -> None:
    text = "left " * 100 + "MIDDLE" + " right" * 100
    row = to_row("abc-1", Prediction("c", 1, "d", text, 500, 506, "GENE", 0.5))
    assert row.mention == "MIDDLE"
    assert row.left.startswith("… left ") and row.right.endswith(" right …")
    assert CONTEXT_CHARACTERS - 8 < len(row.left) <= CONTEXT_CHARACTERS + 2


def answered(review: Review, folder: Path, name: str, answers: Callable[[Row], str]) -> Path:
    """The sheet of a review, filled in by a function of its rows."""
    path = folder / name
    [header, *lines] = (folder / "sheet.tsv").read_text("utf-8-sig").splitlines()
    filled = [f"{line[:-1]}{answers(row)}\t" for row, line in zip(review.rows, lines, strict=True)]
    path.write_text("\n".join([header, *filled]), encoding="utf8")
    return path


def test_round_trip(pipeline: Language, corpus_folder: Path, tmp_path: Path) -> None:
    review = make_review(pipeline, corpus_folder)
    write_review(review, tmp_path)
    first = answered(review, tmp_path, "first.tsv", lambda row: "yes" if row.mention == "receptor" else "no")
    second = answered(review, tmp_path, "second.tsv", lambda row: "yes")
    found = score_review([first, second], tmp_path / "key.json")
    yes = {(row.entity_type, row.judge): row.yes for row in found.precision}
    assert yes["DISEASE", "both"] == 1 and yes["GENE", "both"] == 0 and yes["all types", "second"] == 4
    other = make_review(pipeline, corpus_folder, number=3)
    write_review(other, tmp_path / "other")
    with pytest.raises(BionerError, match="belongs to another review"):
        score_review([first], tmp_path / "other" / "key.json")


def test_commands(capsys: pytest.CaptureFixture[str], pipeline: Language, corpus_folder: Path, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]

    def command(*arguments: object) -> int:
        return bioner("review", *arguments)

    pipeline.to_disk(tmp_path / "pipeline")
    shutil.copytree(corpus_folder / "genes", corpus_folder / "BC2GM")
    options = ["--catalogue", root / "configs" / "catalogue.yml", "--corpora", "BC2GM", "--corpus", corpus_folder]
    out = tmp_path / "out"
    assert command("make", tmp_path / "pipeline", *options, "--number", 1, "--output", out) == 0
    assert "disease, syndrome or sign of one" in (out / "sheet.html").read_text("utf8")
    assert command("score", out / "sheet.tsv", "--key", out / "key.json", "--output", out) == 1
    assert "has no judgement" in " ".join("".join(capsys.readouterr()).split())
    (out / "me.tsv").write_text((out / "sheet.tsv").read_text("utf8").replace("\t\t\n", "\tyes\t\n"), encoding="utf8")
    assert command("score", out / "me.tsv", "--key", out / "key.json", "--output", out) == 0
    assert {file.name for file in out.iterdir()} >= {"review.json", "review.md"}
    assert "100.0 (100.0 to 100.0)" in capsys.readouterr().out
