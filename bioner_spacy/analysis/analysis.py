"""What a pipeline gets right and wrong on one split, in detail: matches, mistakes, calibration and thresholds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

from spacy.language import Language

from ..errors import Warnings, warn
from ..scoring.evaluate import Run, finds_entities
from ..scoring.mentions import scored_docs
from ..scoring.metrics import ALL_TYPES
from ..scoring.results import Pipeline
from .calibration import ALL_CORPORA, BINS, ScoredMentions, describe_calibration, scored_mentions
from .matches import match_scores
from .mistakes import Mistakes, find_mistakes
from .thresholds import by_entity_type, config_section, describe_thresholds

EXAMPLES = 5
"""Maximum number of example mentions per kind of mistake and corpus."""

Group = tuple[str, str]
"""Corpus and entity type."""


@dataclass(frozen=True)
class Analysis:
    """An analysis of one pipeline on one split."""

    pipeline: Pipeline  # what was analysed
    split: str
    matches: dict[str, Any]  # as `match_scores` gives them
    mistakes: Mistakes  # what is wrong
    scored: Mapping[Group, ScoredMentions]  # predictions by corpus and type; empty if the pipeline gives no scores
    calibration: Mapping[Group, dict[str, Any]]  # likewise, as `describe_calibration` gives it
    thresholds: Mapping[Group, dict[str, Any]]  # likewise, as `describe_thresholds` gives it
    bins: int  # number of bins of the calibration
    precision: Optional[float]  # the wanted precision of the thresholds; None for the highest F1
    component: Optional[str]  # name of the component that has a setting `threshold`; None if there is none
    by_type: bool  # whether it has a setting `thresholds` too
    # Where the predictions come from, see `bioner_spacy.provenance`.
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def threshold(self) -> Optional[float]:
        """The threshold for all corpora and types; None if there is none."""
        chosen = self.thresholds.get((ALL_CORPORA, ALL_TYPES), {}).get("threshold")
        return None if chosen is None else float(chosen["threshold"])

    @property
    def settings(self) -> str:
        """The thresholds of types as a section of a training config; empty if there is no setting for them."""
        chosen = by_entity_type(self.thresholds)
        return config_section(f"components.{self.component}.thresholds", chosen) if self.by_type and chosen else ""

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
            "provenance": dict(self.provenance),
        }


def analyze(
    pipeline: Union[str, Path, Language],
    corpus_folder: Path,
    *,
    split: str = "devel",
    precision: Optional[float] = None,
    bins: int = BINS,
    **reading: Any,
) -> Analysis:
    """Analyse the predictions of a pipeline on one split of converted corpora.

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.
        precision: choose thresholds with the highest recall at this precision, 0 to 1; None for the highest F1.
        bins: number of bins of the calibration.
        reading: what is read and how, such as corpora, limit and context; see `evaluate`.

    Returns:
        The analysis. Without scores of spans it has no calibration and no thresholds, and a warning says so.

    Raises:
        BionerError: as `evaluate`, or scores are not one per span, 0 to 1.
    """
    run = Run(pipeline, corpus_folder, split=split, **reading)
    docs = list(scored_docs(run.examples(), **run.keys))
    component, by_type = _component_with_threshold(run.nlp)
    unscored = sum(len(doc.predicted) - len(doc.scores) for doc in docs)
    if unscored:
        warn(Warnings.W503.format(count=unscored, key=run.keys["predicted_key"]))
    elif split == "test":
        warn(Warnings.W504)
    scored = {} if unscored else scored_mentions(docs)
    return Analysis(
        pipeline=run.described,
        split=split,
        matches=match_scores(docs),
        mistakes=find_mistakes(docs),
        scored=scored,
        calibration={group: describe_calibration(found, bins) for group, found in scored.items()},
        thresholds=describe_thresholds(scored, precision),
        bins=bins,
        precision=precision,
        component=component,
        by_type=by_type,
        provenance=run.provenance(),
    )


def _component_with_threshold(nlp: Language) -> tuple[Optional[str], bool]:
    """The last component that finds entities and has a setting `threshold`, and whether it has `thresholds` by entity
    type too.

    Warns if thresholds already hide predictions.
    """
    blocks = {name: nlp.get_pipe_config(name) for name in nlp.pipe_names}
    # Some components do not declare what they write.
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
    found: dict[str, dict[str, Any]] = {}
    for (corpus, entity_type), group in groups.items():
        found.setdefault(corpus, {})[entity_type] = group
    return found
