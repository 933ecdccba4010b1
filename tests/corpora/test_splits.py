import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioner_spacy.corpora.splits import by_count, by_list, by_share, read_list, stratify
from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.document import Mention, SourceDocument

SHARES = {"train": 0.75, "devel": 0.1, "test": 0.15}

_COUNTS = st.dictionaries(
    st.text(min_size=1, max_size=4),
    st.dictionaries(st.sampled_from(["GENE", "DISEASE", "RNA"]), st.integers(0, 9)),
    max_size=30,
)
_SHARES = st.tuples(st.floats(0.05, 0.4), st.floats(0.05, 0.4)).map(
    lambda pair: {"train": 1 - sum(pair), "devel": pair[0], "test": pair[1]}
)


def unit(doc_id: str, line: int, *labels: str) -> SourceDocument:
    mentions = tuple(Mention(0, 1, label, line) for label in labels)
    return SourceDocument(f"s{line}", f"text {line} of {doc_id}", mentions, Path("corpus.txt"), line, doc_id)


def units(*doc_ids: str) -> list[SourceDocument]:
    return [unit(doc_id, line) for line, doc_id in enumerate(doc_ids, start=1)]


@given(counts=_COUNTS, shares=_SHARES)
def test_partition(counts: dict[str, dict[str, int]], shares: dict[str, float]) -> None:
    assigned = stratify(counts, shares, name="x")
    assert set(assigned) == set(counts)
    assert set(assigned.values()) <= set(shares)


@given(counts=_COUNTS, shares=_SHARES, seed=st.randoms())
def test_order_of_documents_and_types_does_not_matter(
    counts: dict[str, dict[str, int]], shares: dict[str, float], seed: object
) -> None:
    shuffled = list(counts)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    other = {doc_id: dict(reversed(counts[doc_id].items())) for doc_id in shuffled}
    assert stratify(other, shares, name="x") == stratify(counts, shares, name="x")


def assert_shares(sizes: Mapping[str, int], assigned: Mapping[str, str], shares: Mapping[str, float]) -> None:
    """The size of every split is its share, give or take the size of one document."""
    found = Counter(dict.fromkeys(shares, 0))
    for doc_id, size in sizes.items():
        found[assigned[doc_id]] += size
    for split, share in shares.items():
        assert abs(found[split] - share * sum(sizes.values())) <= max(sizes.values(), default=0) + 1e-9


@given(sizes=st.dictionaries(st.text(max_size=4), st.integers(0, 50), max_size=40), shares=_SHARES)
def test_shares_of_one_type_are_within_a_document(sizes: dict[str, int], shares: dict[str, float]) -> None:
    assigned = stratify({doc_id: {"GENE": size} for doc_id, size in sizes.items()}, shares, name="x")
    assert_shares(sizes, assigned, shares)


@given(names=st.sets(st.text(max_size=4), max_size=40), shares=_SHARES)
def test_shares_of_documents_without_mentions_are_within_one(names: set[str], shares: dict[str, float]) -> None:
    assigned = stratify({doc_id: {} for doc_id in names}, shares, name="x")
    assert_shares(dict.fromkeys(names, 1), assigned, shares)


@given(counts=_COUNTS, shares=_SHARES)
def test_shares_of_the_rarest_type_are_within_a_document(
    counts: dict[str, dict[str, int]], shares: dict[str, float]
) -> None:
    totals = sum((Counter(types) for types in counts.values()), Counter())
    if totals:
        rarest = min(totals, key=lambda label: (totals[label], label))
        sizes = {doc_id: types.get(rarest, 0) for doc_id, types in counts.items()}
        assert_shares(sizes, stratify(counts, shares, name="x"), shares)


def test_every_type_gets_its_share() -> None:
    """Two frequent types and a rare one that stands in one of twenty documents, all within a hundredth."""
    counts = {f"d{i}": {"GENE": 1 + i * 7 % 5, "DISEASE": i * 11 % 4} for i in range(400)}
    for i in range(0, 400, 20):
        counts[f"d{i}"]["RNA"] = 2
    assigned = stratify(counts, SHARES, name="x")
    for label in ("GENE", "DISEASE", "RNA"):
        found = Counter[str]()
        for doc_id, types in counts.items():
            found[assigned[doc_id]] += types.get(label, 0)
        for split, share in SHARES.items():
            assert found[split] / found.total() == pytest.approx(share, abs=0.01)


def test_split_is_the_same_on_every_machine() -> None:
    """Kept here: a change of it would move documents between splits that others have trained on."""
    counts = {f"d{i}": {"GENE": 1 + i % 3, "RNA": i % 2} for i in range(12)}
    found = stratify(counts, {"train": 0.5, "devel": 0.25, "test": 0.25}, name="x")
    assert [found[f"d{i}"] for i in range(12)] == [
        *("test", "train", "train", "devel", "train", "test"),
        *("test", "train", "train", "train", "devel", "devel"),
    ]
    counts = {f"d{i}": {"GENE": 1} for i in range(40)}
    assert stratify(counts, SHARES, name="x") != stratify(counts, SHARES, name="y")


def test_documents_stay_together_and_sentences_without_one_stand_alone() -> None:
    documents = [unit(f"d{i // 5}", i, "gene", "other") for i in range(1, 101)]
    parts = list(by_share(lambda: documents, {"gene": "GENE", "other": None}, SHARES, corpus="x"))
    assert [document for _, document in parts] == documents
    splits: dict[str, set[str]] = {}
    for split, document in parts:
        splits.setdefault(document.doc_id, set()).add(split)
    assert all(len(found) == 1 for found in splits.values())
    alone = [unit("", i) for i in range(1, 101)]
    found = Counter(split for split, _ in by_share(lambda: alone, {}, SHARES, corpus="x"))
    assert found == {"train": 75, "devel": 10, "test": 15}


def test_split_without_documents_is_an_error() -> None:
    with pytest.raises(BionerError, match="Corpus x: with 2 documents the split devel would be empty"):
        list(by_share(lambda: units("a", "b"), {}, SHARES, corpus="x"))


def test_lists() -> None:
    documents = units("a", "b", "a", "c")
    lists = {"train": ["a"], "test": ["c", "b", "b"]}
    parts = [(split, document.line) for split, document in by_list(documents, lists, corpus="x")]
    assert parts == [("train", 1), ("test", 2), ("train", 3), ("test", 4)]


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"train": ["a", "b"], "test": ["c", "a"]}, "document a is in the lists of the splits train and test"),
        ({"train": ["a"], "test": ["c"]}, r"corpus\.txt, line 2: the document 'b' is in the list of no split"),
        ({"train": ["a", "z"], "test": ["b", "c", "y"]}, "2 of the documents .* the first is z"),
    ],
)
def test_lists_that_do_not_fit(lists: dict[str, list[str]], message: str) -> None:
    with pytest.raises(BionerError, match=message):
        list(by_list(units("a", "b", "a", "c"), lists, corpus="x"))


def test_list_files(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"MEDLINE:1\r\n\n MEDLINE:2 \n")
    assert read_list(path) == ["MEDLINE:1", "MEDLINE:2"]
    path.write_text("\n")
    with pytest.raises(BionerError, match="holds no document"):
        read_list(path)


def test_counts() -> None:
    parts = by_count(units("a", "b", "c"), {"test": (2, 3), "train": (0, 2)}, corpus="x")
    assert [(split, document.doc_id) for split, document in parts] == [("train", "a"), ("train", "b"), ("test", "c")]
    for end, message in ((4, "holds 3 sentences where the catalogue counts 4"), (2, "holds more than 2 sentences")):
        with pytest.raises(BionerError, match=message):
            list(by_count(units("a", "b", "c"), {"train": (0, 1), "test": (1, end)}, corpus="x"))
    with pytest.raises(BionerError, match="holds 0 sentences"):
        list(by_count([], {"train": (0, 1)}, corpus="x"))
    with pytest.raises(BionerError, match="holds 1 sentence where"):  # no list of so many
        list(by_count(units("a"), {"train": (0, 10**18)}, corpus="x"))


def test_shares_are_those_of_whole_articles() -> None:
    """Mentions of all units of an article count together, before it is assigned."""
    articles = {f"a{i}": ["gene"] * (i % 5) + ["rna"] * (i % 3 == 0) for i in range(40)}
    found = [
        unit(doc_id, line, *([label] if label else []))
        for doc_id, labels in articles.items()
        for line, label in enumerate([*labels, ""])
    ]
    assigned = {
        d.doc_id: split for split, d in by_share(lambda: found, {"gene": "GENE", "rna": "RNA"}, SHARES, corpus="x")
    }
    counts = {
        doc_id: {"GENE": labels.count("gene"), "RNA": labels.count("rna")} for doc_id, labels in articles.items()
    }
    assert assigned == stratify(counts, SHARES, name="x")
    assert len(set(assigned.values())) == 3


def test_copies_of_a_text_stay_together_and_are_compared() -> None:
    """As where two people have annotated the same documents, under other identifiers or under none."""
    documents = []
    for number in range(60):
        for copy, labels in (("a", ("gene", "rna")), ("b", ("gene",))):
            mentions = tuple(Mention(at, at + 1, label, 1) for at, label in enumerate(labels))
            line = 2 * number + (copy == "b")
            doc_id = f"{number}{copy}" if number % 2 else ""
            documents.append(SourceDocument(f"s{line}", f"text {number}", mentions, Path("x"), line, doc_id))
    documents += [unit("alone", 7, "gene"), unit("alone", 8, "gene")]  # two records of one article
    labels = {"gene": "GENE", "rna": "RNA"}
    with pytest.warns(BionerWarning, match=r"60 texts .* in 120 documents; .* F1 of 66\.7 %"):
        parts = list(by_share(lambda: documents, labels, SHARES, corpus="x"))
    assert [document for _, document in parts] == documents
    splits: dict[str, set[str]] = {}
    for split, document in parts:
        splits.setdefault(document.text, set()).add(split)
    assert all(len(found) == 1 for found in splits.values())
    assert {split for split, _ in parts} == set(SHARES)


def test_articles_with_a_sentence_in_common_stay_apart() -> None:
    documents = [
        SourceDocument(f"{article}:{line}", text, (), Path("x"), line, f"{article}")
        for article in range(40)
        for line, text in enumerate(("All rights reserved.", f"Text {article}."))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = list(by_share(lambda: documents, {}, SHARES, corpus="x"))
    assert {split for split, _ in parts} == set(SHARES)
