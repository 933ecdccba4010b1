"""The corpus catalogue: which corpora there are, where their files come from and what their labels mean.

It is loaded from a file (see `catalogue_file`) and never changes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Optional

from ..errors import BionerError, Errors, check_list, check_setting
from ..formats.document import OnError, SourceDocument, stop
from ..formats.reading import read_documents
from ..formats.registry import get_format
from .splits import by_count, by_list, by_share, read_list

SPLITS = ("train", "devel", "test")
NOT_KNOWN = "not known: the corpus is not in the catalogue"
"""In place of a licence in tables."""


@dataclass(frozen=True)
class CorpusFile:
    """One file of a corpus and, if it contains several splits, the part that belongs to one."""

    name: str  # its path below the folder of the corpus
    sha256: Optional[str] = None  # hexadecimal digest; None if it is not known
    documents: Optional["CorpusFile"] = None  # file with the ids of the documents of the split, one per line
    # index of the first record of the split, and the index after its last one
    sentences: Optional[tuple[int, int]] = None


@dataclass(frozen=True)
class Corpus:
    """One entry of the catalogue."""

    name: str
    format: str  # the name of a format
    options: Mapping[str, Any]  # keyword arguments of the reader
    # the corpus's own label -> standard entity type, or None if the label is dropped on purpose
    labels: Mapping[str, Optional[str]]
    # split -> file; a corpus may lack splits, and splits may share a file
    files: Mapping[str, CorpusFile] = field(default_factory=dict)
    # split -> share of the training file, if other splits are taken from it; else empty
    shares: Mapping[str, float] = field(default_factory=dict)
    folder: str = ""  # folder of its files, relative to the assets folder
    url: Optional[str] = None  # address with `{file}` (and optionally `{split}`); None if there is no public one
    description: str = ""  # what it is, in a sentence
    licence: str = ""  # terms of the annotations
    homepage: str = ""  # where the corpus is described
    citation: str = ""  # the publication to cite
    redistributable: str = ""  # whether, and under which conditions, copies may be passed on
    notes: str = ""  # reasons for the label mapping, and what else to know before training

    @property
    def types(self) -> tuple[str, ...]:
        """Standard entity types that the corpus annotates, sorted: the annotation scope of its documents."""
        return tuple(sorted({name for name in self.labels.values() if name is not None}))

    @property
    def keeps_sentences(self) -> bool:
        """Whether every document of its files is one sentence."""
        return get_format(self.format).keeps_sentences

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that the corpus has, in the order of `SPLITS`."""
        return tuple(split for split in SPLITS if split in self.files or split in self.shares)

    @property
    def distinct_files(self) -> list[tuple[CorpusFile, list[str]]]:
        """Every file once, including lists of documents, and the splits it contains."""
        found: dict[str, tuple[CorpusFile, list[str]]] = {}
        for split, file in self.files.items():
            for part in filter(None, (file, file.documents)):
                found.setdefault(part.name, (part, []))[1].append(split)
        return list(found.values())

    def file(self, split: str) -> CorpusFile:
        """The file that a split is in."""
        if split not in self.splits:
            raise BionerError(Errors.E140.format(corpus=self.name, split=split, known=", ".join(self.splits)))
        return self.files["train" if split in self.shares else split]

    def file_path(self, file: CorpusFile, folder: Path) -> Path:
        """Path of a file below the assets folder."""
        return folder / self.folder / file.name

    def read(self, path: Path, on_error: OnError = stop) -> Iterator[SourceDocument]:
        """Read a file in the format of this corpus.

        Args:
            on_error: called for parts that cannot be read, see the reader of the format.

        Yields:
            Its documents, with the corpus's own labels.
        """
        return read_documents(self.format, path, on_error=on_error, **self.options)

    def documents(self, split: str, folder: Path, on_error: OnError = stop) -> Iterator[SourceDocument]:
        """Read a split.

        Args:
            on_error: as for `read`; documents that are in the list of no split are left out likewise.

        Yields:
            Its documents in the order of their file, with the corpus's own labels.

        Raises:
            BionerError: the corpus has no such split, the file is not what the catalogue says about its splits,
                or as the reader of the format does.
        """
        file = self.file(split)
        read = partial(self.read, self.file_path(file, folder), on_error)
        together = {other: twin for other, twin in self.files.items() if twin.name == file.name}
        if split in self.shares:
            parts = by_share(read, self.labels, self.shares, corpus=self.name)
        elif file.documents:
            lists = {
                other: read_list(self.file_path(twin.documents, folder))
                for other, twin in together.items()
                if twin.documents
            }
            parts = by_list(read(), lists, corpus=self.name, on_error=on_error)
        elif file.sentences:
            ranges = {other: twin.sentences for other, twin in together.items() if twin.sentences}
            parts = by_count(read(), ranges, corpus=self.name)
        else:
            parts = ((split, document) for document in read())
        yield from (document for part, document in parts if part == split)


@dataclass(frozen=True)
class CorpusSet:
    """A named group of corpora, the number of epochs to train on it and the tokens in a batch; 0: as the config has
    it."""

    name: str
    corpora: tuple[str, ...]
    epochs: int
    batch_tokens: int


@dataclass(frozen=True)
class Catalogue:
    """The whole catalogue: standard types with definitions, corpora and sets by name."""

    path: Path
    types: Mapping[str, str]
    corpora: Mapping[str, Corpus]
    sets: Mapping[str, CorpusSet]

    def __getitem__(self, name: str) -> Corpus:
        """A corpus by its name."""
        if name not in self.corpora:
            raise BionerError(Errors.E110.format(name=name, path=self.path, known=", ".join(self.corpora)))
        return self.corpora[name]

    def select(self, text: str) -> list[str]:
        """Resolve names of sets and corpora.

        Args:
            text: names of sets or corpora, separated by commas.

        Returns:
            Names of corpora in the order given, each once.
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

    def merge_types(self, text: str) -> "Catalogue":
        """Merge standard types, such as PROTEIN of one corpus and GENE of another.

        Args:
            text: pairs such as `PROTEIN=GENE`, separated by commas; empty to merge nothing.

        Returns:
            A catalogue in which the first type of each pair is replaced by the second.

        Raises:
            BionerError: the text is malformed, a type is unknown, or a type is on both sides.
        """
        merged = type_pairs(text, "merge_types", known=self.types)
        corpora = {
            name: replace(corpus, labels={k: merged.get(v, v) if v else None for k, v in corpus.labels.items()})
            for name, corpus in self.corpora.items()
        }
        return replace(self, corpora=corpora)

    def training_set(self, text: str) -> CorpusSet:
        """Resolve names of sets and corpora, with their training settings.

        Args:
            text: names of sets or corpora, separated by commas; a corpus has the settings of the sets that it is in.

        Returns:
            The corpora as `select` gives them, with the most epochs of those sets, 0 where a corpus is in none, and
            their smallest batches (0 if there is none).

        Raises:
            BionerError: see `select`.
        """
        names = self.select(text)
        parts = {part.strip() for part in text.split(",")}
        named = [group for name, group in self.sets.items() if name in parts or parts & set(group.corpora)]
        epochs = max((group.epochs for group in named), default=0)
        if not {corpus for group in named for corpus in group.corpora}.issuperset(names):
            epochs = 0
        batch_tokens = min((group.batch_tokens for group in named if group.batch_tokens), default=0)
        return CorpusSet(text, tuple(names), epochs, batch_tokens)


def type_pairs(text: str, setting: str, *, known: Optional[Collection[str]] = None) -> dict[str, str]:
    """Read pairs of entity types; the first of each is mapped to the second.

    Args:
        text: pairs such as `PROTEIN=GENE`, separated by commas; may be empty.
        setting: name of the setting, for messages.
        known: allowed types; None for any.

    Raises:
        BionerError: the text is malformed, a type is unknown, or a type is on both sides.
    """
    pairs = [(part[0].strip(), part[2].strip()) for part in (p.partition("=") for p in text.split(",") if p.strip())]
    merged = dict(pairs)
    for name in (name for pair in pairs for name in pair):
        if not name or "=" in name or (known is not None and name not in known):
            problem = f"{name!r} is none of {', '.join(known)}" if known is not None else f"{name!r} is no type"
            raise BionerError(Errors.E146.format(setting=setting, value=text, problem=problem))
    if len(merged) < len(pairs) or set(merged) & set(merged.values()):
        problem = "a type that is merged can stand there once only"
        raise BionerError(Errors.E146.format(setting=setting, value=text, problem=problem))
    return merged


def named_corpora(catalogue: Catalogue, names: Iterable[str]) -> list[Corpus]:
    """Corpora of a catalogue in the order of their names.

    Raises:
        BionerError: this is not a catalogue, the names are a single string, or there is no such corpus.
    """
    check_setting("catalogue", catalogue, "what load_catalogue returns", isinstance(catalogue, Catalogue))
    check_list("names", names, "corpora")
    return [catalogue[name] for name in names]
