"""What a pipeline gets right and wrong on one split, in detail: matches, mistakes, calibration and thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Union

from matplotlib.figure import Figure
from spacy.language import Language

from ..corpora.context import CONTEXT_WORDS, check_context
from ..errors import Warnings, warn
from ..files import replacing
from ..reports.calibration_chart import draw_reliability, draw_thresholds
from ..reports.chart import save_figure
from ..scope import SPANS_KEY
from ..scoring.evaluate import Run, corpus_files, describe, finds_entities, load_pipeline
from ..scoring.results import ALL_TYPES, Pipeline, write_json, write_text
from ..scoring.scored import scored_docs
from ..scoring.table import Section
from .calibration import ALL_CORPORA, BINS, ScoredMentions, calibration_table, describe_calibration, scored_mentions
from .matches import has_nervaluate, match_scores, matches_table
from .mistakes import Mistakes, counts_table, examples_table, find_mistakes
from .thresholds import by_entity_type, config_section, describe_thresholds, thresholds_table

EXAMPLES = 5
"""Mention texts shown of each kind of mistake in each corpus."""

_MATCHES = """\
SemEval 2013, task 9.1, in percent. Strict: borders and type are right; exact: borders; partial: the mentions overlap,
one half where the borders differ; type: they overlap and the type is right. A mention has at most one partner."""
_MISTAKES = """\
Every mention is of one kind. Split: one gold mention, several predictions of its type; merged: the other way round.
Wrong boundary: the two overlap and have one type. A prediction inside a gold mention that is found is spurious."""
_EXAMPLES = """\
The most frequent mention texts of each kind, each with one place: all mentions of the mistake stand between ⟦ and ⟧.
`mistakes.tsv` lists every mistake."""
_CALIBRATION = """\
Precision of predictions against their score, in percent. ECE: expected calibration error, the mean distance of the
precision of the predictions in a bin from their mean score, with {bins} bins of equal width, or of equal numbers of
predictions. Brier score: mean squared error, 0 to 1."""
_THRESHOLDS = """\
Predictions with a lower score than the threshold are left out. AP: average precision, over all thresholds. All: every
prediction is kept. Threshold, P, R, F1: {goal}, chosen for the row. One: at the threshold of the row of all corpora and
types{use}. In percent, on the {split} split, where the thresholds were chosen: elsewhere they tend to give less."""
_USE = """; to use it: `spacy.load(PIPELINE, config={{"components.{component}.threshold": {threshold}}})`"""
_CONFIG = """Thresholds of types over all corpora, for the config; types that are not given keep `threshold`:"""
Group = tuple[str, str]
"""Corpus and entity type."""


@dataclass(frozen=True)
class Analysis:
    """An analysis of one pipeline on one split.

    Attributes:
        pipeline: what was analysed.
        split: name of the split.
        matches: as `match_scores` gives them; None where the package nervaluate is not installed.
        mistakes: what is wrong.
        scored: predictions by corpus and type; empty where the pipeline gives no scores.
        calibration: likewise, as `describe_calibration` tells it.
        thresholds: likewise, as `describe_thresholds` tells it.
        bins: number of bins of the calibration.
        precision: the wanted precision of the thresholds; None for the highest F1.
        component: name of the component that has a setting `threshold`; None where there is none.
        by_type: whether it has a setting `thresholds` too.
    """

    pipeline: Pipeline
    split: str
    matches: Optional[dict[str, Any]]
    mistakes: Mistakes
    scored: Mapping[Group, ScoredMentions]
    calibration: Mapping[Group, dict[str, Any]]
    thresholds: Mapping[Group, dict[str, Any]]
    bins: int
    precision: Optional[float]
    component: Optional[str]
    by_type: bool

    @property
    def threshold(self) -> Optional[float]:
        """The threshold for all corpora and types; None where there is none."""
        chosen = self.thresholds.get((ALL_CORPORA, ALL_TYPES), {}).get("threshold")
        return None if chosen is None else float(chosen["threshold"])

    @property
    def settings(self) -> str:
        """The thresholds of types as a section of a training config; empty where there is no setting for them."""
        chosen = by_entity_type(self.thresholds)
        return config_section(f"components.{self.component}.thresholds", chosen) if self.by_type and chosen else ""

    def sections(self, *, brief: bool = False) -> list[Section]:
        """The tables, with what they say.

        Args:
            brief: only what has room in a terminal: of the matches F1 alone, and no examples.
        """
        found = []
        if self.matches is not None:
            found.append(Section("Matches", _MATCHES, matches_table(self.matches, "f" if brief else "prf")))
        found.append(Section("Mistakes", _MISTAKES, counts_table(self.mistakes)))
        if not brief:
            examples = examples_table(self.mistakes.most_frequent(EXAMPLES))
            found.append(Section("Examples of mistakes", _EXAMPLES, examples))
        if self.scored:
            calibration = _CALIBRATION.format(bins=self.bins)
            found.append(Section("Calibration", calibration, calibration_table(self.calibration)))
            found.append(Section("Thresholds", self._told_thresholds(), thresholds_table(self.thresholds)))
        return found

    def _told_thresholds(self) -> str:
        goal = "highest F1" if self.precision is None else f"highest recall at a precision of {self.precision:g}"
        use = ""
        if self.component is not None and self.threshold is not None:
            use = _USE.format(component=self.component, threshold=self.threshold)
        told = _THRESHOLDS.format(goal=goal, split=self.split, use=use)
        return f"{told}\n\n{_CONFIG}\n\n```ini\n{self.settings}```" if self.settings else told

    def to_dict(self) -> dict[str, Any]:
        """The analysis for a JSON file; scores as fractions of 1."""
        return {
            "pipeline": asdict(self.pipeline),
            "split": self.split,
            "matches": self.matches,
            "mistakes": self.mistakes.to_dict(EXAMPLES),
            "calibration": _by_corpus(self.calibration),
            "thresholds": _by_corpus(self.thresholds),
            "by_type": by_entity_type(self.thresholds),
            "precision": self.precision,
        }

    def to_disk(self, folder: Path) -> list[Path]:
        """Write `analysis.json`, `analysis.md`, `mistakes.tsv` and, if there are scores, two charts; all or none.

        Args:
            folder: folder to write to.

        Returns:
            The files.
        """
        texts = [folder / name for name in ("analysis.json", "analysis.md", "mistakes.tsv")]
        figures = self._figures()
        images = [folder / f"{name}.{suffix}" for name in figures for suffix in ("svg", "png")]
        with replacing(*texts, *images) as (json_part, page_part, list_part, *parts):
            write_json(json_part, self.to_dict())
            write_text(page_part, self._page(list(figures)))
            write_text(list_part, examples_table([(mistake, 1) for mistake in self.mistakes.found]).to_tsv())
            for figure, svg, png in zip(figures.values(), parts[::2], parts[1::2]):
                save_figure(figure, svg, png)
        return [*texts, *images]

    def _figures(self) -> dict[str, Figure]:
        of_corpora = {corpus: found for (corpus, name), found in self.scored.items() if name == ALL_TYPES}
        if not of_corpora:
            return {}
        return {
            "reliability": draw_reliability(of_corpora, split=self.split, bins=self.bins),
            "thresholds": draw_thresholds(of_corpora, split=self.split, precision=self.precision),
        }

    def _page(self, figures: Sequence[str]) -> str:
        parts = [f"# {self.pipeline.name} {self.pipeline.version}, {self.split} split\n"]
        parts.extend(section.to_markdown() for section in self.sections())
        parts.extend(f"![{name}]({name}.svg)\n" for name in figures)
        return "\n".join(parts)


def analyze(
    pipeline: Union[str, Path, Language],
    corpus_folder: Path,
    *,
    corpora: Optional[Sequence[str]] = None,
    split: str = "devel",
    precision: Optional[float] = None,
    bins: int = BINS,
    limit: Optional[int] = None,
    context: str = "source",
    context_words: int = CONTEXT_WORDS,
    gpu_id: int = -1,
) -> Analysis:
    """Look closely at what a pipeline predicts on one split of converted corpora.

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.
        corpus_folder: folder with `<corpus>/<split>.spacy`.
        corpora: corpora to look at; None for all that have the split.
        split: name of the split; thresholds are to be chosen on development data.
        precision: choose thresholds with the highest recall at this precision, 0 to 1; None for the highest F1.
        bins: number of bins of the calibration.
        limit: most documents to take from each corpus, as they are in it; None for all.
        context: what the pipeline sees at once, see `evaluate`.
        context_words: most words of a group.
        gpu_id: number of the GPU to run on, -1 for the CPU; ignored where the pipeline is loaded already.

    Returns:
        The analysis. Without the package nervaluate it has no matches, and without scores of spans no calibration and
        no thresholds; a warning tells so.

    Raises:
        BionerError: as `evaluate`, or scores that are not one for each span, 0 to 1.
    """
    check_context(context, context_words)
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    files = corpus_files(corpus_folder, corpora, split)
    examples = Run(nlp).examples(files, limit=limit, context=context, context_words=context_words)
    docs = list(scored_docs(examples))
    component, by_type = _component_with_threshold(nlp)
    if not has_nervaluate():
        warn(Warnings.W502)
    unscored = sum(len(doc.predicted) - len(doc.scores) for doc in docs)
    if unscored:
        warn(Warnings.W503.format(count=unscored, key=SPANS_KEY))
    elif split == "test":
        warn(Warnings.W504)
    scored = {} if unscored else scored_mentions(docs)
    return Analysis(
        pipeline=describe(nlp),
        split=split,
        matches=match_scores(docs) if has_nervaluate() else None,
        mistakes=find_mistakes(docs),
        scored=scored,
        calibration={group: describe_calibration(found, bins) for group, found in scored.items()},
        thresholds=describe_thresholds(scored, precision),
        bins=bins,
        precision=precision,
        component=component,
        by_type=by_type,
    )


def _component_with_threshold(nlp: Language) -> tuple[Optional[str], bool]:
    """The last component that finds entities and has a setting `threshold`, and whether it has `thresholds` by entity type too.

    A warning tells where they hide predictions with lower scores.
    """
    blocks = {name: nlp.get_pipe_config(name) for name in nlp.pipe_names}
    # Some components do not say what they write; others, as spaCy's for whole texts, that it is something else.
    finding = (
        name for name in reversed(nlp.pipe_names) if finds_entities(nlp, name) or not nlp.get_pipe_meta(name).assigns
    )
    name = next((name for name in finding if "threshold" in blocks[name]), None)
    if name is None:
        return None, False
    hidden = [blocks[name]["threshold"], *blocks[name].get("thresholds", {}).values()]
    if any(hidden):
        warn(Warnings.W505.format(name=name, threshold=max(hidden)))
    return name, "thresholds" in blocks[name]


def _by_corpus(groups: Mapping[Group, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {}
    for (corpus, entity_type), group in groups.items():
        told.setdefault(corpus, {})[entity_type] = group
    return told
