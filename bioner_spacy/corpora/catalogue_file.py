"""The file of the corpus catalogue: YAML with four sections, every entry of which is checked when it is loaded.

The sections are `types` (standard entity types and their definitions), `sources` (public repositories), `corpora`
(one entry each) and `sets` (named groups of corpora). To add a corpus, add an entry, or write a file of your own: its
`base` names the catalogue that it extends, relative to the file, or `default`.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn, Optional, Union

import srsly

from ..errors import BionerError, Errors
from ..files import as_path, require_readable
from ..formats.documents import input_formats
from ..formats.registry import get_format
from ..old_names import with_new_names
from ..shipped import CATALOGUE, project_file
from .catalogue import SPLITS, Catalogue, Corpus, CorpusFile, CorpusSet

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECTIONS = ("types", "sources", "corpora", "sets")
_REQUIRED = ("format", "files", "labels")
_TEXTS = {key: "not stated" for key in ("licence", "homepage", "citation", "redistributable")}
_TEXTS |= {"description": "", "notes": ""}
_OPTIONAL = ("options", "source", "folder", "split", *_TEXTS)


def load_catalogue(path: Union[str, Path, None] = None) -> Catalogue:
    """Load and check a catalogue.

    Args:
        path: the YAML file; None for `configs/catalogue.yml` of the current folder if there is one, else the one that
            comes with the package.

    Raises:
        BionerError: the file or its base is missing, is not YAML, or a section, an entry or a key is wrong.
    """
    path = project_file(CATALOGUE) if path is None else as_path("path", path)
    checker = _Checker(path)
    data = _read(path)
    if isinstance(data, dict) and "base" in data:
        data = checker.with_base(data)
    return checker.catalogue(data)


def _read(path: Path) -> Any:
    require_readable(path)
    try:
        return srsly.read_yaml(path)
    except ValueError as error:
        raise BionerError(Errors.E111.format(path=path, where="file", problem=" ".join(str(error).split()))) from None


class _Checker:
    """Turns parsed YAML into a catalogue; errors name the file and the entry."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, where: str, problem: str) -> NoReturn:
        raise BionerError(Errors.E111.format(path=self.path, where=where, problem=problem))

    def mapping(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            self.fail(where, "must be a mapping with at least one key")
        for key in value:
            if not isinstance(key, str):
                self.fail(where, f"has the key {key!r}, which must be a string: quote it")
        return value

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value.strip():
            self.fail(where, "must be a text")
        return value.strip()

    def keys(self, value: dict[str, Any], where: str, required: Collection[str], optional: Collection[str]) -> None:
        missing = [key for key in required if key not in value]
        unknown = [key for key in value if key not in required and key not in optional]
        problems = [f"has no key {', '.join(missing)}"] if missing else []
        if unknown:
            problems.append(f"has the unknown key {', '.join(unknown)}; known: {', '.join([*required, *optional])}")
        if problems:
            self.fail(where, " and ".join(problems))

    def with_base(self, data: dict[str, Any]) -> dict[str, Any]:
        """The sections of the file with those of the catalogue that its key `base` names."""
        name = self.text(data["base"], "base")
        path = project_file(CATALOGUE) if name == "default" else self.path.parent / name
        base = _Checker(path).mapping(_read(path), "file")
        if "base" in base:
            self.fail("base", f"names {path}, which has a base itself")
        sections = {**base, **data}
        del sections["base"]
        for name in _SECTIONS:
            if name in data and name in base:
                ours, theirs = self.mapping(data[name], name), _Checker(path).mapping(base[name], name)
                if twins := ours.keys() & theirs.keys():
                    self.fail(f"{name}: {min(twins)}", f"is already in {path}: choose another name")
                sections[name] = {**theirs, **ours}
        return sections

    def catalogue(self, data: Any) -> Catalogue:
        sections = self.mapping(data, "file")
        self.keys(sections, "file", ("types", "corpora"), ("sources", "sets", "base"))
        types = self.types(sections["types"])
        sources = self.mapping(sections["sources"], "sources") if "sources" in sections else {}
        for name, url in sources.items():
            if "{file}" not in self.text(url, f"sources: {name}"):
                self.fail(f"sources: {name}", "must hold {file}, the place of the file name")
        entries = self.mapping(sections["corpora"], "corpora")
        corpora = {name: self.corpus(name, entry, types, sources) for name, entry in entries.items()}
        groups = self.mapping(sections["sets"], "sets") if "sets" in sections else {}
        sets = {name: self.set(name, entry, corpora) for name, entry in groups.items()}
        return Catalogue(self.path, types, corpora, sets)

    def types(self, value: Any) -> dict[str, str]:
        types = {name: self.text(text, f"types: {name}") for name, text in self.mapping(value, "types").items()}
        seen: dict[str, str] = {}
        for name in types:
            if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
                self.fail(f"types: {name}", "must be written in capitals, digits and underscores")
            twin = seen.setdefault(name.replace("_", ""), name)
            if twin != name:
                self.fail(f"types: {name}", f"is the same standard type as {twin}; keep one")
        return types

    def corpus(self, name: str, value: Any, types: Collection[str], sources: Mapping[str, str]) -> Corpus:
        where = f"corpora: {name}"
        if not _NAME.fullmatch(name):
            self.fail(where, "a name has letters, digits, dots, hyphens and underscores")
        entry = self.mapping(value, where)
        self.keys(entry, where, _REQUIRED, _OPTIONAL)
        format_ = self.text(entry["format"], f"{where}: format")
        if format_ not in input_formats():
            self.fail(where, f"has the unknown format {format_}; known: {', '.join(input_formats())}")
        folder = self.text(entry.get("folder", f"real/{name}"), f"{where}: folder")
        if not all(_NAME.fullmatch(part) for part in folder.split("/")):
            self.fail(where, f"has the folder {folder!r}, which must be relative to the assets folder")
        files = self.files(entry["files"], where)
        return Corpus(
            name=name,
            format=format_,
            options=self.options(entry.get("options") or {}, format_, where),
            files=files,
            shares=self.shares(entry["split"], files, f"{where}: split") if "split" in entry else {},
            folder=folder,
            url=self.url(entry.get("source"), name, sources, where),
            labels=self.labels(entry["labels"], types, where),
            **{
                key: self.text(entry[key], f"{where}: {key}") if key in entry else text for key, text in _TEXTS.items()
            },
        )

    def options(self, value: Any, format_: str, where: str) -> dict[str, Any]:
        options = self.mapping(value, f"{where}: options") if value else {}
        known = get_format(format_).reader_options
        self.keys(options, f"{where}: options", (), list(known))
        for name, option in options.items():
            if not known[name].accepts(option):
                self.fail(f"{where}: options: {name}", f"must be {known[name].wanted}, not {option!r}")
        return options

    def files(self, value: Any, where: str) -> dict[str, CorpusFile]:
        files = self.mapping(value, f"{where}: files")
        self.keys(files, f"{where}: files", (), SPLITS)
        found = {
            split: self.file(files[split], f"{where}: files: {split}", ("documents", "sentences"))
            for split in SPLITS
            if split in files
        }
        for file in found.values():
            self.shared_file([twin for twin in found.values() if twin.name == file.name], f"{where}: files")
        return found

    def shared_file(self, files: list[CorpusFile], where: str) -> None:
        """Check a file shared by several splits: each must state its part of the file."""
        where = f"{where}: {files[0].name}"
        if len({file.sha256 for file in files}) > 1:
            self.fail(where, "has several checksums")
        keys = {(file.documents is not None, file.sentences is not None) for file in files}
        if keys not in ({(True, False)}, {(False, True)}) and (len(files) > 1 or (True, True) in keys):
            self.fail(where, "must have the key documents in all its splits, or the key sentences in all of them")
        counted = sorted(file.sentences for file in files if file.sentences)
        for before, (start, end) in zip([(0, 0), *counted], counted):
            if start != before[1]:
                self.fail(where, f"has a split from sentence {start} to {end}, which must begin at {before[1]}")

    def file(self, value: Any, where: str, optional: Collection[str] = ()) -> CorpusFile:
        entry = self.mapping(value, where)
        self.keys(entry, where, ("name",), ("sha256", *optional))
        name = self.text(entry["name"], f"{where}: name")
        if not all(_NAME.fullmatch(part) for part in name.split("/")):
            self.fail(where, f"has the file name {name!r}, which must be relative to the folder of the corpus")
        digest = entry.get("sha256")
        if digest is not None and not (isinstance(digest, str) and _SHA256.fullmatch(digest)):
            self.fail(where, f"has the sha256 {digest!r}, which must be a hexadecimal digest or null")
        documents = self.file(entry["documents"], f"{where}: documents") if "documents" in entry else None
        if documents and documents.sha256 is None:
            self.fail(f"{where}: documents", "must have a sha256: a list has no format to check it by")
        sentences = self.sentences(entry["sentences"], where) if "sentences" in entry else None
        return CorpusFile(name, digest, documents, sentences)

    def sentences(self, value: Any, where: str) -> tuple[int, int]:
        numbers = value if isinstance(value, list) and [type(number) for number in value] == [int, int] else [0, 0]
        if not 0 <= numbers[0] < numbers[1]:
            self.fail(where, "must have as sentences two whole numbers [START, END], the second above the first")
        return numbers[0], numbers[1]

    def shares(self, value: Any, files: Mapping[str, CorpusFile], where: str) -> dict[str, float]:
        shares = self.mapping(value, where)
        self.keys(shares, where, (), SPLITS[1:])
        for split, share in shares.items():
            if type(share) not in (int, float) or not 0 < share < 1:
                self.fail(where, f"must have as {split} a share above 0 and below 1")
            if split in files:
                self.fail(where, f"has {split}, which has a file of its own")
        rest = 1 - sum(shares.values())
        if rest <= 0:
            self.fail(where, "leaves nothing for train")
        if "train" not in files or files["train"].documents or files["train"].sentences:
            self.fail(where, "divides the file of train, which must be there and have neither documents nor sentences")
        return {split: shares.get(split, rest) for split in SPLITS if split == "train" or split in shares}

    def url(self, value: Any, name: str, sources: Mapping[str, str], where: str) -> Optional[str]:
        if value is None:
            return None
        source = self.text(value, f"{where}: source")
        url = sources.get(source, source)
        if "{file}" not in url:
            known = ", ".join(sources)
            self.fail(where, f"has the source {source!r}: neither a known one ({known}) nor an address with {{file}}")
        return url.replace("{corpus}", name)

    def labels(self, value: Any, types: Collection[str], where: str) -> dict[str, Optional[str]]:
        labels = self.mapping(value, f"{where}: labels")
        wrong = [
            f"{label} to {name!r}" for label, name in labels.items() if name is not None and name not in list(types)
        ]
        if wrong:
            self.fail(where, f"maps the label {', '.join(wrong)}, which is not among the types of the catalogue")
        if not any(labels.values()):
            self.fail(where, "maps none of its labels to a standard type")
        return labels

    def set(self, name: str, value: Any, corpora: Mapping[str, Corpus]) -> CorpusSet:
        where = f"sets: {name}"
        if name in corpora:
            self.fail(where, "has the name of a corpus")
        entry = with_new_names(self.mapping(value, where))
        self.keys(entry, where, ("corpora",), ("epochs", "batch_tokens"))
        for key in ("epochs", "batch_tokens"):
            if key in entry and (type(entry[key]) is not int or entry[key] < 1):
                self.fail(where, f"must have a whole number of {key}, 1 or more")
        names = entry["corpora"]
        if not isinstance(names, list) or not names:
            self.fail(where, "must list corpora")
        for corpus in names:
            if corpus not in list(corpora):
                self.fail(where, f"lists {corpus!r}, which is not among the corpora: {', '.join(corpora)}")
        return CorpusSet(name, tuple(names), entry.get("epochs", 0), entry.get("batch_tokens", 0))
