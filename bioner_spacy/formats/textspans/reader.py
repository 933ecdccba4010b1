"""Read JSON with texts and spans by characters; see `bioner_spacy.formats.textspans`."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Optional

from ...errors import BionerError, Errors, check_setting
from ..document import Mention, OnError, Passage, SourceDocument, each_readable, stop
from ..json_records import NOT_ACCEPTED, JsonRecord, json_records, score_of
from ..standoff import MentionBuilder
from .pubannotation import count_others, is_attributes, is_track, joined, parts, plain, tracks

SPANS = ("spans", "label", "labels", "entities", "annotations", "denotations", "ents")
"""Keys of the list of spans."""

_SPAN_KEYS = (
    ("start_char", "start", "start_offset"),  # of spaCy: beside start_char, start counts tokens
    ("end_char", "end", "end_offset"),
    ("label", "labels", "label_"),
)
_PLACES = ("token_start", "token_end", "id", "text", "answer", "kb_id", "identifiers", "score", "span", "obj")
"""What else is known of a span; further keys of it are kept as infons."""

_NOT_KEPT = ("answer", "relations", "_is_binary", "_view_id", "_task_hash", "no_missing")
"""Keys that say something of the annotation that was there, and would say it of another one that takes its place."""

_NO_SPANS = ("tokens", "relations", "options", "versions")
"""Keys of lists of objects in records of Prodigy that are not spans."""

_ONE_QUESTION = ("ner", "spans")
"""Views of Prodigy in which an annotator accepts or rejects what is shown."""

_OTHER_QUESTIONS = ("choice", "classification", "compare", "diff", "html", "text", "text_input")
"""Views of Prodigy in which nothing is marked."""

_QUESTIONS = (
    "record that answers one question about what was shown (_is_binary, _view_id)"
    "|records that answer one question about what was shown (_is_binary, _view_id)"
)


def read(
    path: Path,
    *,
    text: str = "text",
    spans: Optional[str] = None,
    span_keys: Optional[Sequence[str]] = None,
    id: Optional[str] = None,
    mismatch: str = "error",
    on_error: OnError = stop,
) -> Iterator[SourceDocument]:
    """Read a file; every record is one document.

    Records that an annotator has rejected or ignored (`answer` of Prodigy) say nothing that can be learnt, and those
    in which one question about one span was answered do not say what else is a mention: both are left out. So are
    spans that are rejected or ignored (their own `answer`). Warnings count all of them, relations, and attributes of
    spans such as negation. All other keys of a record are kept for the output. All else is as for `Format.read`.

    Args:
        spans: key of the list of spans, or of one of several in an object; None for the one that is there. Records
            that have several lists which differ are an error then.
        span_keys: keys of start, end and label of a span; None for the usual ones.
        id: key of the identifier of the document, with a dot before that of an object in it (meta.pmid); None for the
            first of doc_id, id and pmid that is there, or is in `meta`.
    """
    check_setting("span_keys", span_keys, "three keys", span_keys is None or len(span_keys) == 3)
    builder = MentionBuilder(path, mismatch)

    def make(part: JsonRecord) -> Optional[SourceDocument]:
        record = _Record(part, text, id)
        if not record.is_accepted():
            builder.add(NOT_ACCEPTED, part.line)
        elif record.is_one_question(spans):
            builder.add(_QUESTIONS, part.line)
        else:
            return record.document(record.mentions(spans, span_keys, builder))
        return None

    yield from each_readable(json_records(path), make, on_error)
    builder.finish()


def read_texts(
    path: Path, *, text: str = "text", id: Optional[str] = None, on_error: OnError = stop
) -> Iterator[SourceDocument]:
    """Read the texts, identifiers and further keys of a file, ignoring annotation; see `read`."""
    return each_readable(json_records(path), lambda part: _Record(part, text, id).document([]), on_error)


class _Record:
    """One record; what is wrong with it is reported with its line."""

    def __init__(self, part: JsonRecord, text_key: str, id_key: Optional[str]) -> None:
        self.part = part
        self.text_key = text_key
        self.id_key = id_key
        value = part.value()
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):  # as spaCy 2 has it
            value = {text_key: value[0], **(value[1] if isinstance(value[1], dict) else {"spans": value[1]})}
        if not isinstance(value, dict):
            part.fail("a JSON object is needed")
        if text_key == "text" and "text" not in value and isinstance(value.get("data"), str):  # older doccano
            self.text_key = "data"
        self.content: dict[str, Any] = value

    @property
    def text(self) -> str:
        text = self.content.get(self.text_key)
        if not isinstance(text, str):
            self.part.fail(f"the object has no string {self.text_key}; name the key of the text in the option text")
        return text

    def is_accepted(self) -> bool:
        answer = self.content.get("answer", "accept")
        if answer not in ("accept", "reject", "ignore"):
            self.part.fail(f"answer is {answer!r}, and none of accept, reject and ignore")
        return bool(answer == "accept")

    def is_one_question(self, spans_key: Optional[str]) -> bool:
        """Whether the annotator has answered a question about what was shown, and not marked all there is."""
        content = self.content
        view, is_answered = content.get("_view_id"), "answer" in content
        asked = content.get("_is_binary", view in _ONE_QUESTION and is_answered)
        is_class = view is None and spans_key is None and isinstance(content.get("label"), str)
        other = is_answered and (view in _OTHER_QUESTIONS or (is_class and not any(self._lists().values())))
        return (bool(asked) and content.get("no_missing") is not True) or other

    def document(self, mentions: Iterable[Mention]) -> SourceDocument:
        part, text = self.part, self.text
        doc_id, key = part.identifier(self.content, self.id_key)
        passages = _passages(text, self.content.get("passages"))
        gone = {
            self.text_key,
            *_NOT_KEPT,
            *(["passages"] if passages else []),
            *({"id", "doc_id", "sourceid"} & {key}),
        }
        meta = {name: value for name, value in self.content.items() if name not in gone and not _is_about(name, value)}
        if meta.get("id") is None:
            meta.pop("id", None)
        return SourceDocument(part.name, text, tuple(mentions), part.path, part.line, doc_id, passages, meta)

    def mentions(
        self, spans_key: Optional[str], span_keys: Optional[Sequence[str]], builder: MentionBuilder
    ) -> list[Mention]:
        text = self.text
        found: list[Mention] = []
        for record in (self.content, *tracks(self.content).values()):
            for kind, count in count_others(record).items():
                builder.add(kind, self.part.line, count)
        for span in self._spans(spans_key):
            answer = span.get("answer", "accept") if isinstance(span, dict) else "accept"
            if answer in ("reject", "ignore"):
                kind = "span that was rejected or ignored (answer)|spans that were rejected or ignored (answer)"
                builder.add(kind, self.part.line)
            elif answer != "accept":
                self.part.fail(f"answer of a span is {answer!r}, and none of accept, reject and ignore")
            else:
                found += self._mentions(span, text, span_keys, builder)
        return found

    def _spans(self, key: Optional[str]) -> list[Any]:
        """The requested list of spans, or the only one."""
        lists = self._lists()
        if key is not None:
            names = (key, f"spans.{key}", f"tracks.{key}")
            chosen = next((lists[name] for name in names if name in lists), self.content.get(key))
            if chosen is None and not lists and self._has_no_list():
                return []
            if not isinstance(chosen, list):
                known = f"; it has {', '.join(lists)}" if lists else ""
                self.part.fail(f"the object has no list of spans {key}{known}")
            return chosen
        if not lists:
            if self._has_no_list():
                return []
            self.part.fail(f"the object has no list of spans ({', '.join(SPANS)}), which may be empty")
        chosen = next(iter(lists.values()))
        if any(_places(other) != _places(chosen) for other in lists.values()):
            choice = " or ".join(f"spans={name.removeprefix('spans.').removeprefix('tracks.')}" for name in lists)
            place = {"path": self.part.path, "line": self.part.line}
            raise BionerError(Errors.E175.format(**place, keys=", ".join(lists), choice=choice))
        return chosen

    def _has_no_list(self) -> bool:
        """Whether a record has no list of spans because nothing was marked, as of Prodigy and in JSON-MIN."""
        lists = (value for key, value in self.content.items() if isinstance(value, list) and key not in _NO_SPANS)
        is_marked = any(value and isinstance(value[0], dict) for value in lists)
        return not is_marked and ("answer" in self.content or "annotation_id" in self.content)

    def _lists(self) -> dict[str, list[Any]]:
        """All lists of spans by their keys. Entities that are a flat view of the only group of spans are left out."""
        lists = {key: self.content[key] for key in SPANS if isinstance(self.content.get(key), list)}
        if "denotations" in lists:
            lists["denotations"] = joined(self.content)
        groups = self.content.get("spans")
        if isinstance(groups, dict):
            named = {f"spans.{key}": spans for key, spans in groups.items() if isinstance(spans, list)}
            ents = lists.get("ents")
            if (
                ents is not None
                and any(named.values())
                and _places(ents) <= set().union(*map(_places, named.values()))
            ):
                del lists["ents"]
            lists = {**named, **lists}
        return lists | {f"tracks.{name}": joined(track) for name, track in tracks(self.content).items()}

    def _mentions(
        self, span: Any, text: str, keys: Optional[Sequence[str]], builder: MentionBuilder
    ) -> Iterator[Mention]:
        """The mentions of a span, one for each of its labels."""
        part, infons, claimed = self.part, {}, ""
        if isinstance(span, dict):
            span = plain(span)
            names = [[key] for key in keys] if keys else _SPAN_KEYS
            start, end, label = (
                next((span[key] for key in several if span.get(key) is not None), None) for several in names
            )
            claimed = span.get("text", "") or ""
            known = {*_PLACES, *(key for several in names for key in several)}
            infons = {key: value for key, value in span.items() if key not in known}
        elif isinstance(span, list) and len(span) == 3:
            start, end, label = span
        else:
            part.fail("a span must be an object, or a list of start, end and label")
        fragments = []
        for place in (parts(span) if isinstance(span, dict) else []) or [(start, end)]:
            first, last = (int(value) if isinstance(value, float) and value.is_integer() else value for value in place)
            if type(first) is not int or type(last) is not int:
                part.fail(
                    f"the span from {first!r} to {last!r} has no whole numbers for start and end (option span_keys)"
                )
            fragments.append((first, last))
        labels = label if isinstance(label, list) and label else [label]
        if not isinstance(claimed, str):
            part.fail(f"the text of the span from {start} to {end} is no string")
        for name in labels:
            name = str(name) if type(name) is int else name
            if not isinstance(name, str) or not name.strip():
                part.fail(
                    f"the span from {start} to {end} has no label (option span_keys: keys of start, end and label)"
                )
            mention = builder.mention(
                part.path,
                part.line,
                text,
                label=name.strip(),
                fragments=fragments,
                claimed=claimed,
                score=score_of(span) if isinstance(span, dict) else None,
                identifiers=_identifiers(span),
                infons=infons,
            )
            if mention:
                yield mention


def _is_about(key: str, value: Any) -> bool:
    """Whether a key of a record holds its annotation, or something about it."""
    if isinstance(value, list):
        return key in SPANS or is_attributes(key, value) or (key == "tracks" and any(map(is_track, value)))
    return key == "spans" and isinstance(value, dict)


def _passages(text: str, values: Any) -> tuple[Passage, ...]:
    """Passages in a record that are parts of its text in order; none where it has something else under that key."""
    found: list[Passage] = []
    for value in values if isinstance(values, list) else ():
        start, end, type_ = (
            (value.get(key) for key in ("start", "end", "type")) if isinstance(value, dict) else [None] * 3
        )
        before = found[-1].end if found else 0
        if type(start) is not int or type(end) is not int or not before <= start <= end <= len(text):
            return ()
        infons = {key: kept for key, kept in value.items() if key not in ("start", "end", "type")}
        found.append(Passage(start, end, type_ if isinstance(type_, str) else "", infons or None))
    outside = zip([0, *(passage.end for passage in found)], [*(passage.start for passage in found), len(text)])
    return () if any(text[start:end].strip() for start, end in outside) else tuple(found)


def _places(spans: list[Any]) -> set[str]:
    """The spans of a list, for comparison with another list."""
    found = set()
    for span in spans:
        if isinstance(span, dict):
            span = plain(span)
            values = [next((span[key] for key in several if key in span), None) for several in _SPAN_KEYS]
            values.append(span.get("answer", "accept"))
        else:
            values = [*span, "accept"] if isinstance(span, list) else [span]
        found.add(json.dumps(values))
    return found


def _identifiers(span: Any) -> tuple[str, ...]:
    if not isinstance(span, dict):
        return ()
    lists = (span.get("identifiers"), span.get("id"))  # `id` of BERN is a list of those of concepts
    values = [span.get("kb_id"), *(value for one in lists if isinstance(one, list) for value in one)]
    return tuple(
        dict.fromkeys(str(value) for value in values if isinstance(value, str | int) and value not in ("", 0))
    )
