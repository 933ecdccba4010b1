"""Review of predictions that the corpora do not annotate: sample, sheet, page, and what judgements say."""

import csv
import io
import json
import re
import runpy
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
import spacy
from hand_made import ASTHMA, RECEPTOR, mark
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc, DocBin, SpanGroup
from spacy.training import Example

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.evaluation.results import Pipeline
from bioner_spacy.evaluation.review import (
    CONTEXT_CHARACTERS,
    Prediction,
    Review,
    draw,
    even_shares,
    make_review,
    out_of_scope,
    to_row,
)
from bioner_spacy.evaluation.review_page import review_page
from bioner_spacy.evaluation.review_scores import ReviewScores, score_review
from bioner_spacy.evaluation.review_sheet import (
    COLUMNS,
    Judgement,
    Key,
    KeyStratum,
    Row,
    read_sheet,
    sheet_text,
)
from bioner_spacy.evaluation.spreadsheet import FORMULA, cell
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


def key(*strata: tuple[str, int, int]) -> Key:
    """A key with so many predictions and rows of each type."""
    made, rows = [], {}
    for entity_type, population, drawn in strata:
        names = [f"abc-{len(rows) + number}" for number in range(drawn)]
        for name in names:
            rows[name] = {"corpus": "drugs", "doc_id": "1", "entity_type": entity_type, "text": f"words of {name}"}
        made.append(KeyStratum(entity_type, 0.1, 0.9, population, names))
    return Key(Pipeline("en_p", "1.0", None, 0, []), "test", 0, made, rows)


def fill(path: Path, key_: Key, answers: Sequence[str], comments: Sequence[str] = ()) -> Path:
    """Write a sheet of one key with these answers."""
    lines = ["\t".join(COLUMNS)]
    for place, (row, answer) in enumerate(zip(key_.rows, answers, strict=True)):
        comment = comments[place] if comments else ""
        lines.append("\t".join([row, *["x"] * (len(COLUMNS) - 3), answer, comment]))
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


def score(folder: Path, key_: Key, *answers: str) -> ReviewScores:
    """Scores of judges named first and second, whose answers are given by their first letters."""
    words = {"y": "yes", "n": "no", "u": "unsure"}
    (folder / "key.json").write_text(json.dumps(key_.to_dict()), encoding="utf8")
    sheets = [
        fill(folder / f"{name}.tsv", key_, [words[letter] for letter in of_judge])
        for name, of_judge in zip(["first", "second"], answers)
    ]
    return score_review(sheets, folder / "key.json")


# The sample.


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
    sheet, page, _ = make_review(pipeline, corpus_folder).to_disk(tmp_path)
    for file in (sheet, page):
        assert not re.search(r"\b0\.[1478]\b", re.sub("<style>.*?</style>", "", file.read_text("utf8"), flags=re.S))


def test_the_same_seed_gives_the_same_files(pipeline: Language, corpus_folder: Path, tmp_path: Path) -> None:
    files = make_review(pipeline, corpus_folder, number=3).to_disk(tmp_path / "one")
    again = make_review(pipeline, corpus_folder, number=3).to_disk(tmp_path / "two")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]
    assert {file.name for file in files} == {"sheet.tsv", "sheet.html", "key.json"}


def test_mistakes_of_the_user_when_drawing(pipeline: Language, corpus_folder: Path) -> None:
    with pytest.raises(BionerError, match=r"A sample of 2 is too small for predictions of 3 types \(DISEASE, GENE"):
        make_review(pipeline, corpus_folder, number=2)
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "DISEASE", "pattern": "asthma"}])  # type: ignore[attr-defined]
    with pytest.raises(BionerError, match="predicts nothing in the split 'test' of drugs that"):
        make_review(nlp, corpus_folder, corpora=["drugs"])


def test_without_scores(make_pipeline: Callable[..., Language], corpus_folder: Path) -> None:
    nlp = make_pipeline({ASTHMA: [("rare", "GENE"), ("is", "GENE"), ("asthma", "GENE"), ("Aspirin", "GENE")]})
    with pytest.warns(BionerWarning, match="4 predictions have no score"):
        [stratum] = make_review(nlp, corpus_folder).key.strata
    assert (stratum.population, stratum.low, len(stratum.rows)) == (4, None, 4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 40))
def test_even_shares(sizes: list[int], number: int) -> None:
    shares = even_shares(sizes, number)
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


# The sheet.


@given(st.lists(st.text(max_size=12), min_size=5, max_size=5))
def test_a_sheet_is_read_as_it_was_written(texts: list[str]) -> None:
    text = sheet_text([Row("abc-1", *texts, "after")])
    assert text[0] == "\ufeff"
    header, cells = csv.reader(io.StringIO(text[1:], newline=""), delimiter="\t")
    assert tuple(header) == COLUMNS
    assert cells[0] == "abc-1" and cells[-2:] == ["", ""]
    assert cells[1:5] == [cell(text) for text in texts[:4]] and cells[5].startswith("⟦")
    assert not any(value.startswith(tuple(FORMULA)) for value in cells)


@pytest.mark.parametrize("delimiter", ["\t", ";", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_spreadsheets_write(delimiter: str, encoding: str, tmp_path: Path) -> None:
    """Other delimiters, encodings and line ends, quotes, columns without names, empty rows, and texts changed."""
    key_ = key(("GENE", 2, 2))
    records = [
        [*COLUMNS, ""],
        ["abc-1", "c", "d", "GENE", "2-Sep", 'a "b"', "", " YES ", "why; and, how", ""],
        ["abc-0", "c", "d", "GENE", "", "two\nlines", "", "No", "", ""],
        [""] * 10,
    ]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(records)
    (tmp_path / "s.csv").write_bytes(text.getvalue().encode(encoding))
    found = read_sheet(tmp_path / "s.csv", key_, tmp_path / "key.json")
    assert list(found.items()) == [("abc-0", Judgement("no", "")), ("abc-1", Judgement("yes", "why; and, how"))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda lines: [*lines[:2], lines[2].replace("yes", ""), *lines[3:]],
            "line 3: the row abc-1 has no judgement",
        ),
        (
            lambda lines: [*lines[:2], lines[2].replace("yes", "maybe")],
            "line 3: the judgement 'maybe' of the row abc-1",
        ),
        (lambda lines: [*lines, lines[1]], "line 5: the row abc-0 stands in line 2 already"),
        (lambda lines: [*lines, lines[1].replace("abc-0", "xyz-7")], "line 5: there is no row xyz-7 in .*key.json"),
        (lambda lines: [*lines, lines[1].replace("abc-0", "")], "line 5: there is no row without id"),
        (lambda lines: lines[:2], "lacks 2 of the 3 rows of .*key.json, the first is abc-1"),
        (lambda lines: lines[1:], "its first column is not id"),
        (lambda lines: [lines[0].replace("judgement", "j"), *lines[1:]], "no column judgement"),
        (lambda lines: [*lines[:3], lines[3] + "\tmore"], "line 4 has too many columns"),
    ],
)
def test_wrong_sheets(change: Callable[[list[str]], list[str]], message: str, tmp_path: Path) -> None:
    key_ = key(("GENE", 3, 3))
    path = fill(tmp_path / "sheet.tsv", key_, ["yes"] * 3)
    path.write_text("\n".join(change(path.read_text("utf8").splitlines())), encoding="utf8")
    with pytest.raises(BionerError, match=f"sheet.tsv.*{message}"):
        read_sheet(path, key_, tmp_path / "key.json")


def test_files_that_are_no_sheets_or_keys(tmp_path: Path) -> None:
    key_ = key(("GENE", 3, 1))
    with pytest.raises(BionerError, match="No such file"):
        read_sheet(tmp_path / "none.tsv", key_, tmp_path)
    (tmp_path / "latin.tsv").write_bytes("id\tjudgement\tcomment\nabc-0\tyes\tnaïve\n".encode("latin-1"))
    with pytest.raises(BionerError, match="byte 34 is not valid"):
        read_sheet(tmp_path / "latin.tsv", key_, tmp_path)
    with pytest.raises(BionerError, match="not the key of a review .No such file"):
        Key.from_disk(tmp_path / "none.json")
    broken = {**key_.to_dict(), "rows": {}}
    for content in ("{", "[]", json.dumps(broken)):
        (tmp_path / "key.json").write_text(content)
        with pytest.raises(BionerError, match="not the key of a review"):
            Key.from_disk(tmp_path / "key.json")


# The page.


class Page(HTMLParser):
    """Elements with their attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data


def test_texts_are_escaped() -> None:
    evil = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & \" '"
    page = Page(review_page([Row("abc-1", evil, evil, evil, evil, evil, evil)], {evil: evil}))
    tags = Counter(tag for tag, _ in page.elements)
    assert (tags["script"], tags["img"]) == (2, 0)
    assert page.text.count(evil) == 8  # the six cells, the type once more in the question, and its definition
    data = json.loads(page.scripts[0])
    assert data["rows"] == [{"id": "abc-1", "line": line_of(evil)}]


def line_of(text: str) -> str:
    """The cells of a row of this text alone, all with quotes as they hold some."""
    quoted = text.replace('"', '""')
    return "\t".join(["abc-1", *[f'"{quoted}"'] * 4, f'"⟦{quoted}⟧"', f'"{quoted}"'])


def test_the_page_has_a_question_for_each_row_and_needs_no_network() -> None:
    rows = [Row(f"abc-{number}", "c", "d", "GENE", "left ", "mention", " right") for number in range(3)]
    text = review_page(rows, {"GENE": "a gene"})
    page = Page(text)
    inputs = [found for tag, found in page.elements if tag == "input" and found.get("type") == "radio"]
    assert [(found["name"], found["value"]) for found in inputs] == [
        (row.row, answer) for row in rows for answer in ("yes", "no", "unsure")
    ]
    assert "http" not in text.replace("http-equiv", "") and not any("src" in found for _, found in page.elements)
    assert "width=device-width" in text and "default-src 'none'" in text
    assert "left mention right" in page.text and "a gene" in page.text


# The scores.


def test_agreement_and_precision_by_hand(tmp_path: Path) -> None:
    """Two types, one drawn from 100 predictions and one from 10."""
    key_ = key(("GENE", 100, 4), ("DNA", 10, 2))
    found = score(tmp_path, key_, "yynuyy", "ynnyyn")
    both = found.agreement["yes, no, unsure"]
    # Shares of the first: 4/6 yes, 1/6 no, 1/6 unsure; of the second: 3/6 yes, 3/6 no.
    by_chance = 4 / 6 * 3 / 6 + 1 / 6 * 3 / 6
    assert both.observed == pytest.approx(3 / 6)
    assert both.kappa == pytest.approx((3 / 6 - by_chance) / (1 - by_chance))
    assert found.agreement["yes, no (neither unsure)"].items == 5
    shares = {(row.entity_type, row.judge): row for row in found.precision}
    assert list(shares) == [
        (entity_type, judge) for entity_type in ("GENE", "DNA", "all types") for judge in ("first", "second", "both")
    ]
    one = shares["GENE", "first"]
    assert (one.population, one.judged, one.yes, one.unsure, one.sample.value) == (100, 4, 2, 1, 0.5)
    assert (shares["GENE", "both"].yes, shares["GENE", "both"].unsure) == (1, 1)
    everything = shares["all types", "both"]
    assert everything.sample.value == pytest.approx(2 / 6)
    assert everything.weighted.value == pytest.approx((100 * 1 / 4 + 10 * 1 / 2) / 110)


def test_one_judge(tmp_path: Path) -> None:
    found = score(tmp_path, key(("GENE", 9, 3)), "yyn")
    assert found.agreement == {}
    assert [(row.entity_type, row.judge) for row in found.precision] == [("GENE", "first")]
    assert [section.title for section in found.sections()] == ["Precision"]


def test_kappa_that_is_undefined_is_a_dash(tmp_path: Path) -> None:
    found = score(tmp_path, key(("GENE", 9, 3)), "yyy", "yyy")
    rows = found.sections()[0].table.rows
    assert rows == [
        ["yes, no, unsure", "3", "100.00", "–", "–"],
        ["yes, no (neither unsure)", "3", "100.00", "–", "–"],
    ]
    nothing = score(tmp_path, key(("GENE", 9, 1)), "u", "u")
    assert nothing.sections()[0].table.rows[1] == ["yes, no (neither unsure)", "0", "–", "–", "–"]


def test_reports(tmp_path: Path) -> None:
    key_ = key(("GENE", 100, 3))
    (tmp_path / "key.json").write_text(json.dumps(key_.to_dict()), encoding="utf8")
    first = fill(tmp_path / "both.tsv", key_, ["yes", "no", "yes"], ["", "a | family", ""])
    second = fill(tmp_path / "b.tsv", key_, ["yes", "yes", "yes"])
    found = score_review([first, second], tmp_path / "key.json")
    files = found.to_disk(tmp_path / "out")
    assert [file.name for file in files] == ["review.json", "review.md"]
    page = files[1].read_text("utf8")
    # A judge whose file is named like the row of both is told by the path.
    assert "| abc-1 | drugs | 1 | GENE | words of abc-1 | no: a \\| family | yes |" in page
    assert str(first) in page and "abc-0" not in page
    data = json.loads(files[0].read_text("utf8"))
    assert data["rows"]["abc-1"]["judgements"][str(first)] == {"answer": "no", "comment": "a | family"}
    assert data["precision"][0]["sample"]["value"] == pytest.approx(2 / 3)


def test_sheets_that_do_not_belong_together(tmp_path: Path) -> None:
    key_ = key(("GENE", 100, 1))
    sheet = fill(tmp_path / "a.tsv", key_, ["yes"])
    for sheets, problem in [([], "0 sheets"), ([sheet] * 3, "3 sheets"), ([sheet, sheet], "a.tsv twice")]:
        with pytest.raises(BionerError, match=f"not from .*{problem}"):
            score_review(sheets, tmp_path / "key.json")


# All of it.


def answered(review: Review, folder: Path, name: str, answers: Callable[[Row], str]) -> Path:
    """The sheet of a review, filled in by a function of its rows."""
    path = folder / name
    [header, *lines] = (folder / "sheet.tsv").read_text("utf-8-sig").splitlines()
    filled = [f"{line[:-1]}{answers(row)}\t" for row, line in zip(review.rows, lines, strict=True)]
    path.write_text("\n".join([header, *filled]), encoding="utf8")
    return path


def test_round_trip(pipeline: Language, corpus_folder: Path, tmp_path: Path) -> None:
    review = make_review(pipeline, corpus_folder)
    review.to_disk(tmp_path)
    first = answered(review, tmp_path, "first.tsv", lambda row: "yes" if row.mention == "receptor" else "no")
    second = answered(review, tmp_path, "second.tsv", lambda row: "yes")
    found = score_review([first, second], tmp_path / "key.json")
    yes = {(row.entity_type, row.judge): row.yes for row in found.precision}
    assert yes["DISEASE", "both"] == 1 and yes["GENE", "both"] == 0 and yes["all types", "second"] == 4
    other = make_review(pipeline, corpus_folder, number=3)
    other.to_disk(tmp_path / "other")
    with pytest.raises(BionerError, match="belongs to another review"):
        score_review([first], tmp_path / "other" / "key.json")


def test_commands(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pipeline: Language,
    corpus_folder: Path,
    tmp_path: Path,
) -> None:
    root = Path(__file__).parents[2]

    def command(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["review.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(root / "scripts" / "review.py"), run_name="__main__")
        return int(ended.value.code or 0)

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
