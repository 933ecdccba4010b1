"""The corpus catalogue: which corpora there are, where their files come from and what their labels mean.

The catalogue is a YAML file with four sections: `types` (standard entity types and their definitions), `sources`
(public repositories), `corpora` (one entry each) and `sets` (named groups of corpora). Adding a corpus is adding an
entry. Every entry is checked when the catalogue is loaded.
"""

import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Optional

import srsly

from ..errors import BionerError, Errors
from .document import SourceDocument
from .readers import READERS

SPLITS = ("train", "devel", "test")

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_CHECKSUMS = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}
_REQUIRED = ("description", "format", "files", "labels", "licence", "homepage", "redistributable")
_OPTIONAL = ("options", "source", "folder", "citation")


@dataclass(frozen=True)
class CorpusFile:
    """One file of a corpus; checksums are hexadecimal digests, None where none is known."""

    name: str
    sha256: Optional[str] = None
    md5: Optional[str] = None


@dataclass(frozen=True)
class Corpus:
    """One entry of the catalogue.

    Attributes:
        name: name of the corpus.
        description: what it is, in a sentence.
        format: name of a reader.
        options: keyword arguments of the reader.
        files: split -> file.
        folder: where its files lie, relative to the assets folder.
        url: address of its files with `{file}` in it; None where the files have no public address.
        labels: the corpus's own label -> standard entity type, or None where the label is dropped on purpose.
        licence: terms of the annotations.
        homepage: where the corpus is described.
        citation: the publication to cite.
        redistributable: whether, and under which conditions, copies may be passed on.
    """

    name: str
    description: str
    format: str
    options: Mapping[str, Any]
    files: Mapping[str, CorpusFile]
    folder: str
    url: Optional[str]
    labels: Mapping[str, Optional[str]]
    licence: str
    homepage: str
    citation: str
    redistributable: str

    @property
    def types(self) -> tuple[str, ...]:
        """Standard entity types that the corpus annotates, sorted: the annotation scope of its documents."""
        return tuple(sorted({name for name in self.labels.values() if name is not None}))

    def path(self, split: str, folder: Path) -> Path:
        """Path of the file of a split below the assets folder."""
        return folder / self.folder / self.files[split].name

    def read(self, path: Path) -> Iterator[SourceDocument]:
        """Read a file in the format of this corpus.

        Args:
            path: the file.

        Yields:
            Its documents, with the corpus's own labels.

        Raises:
            BionerError: as the reader of the format does.
        """
        return READERS[self.format](path, **self.options)


@dataclass(frozen=True)
class CorpusSet:
    """A named group of corpora, the number of epochs to train on it and the words in a batch."""

    name: str
    corpora: tuple[str, ...]
    epochs: int
    batch_words: int


@dataclass(frozen=True)
class Catalogue:
    """The whole catalogue: standard types with definitions, corpora and sets by name."""

    path: Path
    types: Mapping[str, str]
    corpora: Mapping[str, Corpus]
    sets: Mapping[str, CorpusSet]

    def __getitem__(self, name: str) -> Corpus:
        """A corpus by its name.

        Raises:
            BionerError: if the catalogue has none of that name.
        """
        if name not in self.corpora:
            raise BionerError(Errors.E110.format(name=name, path=self.path, known=", ".join(self.corpora)))
        return self.corpora[name]

    def select(self, text: str) -> list[str]:
        """Names of corpora that a command line argument stands for.

        Args:
            text: names of sets or corpora, separated by commas.

        Returns:
            Names of corpora in the order given, each once.

        Raises:
            BionerError: if a name is unknown or there is none.
        """
        names: list[str] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            if part not in self.sets and part not in self.corpora:
                known = ", ".join([*self.sets, *self.corpora])
                raise BionerError(Errors.E110.format(name=part, path=self.path, known=known))
            names.extend(self.sets[part].corpora if part in self.sets else [part])
        if not names:
            raise BionerError(Errors.E110.format(name=text, path=self.path, known=", ".join(self.sets)))
        return list(dict.fromkeys(names))

    def training_set(self, text: str) -> CorpusSet:
        """The corpora that a command line argument stands for, with the settings to train on them.

        Args:
            text: names of sets or corpora, separated by commas; a corpus has the settings of the sets that it is in.

        Returns:
            The corpora as `select` gives them, with the most epochs and the smallest batches of those sets (3 and 600
            where there is none).

        Raises:
            BionerError: as `select` does.
        """
        names = self.select(text)
        parts = {part.strip() for part in text.split(",")}
        named = [group for name, group in self.sets.items() if name in parts or parts & set(group.corpora)]
        epochs = max((group.epochs for group in named), default=3)
        batch_words = min((group.batch_words for group in named), default=600)
        return CorpusSet(text, tuple(names), epochs, batch_words)


def load_catalogue(path: Path) -> Catalogue:
    """Load and check a catalogue.

    Args:
        path: the YAML file.

    Returns:
        The catalogue.

    Raises:
        BionerError: if the file is missing, is not YAML, or if a section, an entry or a key of it is wrong.
    """
    if not path.is_file():
        raise BionerError(Errors.E101.format(path=path))
    try:
        data = srsly.read_yaml(path)
    except ValueError as error:
        raise BionerError(Errors.E111.format(path=path, where="file", problem=" ".join(str(error).split()))) from None
    return _Checker(path).catalogue(data)


class _Checker:
    """Turns parsed YAML into a catalogue; every complaint names the file and the place in it."""

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
        for key in required:
            if key not in value:
                self.fail(where, f"has no key {key}")
        for key in value:
            if key not in required and key not in optional:
                self.fail(where, f"has the unknown key {key}; known: {', '.join([*required, *optional])}")

    def catalogue(self, data: Any) -> Catalogue:
        sections = self.mapping(data, "file")
        self.keys(sections, "file", ("types", "corpora", "sets"), ("sources",))
        types = self.types(sections["types"])
        sources = self.mapping(sections["sources"], "sources") if "sources" in sections else {}
        for name, url in sources.items():
            if "{file}" not in self.text(url, f"sources: {name}"):
                self.fail(f"sources: {name}", "must hold {file}, the place of the file name")
        entries = self.mapping(sections["corpora"], "corpora")
        corpora = {name: self.corpus(name, entry, types, sources) for name, entry in entries.items()}
        sets = {name: self.set(name, entry, corpora) for name, entry in self.mapping(sections["sets"], "sets").items()}
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
        if format_ not in READERS:
            self.fail(where, f"has the unknown format {format_}; known: {', '.join(READERS)}")
        folder = self.text(entry.get("folder", f"real/{name}"), f"{where}: folder")
        if not all(_NAME.fullmatch(part) for part in folder.split("/")):
            self.fail(where, f"has the folder {folder!r}, which must be relative to the assets folder")
        return Corpus(
            name=name,
            format=format_,
            options=self.options(entry.get("options") or {}, format_, where),
            files=self.files(entry["files"], where),
            folder=folder,
            url=self.url(entry.get("source"), name, sources, where),
            labels=self.labels(entry["labels"], types, where),
            citation=self.text(entry.get("citation", "none"), f"{where}: citation"),
            description=self.text(entry["description"], f"{where}: description"),
            licence=self.text(entry["licence"], f"{where}: licence"),
            homepage=self.text(entry["homepage"], f"{where}: homepage"),
            redistributable=self.text(entry["redistributable"], f"{where}: redistributable"),
        )

    def options(self, value: Any, format_: str, where: str) -> dict[str, Any]:
        known = [name for name in inspect.signature(READERS[format_]).parameters if name != "path"]
        options = self.mapping(value, f"{where}: options") if value else {}
        self.keys(options, f"{where}: options", (), known)
        return options

    def files(self, value: Any, where: str) -> dict[str, CorpusFile]:
        files = self.mapping(value, f"{where}: files")
        self.keys(files, f"{where}: files", SPLITS, ())
        return {split: self.file(files[split], f"{where}: files: {split}") for split in SPLITS}

    def file(self, value: Any, where: str) -> CorpusFile:
        entry = self.mapping(value, where)
        self.keys(entry, where, ("name", "sha256"), ("md5",))
        name = self.text(entry["name"], f"{where}: name")
        if not _NAME.fullmatch(name):
            self.fail(where, f"has the file name {name!r}, which must be a plain name")
        for kind, pattern in _CHECKSUMS.items():
            digest = entry.get(kind)
            if digest is not None and not (isinstance(digest, str) and pattern.fullmatch(digest)):
                self.fail(where, f"has the {kind} {digest!r}, which must be a hexadecimal digest or null")
        return CorpusFile(name, entry["sha256"], entry.get("md5"))

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
        for label, name in labels.items():
            if name is not None and name not in types:
                self.fail(where, f"maps the label {label} to {name!r}, which is not among the types of the catalogue")
        if not any(labels.values()):
            self.fail(where, "maps none of its labels to a standard type")
        return labels

    def set(self, name: str, value: Any, corpora: Mapping[str, Corpus]) -> CorpusSet:
        where = f"sets: {name}"
        if name in corpora:
            self.fail(where, "has the name of a corpus")
        entry = self.mapping(value, where)
        self.keys(entry, where, ("corpora", "epochs", "batch_words"), ())
        for key in ("epochs", "batch_words"):
            if type(entry[key]) is not int or entry[key] < 1:
                self.fail(where, f"must have a whole number of {key}, 1 or more")
        names = entry["corpora"]
        if not isinstance(names, list) or not names:
            self.fail(where, "must list corpora")
        for corpus in names:
            if corpus not in corpora:
                self.fail(where, f"lists {corpus!r}, which is not among the corpora: {', '.join(corpora)}")
        return CorpusSet(name, tuple(names), entry["epochs"], entry["batch_words"])
