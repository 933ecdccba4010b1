"""JSON lines with texts and spans by characters."""

import json
from pathlib import Path
from typing import Any

import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.reading import looks_like
from bioner_spacy.formats.textspans import read, read_texts

TEXT = "FOX2 binds\nFOX3 \U0001f9ec in mice."
GOOD: dict[str, Any] = {"text": TEXT, "spans": []}


def write(folder: Path, *records: Any) -> Path:
    path = folder / "train.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
    return path


def span(start: Any, end: Any, label: Any = "gene", **other: Any) -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, **other}


def read_one(folder: Path, record: dict[str, Any]) -> list[tuple[str, str]]:
    (document,) = read(write(folder, record))
    assert document.text == record["text"]
    return [(document.text[m.start : m.end], m.label) for m in document.mentions]


def test_texts_alone(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": TEXT, "id": 7}, "", {**GOOD, "doc_id": "d", "answer": "reject", "label": 3})
    assert [(d.text, d.doc_id, d.mentions, d.line) for d in read_texts(path)] == [
        (TEXT, "7", (), 1),
        (TEXT, "d", (), 3),
    ]
    with pytest.raises(BionerError, match="line 2: the object has no string text"):
        list(read_texts(write(tmp_path, GOOD, {"texts": "x"})))


@pytest.mark.parametrize(
    "annotation",
    [
        {
            "spans": [span(0, 4, token_start=0, token_end=0), span(21, 25, "taxon")],
            "answer": "accept",
            "label": "gene",
        },
        {"label": [[0, 4, "gene"], [21, 25, "taxon"]], "id": 7},
        {"labels": [[0, 4, "gene"], [21, 25, "taxon"]]},
        {
            "entities": [
                {"id": 1, "label": "gene", "start_offset": 0, "end_offset": 4},
                {"id": 2, "label": " taxon", "start_offset": 21, "end_offset": 25},
            ],
            "relations": [],
        },
        {"entities": [span(0, 4, text="FOX2"), span(21, 25, "taxon", text="mice")], "spans": {}},
    ],
    ids=["prodigy", "doccano", "doccano before", "doccano with relations", "with texts"],
)
def test_what_tools_export(tmp_path: Path, annotation: dict[str, Any]) -> None:
    assert read_one(tmp_path, {"text": TEXT, **annotation}) == [("FOX2", "gene"), ("mice", "taxon")]


def test_what_spacy_exports(tmp_path: Path) -> None:
    doc = Doc(Vocab(), words=["FOX2", "binds"])
    doc.ents = [Span(doc, 0, 1, label="gene")]
    assert read_one(tmp_path, doc.to_json()) == [("FOX2", "gene")]


def test_identifiers_lines_and_nested_spans(tmp_path: Path) -> None:
    nested = {**GOOD, "spans": [span(0, 10), span(0, 4), span(0, 4, "protein")], "doc_id": "d", "id": 1}
    first, second, third = read(write(tmp_path, nested, " ", {**GOOD, "id": 2}, GOOD))
    assert [(m.start, m.end, m.label, m.line) for m in first.mentions] == [
        (0, 10, "gene", 1),
        (0, 4, "gene", 1),
        (0, 4, "protein", 1),
    ]
    assert [(d.id, d.doc_id, d.line) for d in (first, second, third)] == [
        ("train:1", "d", 1),
        ("train:3", "2", 3),
        ("train:4", "", 4),
    ]


def test_what_was_not_accepted_is_counted_and_left_out(tmp_path: Path) -> None:
    path = write(
        tmp_path, GOOD, {**GOOD, "answer": "reject"}, {**GOOD, "answer": "accept"}, {**GOOD, "answer": "ignore"}
    )
    with pytest.warns(BionerWarning, match=r"2 documents that were rejected or ignored .*first in line 2"):
        assert [document.line for document in read(path)] == [1, 3]


def test_offsets_may_be_believed_against_the_text(tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "spans": [span(0, 4, text="FOX9")]})
    with pytest.warns(BionerWarning, match="1 annotation has another text"):
        (document,) = read(path, mismatch="offsets")
    assert document.mentions[0].end == 4


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not valid JSON"),
        ('{"text": "\\ud800", "spans": []}', "not valid JSON"),
        ("[]", "object is needed"),
        ({"spans": []}, "no string text"),
        ({"text": ["a"], "spans": []}, "no string text"),
        (
            {"text": "a"},
            r"no list of spans \(spans, label, labels, entities, annotations, denotations, ents\), which may be empty",
        ),
        ({"text": "a", "label": "gene"}, "no list of spans"),
        ({**GOOD, "doc_id": ["a"]}, "doc_id must be"),
        ({**GOOD, "answer": "maybe"}, "answer is 'maybe'"),
        ({**GOOD, "spans": ["gene"]}, "a span must be an object, or a list"),
        ({**GOOD, "spans": [[0, 4]]}, "a span must be an object, or a list"),
        ({**GOOD, "spans": [span(0, 90)]}, "characters 0 to 90 of a text of 26"),
        ({**GOOD, "spans": [span(-4, 2)]}, "characters -4 to 2"),
        ({**GOOD, "spans": [span(4, 4)]}, "characters 4 to 4"),
        ({**GOOD, "spans": [span(False, True)]}, "no whole numbers"),
        ({**GOOD, "spans": [["0", 4, "gene"]]}, "from '0' to 4 has no whole numbers"),
        ({**GOOD, "spans": [span(0, 4, " ")]}, "from 0 to 4 has no label"),
        ({**GOOD, "spans": [span(0, 4, None)]}, "from 0 to 4 has no label"),
        ({**GOOD, "spans": [span(0, 4, text=1)]}, "text of the span from 0 to 4 is no string"),
        ({**GOOD, "spans": [span(0, 4, text="FOX9")]}, "'FOX9' is not"),
    ],
)
def test_malformed_lines(tmp_path: Path, record: Any, message: str) -> None:
    errors: list[BionerError] = []
    path = write(tmp_path, GOOD, record, GOOD)
    with pytest.raises(BionerError, match=rf"train\.jsonl, line 2: .*{message}"):
        list(read(path))
    assert [document.line for document in read(path, on_error=errors.append)] == [1, 3]
    assert len(errors) == 1


def lists(**record: Any) -> dict[str, Any]:
    return {"text": TEXT, **record}


def test_lists_that_differ_must_be_chosen(tmp_path: Path) -> None:
    """A prediction must not win over what a curator made of it."""
    record = lists(spans=[span(5, 10, score=0.4)], label=[[0, 4, "gene"]])
    path = write(tmp_path, record, GOOD)
    with pytest.raises(BionerError, match=r"line 1: .*lists of spans that differ \(spans, label\).*option spans"):
        list(read(path))
    errors: list[BionerError] = []
    assert [document.line for document in read(path, on_error=errors.append)] == [2] and len(errors) == 1
    for key, name in (("label", "FOX2"), ("spans", "binds")):
        assert [m.label for m in next(iter(read(path, spans=key))).mentions] == ["gene"]
        document = next(iter(read(path, spans=key)))
        assert [document.text[m.start : m.end] for m in document.mentions] == [name]
    with pytest.raises(BionerError, match="differ"):  # what a curator has emptied
        list(read(write(tmp_path, lists(spans=[span(0, 4)], label=[]))))
    same = lists(spans=[span(0, 4)], label=[[0, 4, "gene"]])
    assert read_one(tmp_path, same) == [("FOX2", "gene")]
    with pytest.raises(BionerError, match="no list of spans sc; it has spans, label"):
        list(read(write(tmp_path, same), spans="sc"))


def test_groups_of_spans_that_spacy_exports(tmp_path: Path) -> None:
    gene = {**span(0, 4), "kb_id": ""}
    groups = {"sc": [gene, span(0, 10)]}
    for ents in ([], [gene]):  # nothing, and the flat view of the group
        assert read_one(tmp_path, lists(ents=ents, spans=groups)) == [("FOX2", "gene"), ("FOX2 binds", "gene")]
    assert read_one(tmp_path, lists(ents=[gene], spans={})) == [("FOX2", "gene")]
    path = write(tmp_path, lists(ents=[span(11, 15)], spans=groups))
    with pytest.raises(BionerError, match=r"\(spans\.sc, ents\).*spans=sc"):
        list(read(path))
    for key, count in (("sc", 2), ("ents", 1)):
        [document] = read(path, spans=key)
        assert len(document.mentions) == count


def test_answers_of_prodigy(tmp_path: Path) -> None:
    rejected = lists(spans=[span(0, 4, answer="accept"), span(5, 10, answer="reject")], answer="accept")
    with pytest.warns(BionerWarning, match="1 span that was rejected or ignored"):
        assert read_one(tmp_path, rejected) == [("FOX2", "gene")]
    nothing = {"text": TEXT, "answer": "accept", "tokens": [{"text": "FOX2", "start": 0, "end": 4, "id": 0}]}
    assert read_one(tmp_path, nothing) == []
    ignored = [{"text": TEXT, "answer": "ignore"}, {"text": TEXT, "answer": "reject", "spans": "?"}, GOOD]
    with pytest.warns(BionerWarning, match="2 documents that were rejected or ignored"):
        assert len(list(read(write(tmp_path, *ignored)))) == 1
    binary = [lists(spans=[span(0, 4)], answer="accept", **key) for key in ({"_is_binary": True}, {"_view_id": "ner"})]
    manual = lists(spans=[span(0, 4)], answer="accept", _view_id="ner_manual", _is_binary=False)
    with pytest.warns(BionerWarning, match="2 records that answer one question .*first in line 1"):
        assert [d.line for d in read(write(tmp_path, *binary, manual, {**binary[0], "no_missing": True}))] == [3, 4]


def test_what_prodigy_asks_about_whole_texts_is_left_out(tmp_path: Path) -> None:
    asked = {"text": TEXT, "answer": "accept"}
    choice = {**asked, "_view_id": "choice", "_is_binary": False, "accept": ["X"], "spans": [span(0, 4)]}
    others = [{**asked, "_view_id": "classification", "label": "X"}, {**asked, "label": "X", "spans": []}]
    with pytest.warns(BionerWarning, match="3 records that answer one question"):
        assert [d.line for d in read(write(tmp_path, choice, *others, {**GOOD, "_view_id": "blocks"}))] == [4]


@pytest.mark.parametrize("key", [{"_view_id": "ner_manual", "spans": []}, {"entities": [span(0, 4)]}])
def test_labels_of_records_with_spans_are_no_answers(key: dict[str, Any], tmp_path: Path) -> None:
    [document] = read(write(tmp_path, {"text": TEXT, "answer": "accept", "label": "X", **key}))
    assert len(document.mentions) == ("entities" in key)


def test_a_wrong_key_of_accepted_spans(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": TEXT, "answer": "accept", "gold": [span(0, 4)]})
    with pytest.raises(BionerError, match="no list of spans golds"):
        list(read(path, spans="golds"))


def test_characters_without_value_beside_others(tmp_path: Path) -> None:
    found = {"start": 0, "end": 4, "start_char": None, "end_char": None, "label": "gene"}
    assert read_one(tmp_path, {"text": TEXT, "spans": [found]}) == [("FOX2", "gene")]


@pytest.mark.parametrize("number", [2, 3])
def test_chains_that_do_not_say_what_belongs_together(number: int, tmp_path: Path) -> None:
    """A part of two mentions, or an identifier that two have."""
    parts = [
        {"id": name, "span": {"begin": begin, "end": end}, "obj": "_FRAGMENT" if begin == 5 and number == 3 else "P"}
        for name, (begin, end) in [("T1", (0, 4)), ("T2", (5, 10)), (f"T{number}", (11, 15))]
    ]
    chains = [{"pred": "_lexicallyChainedTo", "subj": "T2", "obj": obj} for obj in ("T1", "T3")[: number - 1]]
    with pytest.warns(BionerWarning, match=f"{len(chains)} relations? "):
        [document] = read(write(tmp_path, {"text": TEXT, "denotations": parts, "relations": chains}))
    assert len(document.mentions) == 3


def test_other_forms_of_records_and_spans(tmp_path: Path) -> None:
    old = [[TEXT, {"entities": [[0, 4, "gene"]]}], [TEXT, {"entities": []}]]
    for content in (json.dumps(old), json.dumps(old, indent=2), "\n".join(map(json.dumps, old))):
        (tmp_path / "old.json").write_text(content)
        assert [len(document.mentions) for document in read(tmp_path / "old.json")] == [1, 0]
    pretty = "[\n" + ",\n".join(json.dumps({**GOOD, "id": number}, indent=1) for number in range(2)) + "\n]\n"
    (tmp_path / "pretty.json").write_text(pretty)
    assert [(d.doc_id, pretty.split("\n")[d.line - 1]) for d in read(tmp_path / "pretty.json")] == [
        ("0", "{"),
        ("1", "{"),
    ]
    (tmp_path / "pretty.json").write_text(pretty[:-20])
    with pytest.raises(BionerError, match="not valid JSON"):
        list(read(tmp_path / "pretty.json"))
    several = {"label": [{"start": 0, "end": 4.0, "text": "FOX2", "labels": ["gene", 7]}], "annotator": 1}
    assert read_one(tmp_path, {"text": TEXT, **several}) == [("FOX2", "gene"), ("FOX2", "7")]
    spacy = {"start": 0, "end": 1, "start_char": 5, "end_char": 10, "label_": "verb"}
    assert read_one(tmp_path, {"text": TEXT, "ents": [spacy]}) == [("binds", "verb")]
    [document] = read(write(tmp_path, {"id": 1, "data": TEXT, "label": [[0, 4, "gene"]]}))  # older doccano
    assert (document.text, len(document.mentions), document.meta) == (TEXT, 1, {})
    named = {"body": TEXT, "marks": [{"from": 0, "to": 4, "kind": "gene"}]}
    [document] = read(write(tmp_path, named), text="body", spans="marks", span_keys=["from", "to", "kind"])
    assert [(m.start, m.end, m.label) for m in document.mentions] == [(0, 4, "gene")]


def test_json_min_has_no_list_where_nothing_is_marked(tmp_path: Path) -> None:
    about = {"annotator": 1, "annotation_id": 2}
    marked = {"text": TEXT, "ner": [{"start": 0, "end": 4, "labels": ["gene"]}], **about}
    path = write(tmp_path, marked, {"text": TEXT, **about})
    assert [len(document.mentions) for document in read(path, spans="ner")] == [1, 0]
    with pytest.raises(BionerError, match="line 1: the object has no list of spans"):
        list(read(path))
    for record in (marked, {**GOOD, "answer": "accept"}):
        with pytest.raises(BionerError, match="line 1: the object has no list of spans net"):
            list(read(write(tmp_path, record), spans="net"))


def test_identifiers_scores_and_other_keys(tmp_path: Path) -> None:
    record = lists(
        spans=[span(0, 4, kb_id="D1", identifiers=["D1", "D2"], score=0.5, source="x")], relations=[{"a": 1}]
    )
    with pytest.warns(BionerWarning, match=r"1 relation \(first in line 1\)"):
        [document] = read(write(tmp_path, {**record, "journal": "J", "label": "class"}))
    [mention] = document.mentions
    assert (mention.identifiers, mention.score, mention.infons) == (("D1", "D2"), 0.5, {"source": "x"})
    assert document.meta == {"journal": "J", "label": "class"}


def test_denotations_of_pubannotation(tmp_path: Path) -> None:
    denotations = [{"id": "T1", "span": {"begin": 0, "end": 4}, "obj": "gene"}]
    record = {"text": TEXT, "sourcedb": "PubMed", "denotations": denotations, "relations": [{"id": "R1"}]}
    with pytest.warns(BionerWarning, match="1 relation "):
        [document] = read(write(tmp_path, record))
    [mention] = document.mentions
    assert (mention.start, mention.end, mention.label, mention.infons) == (0, 4, "gene", {})
    bern = {"text": TEXT, "annotations": [{**denotations[0], "id": ["NCBI:1", "BERN:2"], "mention": "FOX2"}]}
    [document] = read(write(tmp_path, bern))
    assert document.mentions[0].identifiers == ("NCBI:1", "BERN:2")


def test_attributes_of_denotations_are_counted(tmp_path: Path) -> None:
    denotations = [{"id": "T1", "span": {"begin": 0, "end": 4}, "obj": "gene"}]
    negation = {"id": "A1", "subj": "T1", "pred": "negation", "obj": True}
    record = {"text": TEXT, "denotations": denotations, "attributes": [negation], "modifications": [negation]}
    with pytest.warns(BionerWarning, match=r"2 attributes \(first in line 1\)"):
        [document] = read(write(tmp_path, record))
    assert len(document.mentions) == 1 and not document.meta
    [text] = read_texts(write(tmp_path, record))
    assert not text.meta  # which would speak of the mentions that take the place of those
    [document] = read(write(tmp_path, {**record, "attributes": ["long"], "modifications": {"x": 1}}))
    assert document.meta == {"attributes": ["long"], "modifications": {"x": 1}}


def test_parts_of_a_denotation(tmp_path: Path) -> None:
    places = [{"begin": 0, "end": 4}, {"begin": 5, "end": 8}, {"begin": 9, "end": 12}]
    record = {"text": "FOX2 and Sp1", "denotations": [{"span": [places[0], places[2]], "obj": "gene"}]}
    [document] = read(write(tmp_path, record))
    [mention] = document.mentions
    assert (mention.start, mention.end, mention.fragments) == (0, 12, ((0, 4), (9, 12)))
    record["denotations"][0]["span"] = [{"begin": 0}]
    with pytest.raises(BionerError, match="the span from 0 to None has no whole numbers"):
        list(read(write(tmp_path, record)))


def test_denotations_that_are_chained(tmp_path: Path) -> None:
    text, places = "breast and ovarian or lung cancer", {"T1": (0, 6), "T2": (7, 10), "T3": (22, 26), "T4": (27, 33)}
    parts = [
        {"id": name, "span": {"begin": begin, "end": end}, "obj": "D" if name == "T4" else "_FRAGMENT"}
        for name, (begin, end) in places.items()
    ]
    parts[1]["obj"] = "X"
    chain = [{"pred": "_lexicallyChainedTo", "subj": subj, "obj": obj} for subj, obj in (("T3", "T1"), ("T4", "T3"))]
    record = {"text": text, "denotations": parts, "relations": [*chain, {"pred": "r", "subj": "T2", "obj": "T9"}]}
    for record_ in (record, {"text": text, "tracks": [{k: v for k, v in record.items() if k != "text"}]}):
        with pytest.warns(BionerWarning, match="1 relation "):
            [document] = read(write(tmp_path, record_))
        assert [(m.label, m.fragments) for m in document.mentions] == [("D", ((0, 6), (22, 33))), ("X", ())]


def test_tracks_of_several_projects(tmp_path: Path) -> None:
    first, second = (
        {"project": name, "denotations": [{"span": {"begin": 0, "end": end}, "obj": "gene"}], "relations": [{}]}
        for name, end in (("A", 4), ("B", 3))
    )
    with pytest.warns(BionerWarning, match="1 relation "):
        [document] = read(write(tmp_path, {"text": TEXT, "tracks": [first]}))
    assert [mention.end for mention in document.mentions] == [4] and not document.meta
    several = write(tmp_path, {"text": TEXT, "tracks": [first, second]})
    with pytest.raises(BionerError, match="spans=A or spans=B"):
        list(read(several))
    with pytest.warns(BionerWarning, match="2 relations"):
        [document] = read(several, spans="B")
    assert [mention.end for mention in document.mentions] == [3]
    [document] = read(write(tmp_path, {"text": TEXT, "spans": [], "tracks": ["of an album"]}))
    assert document.meta == {"tracks": ["of an album"]}


@pytest.mark.parametrize("nested", [False, True])
def test_pairs_of_spacy_2_are_recognised(nested: bool, tmp_path: Path) -> None:
    pair = ['A "text", [0]', {"entities": [[0, 1, "D"]]}]
    (tmp_path / "train.json").write_text(json.dumps([pair] if nested else pair, indent=1 if nested else None))
    assert looks_like(tmp_path / "train.json") == ["textspans"]
    [document] = read(tmp_path / "train.json")
    assert [mention.label for mention in document.mentions] == ["D"]
