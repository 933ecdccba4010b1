import json
from pathlib import Path
from typing import Any

import pytest

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.jsonlines import read, read_texts

GOOD: dict[str, Any] = {"tokens": ["FOX2", "binds", "ER- cells", "."], "entity_mentions": []}


def write(folder: Path, *records: Any) -> Path:
    path = folder / "train.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return path


def mention(start: Any, end: Any, label: Any = "DNA", **other: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "entity_type": label, **other}


def test_nested_mentions_and_identifiers(tmp_path: Path) -> None:
    mentions = [
        mention(0, 1),
        mention(0, 1, "protein"),
        mention(0, 3, "cell", text="FOX2 binds ER- cells"),
        mention(2, 3),
    ]
    record = {**GOOD, "entity_mentions": mentions, "doc_id": "d", "sent_id": "s"}
    first, second = read(write(tmp_path, record, " ", GOOD))
    assert (first.id, first.doc_id, first.line) == ("s", "d", 1)
    assert (second.id, second.doc_id, second.line) == ("train:3", "", 3)
    assert first.text.startswith("FOX2 binds ER- cells")
    assert [(first.text[m.start : m.end], m.label, m.line) for m in first.mentions] == [
        ("FOX2", "DNA", 1),
        ("FOX2", "protein", 1),
        ("FOX2 binds ER- cells", "cell", 1),
        ("ER- cells", "DNA", 1),
    ]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"tokens": ["\\ud800"], "entity_mentions": []}', "not valid JSON"),
        ("[]", "object is needed"),
        ({"entity_mentions": []}, "no list tokens"),
        ({**GOOD, "tokens": ["a", ""]}, "the token ''"),
        ({**GOOD, "tokens": ["a", 1]}, "the token 1"),
        ({**GOOD, "tokens": ["\u00a0"]}, "has no characters"),
        ({"tokens": ["a"]}, "no list entity_mentions"),
        ({**GOOD, "doc_id": ["a"]}, "doc_id must be"),
        ({**GOOD, "entity_mentions": ["a"]}, "must be an object"),
        ({**GOOD, "entity_mentions": [mention(0, 5)]}, "token 0 to 5 of a sentence of 4"),
        ({**GOOD, "entity_mentions": [mention(-1, 1)]}, "token -1 to 1"),
        ({**GOOD, "entity_mentions": [mention(1, 1)]}, "token 1 to 1"),
        ({**GOOD, "entity_mentions": [mention(False, True)]}, "token False to True"),
        ({**GOOD, "entity_mentions": [mention("0", 1)]}, "token 0 to 1"),
        ({**GOOD, "entity_mentions": [mention(0, 1, "")]}, "no entity_type"),
        ({**GOOD, "entity_mentions": [mention(0, 1, text="FOX3")]}, "'FOX3' is 'FOX2'"),
    ],
)
def test_malformed_lines(tmp_path: Path, record: Any, message: str) -> None:
    with pytest.raises(BionerError, match=rf"train\.jsonl, line 2: .*{message}"):
        list(read(write(tmp_path, GOOD, record)))


def test_tags_of_tokens(tmp_path: Path) -> None:
    """As data sets of Hugging Face have them, as texts and as numbers."""
    names = ["O", "B-D", "I-D"]
    tokens = ["Gout", "attack", "in", "mice"]
    path = tmp_path / "in.json"
    for tags, options in ((["B-D", "I-D", "O", "I-D"], {}), ([1, 2, 0, 2], {"tag_names": names})):
        path.write_text(json.dumps([{"id": 5, "tokens": tokens, "ner_tags": tags}]))
        [document] = read(path, **options)
        assert [(document.text[m.start : m.end], m.label) for m in document.mentions] == [
            ("Gout attack", "D"),
            ("mice", "D"),
        ]
        assert document.meta == {"id": 5}
    for tags, message in (
        ([1, 2], "as many tags"),
        ([1, 2, 0, 9], "does not know"),
        ([1, "O", 0, 0], "does not know"),
    ):
        path.write_text(json.dumps({"tokens": tokens, "labels": tags}))
        with pytest.raises(BionerError, match=message):
            list(read(path, tags="labels", tag_names=names))
    path.write_text(json.dumps({"tokens": tokens, "tags": [1, 2, 0, 0]}))
    with pytest.raises(BionerError, match="option tag_names"):
        list(read(path))


def test_sentences_without_tokens_and_texts_of_other_tokens(tmp_path: Path) -> None:
    path = write(
        tmp_path, {"tokens": [], "ner_tags": []}, {"tokens": ["``", "Gout"], "ner_tags": ["O", "B-D"], "text": '"Gout'}
    )
    with pytest.warns(BionerWarning, match=r"1 text that does not consist of .*first in line 2"):
        empty, document = read(path)
    assert (empty.text, empty.mentions) == ("", ())
    assert [document.text[m.start : m.end] for m in document.mentions] == ["Gout"]


def test_blanks_around_labels_are_no_part_of_them(tmp_path: Path) -> None:
    tagged = {"tokens": ["FOX2", "binds"], "tags": ["B-DNA ", "O "]}
    documents = list(read(write(tmp_path, {**GOOD, "entity_mentions": [mention(0, 1, " DNA ")]}, tagged)))
    assert [[m.label for m in document.mentions] for document in documents] == [["DNA"], ["DNA"]]


def test_lists_that_differ(tmp_path: Path) -> None:
    mention = {"start": 1, "end": 2, "entity_type": "D"}
    record = {"tokens": ["No", "gout"], "entity_mentions": [mention], "ner_tags": ["O", "B-D"], "tags": ["note"]}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record))
    [document] = read(path)
    assert document.meta == {"tags": ["note"]}
    path.write_text(json.dumps({**record, "tags": ["two", "words"], "ner_tags": [0, 1]}))
    assert len(list(read(path))) == 1
    path.write_text(json.dumps({**record, "ner_tags": ["B-D", "O"]}))
    with pytest.raises(
        BionerError, match="entity_mentions and ner_tags differ; .*tags=entity_mentions or tags=ner_tags"
    ):
        list(read(path))
    for tags, start in (("ner_tags", 0), ("entity_mentions", 3)):
        [document] = read(path, tags=tags)
        assert [one.start for one in document.mentions] == [start] and document.meta == {"tags": ["note"]}


def test_relations_and_tags_are_not_kept_beside_other_mentions(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"tokens": ["No", "gout"], "ner_tags": [0, 1], "relations": [[1]], "year": 2000}))
    [text] = read_texts(path)
    assert text.meta == {"year": 2000}
    with pytest.warns(BionerWarning, match=r"1 relation \(first in line 1\)"):
        [document] = read(path, tag_names=["O", "B-D"])
    assert document.meta == {"year": 2000}
