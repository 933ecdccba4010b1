"""Compare two systems on the same documents, such as multi-task with single-task training."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional, Union

import numpy

from ..errors import BionerError, Errors, Warnings, check_setting, warn
from ..provenance import differences
from .comparison import Comparison, Row
from .documents import gold_difference, paired
from .metrics import ALL_TYPES, STRICT, Metric, get_metric
from .results import Results, corpus_name
from .significance import ALPHA, RESAMPLES, Paired, Significance, holm, significance

NAMES = ("single-task", "multi-task")
"""Names of the baseline and of the system."""

Side = dict[str, list[Results]]
"""Results of one side by corpus, one for each run."""


def compare(
    system: Union[Results, Sequence[Results]],
    baseline: Union[Results, Sequence[Results]],
    *,
    names: tuple[str, str] = NAMES,
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
    metric: Union[str, Metric] = STRICT,
    insist: bool = False,
) -> Comparison:
    """Compare a system with a baseline, corpus by corpus, and test the differences.

    Several results on one corpus are runs with different training seeds. F1 is averaged over runs, and all runs share
    each draw of documents. Differences are tested if all results have counts by document.

    Args:
        system: results of one pipeline on all corpora, or of one pipeline per corpus.
        baseline: the same for the baseline.
        names: of baseline and system, for the table.
        alpha: level of the tests.
        resamples: number of draws of each test.
        metric: the metric or its name.
        insist: compare results even if the checksums of their files differ, with a warning.

    Returns:
        A row for every corpus and entity type that either side has a result on.

    Raises:
        BionerError: two results of a side are on the same corpus with the same seed, the sides have different numbers
            of runs, results that are to be compared were not measured on the same documents, or there are no counts by
            the metric.
    """
    metric = get_metric(metric)
    given = [[side] if isinstance(side, Results) else list(side) for side in (system, baseline)]
    for side, setting in zip(given, ("system", "baseline")):
        are_results = any(given) and all(isinstance(one, Results) for one in side)
        check_setting(setting, side, "what evaluate returns, once or more", are_results)
    system, baseline = ([one.by(metric) for one in side] for side in given)
    _check_settings([*baseline, *system], insist=insist)
    sides = [_by_corpus(results, name) for results, name in zip((baseline, system), names)]
    common = sorted(sides[0].keys() & sides[1].keys())
    _check_runs(sides, common, names)
    for corpus in common:
        _check_gold(corpus, [results for side in sides for results in side[corpus]])
    corpora = sorted(sides[0].keys() | sides[1].keys())
    rows = {corpus: _corpus_rows(corpus, [side.get(corpus, []) for side in sides]) for corpus in corpora}
    pairs = _pairs(rows, sides)
    of_mean = _test(rows, pairs, alpha=alpha, resamples=resamples)
    both = [corpus_rows[-1] for corpus_rows in rows.values() if corpus_rows[-1].difference is not None]
    pipelines = [{corpus: [run.pipeline for run in side[corpus]] for corpus in sorted(side)} for side in sides]
    return Comparison(
        split=(*system, *baseline)[0].split,
        names=names,
        baseline=pipelines[0],
        system=pipelines[1],
        rows=[row for corpus_rows in rows.values() for row in corpus_rows],
        # The mean is tested only over the same corpora as it is taken over.
        mean=_mean(both, len(corpora), of_mean if len(pairs) == len(both) else None),
        records=[corpus for corpus in pairs if sides[0][corpus][0].documents[corpus]["unit"] == "record"],
        alpha=alpha,
        resamples=resamples,
        metric=metric.name,
    )


def _check_settings(results: Sequence[Results], *, insist: bool) -> None:
    for other in results[1:]:
        if other.split != results[0].split:
            splits = {"split": results[0].split, "other_split": other.split}
            raise BionerError(Errors.E511.format(results=results[0].label, other=other.label, **splits))
    for what, found in (
        ("encoders", {str(one.pipeline.encoder) for one in results}),
        ("contexts", {f"{one.context} {one.context_tokens or ''}".strip() for one in results}),
        ("rules for overlapping predictions", {_overlap(one) for one in results}),
        ("guidelines", {_guideline(one) for one in results}),
    ):
        if len(found) > 1:
            warn(Warnings.W501.format(what=what, found=", ".join(sorted(found))))
    known = [one for one in results if one.provenance]
    for other in known[1:]:
        first, second = (_checksums(one.provenance) for one in (known[0], other))
        if files := [name for name in first.keys() & second.keys() if first[name] != second[name]]:
            labels = {"results": known[0].label, "other": other.label, "files": ", ".join(sorted(files))}
            if not insist:
                raise BionerError(Errors.E515.format(**labels))
            warn(Warnings.W512.format(**labels))
    versions = [{"versions": one.provenance.get("versions", {})} for one in known]
    if names := sorted({name for other in versions[1:] for name in differences(versions[0], other)}):
        warn(Warnings.W513.format(names=", ".join(name.removeprefix("versions.") for name in names)))


def _overlap(results: Results) -> str:
    return "all count" if results.provenance.get("allow_overlap", True) else "the best counts"


def _guideline(results: Results) -> str:
    return "named" if results.provenance.get("guideline", True) else "not named"


def _checksums(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Checksums of corpora and of their entries in the catalogue."""
    entries = {f"catalogue entry of {name}": of for name, of in provenance.get("catalogue", {}).items()}
    return {**provenance.get("checksums", {}), **entries}


def _by_corpus(results: Iterable[Results], name: str) -> Side:
    """Runs of each corpus in the order of their seeds."""
    found: Side = {}
    for one in results:
        for corpus in one.per_corpus:
            for other in found.setdefault(corpus, []):
                if other.pipeline.seed == one.pipeline.seed:
                    files = {"first": other.label, "second": one.label, "seed": one.pipeline.seed}
                    raise BionerError(Errors.E510.format(corpus=corpus_name(corpus), name=name, **files))
            found[corpus].append(one)
    for runs in found.values():
        runs.sort(key=lambda one: -1 if one.pipeline.seed is None else one.pipeline.seed)
    return found


def _check_runs(sides: Sequence[Side], corpora: Sequence[str], names: tuple[str, str]) -> None:
    """Require the same number of runs everywhere: runs are paired, and means over corpora are taken run by run."""
    found = {
        f"{len(side[corpus])} of {name} on {corpus_name(corpus)}": len(side[corpus])
        for corpus in corpora
        for side, name in zip(sides, names)
    }
    if len(set(found.values())) > 1:
        raise BionerError(Errors.E514.format(runs=", ".join(found)))


def _check_gold(corpus: str, results: Sequence[Results]) -> None:
    first, *others = results
    for other in others:
        sides = [one.per_corpus[corpus]["per_type"] for one in (first, other)]
        problem = None
        for entity_type in sorted(sides[0].keys() | sides[1].keys()):
            gold = [side[entity_type]["gold"] if entity_type in side else 0 for side in sides]
            if gold[0] != gold[1]:
                problem = f"{gold[0]} and {gold[1]} gold mentions of {entity_type}"
        if problem is None and corpus in first.documents and corpus in other.documents:
            problem = gold_difference(first.documents[corpus], other.documents[corpus])
        if problem is not None:
            labels = {"results": first.label, "other": other.label}
            raise BionerError(Errors.E512.format(corpus=corpus_name(corpus), problem=problem, **labels))


def _corpus_rows(corpus: str, sides: Sequence[Sequence[Results]]) -> list[Row]:
    """Rows of one corpus, of which at least one side has results: its entity types, then all types."""
    scores = [[results.per_corpus[corpus] for results in side] for side in sides]
    types = sorted({name for side in scores for of_run in side for name in of_run["per_type"]})
    by_type = [
        _row(corpus, name, [[of_run["per_type"].get(name) for of_run in side] for side in scores]) for name in types
    ]
    return [*by_type, _row(corpus, ALL_TYPES, scores)]


def _row(corpus: str, entity_type: str, sides: Sequence[Sequence[Optional[dict[str, Any]]]]) -> Row:
    gold = next(scores["gold"] for side in sides for scores in side if scores is not None)

    def of_runs(side: Sequence[Optional[dict[str, Any]]]) -> Optional[tuple[float, ...]]:
        f = tuple(scores["f"] for scores in side if scores is not None and scores["f"] is not None)
        return f if f and len(f) == len(side) else None

    return Row(corpus, entity_type, gold, of_runs(sides[0]), of_runs(sides[1]))


def _pairs(rows: dict[str, list[Row]], sides: Sequence[Side]) -> dict[str, Paired]:
    """Counts of the corpora that can be tested: those where both sides have scores and every run has counts by
    document."""
    found = {}
    for corpus, corpus_rows in rows.items():
        if corpus_rows[-1].difference is None:
            continue
        runs = [[one.documents.get(corpus) for one in side[corpus]] for side in sides]
        counts = [[of_run for of_run in side if of_run is not None] for side in runs]
        if counts == runs:
            found[corpus] = paired(counts[0], counts[1], [row.entity_type for row in corpus_rows[:-1]])
    return found


def _test(
    rows: dict[str, list[Row]], pairs: dict[str, Paired], *, alpha: float, resamples: int
) -> Optional[Significance]:
    """Test the rows of the corpora in `pairs`, in place; the test of the mean over them.

    p is corrected within two families: rows over all types, and single types.
    """
    if not pairs:
        return None
    found, of_mean = significance(pairs, alpha=alpha, resamples=resamples)
    tests = {
        (corpus, place): test
        for corpus, of_corpus in found.items()
        for place, test in enumerate(of_corpus)
        if rows[corpus][place].difference is not None
    }
    corpora = [(corpus, place) for corpus, place in tests if place == len(rows[corpus]) - 1]
    types = [(corpus, place) for corpus, place in tests if place < len(rows[corpus]) - 1 > 1]
    for family in (corpora, types):
        for key, p in zip(family, holm(numpy.array([tests[key].p for key in family]))):
            tests[key] = replace(tests[key], adjusted=float(p))
    for corpus in found:
        if len(rows[corpus]) == 2:  # a single type equals all types: one test
            tests[corpus, 0] = tests[corpus, 1]
        rows[corpus] = [
            replace(row, significance=tests.get((corpus, place))) for place, row in enumerate(rows[corpus])
        ]
    return of_mean


def _mean(rows: Sequence[Row], n_corpora: int, test: Optional[Significance]) -> Row:
    """Mean over the corpora that both have a score on, run by run."""

    def over_corpora(runs: Sequence[Optional[tuple[float, ...]]]) -> Optional[tuple[float, ...]]:
        known = [of_corpus for of_corpus in runs if of_corpus is not None]
        return tuple(sum(of_run) / len(known) for of_run in zip(*known, strict=True)) if known else None

    sides = (over_corpora([row.baseline_runs for row in rows]), over_corpora([row.system_runs for row in rows]))
    of_them = "" if len(rows) == n_corpora else f"{len(rows)} of "
    return Row(f"mean over {of_them}{n_corpora} corpora", ALL_TYPES, None, *sides, test)
