"""Measures between corpora that may predict which auxiliary helps a target.

Four are from Akdemir and Shibuya (2020): vocabulary, topic, encoder, curve. Two are of the annotation: names, labels.
Larger values should mean larger gains.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path
from typing import Any, Optional

import numpy
import spacy
from numpy.typing import NDArray

from ...corpora.leakage import EXCLUDE_FILE
from ...corpora.statistics import SplitStatistics, compare_guidelines, describe, dice
from ...errors import BionerError, Errors
from ...old_names import with_new_names
from ...scoring.results import reading_json
from ...training.corpora import MultiCorpus
from ...training.encoding import mean_first_subwords
from .gains import Gains, Pair
from .slopes import slopes
from .topics import topic_weights

FILE = "measures.json"
ADVICE = "write them with `spacy bioner experiment transferability measures`"

MEASURES = {
    "vocabulary": "Dice coefficient 2 |A and B| / (|A| + |B|) of the word types: tokens with a letter, in lower "
    "case but for acronyms.",
    "topic": "Cosine of the mean topic weights (TF-IDF, non-negative matrix factorisation, 15 topics).",
    "encoder": "Cosine of the mean vectors of the first subword ([CLS]) of the sentences, layers -2, -3 and -4 of the "
    "pretrained encoder.",
    "names": "Dice coefficient of the different names that are mentions, whatever their type.",
    "labels": "Share of the places of shared names that both corpora treat alike, annotated as a type or not, over the "
    "types that both annotate; a dash where there is none.",
    "curve": "Slope of the target's loss alone less that of the auxiliary, mean over 10, 20, 30, 50 and 70 % of the "
    "training: above 0 where the target has levelled off and the auxiliary still learns.",
}
"""Name of each measure -> what it is."""

AFTER_TRAINING = ("curve",)
"""Measures that need a training run on each corpus."""

Values = dict[Pair, Optional[float]]
"""Target and auxiliary -> value."""


@dataclass(frozen=True)
class Measures:
    """Measures of every ordered pair of corpora."""

    corpora: list[str]  # names of the corpora, in order
    tokens: dict[str, int]  # number of training tokens of each corpus
    budget: int  # requested number of tokens per corpus; 0 for all
    encoder: str  # name of the encoder
    values: dict[str, Values]  # name of the measure -> target and auxiliary -> value; only "curve" is asymmetric
    # Corpus -> slopes of its learning curve at `slopes.SHARES`, means over its runs; empty if there is none.
    slopes: dict[str, list[float]]

    def to_dict(self) -> dict[str, Any]:
        """The measures for a JSON file."""
        values = {
            name: [
                {"target": target, "auxiliary": auxiliary, "value": value} for (target, auxiliary), value in of.items()
            ]
            for name, of in self.values.items()
        }
        return {**vars(self), "values": values}

    @classmethod
    def from_disk(cls, path: Path) -> "Measures":
        """Read measures back.

        Args:
            path: the JSON file, or the folder that it is in.

        Raises:
            BionerError: it is missing, or holds no measures.
        """
        with reading_json(path, "measures between corpora", ADVICE, name=FILE) as data:
            data.pop("page", None)
            # In the order of `MEASURES`; the file is sorted by name.
            of_file = {name: data["values"].pop(name) for name in MEASURES if name in data["values"]}
            if data["values"]:
                raise ValueError(f"unknown measures: {', '.join(data['values'])}")
            data["values"] = {
                name: {(one["target"], one["auxiliary"]): one["value"] for one in found}
                for name, found in of_file.items()
            }
            return cls(**with_new_names(data))


def measure_corpora(
    corpus_folder: Path,
    corpora: Sequence[str],
    *,
    encoder: str,
    tokens: int = 0,
    gains: Optional[Gains] = None,
) -> Measures:
    """Measure the similarity of the training parts of corpora.

    Excluded records (`exclude.json`) are left out.

    Args:
        corpora: names of two corpora or more.
        encoder: name of a pretrained encoder, a folder, or package:NAME.
        tokens: approximate number of tokens of each corpus, the same documents as in training; 0 for all. Coefficients
            of corpora of very different sizes are small.
        gains: gains with learning curves of single runs; without them, the measure "curve" is left out.

    Raises:
        BionerError: there is one corpus only or one is not in the folder; the encoder cannot be loaded; scikit-learn
            is not installed.
    """
    if len(set(corpora)) < 2:
        raise BionerError(Errors.E620.format(names=", ".join(corpora)))
    statistics, sentences = _read(corpus_folder, corpora, tokens)
    folded = {corpus: [tokens for tokens, _ in found.texts] for corpus, found in statistics.items()}
    vocabularies = {
        corpus: {(token,) for text in texts for token in text if any(map(str.isalpha, token))}
        for corpus, texts in folded.items()
    }
    weights, vectors = topic_weights(folded), mean_first_subwords(encoder, sentences)
    labels = label_agreement(statistics)
    values = {
        "vocabulary": _symmetric(corpora, lambda a, b: dice(vocabularies[a], vocabularies[b])),
        "topic": _symmetric(corpora, lambda a, b: cosine(weights[a], weights[b])),
        "encoder": _symmetric(corpora, lambda a, b: cosine(vectors[a], vectors[b])),
        "names": _symmetric(corpora, lambda a, b: dice(statistics[a].vocabulary, statistics[b].vocabulary)),
        "labels": _symmetric(corpora, lambda a, b: labels.get((a, b))),
    }
    found = {corpus: _slopes(gains, corpus) for corpus in corpora} if gains is not None else {}
    if found and all(found.values()):
        means = {corpus: float(numpy.mean(of_corpus)) for corpus, of_corpus in found.items()}
        values["curve"] = {(one, other): means[one] - means[other] for one, other in permutations(corpora, 2)}
    return Measures(
        corpora=list(corpora),
        tokens={corpus: of_corpus.tokens for corpus, of_corpus in statistics.items()},
        budget=tokens,
        encoder=encoder,
        values=values,
        slopes=found if "curve" in values else {},
    )


def cosine(one: NDArray, other: NDArray) -> float:
    """Cosine of two vectors; 0 where one of them is 0."""
    length = float(numpy.linalg.norm(one) * numpy.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def label_agreement(statistics: Mapping[str, SplitStatistics]) -> dict[Pair, float]:
    """Agreement of corpora on the annotation of shared names.

    Returns:
        For each pair of corpora with shared names: the share of occurrences treated like the majority in the other
        corpus, see `compare_guidelines`.
    """
    places: dict[Pair, list[tuple[int, int]]] = {}
    for found in compare_guidelines(statistics, n_examples=0):
        places.setdefault(found.corpora, []).append((found.occurrences, found.against))
    totals = {pair: [sum(column) for column in zip(*counts)] for pair, counts in places.items()}
    return {pair: 1 - against / occurrences for pair, (occurrences, against) in totals.items() if occurrences}


def _read(
    folder: Path, corpora: Sequence[str], tokens: int
) -> tuple[dict[str, SplitStatistics], dict[str, list[str]]]:
    """Counts and sentences of the training parts."""
    exclude = folder / EXCLUDE_FILE
    nlp = spacy.blank("en")
    statistics, sentences = {}, {}
    for corpus in corpora:
        reader = MultiCorpus(
            folder, [corpus], tokens=tokens, exclude=exclude if exclude.is_file() else None, context="sentence"
        )
        docs = [example.reference for example in reader(nlp)]
        statistics[corpus], sentences[corpus] = describe(docs), [doc.text for doc in docs]
    return statistics, sentences


def _slopes(gains: Gains, corpus: str) -> list[float]:
    runs = [slopes(curve, gains.steps[corpus]) for curve in gains.curves.get(corpus, ())]
    return numpy.mean(runs, axis=0).tolist() if runs else []


def _symmetric(corpora: Sequence[str], measure: Callable[[str, str], Optional[float]]) -> Values:
    found = {pair: measure(*pair) for pair in combinations(corpora, 2)}
    return {(a, b): found[a, b] if (a, b) in found else found[b, a] for a, b in permutations(corpora, 2)}
