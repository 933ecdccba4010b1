"""Check `sentences.jsonl`, the sentences that published pipelines are tried on; no pipeline is needed here.

The sentences were written for this project. A line is an object with

- `text`;
- `entities`: `[start, end, type]` of mentions on whose boundaries and type all guidelines agree. They are not all that the
  sentence has, so that a prediction which is not among them is no mistake;
- `forbidden`: `[start, end, type]` of absurd readings: no prediction of the type may overlap the span;
- `forbidden_any`, if true: no entity of any of `TYPES` is in the sentence.

Offsets count characters, the end is exclusive.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

TYPES = {"GENE", "DISEASE", "CHEMICAL", "SPECIES", "VARIANT", "CELL_TYPE", "CELL_LINE", "DNA", "RNA"}
LINES = (Path(__file__).parent / "sentences.jsonl").read_text(encoding="utf-8").splitlines()
SENTENCES: list[dict[str, Any]] = [json.loads(line) for line in LINES]

each_sentence = pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence["text"][:40])


def spans(sentence: dict[str, Any]) -> list[list[Any]]:
    return sentence["entities"] + sentence["forbidden"]


@each_sentence
def test_keys(sentence: dict[str, Any]) -> None:
    assert set(sentence) - {"forbidden_any"} == {"text", "entities", "forbidden"}
    assert sentence.get("forbidden_any", True) is True
    assert sentence["text"] == " ".join(sentence["text"].split())


@each_sentence
def test_spans_are_whole_tokens_of_known_types(sentence: dict[str, Any]) -> None:
    text = sentence["text"]
    for start, end, label in spans(sentence):
        assert label in TYPES
        assert 0 <= start < end <= len(text)
        mention = text[start:end]
        assert mention == mention.strip()
        # Offsets that begin or end a span inside a token are off by some characters.
        assert not (text[:start][-1:] + mention[0]).isalnum() or start == 0
        assert not (mention[-1] + text[end:][:1]).isalnum() or end == len(text)


@each_sentence
def test_no_span_is_there_twice(sentence: dict[str, Any]) -> None:
    assert max(Counter(map(tuple, spans(sentence))).values(), default=1) == 1


@each_sentence
def test_what_is_expected_is_not_forbidden(sentence: dict[str, Any]) -> None:
    for start, end, label in sentence["entities"]:
        assert not any(start < stop and begin < end and label == other for begin, stop, other in sentence["forbidden"])


@each_sentence
def test_sentence_asks_for_something(sentence: dict[str, Any]) -> None:
    assert bool(spans(sentence)) != sentence.get("forbidden_any", False)


def test_texts_are_unique() -> None:
    assert max(Counter(sentence["text"] for sentence in SENTENCES).values()) == 1


def test_every_type_is_expected_and_forbidden_somewhere() -> None:
    for key in ("entities", "forbidden"):
        assert {label for sentence in SENTENCES for _, _, label in sentence[key]} == TYPES


def test_enough_sentences_without_entities() -> None:
    assert sum(sentence.get("forbidden_any", False) for sentence in SENTENCES) >= 12
