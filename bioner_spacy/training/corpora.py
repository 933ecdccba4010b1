"""Reading several converted corpora as one training or development set."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

import numpy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from .. import scope  # noqa: F401  (registers doc._.guideline)
from ..docbin import load_docs
from ..errors import BionerError, Errors


class MultiCorpus:
    """Examples of several corpora, one corpus after the other; batches mix them (see `MultiCorpusBatcher`).

    Args:
        path: folder of converted corpora, with one file `<corpus>/<split>.spacy` for each corpus and split.
        corpora: names of the corpora, as a list or separated by commas; None for every corpus in the folder.
        split: name of the split, such as "train".
        fraction: share of each corpus that is read: a fixed choice, spread over the corpus, that depends on nothing
            but its size.
        limit: most documents of a corpus, chosen likewise; 0 for all.
        exclude: file with documents that are left out of what was chosen, as `scripts/leakage.py` writes it because
            they stand in evaluation data too; None to leave out nothing.

    Raises:
        BionerError: a corpus or its split is not in the folder, or is empty; or the file of `exclude` is not there, is
            not such a file, or was made for other corpora.
    """

    def __init__(
        self,
        path: Union[str, Path],
        corpora: Union[None, str, Sequence[str]] = None,
        split: str = "train",
        fraction: float = 1.0,
        limit: int = 0,
        exclude: Union[None, str, Path] = None,
    ) -> None:
        if not 0 < fraction <= 1:
            raise BionerError(Errors.E301.format(setting="fraction", value=fraction, allowed="above 0, at most 1"))
        if limit < 0:
            raise BionerError(Errors.E301.format(setting="limit", value=limit, allowed="0 for no limit, or above"))
        self.path = Path(path)
        self.split = split
        self.fraction = fraction
        self.limit = limit
        self.exclude = Path(exclude) if exclude is not None else None
        self._excluded = _read_exclude(self.exclude) if self.exclude else {}
        self._docs: dict[str, list[Doc]] = {}
        names = corpora.split(",") if isinstance(corpora, str) else corpora
        # Each once: a corpus that is named twice is not read twice.
        self._names = list(dict.fromkeys(name.strip() for name in names)) if names is not None else None

    @property
    def corpora(self) -> list[str]:
        """Names of the corpora that are read."""
        if self._names is not None:
            return self._names
        return sorted(file.parent.name for file in self.path.glob(f"*/{self.split}.spacy"))

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield examples: the predicted side is the raw text, tokenised by the pipeline."""
        for corpus in self._require_corpora():
            # Kept, because a training run goes through the corpora several times before its first step.
            if corpus not in self._docs or self._docs[corpus][0].vocab is not nlp.vocab:
                docs = load_docs(self._file(corpus), nlp.vocab)
                self._docs[corpus] = [docs[i] for i in self._choose(corpus, len(docs))]
            for doc in self._docs[corpus]:
                predicted = nlp.make_doc(doc.text)
                predicted._.guideline = corpus
                yield Example(predicted, doc)

    def lengths(self) -> dict[str, numpy.ndarray]:
        """Words of each document, by corpus, read without building documents."""
        lengths = {}
        for corpus in self._require_corpora():
            words = numpy.array(
                [len(tokens) for tokens in DocBin().from_disk(self._file(corpus)).tokens], dtype="int64"
            )
            lengths[corpus] = words[self._choose(corpus, len(words))]
        return lengths

    def _require_corpora(self) -> list[str]:
        if not self.corpora:
            raise BionerError(Errors.E406.format(path=self.path, split=self.split))
        return self.corpora

    def _file(self, corpus: str) -> Path:
        file = self.path / corpus / f"{self.split}.spacy"
        if not file.is_file():
            raise BionerError(Errors.E407.format(corpus=corpus, split=self.split, file=file))
        if not len(DocBin().from_disk(file)):
            raise BionerError(Errors.E408.format(corpus=corpus, split=self.split, file=file))
        return file

    def _choose(self, corpus: str, n: int) -> numpy.ndarray:
        """Numbers of the documents to read, in order."""
        size = max(1, round(n * self.fraction))
        size = min(size, self.limit) if self.limit else size
        chosen = numpy.sort(numpy.random.default_rng(n).permutation(n)[:size])
        if self.exclude is None:
            return chosen
        # Taken out of what was chosen, so that a part of a corpus is the same with and without the file, but for these.
        chosen = numpy.setdiff1d(chosen, self._require_excluded(corpus, n))
        if not len(chosen):
            raise BionerError(Errors.E422.format(corpus=corpus, path=self.exclude))
        return chosen

    def _require_excluded(self, corpus: str, n: int) -> list[int]:
        if corpus not in self._excluded:
            raise BionerError(Errors.E421.format(path=self.exclude, problem=f"does not know the corpus {corpus}"))
        if (made_for := self._excluded[corpus]["sentences"]) != n:
            problem = f"is for {made_for} sentences of the corpus {corpus}, which has {n} in split {self.split}"
            raise BionerError(Errors.E421.format(path=self.exclude, problem=problem))
        numbers: list[int] = self._excluded[corpus]["exclude"]
        return numbers


def _read_exclude(path: Path) -> Mapping[str, Mapping[str, Any]]:
    if not path.is_file():
        raise BionerError(Errors.E420.format(path=path))
    try:
        content: dict[str, dict[str, Any]] = srsly.read_json(path)
        for entry in content.values():
            if strange := set(entry["exclude"]) - set(range(entry["sentences"])):
                raise ValueError(f"no sentence has the number {strange.pop()}")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        problem = f"is not a file of sentences to leave out ({type(error).__name__}: {error})"
        raise BionerError(Errors.E421.format(path=path, problem=problem)) from error
    return content
