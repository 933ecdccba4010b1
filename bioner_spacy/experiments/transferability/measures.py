"""Measures between corpora that may tell which auxiliary helps a target.

Four are those of Akdemir and Shibuya (2020): vocabulary, topic, encoder, curve. Two look at the annotation: names,
labels. Where more of a measure should mean more gain, larger is better.
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
from ...files import replacing
from ...reports.chart import save_figure
from ...reports.heat_map import draw_heat_map
from ...scoring.results import reading_json, write_json, write_text
from ...scoring.table import MISSING, Section, Table
from ...training.corpora import MultiCorpus
from ...training.encoding import corpus_vectors
from .gains import Gains, Pair
from .slopes import SHARES, slopes
from .topics import topic_weights

FILE = "measures.json"

MEASURES = {
    "vocabulary": "Dice coefficient 2 |A and B| / (|A| + |B|) of the word types; words are what has a letter, in lower "
    "case but for acronyms.",
    "topic": "Cosine of the mean topic weights (TF-IDF, non-negative matrix factorisation, 15 topics).",
    "encoder": "Cosine of the mean vectors of the first piece ([CLS]) of the sentences, layers -2, -3 and -4 of the "
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

DECIMALS = {"encoder": 6}
"""Decimals of measures that need more than four, as cosines of mean [CLS] vectors are all close to 1."""

Values = dict[Pair, Optional[float]]
"""Target and auxiliary -> value."""


@dataclass(frozen=True)
class Measures:
    """Measures of every ordered pair of corpora.

    Attributes:
        corpora: names of the corpora, in order.
        words: words of each training corpus that were read.
        budget: words of a corpus that were asked for; 0 for all.
        encoder: name of the encoder.
        values: name of the measure -> target and auxiliary -> value; only "curve" differs between the directions.
        slopes: corpus -> slopes of its learning curve at `SHARES`, means over its runs; empty where there is none.
    """

    corpora: list[str]
    words: dict[str, int]
    budget: int
    encoder: str
    values: dict[str, Values]
    slopes: dict[str, list[float]]

    def sections(self) -> list[Section]:
        """A table for each measure: targets are rows, auxiliaries columns."""
        found = []
        for name, values in self.values.items():
            rows = [
                [one, *(value_text(name, values.get((one, other))) for other in self.corpora)] for one in self.corpora
            ]
            table = Table(["Target", *self.corpora], rows, numbers=len(self.corpora))
            found.append(Section(name.capitalize(), MEASURES[name], table))
        if self.slopes:
            header = ["Corpus", *(f"{100 * share:g} %" for share in SHARES)]
            rows = [
                [corpus, *(value_text("curve", slope) for slope in of_corpus)]
                for corpus, of_corpus in self.slopes.items()
            ]
            told = "Change of the mean loss per share of the training, relative to the loss of the first tenth."
            found.append(Section("Slopes of the learning curves", told, Table(header, rows, numbers=len(SHARES))))
        return found

    def to_disk(self, folder: Path) -> list[Path]:
        """Write `measures.json`, `.md`, and for each measure a heat map, `.svg` and `.png`; all or none.

        Returns:
            The files.
        """
        pictures = [folder / f"measure-{name}.{suffix}" for name in self.values for suffix in ("svg", "png")]
        files = [folder / FILE, (folder / FILE).with_suffix(".md"), *pictures]
        with replacing(*files) as (data, page, *parts):
            write_json(data, self.to_dict())
            write_text(page, self.to_markdown())
            for name, svg, png in zip(self.values, parts[::2], parts[1::2]):
                save_figure(self._draw(name), svg, png)
        return files

    def to_markdown(self) -> str:
        """The tables as a page."""
        words = ", ".join(f"{corpus} {words:,}" for corpus, words in self.words.items())
        told = f"Training words that were read: {words}. Encoder: {self.encoder}.\n"
        pictures = [f"![{name.capitalize()}](measure-{name}.svg)\n" for name in self.values]
        return "\n".join(
            ["# Measures between corpora\n", told, *(part.to_markdown() for part in self.sections()), *pictures]
        )

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
            BionerError: it is not there, or holds no measures.
        """
        path = path / FILE if path.is_dir() else path
        with reading_json(path, Errors.E554) as data:
            # In the order of `MEASURES`, which the file, sorted by name, does not keep.
            of_file = {name: data["values"].pop(name) for name in MEASURES if name in data["values"]}
            if data["values"]:
                raise ValueError(f"unknown measures: {', '.join(data['values'])}")
            data["values"] = {
                name: {(one["target"], one["auxiliary"]): one["value"] for one in found}
                for name, found in of_file.items()
            }
            return cls(**data)

    def _draw(self, name: str) -> Any:
        values = [[self.values[name].get((one, other)) for other in self.corpora] for one in self.corpora]
        known = [value for row in values for value in row if value is not None]
        low, high = min(known, default=0.0), max(known, default=1.0)
        return draw_heat_map(
            self.corpora,
            self.corpora,
            values,
            [[value_text(name, value) for value in row] for row in values],
            title=name.capitalize(),
            xlabel="Auxiliary corpus; the colours go from the smallest to the largest value",
            ylabel="Target corpus",
            limits=(low, high if high > low else low + 1),
        )


def measure_corpora(
    corpus_folder: Path,
    corpora: Sequence[str],
    *,
    encoder: str,
    words: int = 0,
    gains: Optional[Gains] = None,
) -> Measures:
    """Measure how alike the training parts of corpora are.

    Sentences that training leaves out (`exclude.json` in the folder) are left out here too.

    Args:
        corpus_folder: folder with `<corpus>/train.spacy`.
        corpora: names of two corpora or more.
        encoder: name of a pretrained encoder, a folder, or package:NAME.
        words: words of each corpus, about, the same documents as in training; 0 for all. A vocabulary grows with its
            corpus, so that coefficients of corpora of very different sizes are small.
        gains: gains with the learning curves of the runs alone; None to leave out that measure, which is also left out
            where a corpus has no curve.

    Raises:
        BionerError: there is one corpus only or one is not in the folder; the encoder cannot be loaded; scikit-learn is
            not installed.
    """
    if len(set(corpora)) < 2:
        raise BionerError(Errors.E620.format(names=", ".join(corpora)))
    statistics, sentences = _read(corpus_folder, corpora, words)
    folded = {corpus: [words for words, _ in found.texts] for corpus, found in statistics.items()}
    vocabularies = {
        corpus: {(word,) for text in texts for word in text if any(map(str.isalpha, word))}
        for corpus, texts in folded.items()
    }
    weights, vectors = topic_weights(folded), corpus_vectors(encoder, sentences)
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
        words={corpus: of_corpus.tokens for corpus, of_corpus in statistics.items()},
        budget=words,
        encoder=encoder,
        values=values,
        slopes=found if "curve" in values else {},
    )


def value_text(name: str, value: Optional[float]) -> str:
    """A value of a measure for a table, or a dash."""
    return MISSING if value is None else f"{value + 0.0:.{DECIMALS.get(name, 4)}f}"


def cosine(one: NDArray, other: NDArray) -> float:
    """Cosine of two vectors; 0 where one of them is 0."""
    length = float(numpy.linalg.norm(one) * numpy.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def label_agreement(statistics: Mapping[str, SplitStatistics]) -> dict[Pair, float]:
    """How alike corpora annotate the same names.

    Returns:
        For each pair of corpora, in their order, that share a type and names of it: the share of the places of these
        names that are treated as the other corpus treats most of its own, see `compare_guidelines`.
    """
    places: dict[Pair, list[tuple[int, int]]] = {}
    for found in compare_guidelines(statistics, n_examples=0):
        places.setdefault(found.corpora, []).append((found.occurrences, found.against))
    totals = {pair: [sum(column) for column in zip(*counts)] for pair, counts in places.items()}
    return {pair: 1 - against / occurrences for pair, (occurrences, against) in totals.items() if occurrences}


def _read(folder: Path, corpora: Sequence[str], words: int) -> tuple[dict[str, SplitStatistics], dict[str, list[str]]]:
    """Counts and sentences of the training parts."""
    exclude = folder / EXCLUDE_FILE
    nlp = spacy.blank("en")
    statistics, sentences = {}, {}
    for corpus in corpora:
        reader = MultiCorpus(
            folder, [corpus], words=words, exclude=exclude if exclude.is_file() else None, context="sentence"
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
