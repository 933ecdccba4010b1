"""Label Studio's JSON: an array of tasks with their text, annotations and predictions."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc

from ..errors import check_setting
from ..scope import SPANS_KEY
from .document import Mention, OnError, SourceDocument, each_readable, stop
from .export import ARRAY, Annotated, Export
from .format import Format
from .json_records import IDS, NOT_ACCEPTED, JsonRecord, json_records, score_of
from .standoff import MentionBuilder

SEVERAL = ("error", "first", "last", "all")
_SPAN_TYPES = ("labels", "hypertextlabels")
_VALUE_KEYS = ("start", "end", "text", "labels", "hypertextlabels", "startOffset", "endOffset", "globalOffsets")


def read(
    path: Path,
    *,
    text: Optional[str] = None,
    several: str = "error",
    predictions: bool = False,
    mismatch: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read the tasks of an export; every task is one document.

    Annotations that were cancelled are left out, and so are tasks without another one, which nobody has annotated; of
    several annotations, one that is the ground truth is taken. Relations and other results than labels of spans are
    counted. All else is as for `Format.read`.

    Args:
        text: key of the text in `data`; None for `text`, or for the only text that is there.
        several: what to do with a task of several annotations that differ: "error"; "first" or "last" to take one; or
            "all" to make a document of each.
        predictions: whether predictions are read instead of annotations.
    """
    check_setting("several", several, SEVERAL)
    builder = MentionBuilder(path, mismatch)

    def make(part: JsonRecord) -> list[SourceDocument]:
        task = _Task(part, text)
        chosen = task.annotations("predictions" if predictions else "annotations", several)
        if not chosen:
            builder.add(NOT_ACCEPTED, part.line)
        return [task.document(task.mentions(result, builder)) for result in chosen]

    for documents in each_readable(json_records(path), make, on_error):
        yield from documents
    builder.finish()


def read_texts(path: Path, *, text: Optional[str] = None, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the texts of all tasks, annotated or not; see `read`."""
    return each_readable(json_records(path), lambda part: _Task(part, text).document([]), on_error)


class _Task:
    def __init__(self, part: JsonRecord, text_key: Optional[str]) -> None:
        self.part = part
        self.task = part.object()
        data = self.task.get("data")
        if not isinstance(data, dict):
            part.fail("the task has no object data")
        texts = [key for key, value in data.items() if isinstance(value, str) and key not in IDS]
        self.key = text_key or ("text" if "text" in texts or len(texts) != 1 else texts[0])
        text = data.get(self.key)
        if not isinstance(text, str):
            part.fail(f"the data of the task has no string {self.key}; name the key of the text in the option text")
        self.data: dict[str, Any] = data
        self.text: str = text

    def document(self, mentions: Iterable[Mention]) -> SourceDocument:
        part = self.part
        doc_id, key = part.identifier(self.data)
        meta = {name: value for name, value in self.data.items() if name not in (self.key, key)}
        doc_id = doc_id or part.identifier(self.task, "id")[0]
        return SourceDocument(part.name, self.text, tuple(mentions), part.path, part.line, doc_id, meta=meta)

    def annotations(self, key: str, several: str) -> list[list[Any]]:
        """The results of the annotations to read."""
        listed = self.task.get(key) or (key == "annotations" and self.task.get("completions")) or []  # before 1.0
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            self.part.fail(f"{key} must be a list of objects")
        kept = [one for one in listed if not one.get("was_cancelled")]
        truth = [one for one in kept if one.get("ground_truth")]
        results = [one.get("result") or [] for one in (truth if len(truth) == 1 else kept)]
        if not all(isinstance(result, list) for result in results):
            self.part.fail(f"a result of {key} must be a list")
        if several == "all" or len(results) < 2:
            return results
        if several == "error" and any(_spans(result) != _spans(results[0]) for result in results):
            self.part.fail(
                f"the task has {len(results)} {key} that differ; set the option several to first, last or all"
            )
        return [results[-1 if several == "last" else 0]]

    def mentions(self, result: list[Any], builder: MentionBuilder) -> Iterator[Mention]:
        part = self.part
        for region in result:
            kind = region.get("type") if isinstance(region, dict) else None
            if kind not in _SPAN_TYPES:
                other = "result other than labels of spans|results other than labels of spans"
                builder.add(kind if kind == "relation" else other, part.line)
                continue
            value = region.get("value")
            labels = value.get(kind) if isinstance(value, dict) else None
            if not isinstance(value, dict) or not isinstance(labels, list) or not labels:
                part.fail("a region has no value with labels")
            start, end = _place(value)
            if type(start) is not int or type(end) is not int:
                part.fail(f"the region from {start!r} to {end!r} has no whole numbers for start and end")
            if region.get("meta"):
                builder.add("note on a span (meta)|notes on spans (meta)", part.line)
            for label in labels:
                if not isinstance(label, str) or not label.strip():
                    part.fail(f"the region from {start} to {end} has a label that is no text")
                mention = builder.mention(
                    part.path,
                    part.line,
                    self.text,
                    label=label.strip(),
                    fragments=[(start, end)],
                    claimed=value["text"] if isinstance(value.get("text"), str) else "",
                    score=score_of(region),
                    infons={key: kept for key, kept in value.items() if key not in _VALUE_KEYS},
                )
                if mention:
                    yield mention


def _place(value: dict[str, Any]) -> tuple[Any, Any]:
    """Start and end; in marked-up texts, where these are paths, those in the whole text."""
    place = whole if isinstance(whole := value.get("globalOffsets"), dict) else value
    return place.get("start"), place.get("end")


def _spans(result: list[Any]) -> set[str]:
    regions = [region for region in result if isinstance(region, dict) and isinstance(region.get("value"), dict)]
    return {json.dumps([*_place(region["value"]), region["value"].get(region.get("type"))]) for region in regions}


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write an array of tasks to import: spans with scores (of pipelines) as a prediction, others as an annotation.

    The labels are those of a tag `<Labels name="label" toName="text">`. Offsets count characters.

    Arguments, results and errors are those of `Format.write`.
    """
    export = Export(path, FORMAT, spans_key)
    return export.write_file(docs, partial(_task, export), **ARRAY)


def _task(export: Export, document: Annotated) -> str:
    result = []
    for number, mention in enumerate(document.mentions, start=1):
        text = document.text[mention.start : mention.end]
        value = {"start": mention.start, "end": mention.end, "text": text, "labels": [mention.label]}
        region = {"id": str(number), "from_name": "label", "to_name": "text", "type": "labels"}
        score = {} if mention.score is None else {"score": mention.score}
        result.append({**region, "value": export.with_others(value, mention.infons), **score})
    scores = [mention.score for mention in document.mentions if mention.score is not None]
    about = {"model_version": "bioner_spacy", **({"score": min(scores)} if scores else {})} if document.scored else {}
    data = export.with_others({"id": document.id, "text": document.text}, document.meta)
    return json.dumps(
        {"data": data, "predictions" if document.scored else "annotations": [{**about, "result": result}]},
        ensure_ascii=False,
    )


def _recognises(head: str) -> bool:
    return head.lstrip().startswith(("{", "[")) and '"data"' in head and '"result"' in head


FORMAT = Format(
    name="labelstudio",
    description="Label Studio's JSON: tasks with annotations or predictions",
    read=read,
    write=write,
    read_texts=read_texts,
    usual_endings=(".json",),
    holds=frozenset({"scores", "overlaps", "infons", "meta"}),
    recognises=_recognises,
)
