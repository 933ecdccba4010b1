"""Reading several converted corpora as one training or development set."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Union

import numpy
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

    Raises:
        BionerError: a corpus or its split is not in the folder, or is empty.
    """

    def __init__(
        self,
        path: Union[str, Path],
        corpora: Union[None, str, Sequence[str]] = None,
        split: str = "train",
        fraction: float = 1.0,
        limit: int = 0,
    ) -> None:
        if not 0 < fraction <= 1:
            raise BionerError(Errors.E301.format(setting="fraction", value=fraction, allowed="above 0, at most 1"))
        if limit < 0:
            raise BionerError(Errors.E301.format(setting="limit", value=limit, allowed="0 for no limit, or above"))
        self.path = Path(path)
        self.split = split
        self.fraction = fraction
        self.limit = limit
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
                self._docs[corpus] = [docs[i] for i in self._choose(len(docs))]
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
            lengths[corpus] = words[self._choose(len(words))]
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

    def _choose(self, n: int) -> numpy.ndarray:
        """Numbers of the documents to read, in order."""
        size = max(1, round(n * self.fraction))
        size = min(size, self.limit) if self.limit else size
        return numpy.sort(numpy.random.default_rng(n).permutation(n)[:size])
