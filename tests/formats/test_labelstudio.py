"""Tasks of Label Studio."""

import json
from pathlib import Path
from typing import Any

import pytest
from annotated_docs import make_doc

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.formats.labelstudio import read, read_texts, write

TEXT = "Gout in mice."


def region(start: Any, end: Any, *labels: str, **other: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(labels)}
    return {"id": "a", "from_name": "l", "to_name": "t", "type": "labels", "value": value, **other}


def task(*results: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    return {"id": 3, "data": {"text": TEXT}, "annotations": [{"result": list(result)} for result in results], **other}


def export(folder: Path, *tasks: dict[str, Any]) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps(list(tasks), indent=1))
    return path


def places(path: Path, **options: Any) -> list[list[tuple[int, int, str]]]:
    return [[(m.start, m.end, m.label) for m in document.mentions] for document in read(path, **options)]


def test_tasks(tmp_path: Path) -> None:
    cancelled = {"was_cancelled": True, "result": [region(0, 1, "X")]}
    hypertext = {"start": "/p[1]", "globalOffsets": {"start": 8, "end": 12}, "hypertextlabels": ["S"], "text": "mice"}
    first = task([region(0, 4, "D", "E"), {"type": "hypertextlabels", "value": hypertext}])
    first["annotations"].append(cancelled)
    second = {"data": {"pmid": 7, "body": TEXT, "year": 2000}, "annotations": [{"result": []}]}
    nobody = [task(annotations=[cancelled]), task(), task(predictions=[{"result": [region(0, 4, "D")]}])]
    path = export(tmp_path, first, second, *nobody)
    with pytest.warns(BionerWarning, match="3 documents that were rejected or ignored"):
        documents = list(read(path))
    assert [(d.doc_id, d.text, d.meta) for d in documents] == [("3", TEXT, {}), ("7", TEXT, {"year": 2000})]
    assert [(m.start, m.end, m.label) for m in documents[0].mentions] == [(0, 4, "D"), (0, 4, "E"), (8, 12, "S")]
    assert [document.text for document in read_texts(path)] == [TEXT] * 5
    with pytest.warns(BionerWarning, match="4 documents"):
        assert places(path, predictions=True) == [[(0, 4, "D")]]


def test_tasks_of_versions_before_1_and_line_breaks_in_regions(tmp_path: Path) -> None:
    old = {"id": 3, "data": {"text": "In\ngout"}, "completions": [{"result": [region(0, 7, "D")]}]}
    old["completions"][0]["result"][0]["value"]["text"] = "In\\ngout"  # a backslash and an n
    assert places(export(tmp_path, old)) == [[(0, 7, "D")]]


def test_several_annotations(tmp_path: Path) -> None:
    path = export(tmp_path, task([region(0, 4, "D")], [region(8, 12, "S")]))
    with pytest.raises(BionerError, match="2 annotations that differ; set the option several"):
        list(read(path))
    one, other = [(0, 4, "D")], [(8, 12, "S")]
    assert [places(path, several=value) for value in ("first", "last", "all")] == [[one], [other], [one, other]]
    assert places(export(tmp_path, task([region(0, 4, "D")], [region(0, 4, "D")]))) == [one]
    truth = task([region(0, 4, "D")], [region(8, 12, "S")])
    truth["annotations"][1]["ground_truth"] = True
    assert places(export(tmp_path, truth)) == [other]


def test_what_is_counted_and_what_is_wrong(tmp_path: Path) -> None:
    others = [{"type": "relation", "from_id": "a", "to_id": "b"}, {"type": "choices", "value": {"choices": ["x"]}}]
    with pytest.warns(BionerWarning, match="1 relation .* 1 result other than labels of spans"):
        assert places(export(tmp_path, task(others))) == [[]]
    with pytest.warns(BionerWarning, match=r"1 note on a span \(meta\)"):
        assert places(export(tmp_path, task([{**region(0, 4, "D"), "meta": {"text": ["?"]}}]))) == [[(0, 4, "D")]]
    wrong = [
        task([region(0, 99, "D")]),
        task([region("a", 4, "D")]),
        task([region(0, 4)]),
        {"data": {"a": "x", "b": "y"}},
    ]
    errors: list[BionerError] = []
    assert list(read(export(tmp_path, *wrong), on_error=errors.append)) == []
    for error, message in zip(errors, ("characters 0 to 99", "whole numbers", "no value with labels", "option text")):
        assert message in str(error) and "line" in str(error)
    with pytest.raises(BionerError, match="several is 'x'"):
        list(read(export(tmp_path, task()), several="x"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    gold = make_doc(["Gout", "in"], [(0, 1, "D"), (0, 2, "D")], doc_id="x")
    assert write([gold, make_doc(["Gout"], [(0, 1, "D")], scores=[0.5])], path) == (2, 3)
    assert json.loads(path.read_text())[1]["predictions"][0]["model_version"] == "bioner_spacy"
    with pytest.warns(BionerWarning):
        assert places(path) == [[(0, 4, "D"), (0, 7, "D")]]
        [document] = read(path, predictions=True)
    assert (document.doc_id, document.mentions[0].score) == ("2", 0.5)
