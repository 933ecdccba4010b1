"""Evaluation data in training data: hand-made corpora, and the hashing against all pairs."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from command_line import bioner
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import DocBin
from toy_corpora import excluding

from bioner_spacy.corpora import Catalogue, convert, fetch, load_catalogue
from bioner_spacy.corpora.leakage import (
    DOCUMENTS,
    LEVELS,
    PERMUTATIONS,
    RECORDS,
    Leak,
    Leakage,
    Matcher,
    bands,
    find_leaks,
    normalise,
    shingles,
    similarity,
)
from bioner_spacy.errors import BionerError
from bioner_spacy.scope import set_gold

ROOT = Path(__file__).parents[2]
CORPORA = os.environ.get("BIONER_CORPORA", "")

MICE = "Mice without the FOX2 gene had no ataxia at all."
GOUT = "Gout was seen in all 12 patients of the second group and in none of the first group."
RATS = "Rats of the same strain were fed with a diet rich in fat."
OTHER = "Nothing of this kind is said anywhere else in these corpora."
Split = Sequence[tuple[str, str]]  # document id and text of each unit


@pytest.fixture
def write(tmp_path: Path, nlp: Language) -> Callable[[Mapping[str, Split]], Path]:
    """Writes converted corpora, from "corpus/split" and the units of it; returns the folder."""

    def write_splits(splits: Mapping[str, Split]) -> Path:
        for place, units in splits.items():
            docs = DocBin()
            for doc_id, text in units:
                doc = nlp.make_doc(text)
                set_gold(doc, [], corpus=place.split("/")[0], scope=["GENE"], doc_id=doc_id)
                docs.add(doc)
            file = tmp_path / "corpus" / f"{place}.spacy"
            file.parent.mkdir(parents=True, exist_ok=True)
            docs.to_disk(file)
        return tmp_path / "corpus"

    return write_splits


Write = Callable[[Mapping[str, Split]], Path]


def places(leaks: Sequence[Leak]) -> list[tuple[str, int, str, int]]:
    """Both places of each leak."""
    return [
        (f"{leak.corpus}/{leak.split}", leak.number, f"{leak.other_corpus}/{leak.other_split}", leak.other_number)
        for leak in leaks
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IL-2 (p < 0.05)", "il2p005"),
        ("Naïve T\u00a0cells", "naïvetcells"),
        ("TGF-β1, TGF-Β1", "tgfβ1tgfβ1"),
        ("5 \u00b5g = 5 \u03bcg", "5\u03bcg5\u03bcg"),  # the micro sign is the letter mu
        ("ΑΣ ΑΣΑ", "ασασα"),  # lower-cased as a text, the first sigma would be a final one
        ("... – !", ""),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text(), st.text(), st.sampled_from(" \t\n-.,()\u00a0"))
def test_normalise_sees_letters_and_digits_only(first: str, second: str, between: str) -> None:
    text = normalise(first + second)
    assert all(character.isalnum() for character in text)
    assert normalise(text) == text
    assert normalise(first + between + second) == text == normalise(first) + normalise(second)


def test_similarity() -> None:
    assert shingles("abcdefg") == {"abcde", "bcdef", "cdefg"}
    assert shingles("abc") == {"abc"}
    assert similarity("abcdefg", "abcdefg") == 1
    assert similarity("abcdefg", "abcdefgh") == 3 / 4
    assert similarity("abcdefg", "zbcdefg") == 2 / 4
    assert similarity("abc", "abd") == 0


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.7, 0.8, 0.9, 0.99])
def test_bands_propose_nearly_every_pair_at_the_threshold(threshold: float) -> None:
    count, rows = bands(threshold)
    assert count * rows <= PERMUTATIONS
    assert (1 - threshold**rows) ** count <= 0.001
    longer = rows + 1
    assert rows == 8 or (1 - threshold**longer) ** (PERMUTATIONS // longer) > 0.001


def random_texts(random: Random, n: int) -> set[str]:
    """Texts that are copies of a few with more or fewer changes."""
    originals = ["".join(random.choices("abcdefgh", k=random.randint(20, 90))) for _ in range(6)]
    texts = set()
    for _ in range(n):
        text = list(random.choice(originals))
        for _ in range(random.randint(0, 5)):
            text[random.randrange(len(text))] = random.choice("abcdefgh")
        texts.add("".join(text))
    return texts


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 1.0])
def test_matches_are_those_of_all_pairs(threshold: float) -> None:
    random = Random(1)
    queries, *groups = (random_texts(random, 80) for _ in range(3))
    groups[0] |= set(sorted(queries)[::5])
    groups.append(random_texts(Random(1), 80))
    total = 0
    for texts, found in zip(groups, Matcher(threshold)(queries, *groups), strict=True):
        measured = [(query, text, similarity(query, text)) for query, text in product(queries, texts)]
        expected = sorted(pair for pair in measured if pair[2] >= threshold)
        assert sorted(found) == expected
        total += len(expected)
    assert total > 50


def test_no_texts_no_matches() -> None:
    matcher = Matcher(0.8)
    assert list(matcher([], {normalise(MICE)}, set())) == [[], []]
    assert list(matcher([normalise(MICE)], set())) == [[]]


def test_finds_sentences_in_their_own_and_in_other_corpora(write: Write) -> None:
    near = GOUT.replace("12", "13")
    folder = write(
        {
            "genes/train": [("", OTHER), ("", MICE), ("", "Short."), ("", MICE)],
            "genes/devel": [("", "Short."), ("", near)],
            "genes/test": [
                ("", MICE.upper().replace(" ", "  ")),
                ("", "Unlike all the other sentences of this test."),
            ],
            "diseases/train": [("", GOUT), ("", RATS)],
            "diseases/test": [("", RATS), ("", GOUT), ("", MICE)],
        }
    )
    found = find_leaks(folder, ["genes", "diseases"])
    similar = similarity(normalise(near), normalise(GOUT))
    assert 0.8 < similar < 1
    assert found.leaks[RECORDS] == [
        Leak("diseases", "test", 0, "diseases", "train", 1, 1.0, True),
        Leak("diseases", "test", 1, "diseases", "train", 0, 1.0, True),
        Leak("diseases", "test", 2, "genes", "train", 1, 1.0, True),
        Leak("diseases", "test", 2, "genes", "train", 3, 1.0, True),
        Leak("genes", "devel", 1, "diseases", "train", 0, similar, False),
        Leak("genes", "test", 0, "genes", "train", 1, 1.0, True),
        Leak("genes", "test", 0, "genes", "train", 3, 1.0, True),
    ]
    assert found.leaks[DOCUMENTS] == []
    assert found.exclude() == {
        "genes": excluding(folder, "genes", [1, 3]),
        "diseases": excluding(folder, "diseases", [0, 1]),
    }
    assert found.table(RECORDS) == [
        ["genes", "devel", "diseases 1", "1", "0", "0", "0", "1"],
        ["genes", "test", "", "2", "1", "0", "0", "0"],
        ["diseases", "test", "genes 1", "3", "2", "0", "1", "0"],
    ]
    exact = find_leaks(folder, ["genes", "diseases"], threshold=1)
    assert exact.leaks[RECORDS] == [leak for leak in found.leaks[RECORDS] if leak.exact]
    alone = find_leaks(folder, ["genes"])
    assert places(alone.leaks[RECORDS]) == [("genes/test", 0, "genes/train", 1), ("genes/test", 0, "genes/train", 3)]


def test_an_exact_match_is_not_counted_as_near_too(write: Write) -> None:
    near = [("", GOUT), ("", GOUT.replace("12", "13")), ("", GOUT.replace("12", "14"))]
    found = find_leaks(write({"a/train": near, "a/test": near[:1], "b/train": near[1:]}), ["a", "b"])
    assert len(found.leaks[RECORDS]) == 5
    assert found.table(RECORDS) == [["a", "test", "b 1", "1", "1", "0", "0", "1"]]


@pytest.mark.parametrize(("min_characters", "count"), [(6, 1), (7, 0)])
def test_short_sentences_are_not_compared(write: Write, min_characters: int, count: int) -> None:
    units = [("", "Fi-g. 12A")]
    found = find_leaks(write({"a/train": units, "a/test": units}), ["a"], min_characters=min_characters)
    assert (len(found.leaks[RECORDS]), found.compared[RECORDS]) == (count, {("a", "test"): count})


def test_documents_are_compared_whole(write: Write) -> None:
    """One corpus splits the sentences of a document in another way; units without an id are of no document."""
    folder = write(
        {
            "a/train": [("1", OTHER), ("2", MICE), ("2", GOUT), ("2", RATS), ("", MICE), ("", GOUT)],
            "b/test": [("", OTHER), ("9", f"{MICE} {GOUT}"), ("9", RATS), ("8", f"{MICE} {GOUT}")],
        }
    )
    found = find_leaks(folder, ["a", "b"])
    assert places(found.leaks[RECORDS]) == [("b/test", 0, "a/train", 0), ("b/test", 2, "a/train", 3)]
    assert found.leaks[DOCUMENTS] == [Leak("b", "test", 1, "a", "train", 1, 1.0, True)]
    assert found.compared[DOCUMENTS] == {("b", "test"): 2}
    assert found.exclude() == {"a": excluding(folder, "a", [0, 1, 2, 3])}
    assert found.table(DOCUMENTS) == [["b", "test", "a 1", "2", "0", "0", "1", "0"]]


def test_mistakes_are_reported(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write({"a/train": [("", MICE)], "b/other": [("", MICE)], "c/test": []})
    (folder / "c/train.spacy").write_bytes(b"no DocBin")
    with pytest.raises(BionerError, match="Corpus b is not converted: .* none of the splits train, devel, test"):
        find_leaks(folder, ["a", "b"])
    with pytest.raises(BionerError, match=r"c/train\.spacy is not a readable DocBin"):
        find_leaks(folder, ["c"])
    for setting, value in (("threshold", 0.4), ("threshold", 1.1), ("min_characters", 0)):
        settings: dict[str, Any] = {setting: value}
        with pytest.raises(BionerError, match=f"Setting {setting} is {value}"):
            find_leaks(folder, ["a"], **settings)
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(BionerError, match="pip install 'bioner_spacy.leakage"):
        find_leaks(folder, ["a"])
    assert find_leaks(folder, ["a"], threshold=1).units == {("a", "train"): 1}


def test_command(
    write: Write,
    data: dict[str, Any],
    load: Callable[[Any], Catalogue],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = write(
        {"genes/train": [("1", MICE), ("1", OTHER)], "genes/test": [("2", GOUT)], "nested/test": [("", MICE)]}
    )
    catalogue = load(data).path

    def command(*arguments: object) -> int:
        return bioner("corpora", "leakage", *arguments, "--catalogue", catalogue)

    output = tmp_path / "report"
    assert command(folder, "--corpora", "genes,nested", "--threshold", 0.9, "--output", output) == 0
    assert "nested   test    genes 1" in capsys.readouterr().out
    assert {path.name for path in output.iterdir()} == {"leakage.md", "leakage.json"}
    assert "| nested | test | genes 1 | 1 | 0 | 0 | 1 | 0 |" in (output / "leakage.md").read_text("utf8")
    assert json.loads((folder / "exclude.json").read_text("utf8")) == {"genes": excluding(folder, "genes", [0])}
    content = json.loads((output / "leakage.json").read_text("utf8"))
    assert content["threshold"] == 0.9
    assert content["units"] == {"genes/train": 2, "genes/test": 1, "nested/test": 1}
    assert [Leak(**leak) for leak in content["records"]["leaks"]] == [
        Leak("nested", "test", 0, "genes", "train", 0, 1.0, True)
    ]
    assert content["documents"]["compared"] == {"genes/test": 1, "nested/test": 0}
    assert command(folder, "--output", output) == 0
    assert json.loads((folder / "exclude.json").read_text("utf8")) == {"genes": excluding(folder, "genes", [0])}
    before = (folder / "exclude.json").stat().st_mtime_ns
    assert command(tmp_path / "nowhere", "--output", output) == 1
    assert "nowhere holds no <corpus>/<split>.spacy" in " ".join(capsys.readouterr().out.split())
    assert command(folder, "--corpora", "abstracts", "--output", output) == 1
    assert "Corpus abstracts is not converted" in " ".join(capsys.readouterr().out.split())
    assert (folder / "exclude.json").stat().st_mtime_ns == before


@pytest.mark.skipif(not CORPORA, reason="BIONER_CORPORA names no folder")
def test_published_corpora(tmp_path: Path, nlp: Language) -> None:
    """Numbers of test sentences that stand in train."""
    names = ["NCBI-disease", "BC2GM", "JNLPBA"]
    catalogue = load_catalogue(ROOT / "configs/catalogue.yml")
    fetch(catalogue, names, folder=tmp_path / "assets", source=CORPORA)
    convert(catalogue, names, assets=tmp_path / "assets", output=tmp_path / "corpus", nlp=nlp)
    found: Leakage = find_leaks(tmp_path / "corpus", names, threshold=1)
    compared = {corpus: count for (corpus, split), count in found.compared[RECORDS].items() if split == "test"}
    assert compared == {"NCBI-disease": 918, "BC2GM": 4915, "JNLPBA": 3843}

    def count(corpus: str, other: str) -> int:
        tests = [leak for leak in found.leaks[RECORDS] if (leak.corpus, leak.split) == (corpus, "test")]
        return len({leak.number for leak in tests if leak.other_corpus == other})

    assert count("JNLPBA", "JNLPBA") == 110
    assert count("BC2GM", "BC2GM") == 20
    assert count("BC2GM", "JNLPBA") == 28
    assert count("JNLPBA", "BC2GM") == 18
    assert count("NCBI-disease", "NCBI-disease") == 1
    assert {level: len(found.table(level)) for level in LEVELS} == dict.fromkeys(LEVELS, 6)
