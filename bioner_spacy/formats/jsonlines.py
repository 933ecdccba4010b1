"""JSON lines with tokens: one sentence per line with its tokens and mentions, which may nest.

A line is an object with `tokens` (strings), `entity_mentions` (objects with `start` and `end`, token indices, end
exclusive; `entity_type`; optionally `text`, the tokens joined by spaces) and optionally `sent_id`, `doc_id` and
`text`, in which the tokens stand in order with nothing but whitespace between them; without it they are joined by
rules. Instead of `entity_mentions` there may be a tag for every token in `ner_tags` or `tags`, as data sets of
Hugging Face have them.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Optional

from spacy.tokens import Doc

from ..scope import SPANS_KEY
from ..tokenization import detokenize
from .document import Mention, OnError, SourceDocument, each_readable, stop
from .export import Annotated, Export, json_line, places_of_parts
from .format import Format
from .iob.tags import TagError, decode_tags, find_scheme
from .json_records import JsonRecord, json_records
from .ledger import Ledger

_KEYS = ("tokens", "text", "entity_mentions", "sent_id", "doc_id", "relation_mentions", "event_mentions")
_MENTION_KEYS = ("start", "end", "entity_type", "text", "score", "identifiers", "id")


_TAGS = ("ner_tags", "tags")
"""Keys of the tags of tokens."""

_NOT_KEPT = ("relations", "events", "relation_mentions", "event_mentions")
"""Keys of lists of annotations that are no mentions."""

_OTHER_TEXTS = "text that does not consist of the tokens beside it|texts that do not consist of the tokens beside them"


def read(
    path: Path, *, tags: Optional[str] = None, tag_names: Optional[Sequence[str]] = None, on_error: OnError = stop
) -> Iterator[SourceDocument]:
    """Read a JSON lines file; every line is one document. Blank lines are skipped, other keys are kept for the output.

    All else is as for `Format.read`.

    Args:
        tags: key of the tags of tokens (IOB1, IOB2, IOBES or BILUO); None for `ner_tags` or `tags`, if there are no
            `entity_mentions`; "entity_mentions" for these where they differ from tags, which is an error otherwise.
        tag_names: tags in the order of their numbers, for files that have numbers, such as O B-Disease I-Disease.
    """
    ledger = Ledger(path)

    def make(part: JsonRecord) -> SourceDocument:
        record = part.object()
        tokens = _tokens(part, record)
        text, offsets = _in_text(record.get("text"), tokens) or _join(tokens)
        if "".join(text.split()) != "".join(str(record.get("text") or text).split()):
            ledger.add(_OTHER_TEXTS, part.line)
        mentions = _mentions(part, record, tags, tag_names, tokens, offsets)
        document = _document(part, record, text, mentions, tags)
        for key in _NOT_KEPT:
            if isinstance(record.get(key), list):
                ledger.add(key.partition("_")[0].removesuffix("s"), part.line, len(record[key]))
        return document

    yield from each_readable(json_records(path), make, on_error)
    ledger.finish()


def read_texts(path: Path, *, on_error: OnError = stop) -> Iterator[SourceDocument]:
    """Read the sentences of a file, ignoring annotation; see `read`."""

    def make(part: JsonRecord) -> SourceDocument:
        record = part.object()
        tokens = _tokens(part, record)
        return _document(part, record, (_in_text(record.get("text"), tokens) or _join(tokens))[0], [])

    return each_readable(json_records(path), make, on_error)


def _document(
    part: JsonRecord, record: dict[str, Any], text: str, mentions: Iterable[Mention], tags: Optional[str] = None
) -> SourceDocument:
    name = part.identifier(record, "sent_id")[0] or part.name
    doc_id = part.identifier(record, "doc_id")[0]
    gone = {tags, *_KEYS, *(key for key in (*_NOT_KEPT, *_TAGS) if _is_annotation(key, record))}
    meta = {key: value for key, value in record.items() if key not in gone}
    return SourceDocument(name, text, tuple(mentions), part.path, part.line, doc_id, meta=meta)


def _tokens(part: JsonRecord, record: dict[str, Any]) -> list[str]:
    tokens = record.get("tokens")
    if not isinstance(tokens, list):
        part.fail("the object has no list tokens")
    for token in tokens:
        if not isinstance(token, str) or not token.strip():
            part.fail(f"the token {token!r} is no string or has no characters")
    return tokens


def _is_annotation(key: str, record: dict[str, Any]) -> bool:
    """Whether a key has a list of annotations; a list of tags must have one for each token."""
    value = record.get(key)
    return isinstance(value, list) and (key not in _TAGS or len(value) == len(record["tokens"]))


def _mentions(
    part: JsonRecord,
    record: dict[str, Any],
    tags: Optional[str],
    names: Optional[Sequence[str]],
    tokens: list[str],
    offsets: list[tuple[int, int]],
) -> list[Mention]:
    """The mentions under the requested key, or under the only one."""

    def under(key: str) -> list[Mention]:
        if key != "entity_mentions":
            return _tagged(part, record, key, names, offsets)
        annotations = record.get(key)
        if not isinstance(annotations, list):
            part.fail(f"the object has no list {key}")
        return [_mention(part, annotation, tokens, offsets) for annotation in annotations]

    if tags:
        return under(tags)
    known = [key for key in ("entity_mentions", *_TAGS) if key in record] or ["entity_mentions"]
    first, *others = known
    mentions = under(first)
    for key in others:
        if _is_readable(key, record, names) and {_place(one) for one in under(key)} != {
            _place(one) for one in mentions
        }:
            part.fail(f"{first} and {key} differ; choose one in the option tags (tags={first} or tags={key})")
    return mentions


def _is_readable(key: str, record: dict[str, Any], names: Optional[Sequence[str]]) -> bool:
    """Whether a key holds tags, not numbers without names or keywords of the sentence."""
    tags = record[key] if _is_annotation(key, record) else [""]
    return all(tag.strip() == "O" or "-" in tag if isinstance(tag, str) else bool(names) for tag in tags)


def _place(mention: Mention) -> tuple[int, int, str]:
    return mention.start, mention.end, mention.label


def _mention(part: JsonRecord, value: Any, tokens: list[str], offsets: list[tuple[int, int]]) -> Mention:
    if not isinstance(value, dict):
        part.fail("a mention must be an object")
    start, end, label = value.get("start"), value.get("end"), value.get("entity_type")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(tokens):
        part.fail(f"a mention goes from token {start} to {end} of a sentence of {len(tokens)} tokens")
    if not isinstance(label, str) or not label.strip():
        part.fail(f"the mention from token {start} to {end} has no entity_type")
    text = " ".join(tokens[start:end])
    if value.get("text", text) != text:
        part.fail(f"the mention {value['text']!r} is {text!r} by its token indices")
    score, identifiers = value.get("score"), value.get("identifiers")
    return Mention(
        offsets[start][0],
        offsets[end - 1][1],
        label.strip(),
        part.line,
        score=score if isinstance(score, float) else None,
        identifiers=tuple(map(str, identifiers)) if isinstance(identifiers, list) else (),
        infons={key: kept for key, kept in value.items() if key not in _MENTION_KEYS},
    )


def _tagged(
    part: JsonRecord, record: dict[str, Any], key: str, names: Optional[Sequence[str]], offsets: list[tuple[int, int]]
) -> list[Mention]:
    """Mentions from the tags of tokens. An I without a B before it begins a mention, as in IOB1."""
    tags = record.get(key)
    if not isinstance(tags, list) or len(tags) != len(offsets):
        part.fail(f"{key} is no list of as many tags as there are tokens ({len(offsets)})")
    if any(type(tag) is int for tag in tags):
        if not names:
            part.fail(f"{key} has numbers; give the tags in the order of their numbers in the option tag_names")
        if not all(type(tag) is int and 0 <= tag < len(names) for tag in tags):
            part.fail(f"{key} has a number that tag_names, of {len(names)} tags, does not know")
        tags = [names[tag] for tag in tags]
    if not all(isinstance(tag, str) for tag in tags):
        part.fail(f"{key} has a tag that is no text")
    tags = [tag.strip() for tag in tags]
    scheme = find_scheme([tags])
    if scheme is None:
        part.fail(f"{key} mixes the prefixes of IOBES and BILUO")
    try:
        spans, _ = decode_tags(tags, scheme="iob1" if scheme == "iob2" else scheme)
    except TagError as error:
        part.fail(f"{key}: {error}")
    return [Mention(offsets[start][0], offsets[end - 1][1], label, part.line) for start, end, label in spans]


def _in_text(text: Any, tokens: list[str]) -> Optional[tuple[str, list[tuple[int, int]]]]:
    """A text and the offsets of every token in it; None if it is not the text of the tokens."""
    offsets, place = [], 0
    for token in tokens if isinstance(text, str) else ():
        start = text.find(token, place)
        if start < 0 or text[place:start].strip():
            return None
        offsets.append((start, place := start + len(token)))
    return None if not offsets or text[place:].strip() else (text, offsets)


def _join(tokens: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """Text of a sentence and the offsets of every token; a token may hold whitespace ("ER- cells")."""
    parts = [token.split() for token in tokens]
    text, offsets = detokenize([part for several in parts for part in several])
    ends = list(accumulate(len(several) for several in parts))
    return text, [(offsets[end - len(several)][0], offsets[end - 1][1]) for several, end in zip(parts, ends)]


def write(docs: Iterable[Doc], path: Path, *, spans_key: str = SPANS_KEY) -> tuple[int, int]:
    """Write a JSON lines file; every document is one line.

    The text is written where it is not what the reader makes of the tokens. Beside what the reader knows, mentions
    have a `score` where they are predicted, `identifiers` of their concepts and what else their source says. Tokens of
    whitespace, and documents without other tokens, are left out, the latter with a warning.

    Arguments, results and errors are those of `Format.write`.
    """
    export = Export(path, FORMAT, spans_key)

    def render(document: Annotated) -> str:
        parts = [[token] if token.strip() else [] for token in document.tokens]
        tokens = [token for several in parts for token in several]
        if not tokens:
            return export.leave_out(document)
        mentions = []
        for mention, (start, end) in zip(document.mentions, places_of_parts(document.places, parts)):
            about = {"start": start, "end": end, "entity_type": mention.label, "text": " ".join(tokens[start:end])}
            mentions.append(export.with_details(about, mention))
        record: dict[str, Any] = {"doc_id": document.id, "tokens": tokens, "entity_mentions": mentions}
        if _join(tokens)[0].split() != document.text.split():
            record["text"] = document.text
        return json_line(export.with_others(record, document.meta, own=_KEYS))

    return export.write_file(docs, render)


def _recognises(head: str) -> bool:
    return (
        head.lstrip().startswith(("{", "["))
        and '"tokens"' in head
        and ('"entity_mentions"' in head or 'tags"' in head)
    )


FORMAT = Format(
    name="jsonlines",
    description="JSON lines with tokens and mentions by token offsets, one sentence per line",
    read=read,
    write=write,
    read_texts=read_texts,
    usual_endings=(".jsonlines", ".jsonl", ".json"),
    keeps_sentences=True,
    holds=frozenset({"scores", "overlaps", "identifiers", "infons", "meta"}),
    recognises=_recognises,
)
