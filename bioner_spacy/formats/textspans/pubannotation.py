"""What PubAnnotation has in its JSON: denotations of several parts, chains, tracks and attributes."""

from collections.abc import Mapping
from typing import Any

_ATTRIBUTES = ("attributes", "modifications")
"""Keys of what PubAnnotation says of denotations, such as negation: lists of objects with `pred`."""

_CHAIN, _FRAGMENT = "_lexicallyChainedTo", "_FRAGMENT"
"""Relation between parts of one denotation of PubAnnotation, and the label of all of these but one."""


def tracks(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The annotations of several projects in a record, by the name or else the number of the project."""
    values = record.get("tracks")
    return {
        str(track.get("project", number)): track
        for number, track in enumerate(values if isinstance(values, list) else (), start=1)
        if is_track(track)
    }


def is_track(value: Any) -> bool:
    """Whether an object is the annotation of one project."""
    return isinstance(value, dict) and isinstance(value.get("denotations"), list)


def parts(span: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Start and end of each part of a denotation; nothing for other spans."""
    place = span.get("span") if "obj" in span else None
    values = place if isinstance(place, list) else [place]
    known = [(part.get("begin"), part.get("end")) for part in values if isinstance(part, dict)]
    return known if len(known) == len(values) else []


def plain(span: Mapping[str, Any]) -> dict[str, Any]:
    """A span with start, end and label of a denotation under their usual keys; as it is if it is none."""
    found = parts(span)
    return {**span, **({"start": found[0][0], "end": found[-1][1], "label": span["obj"]} if found else {})}


def joined(record: Mapping[str, Any]) -> list[Any]:
    """The denotations of a record, of which those that are chained are one with several parts.

    Parts that have several labels are not joined: which belong together is not known.
    """
    relations, denotations = record.get("relations"), record["denotations"]
    chains = [one for one in relations if _is_chain(one)] if isinstance(relations, list) else []
    groups: dict[str, list[Any]] = {
        str(one.get("id")): [one] for one in denotations if chains and isinstance(one, dict) and one.get("id")
    }
    if len(groups) < len(denotations):  # without identifiers, or with one of several, parts cannot be told
        return denotations
    for chain in chains:
        first, second = (groups.get(str(chain.get(key)), []) for key in ("subj", "obj"))
        if first and second and first is not second:
            second += first
            groups |= {str(one["id"]): second for one in first}
    done: set[int] = set()
    found: list[Any] = []
    for one in denotations:
        group = groups.get(str(one.get("id")), [one]) if isinstance(one, dict) else [one]
        if sum(part.get("obj") != _FRAGMENT for part in group) > 1 or len(group) < 2:
            found.append(one)
        elif id(group) not in done:
            done.add(id(group))
            head = next((part for part in group if part.get("obj") != _FRAGMENT), one)
            found.append({**head, "span": [part.get("span") for part in group]})
    return found


def count_others(record: Mapping[str, Any]) -> dict[str, int]:
    """Number of relations and attributes in a record, but for relations that say which denotations are one."""
    found = {"relation": 0, "attribute": 0}
    for key, values in record.items():
        if key == "relations" and isinstance(values, list):
            has_chains = is_track(record) and any(map(_is_chain, values))
            is_joined = has_chains and len(joined(record)) < len(record["denotations"])
            found["relation"] += sum(not (is_joined and _is_chain(one)) for one in values)
        elif is_attributes(key, values):
            found["attribute"] += len(values)
    return found


def is_attributes(key: str, value: Any) -> bool:
    """Whether a key of a record holds what is said of denotations, such as negation."""
    is_list = key in _ATTRIBUTES and isinstance(value, list)
    return is_list and all(isinstance(one, dict) and "pred" in one for one in value)


def _is_chain(relation: Any) -> bool:
    return isinstance(relation, dict) and relation.get("pred") == _CHAIN
