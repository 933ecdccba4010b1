"""A resumable run over many documents, as a folder of shards, each written whole or not at all.

    OUTPUT/00001-0001.jsonl  a shard: the part of the input, and the number of the shard in it
    OUTPUT/_run/manifest.json  pipeline, settings, versions, and the input files with the part that each belongs to
    OUTPUT/_run/shards.jsonl  a line for each shard that is begun, for each that is finished, and for each part
    OUTPUT/_run/errors.jsonl  what could not be read or annotated

A part is one large file, or several small ones. New and changed files become new parts, so finished shards never
change.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import BionerError, Errors, Warnings, reason, warn
from ..files import RUN_FOLDER, checksum, locked, remove, replacing
from ..formats import Format, SourceDocument, read_texts
from ..formats.reading import files_of, is_pattern, name_in, source_files
from ..provenance import checksums, differences, digest, provenance
from ..scoring.results import write_json
from .annotator import Done, Failure

MANIFEST, JOURNAL, ERRORS = "manifest.json", "shards.jsonl", "errors.jsonl"
PART_BYTES = 1 << 24
"""Minimum size of a part in bytes; smaller files are read together."""
SHARD_SIZE = 1000
_SHARD_NAME = re.compile(r"\d{5,}-\d{4,}(?!\d)")


@dataclass(frozen=True)
class Source:
    """The source of texts."""

    path: Path
    format: Format
    options: Mapping[str, Any]

    @property
    def is_many(self) -> bool:
        """Whether it is read file by file."""
        return not self.format.is_folder and (is_pattern(self.path) or self.path.is_dir())

    def files(self) -> list[Path]:
        """The files of a folder or pattern, unless the format reads folders."""
        return files_of(self.format, self.path) if self.is_many else [self.path]

    def read(self, file: Path, on_failure: Callable[[Failure], None]) -> Iterator[SourceDocument]:
        """The documents of a file.

        Documents without an identifier are named by their number or, with several files, by the file and number.

        Args:
            on_failure: called if a document, or the rest of the file, cannot be read.
        """
        prefix = name_in(self.path, file) if self.is_many else ""
        number = 0  # of the document, those that cannot be read included

        def fail(error: BionerError) -> None:
            nonlocal number
            number += 1
            on_failure(Failure(str(error), str(file)))

        try:
            for document in read_texts(self.format, file, on_error=fail, **self.options):
                number += 1
                if not document.doc_id:
                    of_file = prefix if self.format.keeps_sentences else f"{prefix}:{number}"
                    document = replace(document, doc_id=of_file if prefix else str(number))
                yield document
        except BionerError as error:
            fail(error)

    def read_all(self, on_failure: Callable[[Failure], None]) -> Iterator[SourceDocument]:
        """The documents of all files; arguments are those of `read`."""
        for file in self.files():
            yield from self.read(file, on_failure)


def size_of(path: Path) -> int:
    """Size in bytes of a file, folder or pattern."""
    return sum(file.stat().st_size for file in source_files(path))


class Run:
    """The folder of a run, locked for one process.

    Attributes:
        was_interrupted: whether an earlier process was interrupted within a shard.
    """

    def __init__(
        self, folder: Path, source: Source, *, ending: str, made_with: Mapping[str, Any], overwrite: bool = False
    ) -> None:
        """Begin or continue a run.

        Args:
            ending: end of the names of shards.
            made_with: pipeline and settings of the run, as JSON values, including `shard_size`.
            overwrite: whether to remove an existing run first.

        Raises:
            BionerError: the folder holds other files, a run with other settings, or is in use by another process.
        """
        self.folder, self.source = folder, source
        self._ending, self._size, self._own = ending, int(made_with["shard_size"]), folder / RUN_FOLDER
        if folder.is_dir() and any(folder.iterdir()) and not self._own.is_dir():
            raise BionerError(Errors.E684.format(folder=folder))
        self._lock = locked(folder, f"{RUN_FOLDER}/lock")
        try:
            if overwrite:
                remove(self._own / MANIFEST)
                remove(self._own / JOURNAL)
            self._shards, self._parts = self._read_journal()
            self._plan(json.loads(json.dumps(made_with)))
        except BaseException:
            self._lock.release()
            raise
        self._ended: dict[int, tuple[int, list[Failure]]] = {}

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *error: object) -> None:
        write_failures(self.errors, self._failures())
        self._remove_unfinished()
        self._lock.release()

    @property
    def bytes(self) -> int:
        """Size of the input in bytes."""
        return sum(size_of(file) for files in self._todo.values() for file in files)

    @property
    def errors(self) -> Path:
        """The file of failures."""
        return self._own / ERRORS

    def total(self) -> Done:
        """Results of all documents so far, including earlier starts."""
        records = self._shards.values()
        counts = {name: sum(record[name] for record in records) for name in ("documents", "spans", "tokens")}
        messages = list(dict.fromkeys(message for record in records for message in record["warnings"]))
        return Done(**counts, failures=self._failures(), warnings=messages)

    def missing(
        self, on_read: Callable[[int, bool], None] = lambda documents, done: None, *, strict: bool = False
    ) -> Iterator[tuple[str, Path, list[SourceDocument]]]:
        """Missing shards.

        Args:
            on_read: called with the number of documents read, and whether they were done before.
            strict: whether a file that cannot be read ends the run.

        Yields:
            Name, file and documents of each.

        Raises:
            BionerError: of a file that cannot be read, in a strict run.
        """
        for part, files in self._todo.items():
            failures: list[Failure] = []
            documents = (document for file in files for document in self.source.read(file, failures.append))
            count = 0
            while shard := list(islice(documents, self._size)):
                count += 1
                name = f"{part:05}-{count:04}"
                on_read(len(shard), name in self._shards)
                if name not in self._shards:
                    self._append({"begun": name})
                    yield name, self._path(name), shard
            if strict and failures:
                raise BionerError(failures[0].reason)
            self._ended[part] = (count, failures)
            self._finish(part)

    def record(self, name: str, done: Done) -> None:
        """Record a finished shard.

        Args:
            done: results of its documents.
        """
        content = asdict(done)
        del content["content"]
        self._shards[name] = content
        self._append({"shard": name, **content})
        self._finish(int(name.partition("-")[0]))

    def _finish(self, part: int) -> None:
        """Record a finished part, if it was read to its end and all of its shards are there."""
        if part not in self._ended or not self._is_whole(part, self._ended[part][0]):
            return
        count, failures = self._ended[part]
        checksums = {file.as_posix(): _checksum(file) for file in self._todo[part]}
        self._parts[part] = {
            "shards": count,
            "checksums": checksums,
            "failures": [asdict(failure) for failure in failures],
        }
        self._append({"part": part, **self._parts[part]})

    def _is_whole(self, part: int, shards: int) -> bool:
        return all(f"{part:05}-{number:04}" in self._shards for number in range(1, shards + 1))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{self._ending}"

    # The beginning

    def _plan(self, made_with: dict[str, Any]) -> None:
        """Compare with the manifest; assign new parts to new and changed files."""
        path, origin, known = self._own / MANIFEST, provenance(), {}
        if path.is_file() and (self._shards or self._parts):  # where nothing is done, nothing has to agree
            manifest = _loaded(path, path.read_text(encoding="utf8"))
            if names := differences(manifest["made_with"], made_with):
                raise BionerError(
                    Errors.E683.format(folder=self.folder, names=", ".join(f"setting {name}" for name in names))
                )
            if names := differences(manifest["provenance"]["versions"], origin["versions"]):
                warn(Warnings.W514.format(folder=self.folder, names=", ".join(names)))
            known, origin = manifest["inputs"], manifest["provenance"]
        files = {file.as_posix(): file for file in self.source.files()}
        stale = {
            entry["part"]
            for name, entry in known.items()
            if (self._has_changed(name, files[name], entry) if name in files else entry["part"] not in self._parts)
        }
        number = max((entry["part"] for entry in known.values()), default=0)
        inputs = {name: entry for name, entry in known.items() if entry["part"] not in stale}
        size = PART_BYTES
        for name, file in files.items():
            if name not in inputs:
                if size >= PART_BYTES or size + size_of(file) > 2 * PART_BYTES:
                    number, size = number + 1, 0
                size += size_of(file)
                inputs[name] = {"part": number, **_state(file)}
        parts = {entry["part"] for entry in inputs.values()}
        self._shards = {name: record for name, record in self._shards.items() if int(name.partition("-")[0]) in parts}
        self._parts = {
            part: record
            for part, record in self._parts.items()
            if part in parts and self._is_whole(part, record["shards"])
        }
        self._write_journal()
        write_json(path, {"made_with": made_with, "inputs": inputs, "provenance": origin})
        todo: dict[int, list[Path]] = defaultdict(list)
        for name, file in files.items():
            if inputs[name]["part"] not in self._parts:
                todo[inputs[name]["part"]].append(file)
        self._todo = dict(sorted(todo.items()))
        self.bytes_before = sum(entry["size"] for entry in inputs.values() if entry["part"] in self._parts)

    def _has_changed(self, name: str, file: Path, entry: Mapping[str, Any]) -> bool:
        state = _state(file)
        if state["size"] != entry["size"] or state["mtime"] == entry["mtime"]:
            return bool(state["size"] != entry["size"])
        return _checksum(file) != self._parts.get(entry["part"], {}).get("checksums", {}).get(name)

    # The journal

    def _read_journal(self) -> tuple[dict[str, dict[str, Any]], dict[int, dict[str, Any]]]:
        """Records of existing shards and of parts; detects interrupted shards."""
        path = self._own / JOURNAL
        lines = path.read_text(encoding="utf8").split("\n") if path.is_file() else [""]
        lines.pop()  # empty, or an incomplete line of a killed process
        shards: dict[str, dict[str, Any]] = {}
        parts: dict[int, dict[str, Any]] = {}
        begun: set[str] = set()
        for record in (_loaded(path, line) for line in lines):
            if "begun" in record:
                begun.add(record["begun"])
            elif "part" in record:
                parts[record.pop("part")] = record
            elif self._path(record["shard"]).exists() or not record["documents"]:
                shards[record.pop("shard")] = record
        self.was_interrupted = bool(begun.difference(shards))
        return shards, parts

    def _write_journal(self) -> None:
        """Rewrite the journal, and remove files of shards that are not in it."""
        lines = [{"shard": name, **record} for name, record in self._shards.items()]
        lines += [{"part": part, **record} for part, record in self._parts.items()]
        with replacing(self._own / JOURNAL) as (path,):
            path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf8")
        self._remove_unfinished()

    def _remove_unfinished(self) -> None:
        for path in self.folder.iterdir():
            name = _SHARD_NAME.match(path.name)
            if path.name.startswith(".") and path.name.endswith(".part") or name and name[0] not in self._shards:
                remove(path)

    def _append(self, record: Mapping[str, Any]) -> None:
        with (self._own / JOURNAL).open("a", encoding="utf8") as file:
            file.write(json.dumps(record) + "\n")

    def _failures(self) -> list[Failure]:
        records = [*self._shards.values(), *self._parts.values()]
        failures = [failure for record in records for failure in record["failures"]]
        return [Failure(**{**failure, "line": failure["line"] or None}) for failure in failures]  # older runs have 0


def write_failures(path: Path, failures: Sequence[Failure]) -> None:
    """Write failures as JSON lines; no file without failures."""
    if failures:
        with replacing(path) as (part,):
            part.write_text("".join(json.dumps(asdict(failure)) + "\n" for failure in failures), "utf8")
    else:
        path.unlink(missing_ok=True)


def _state(file: Path) -> dict[str, int]:
    states = [one.stat() for one in source_files(file)]
    return {"size": sum(one.st_size for one in states), "mtime": max((one.st_mtime_ns for one in states), default=0)}


def _checksum(file: Path) -> str:
    return checksum(file) if file.is_file() else digest(checksums(source_files(file)))


def _loaded(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BionerError(Errors.E686.format(path=path, reason=reason(error))) from None
