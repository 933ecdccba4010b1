"""Gold arrays against a plain rewriting of their definition."""

from collections.abc import Sequence
from typing import Any, Optional

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc, Span
from spacy.training import Example

from bioner_spacy.errors import BionerError
from bioner_spacy.pipeline.gold import collect_gold, read_by_sentence
from bioner_spacy.scope import SPANS_KEY, annotated_types, set_gold
from bioner_spacy.tasks import make_tasks
from bioner_spacy.types import Gold, SpanArrays

VOCAB = spacy.blank("en").vocab
LABEL_DATA = {"A": ["DISEASE"], "B": ["CHEMICAL", "DISEASE"]}
GRAINS = ["type", "corpus", "guideline"]

Mention = tuple[int, int, str]  # first token, one past the last token, entity type


def make_doc(tokens: Sequence[str], spaces: Optional[Sequence[bool]] = None) -> Doc:
    return Doc(VOCAB, words=list(tokens), spaces=list(spaces) if spaces is not None else [False] * len(tokens))


def gold(tokens: Sequence[str], mentions: Sequence[Mention], corpus: str = "A", scope: Any = ("DISEASE",)) -> Doc:
    doc = make_doc(tokens)
    set_gold(doc, [Span(doc, *mention) for mention in mentions], corpus=corpus, scope=scope)
    return doc


def rows(examples: Sequence[Example], grain: str = "type") -> tuple[list[tuple[int, ...]], list[list[bool]], int]:
    """Gold spans (start, end, task, type), supervision and number of mentions left out."""
    result, n_misaligned = collect_gold(examples, make_tasks(LABEL_DATA, grain), SPANS_KEY)
    spans = result.spans
    assert (spans.scores == 1.0).all() and len(spans.scores) == len(spans.starts)
    assert result.lengths.tolist() == [len(example.predicted) for example in examples]
    columns = [array.tolist() for array in (spans.starts, spans.ends, spans.tasks, spans.types)]
    return list(zip(*columns)), result.supervised.tolist(), n_misaligned


def label_data(*references: Doc) -> dict[str, set[str]]:
    return annotated_types(references)[0]


def test_entities_with_missing_tokens_supervise_nothing() -> None:
    reference = make_doc(["p53", "and", "Rb"])
    reference.set_ents([Span(reference, 0, 1, "DISEASE")], default="missing")
    examples = [Example(make_doc(["p53", "and", "Rb"]), reference)]
    assert rows(examples) == ([], [[False, False]], 0)
    assert label_data(reference) == {}
    reference.set_ents([Span(reference, 0, 1, "DISEASE")])
    assert rows(examples) == ([(0, 1, 1, 0)], [[True, True]], 0)


@pytest.mark.parametrize(
    ("grain", "corpus", "supervised"),
    [
        ("type", "A", [False, True]),
        ("type", "B", [True, True]),
        ("corpus", "A", [True, False]),
        ("corpus", "B", [False, True]),
        ("guideline", "A", [True, False, False]),
        ("guideline", "B", [False, True, True]),
    ],
)
def test_scope_and_corpus_say_what_a_document_supervises(grain: str, corpus: str, supervised: list[bool]) -> None:
    reference = gold(["a"], [], corpus, LABEL_DATA[corpus])
    assert rows([Example(make_doc(["a"]), reference)], grain)[1] == [supervised]


@pytest.mark.parametrize(
    ("corpus", "supervised"), [("A", [False, True]), ("B", [True, True]), ("", [False, True]), ("C", [False, True])]
)
def test_documents_without_a_scope_have_that_of_their_corpus(corpus: str, supervised: list[bool]) -> None:
    """An unknown corpus is taken to annotate the types of its mentions alone."""
    reference = make_doc(["a", "b"])
    if corpus:
        reference.spans[SPANS_KEY] = [Span(reference, 0, 1, "DISEASE")]
        reference.spans[SPANS_KEY].attrs["corpus"] = corpus
    else:
        reference.ents = [Span(reference, 0, 1, "DISEASE")]
    examples = [Example(make_doc(["a", "b"]), reference)]
    types = {**LABEL_DATA, "": ["DISEASE"]}
    gold, _ = collect_gold(examples, make_tasks(types, "type"), SPANS_KEY, corpus_types=types)
    assert gold.supervised.tolist() == [supervised]
    del types[""]
    gold, _ = collect_gold(examples, make_tasks(types, "type"), SPANS_KEY, corpus_types=types)
    assert gold.supervised.tolist() == [supervised]


def test_a_mention_given_twice_counts_once() -> None:
    example = Example(make_doc(["a"]), gold(["a"], [(0, 1, "DISEASE"), (0, 1, "DISEASE")]))
    assert rows([example])[0] == [(0, 1, 1, 0)]


def test_no_annotation_is_not_the_same_as_nothing_found() -> None:
    nothing, unknown = make_doc(["a", "b"]), make_doc(["a", "b"])
    nothing.ents = []
    assert rows([Example(make_doc(["a", "b"]), nothing)])[1] == [[True, True]]
    assert rows([Example(make_doc(["a", "b"]), unknown)])[1] == [[False, False]]
    assert label_data(nothing) == {"": set()}
    assert label_data(unknown) == {}


def test_entities_stand_in_for_a_missing_span_group() -> None:
    reference = make_doc(["a", "b"])
    reference.ents = [Span(reference, 0, 1, "DISEASE")]
    assert rows([Example(make_doc(["a", "b"]), reference)]) == ([(0, 1, 1, 0)], [[True, True]], 0)
    assert label_data(reference) == {"": {"DISEASE"}}
    reference.spans[SPANS_KEY] = [Span(reference, 1, 2, "CHEMICAL")]
    assert label_data(reference) == {"": {"CHEMICAL"}}
    assert rows([Example(make_doc(["a", "b"]), reference)])[0] == [(1, 2, 0, 0)]


def test_label_data_are_the_scopes_of_each_corpus() -> None:
    first, second = gold(["a"], [], scope=["GENE", "RNA"]), gold(["a"], [(0, 1, "DNA")], scope=["DNA"])
    other = gold(["a"], [], corpus="B", scope=["DISEASE"])
    assert label_data(first, other, second) == {"A": {"GENE", "RNA", "DNA"}, "B": {"DISEASE"}}


@given(st.lists(st.lists(st.integers(1, 4), max_size=4), min_size=1, max_size=3), st.data())
def test_sentences_against_brute_force(drawn: list[list[int]], data: st.DataObject) -> None:
    """Documents of sentences of some tokens, and spans between any two tokens of a document."""
    docs, spans, supervised = [], [], []
    base = 0
    for number, sentences in enumerate(drawn):
        tokens = [token for length in sentences for token in [*["Token"] * (length - 1), "End."]]
        docs.append(Doc(VOCAB, words=tokens))
        places = st.lists(st.integers(0, len(tokens)), min_size=2, max_size=2, unique=True)
        for start, end in map(sorted, data.draw(st.lists(places, max_size=3)) if tokens else []):
            spans.append((base + start, base + end))
        supervised.append([number == 1])
        base += len(tokens)
    starts, ends = numpy.array(spans, dtype="int64").reshape(-1, 2).T
    zeros = numpy.zeros_like(starts)
    arrays = SpanArrays(starts, ends, zeros, zeros, zeros.astype("f"))
    whole = Gold(numpy.array([len(doc) for doc in docs]), arrays, numpy.array(supervised))
    expected: list[tuple[int, bool]] = []
    base = 0
    for number, sentences in enumerate(drawn):
        lengths = [0]
        for length in sentences:
            if lengths[-1] and not any(start < base < end for start, end in spans):
                lengths.append(0)
            lengths[-1] += length
            base += length
        expected += [(length, number == 1) for length in lengths]
    gold = read_by_sentence(whole, docs)
    assert list(zip(gold.lengths.tolist(), gold.supervised[:, 0].tolist())) == expected
    assert gold.spans is whole.spans


def test_documents_that_differ_in_text_are_an_error() -> None:
    reference = make_doc(["a", "b"], [True, False])
    reference.ents = [Span(reference, 1, 2, "DISEASE")]
    with pytest.raises(BionerError, match="'a b' differ in text"):
        rows([Example(make_doc(["a", "b"]), reference)])


@st.composite
def tokenised_twice(draw: st.DrawFn) -> tuple[list[str], list[str], list[bool], list[bool]]:
    """A text in two tokenizations: two lists of tokens, and for each whether tokens are followed by a space."""
    chunks = draw(st.lists(st.text("ab", min_size=1, max_size=4), max_size=4))
    sides: list[tuple[list[str], list[bool]]] = [([], []), ([], [])]
    for chunk in chunks:
        for tokens, spaces in sides:
            cuts = sorted(draw(st.sets(st.integers(1, 3)))) if len(chunk) > 1 else []
            boundaries = [0, *(cut for cut in cuts if cut < len(chunk)), len(chunk)]
            tokens += [chunk[begin:end] for begin, end in zip(boundaries, boundaries[1:])]
            spaces += [False] * (len(boundaries) - 2) + [True]
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]


places = st.tuples(st.integers(0, 9), st.integers(1, 5), st.sampled_from(["CHEMICAL", "DISEASE", "GENE"]))
cases = st.lists(st.tuples(tokenised_twice(), st.lists(places, max_size=5), st.sampled_from("AB")), max_size=4)


@given(cases, st.sampled_from(GRAINS))
def test_agrees_with_brute_force(drawn: list[Any], grain: str) -> None:
    tasks = make_tasks(LABEL_DATA, grain)
    examples, expected, n_lost, base = [], set(), 0, 0
    for (tokens, gold_tokens, spaces, gold_spaces), mentions, corpus in drawn:
        predicted, reference = make_doc(tokens, spaces), make_doc(gold_tokens, gold_spaces)
        kept = {(start, start + n, label) for start, n, label in mentions if start + n <= len(reference)}
        spans = [Span(reference, *mention) for mention in sorted(kept)]
        set_gold(reference, spans, corpus=corpus, scope=LABEL_DATA[corpus])
        examples.append(Example(predicted, reference))
        for span in spans:
            homes = [
                (k, task.types.index(span.label_))
                for k, task in enumerate(tasks)
                if span.label_ in task.types
                and set(task.types) <= set(LABEL_DATA[corpus])
                and task.corpus in (None, corpus)
            ]
            twins = [
                (base + i, base + j)
                for i in range(len(predicted))
                for j in range(i + 1, len(predicted) + 1)
                if (predicted[i:j].start_char, predicted[i:j].end_char) == (span.start_char, span.end_char)
            ]
            expected |= {(*twin, *home) for twin in twins for home in homes}
            n_lost += bool(homes and not twins)
        base += len(predicted)
    found, _, n_misaligned = rows(examples, grain)
    assert len(found) == len(set(found))
    assert (set(found), n_misaligned) == (expected, n_lost)
