"""Gains of auxiliary corpora from results, and their files."""

from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.experiments.transferability.gains import Gains, gain_rows
from bioner_spacy.reports.transferability import gains_page, gains_table
from bioner_spacy.scoring.results import Pipeline, Results

CORPORA = ["a", "b", "c"]
# Matched mentions of 100 gold and 100 predicted ones, one in each document: F1 in percent.
ALONE = {"a": (50, 60), "b": (70, 70), "c": (40, 40)}
JOINT = {
    "ab": {"a": (90, 90), "b": (70, 71)},
    "ac": {"a": (20, 22), "c": (40, 40)},
    "bc": {"b": (69, 70), "c": (41, 40)},
}


def results(seed: int, matched: dict[str, int]) -> Results:
    scores = {corpus: score(number) for corpus, number in matched.items()}
    documents = {
        corpus: {
            "unit": "document",
            "n": 100,
            "counts": {"X": {"gold": ones(100), "predicted": ones(100), "matched": ones(number)}},
        }
        for corpus, number in matched.items()
    }
    pipeline = Pipeline("en_x", "0", "encoder", seed, ["multitask_ner"])
    return Results(pipeline, "devel", None, {"per_corpus": scores}, 1, 1.0, documents=documents)


def score(matched: int) -> dict[str, Any]:
    found = dict.fromkeys("prf", matched / 100) | {"gold": 100, "predicted": 100}
    return {**found, "per_type": {"X": found}}


def ones(number: int) -> str:
    return " ".join(["1"] * number + ["0"] * (100 - number))


@pytest.fixture(scope="module")
def gains() -> Gains:
    alone = {corpus: [results(seed, {corpus: f[seed]}) for seed in (0, 1)] for corpus, f in ALONE.items()}
    joint = {
        frozenset(pair): [results(seed, {corpus: f[seed] for corpus, f in both.items()}) for seed in (0, 1)]
        for pair, both in JOINT.items()
    }
    return Gains(
        corpora=CORPORA,
        split="devel",
        seeds=[0, 1],
        tokens=dict.fromkeys(CORPORA, 1000),
        budget=1000,
        equal_steps=True,
        epochs=3,
        steps=dict.fromkeys(CORPORA, 10),
        joint_steps=20,
        rows=gain_rows(alone, joint, resamples=999),
        curves={"a": [[(1, 2.0), (5, 0.5)]]},
        alpha=0.05,
    )


def test_a_joint_run_gives_the_gains_of_both(gains: Gains) -> None:
    expected = {
        ("a", "b"): 0.35,
        ("a", "c"): -0.34,
        ("b", "a"): 0.005,
        ("b", "c"): -0.005,
        ("c", "a"): 0,
        ("c", "b"): 0.005,
    }
    assert list(gains.rows) == list(expected)
    for pair, gain in expected.items():
        assert gains.gain(*pair) == pytest.approx(gain)
    assert gains.alone("a") == (0.5, 0.6)


def test_only_differences_beyond_chance_are_reported(gains: Gains) -> None:
    assert [pair for pair in gains.rows if gains.differs(*pair)] == [("a", "b"), ("a", "c")]
    tests = [row.significance for row in gains.rows.values()]
    for test in tests:
        assert test is not None and test.adjusted is not None and test.adjusted >= test.p
    # The smallest p of 6 is taken 6 times.
    assert min(test.adjusted for test in tests if test and test.adjusted) == pytest.approx(6 / 1000)
    verdicts = [row[-1] for row in gains_table(gains).rows]
    assert verdicts == ["gain", "loss", *["not significant"] * 4]
    assert gains_table(gains).rows[0][3:6] == ["55.00 ± 7.07", "90.00 ± 0.00", "+35.00 ± 7.07"]


def test_files(gains: Gains, tmp_path: Path) -> None:
    files = gains_page(gains).to_disk(tmp_path)
    assert [file.name for file in files] == ["gains.json", "gains.md", "gains.svg", "gains.png"]
    assert Gains.from_disk(tmp_path) == Gains.from_disk(files[0]) == gains
    page, picture = files[1].read_text(encoding="utf8"), files[2].read_text(encoding="utf8")
    assert (
        "about 1,000 tokens of each corpus" in page
        and "20 steps on average; single runs a 10, b 10, c 10 steps" in page
        and "for the 6 gains" in page
    )
    assert picture.count(">+35.00<") == 1 and ">55.00 ± 7.07<" in picture
    # A frame for each difference, in the colour of frames.
    assert picture.lower().count("stroke: #e69f00") == 2


@pytest.mark.parametrize("content", ["[]", "{", '{"pairs": [], "curves": {}}'])
def test_files_that_hold_no_gains(content: str, tmp_path: Path) -> None:
    with pytest.raises(BionerError, match=r"gains.json holds no gains .*transferability pairs"):
        Gains.from_disk(tmp_path / "gains.json")
    (tmp_path / "gains.json").write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match="holds no gains"):
        Gains.from_disk(tmp_path)
