"""Reading several converted corpora as one training or development set."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Optional, Union

import numpy
import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from ..corpora.context import CONTEXT_TOKENS, check_context, documents, regroup
from ..corpora.leakage import EXCLUDE_FILE, joint_hash, record_hash
from ..corpora.manifest import converted_docs
from ..docbin import corpus_names, doc_lengths
from ..errors import BionerError, Errors, Warnings, check_setting, warn
from ..files import checksum
from ..old_names import by_old_names
from ..scope import name_corpus
from .soft_targets import (
    TARGETS_KEY,
    TaughtCorpus,
    TaughtDocument,
    read_targets,
    soft_targets_file,
    teacher_names,
)

AUTO = "auto"
"""Value of `exclude`: the file in the folder of corpora; of `soft_targets`: all that exist."""


class MultiCorpus:
    """Read several corpora, one after the other; batches mix them (`MultiCorpusBatcher`).

    A converted corpus holds records: sentences, documents or passages. An example is a record, or made of records by
    `context`. `fraction`, `limit` and `tokens` choose whole documents with "group" and "document", else records.
    Records on either side of an excluded one are not joined.

    Args:
        path: folder of converted corpora, with one file `<corpus>/<split>.spacy` for each corpus and split.
        corpora: names of the corpora, as a list or separated by commas; None for every corpus in the folder.
        split: name of the split, such as "train".
        fraction: share of each corpus to read: a fixed choice, spread over the corpus.
        limit: maximum number of documents of a corpus, chosen in the same way; 0 for all.
        tokens: approximate number of tokens to read from each corpus, without excluded ones; documents are taken in a
            random order, the same for all runs; 0 for all.
        exclude: file of records to leave out because they are in evaluation data, as written by `spacy bioner corpora
            leakage`; "auto" for `exclude.json` in `path`, with a warning if it is missing; None for none.
        context: what an example is: a record as it is ("source"), one sentence ("sentence"), consecutive sentences of
            one document with at most `context_tokens` tokens ("group"), or one document ("document").
        context_tokens: maximum number of tokens in a group; only a single sentence may have more.
        soft_targets: names of teachers, as a list or separated by commas, whose predictions (`write_soft_targets`) are
            passed to the component with the examples; "auto" for all that exist; None for none.

    Raises:
        BionerError: a corpus or its split is not in the folder, or is empty; the file of `exclude` is missing,
            invalid, or made for other corpora; or soft targets are requested for an evaluation split.
    """

    def __init__(
        self,
        path: Union[str, Path],
        corpora: Union[None, str, Sequence[str]] = None,
        split: str = "train",
        fraction: float = 1.0,
        limit: int = 0,
        exclude: Union[None, str, Path] = None,
        context: str = "source",
        context_tokens: int = CONTEXT_TOKENS,
        tokens: int = 0,
        soft_targets: Union[None, str, Sequence[str]] = None,
    ) -> None:
        check_setting("fraction", fraction, "above 0, at most 1", 0 < fraction <= 1)
        for setting, value in (("limit", limit), ("tokens", tokens)):
            check_setting(setting, value, "0 for no limit, or above", value >= 0)
        check_context(context, context_tokens)
        self.path = Path(path)
        self.split = split
        self.fraction = fraction
        self.limit = limit
        self.tokens = tokens
        self.exclude = self._find_exclude(exclude)
        self._nothing_excluded = exclude == AUTO and self.exclude is None
        self.context = context
        self.context_tokens = context_tokens
        self._excluded = _read_exclude(self.exclude) if self.exclude else {}
        self._docs: dict[str, list[Doc]] = {}
        # Each once: a corpus that is named twice is not read twice.
        self._names = _listed(corpora)
        self.soft_targets = _listed(soft_targets)
        for teacher in self.soft_targets or ():
            soft_targets_file(self.path, "", split, teacher)

    @property
    def corpora(self) -> list[str]:
        """Names of the corpora that are read."""
        if self._names is not None:
            return self._names
        return corpus_names(self.path, self.split)

    def files(self) -> list[Path]:
        """The files, or folders of files, that are read."""
        corpora = self._require_corpora()
        taught = [file for corpus in corpora for file in self._soft_targets_files(corpus)]
        return [*map(self._file, corpora), *([self.exclude] if self.exclude else []), *taught]

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield examples; the predicted side is the raw text, tokenized by the pipeline."""
        for corpus, doc in self.documents(nlp.vocab):
            predicted = nlp.tokenizer(doc.text)  # whatever its length
            predicted._.guideline = corpus
            yield Example(predicted, doc)

    def documents(self, vocab: Vocab) -> Iterator[tuple[str, Doc]]:
        """Yield the corpus and the reference of each example."""
        if self._nothing_excluded:
            _warn_nothing_excluded(self.path)
        for corpus in self._require_corpora():
            # Cached, because a run reads the corpora several times before its first step.
            if corpus not in self._docs or self._docs[corpus][0].vocab is not vocab:
                self._docs[corpus] = self._read(corpus, vocab, taught=True)
            for doc in self._docs[corpus]:
                yield corpus, doc

    def lengths(self) -> dict[str, numpy.ndarray]:
        """Number of tokens of each example, by corpus."""
        lengths = {}
        for corpus in self._require_corpora():
            if self.context == "source":
                records = doc_lengths(self._file(corpus))
                runs = self._choose(corpus, [[i] for i in range(len(records))], records)
                lengths[corpus] = records[[i for run in runs for i in run]]
            else:
                tokens = [len(doc) for doc in self._read(corpus, Vocab())]
                lengths[corpus] = numpy.array(tokens, dtype="int64")
        return lengths

    def _find_exclude(self, exclude: Union[None, str, Path]) -> Optional[Path]:
        if exclude != AUTO:
            return None if exclude is None else Path(exclude)
        file = self.path / EXCLUDE_FILE
        return file if file.is_file() else None

    def _read(self, corpus: str, vocab: Vocab, *, taught: bool = False) -> list[Doc]:
        """Documents of a corpus, with the predictions of teachers if `taught`."""
        records = list(converted_docs(self._file(corpus), vocab))
        for record in records:
            name_corpus(record, corpus)
        if self.exclude:
            self._check_excluded(corpus, records)
        lengths = numpy.array([len(record) for record in records], dtype="int64")
        runs = self._choose(corpus, documents(records, self.context), lengths)
        docs = [regroup([records[i] for i in run], self.context, self.context_tokens) for run in runs]
        if taught and (said := self._taught(corpus)) is not None:
            first_tokens = numpy.cumsum(lengths) - lengths
            for run, of_run in zip(runs, docs):
                begin = int(first_tokens[run[0]])
                for doc in of_run:  # which have all tokens of the records, in order
                    doc.user_data[TARGETS_KEY] = TaughtDocument(said, begin, begin + len(doc))
                    begin += len(doc)
        return [doc for of_run in docs for doc in of_run]

    def _taught(self, corpus: str) -> Optional[TaughtCorpus]:
        files = self._soft_targets_files(corpus)
        if not files:
            return None
        docbin = checksum(self._file(corpus))
        return TaughtCorpus(corpus, [read_targets(file, docbin=docbin) for file in files])

    def _soft_targets_files(self, corpus: str) -> list[Path]:
        names = self.soft_targets or []
        if names == [AUTO]:
            names = teacher_names(self.path, corpus, self.split)
        return [soft_targets_file(self.path, corpus, self.split, name) for name in names]

    def _require_corpora(self) -> list[str]:
        if not self.corpora:
            raise BionerError(Errors.E153.format(folder=self.path, split=self.split))
        return self.corpora

    def _file(self, corpus: str) -> Path:
        file = self.path / corpus / f"{self.split}.spacy"
        if not file.exists():
            raise BionerError(Errors.E407.format(corpus=corpus, split=self.split, file=file))
        return file

    def _choose(self, corpus: str, groups: Sequence[Sequence[int]], lengths: numpy.ndarray) -> list[list[int]]:
        """Indices of the records to read, in order: chosen groups, in consecutive runs.

        Args:
            groups: indices of the records of each document.
            lengths: (records,) tokens of each record.
        """
        n = len(groups)
        if not n:
            raise BionerError(Errors.E408.format(corpus=corpus, split=self.split, file=self._file(corpus)))
        size = max(1, round(n * self.fraction))
        size = min(size, self.limit) if self.limit else size
        chosen = numpy.random.default_rng(n).permutation(n)[:size]
        # Removed after the choice, so that the choice does not depend on the file.
        left_out = set(self._require_excluded(corpus, sum(map(len, groups)))) if self.exclude else set()
        if self.tokens:
            kept_tokens = [sum(int(lengths[i]) for i in groups[group] if i not in left_out) for group in chosen]
            # All that begin before the number is reached.
            chosen = chosen[numpy.cumsum([0, *kept_tokens[:-1]]) < self.tokens]
        runs = []
        for group in numpy.sort(chosen):
            kept = enumerate(number for number in groups[group] if number not in left_out)
            # The difference stays the same as long as numbers follow one another.
            runs += [[number for _, number in run] for _, run in groupby(kept, lambda pair: pair[1] - pair[0])]
        if not runs:
            raise BionerError(Errors.E422.format(corpus=corpus, path=self.exclude))
        return runs

    def _require_excluded(self, corpus: str, n: int) -> list[int]:
        if corpus not in self._excluded:
            raise BionerError(Errors.E421.format(path=self.exclude, problem=f"does not know the corpus {corpus}"))
        if (made_for := self._excluded[corpus]["records"]) != n:
            problem = f"is for {made_for} records of the corpus {corpus}, which has {n} in split {self.split}"
            raise BionerError(Errors.E421.format(path=self.exclude, problem=problem))
        return [int(number) for number in self._excluded[corpus]["exclude"]]

    def _check_excluded(self, corpus: str, records: Sequence[Doc]) -> None:
        """Check that the texts of the records are those that the list was made for."""
        self._require_excluded(corpus, len(records))
        hashes, made_for = [record_hash(record.text) for record in records], self._excluded[corpus]
        if made_for.get("texts", joint_hash(hashes)) != joint_hash(hashes):  # earlier versions did not write it
            problem = f"was made for other texts of the corpus {corpus}"
            raise BionerError(Errors.E421.format(path=self.exclude, problem=problem))
        for number, found in made_for["exclude"].items():
            if hashes[int(number)] != found:
                problem = f"was made for other records of the corpus {corpus} (number {number} has another text)"
                raise BionerError(Errors.E421.format(path=self.exclude, problem=problem))


make_multi_corpus_v1 = by_old_names(MultiCorpus)


def _listed(names: Union[None, str, Sequence[str]]) -> Optional[list[str]]:
    """Names in a list or separated by commas, each once; None for None."""
    if names is None:
        return None
    return list(dict.fromkeys(name.strip() for name in (names.split(",") if isinstance(names, str) else names)))


@functools.cache
def _warn_nothing_excluded(path: Path) -> None:
    """Warn once; training makes several readers."""
    warn(Warnings.W403.format(path=path))


def _read_exclude(path: Path) -> Mapping[str, Mapping[str, Any]]:
    if not path.is_file():
        raise BionerError(Errors.E420.format(path=path))
    try:
        content: dict[str, dict[str, Any]] = srsly.read_json(path)
        for entry in content.values():
            if "sentences" in entry:
                problem = "is of an earlier version, which knew records by their number alone"
                raise BionerError(Errors.E421.format(path=path, problem=problem))
            known = range(entry["records"])
            if strange := [number for number in entry["exclude"].keys() if int(number) not in known]:
                raise ValueError(f"no record has the number {strange[0]}")
    except BionerError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        problem = f"is not a file of records to leave out ({type(error).__name__}: {error})"
        raise BionerError(Errors.E421.format(path=path, problem=problem)) from error
    return content
