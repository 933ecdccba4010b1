"""What the judgements of a review say."""

import json
from pathlib import Path

import pytest
from filled_sheets import fill, key

from bioner_spacy.analysis.review_scores import ReviewScores, score_review
from bioner_spacy.analysis.review_sheet import Key
from bioner_spacy.errors import BionerError
from bioner_spacy.reports.review import agreement_table, scores_page


def score(folder: Path, key_: Key, *answers: str) -> ReviewScores:
    """Scores of judges named first and second, whose answers are given by their first letters."""
    words = {"y": "yes", "n": "no", "u": "unsure"}
    (folder / "key.json").write_text(json.dumps(key_.to_dict()), encoding="utf8")
    sheets = [
        fill(folder / f"{name}.tsv", key_, [words[letter] for letter in of_judge])
        for name, of_judge in zip(["first", "second"], answers)
    ]
    return score_review(sheets, folder / "key.json")


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
    assert list(scores_page(found).tables) == ["Precision"]


def test_kappa_that_is_undefined(tmp_path: Path) -> None:
    found = score(tmp_path, key(("GENE", 9, 3)), "yyy", "yyy")
    rows = agreement_table(found).rows
    assert rows == [
        ["yes, no, unsure", "3", "100.00", "undefined", "undefined"],
        ["yes, no (neither unsure)", "3", "100.00", "undefined", "undefined"],
    ]
    nothing = score(tmp_path, key(("GENE", 9, 1)), "u", "u")
    assert agreement_table(nothing).rows[1] == ["yes, no (neither unsure)", "0", *["undefined"] * 3]


def test_reports(tmp_path: Path) -> None:
    key_ = key(("GENE", 100, 3))
    (tmp_path / "key.json").write_text(json.dumps(key_.to_dict()), encoding="utf8")
    first = fill(tmp_path / "both.tsv", key_, ["yes", "no", "yes"], ["", "a | family", ""])
    second = fill(tmp_path / "b.tsv", key_, ["yes", "yes", "yes"])
    found = score_review([first, second], tmp_path / "key.json")
    files = scores_page(found).to_disk(tmp_path / "out")
    assert [file.name for file in files] == ["review.json", "review.md"]
    page = files[1].read_text("utf8")
    # A judge whose file is named like the row of both is named by its path.
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
