"""Scores of a review: agreement of the judges, and precision outside the annotation scope."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import BionerError, Errors
from ..scoring.metrics import ALL_TYPES
from .agreement import Agreement, Share, Stratum, agreement, stratified, wilson
from .review_sheet import UNSURE, YES, Judgement, Key, read_sheet

BOTH = "both"
"""Instead of a judge: a prediction is right if both say yes."""


@dataclass(frozen=True)
class Precision:
    """Precision of the predictions of one type by one judge."""

    entity_type: str  # the type, or `ALL_TYPES`
    judge: str  # name of the judge, or `BOTH`
    population: int  # number of predictions that the sample was drawn from
    judged: int  # number of judged ones
    yes: int  # number judged right
    unsure: int  # number that the judge (with `BOTH`: either judge) is unsure about
    sample: Share  # share of right ones among the judged
    weighted: Share  # estimated share of right ones in the population


@dataclass(frozen=True)
class ReviewScores:
    """The scores of a review."""

    key: Key
    sheets: Mapping[str, Mapping[str, Judgement]]  # judge -> row -> judgement; one judge or two
    agreement: Mapping[str, Agreement]  # agreement by set of compared answers; empty with one judge
    precision: list[Precision]  # for each type and for all types: of each judge and, with two judges, of both

    def to_dict(self) -> dict[str, Any]:
        """The scores and all answers for a JSON file; scores as fractions of 1."""
        pipeline = asdict(self.key.pipeline)
        shares = [
            {**asdict(row), "sample": row.sample._asdict(), "weighted": row.weighted._asdict()}
            for row in self.precision
        ]
        answers = {
            row: {
                **self.key.rows[row],
                "judgements": {judge: judged[row]._asdict() for judge, judged in self.sheets.items()},
            }
            for row in self.key.rows
        }
        return {
            "pipeline": pipeline,
            "split": self.key.split,
            "agreement": {name: asdict(found) for name, found in self.agreement.items()},
            "precision": shares,
            "rows": answers,
            "provenance": self.key.provenance,
        }


def score_review(sheets: Sequence[Path], key_path: Path) -> ReviewScores:
    """Score the filled-in sheets of a review.

    Args:
        sheets: the sheet of one judge, or those of two.

    Returns:
        The scores; judges have the names of their files.

    Raises:
        BionerError: there are no or more than two sheets, or the same one twice, or a sheet cannot be read, is not
            complete, or belongs to another key; see `read_sheet`.
    """
    if len(sheets) not in (1, 2):
        raise BionerError(Errors.E539.format(found=f"{len(sheets)} sheets"))
    if len({sheet.resolve() for sheet in sheets}) < len(sheets):
        raise BionerError(Errors.E539.format(found=f"{sheets[0]} twice"))
    key = Key.from_disk(key_path)
    stems = {sheet.stem for sheet in sheets}
    by_stem = len(stems) == len(sheets) and BOTH not in stems
    judged = {sheet.stem if by_stem else str(sheet): read_sheet(sheet, key, key_path) for sheet in sheets}
    agreements = {}
    if len(judged) == 2:
        pairs = [
            (first.answer, second.answer) for first, second in zip(*(found.values() for found in judged.values()))
        ]
        decided = [pair for pair in pairs if UNSURE not in pair]
        agreements = {"yes, no, unsure": _agreement(pairs), "yes, no (neither unsure)": _agreement(decided)}
    return ReviewScores(key, judged, agreements, _precisions(key, judged))


def _agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    return agreement([first for first, _ in pairs], [second for _, second in pairs])


def _precisions(key: Key, sheets: Mapping[str, Mapping[str, Judgement]]) -> list[Precision]:
    """Precision of every type and of all, by every judge and by both."""
    answers: dict[str, Callable[[str], list[str]]] = {
        judge: lambda row, judged=judged: [judged[row].answer]  # type: ignore[misc]
        for judge, judged in sheets.items()
    }
    if len(sheets) == 2:
        answers[BOTH] = lambda row: [judged[row].answer for judged in sheets.values()]
    types = list(dict.fromkeys(stratum.entity_type for stratum in key.strata))
    found = []
    for entity_type in [*types, *([ALL_TYPES] if len(types) > 1 else [])]:
        strata = [stratum for stratum in key.strata if entity_type in (stratum.entity_type, ALL_TYPES)]
        rows = [row for stratum in strata for row in stratum.rows]
        for judge, of in answers.items():
            right = {row for row in rows if set(of(row)) == {YES}}
            counts = [
                Stratum(stratum.population, len(stratum.rows), len(right.intersection(stratum.rows)))
                for stratum in strata
            ]
            found.append(
                Precision(
                    entity_type,
                    judge,
                    population=sum(stratum.population for stratum in strata),
                    judged=len(rows),
                    yes=len(right),
                    unsure=sum(UNSURE in of(row) for row in rows),
                    sample=wilson(len(right) / len(rows), len(rows)),
                    weighted=stratified(counts),
                )
            )
    return found
