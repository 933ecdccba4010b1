"""Settings of the component `multitask_ner` and their defaults."""

from dataclasses import dataclass, field
from typing import Any, Optional

from ..corpora.context import check_context
from ..errors import check_list, check_number, check_setting
from ..scope import SPANS_KEY, UNSCOPED
from ..tasks import make_tasks
from ..training.balance import TaskBalance
from .merge import Merge


@dataclass(kw_only=True, eq=False, repr=False)
class Settings:
    """Settings of the component.

    Attributes:
        spans_key: key of predicted and gold spans in `doc.spans`.
        context: what heads read at once: the whole text ("group", "document"), or one sentence ("source", "sentence");
            the same as `context` of the encoder.
        grain: what a task is: "type", "corpus" or "guideline"; see `bioner_spacy.tasks.make_tasks`.
        types: entity types to learn; None for all that the training corpora annotate.
        merge: how spans of several tasks for one type are merged: "union", "vote", "mean", or the name of a corpus;
            see `bioner_spacy.pipeline.merge`. If `doc._.guideline` names a corpus, its guideline is followed instead.
        threshold: spans with a lower score, 0 to 1, are not reported.
        thresholds: minimum scores by entity type; `threshold` applies to all others. Changes to these, and to
            `ents_types`, of the loaded component are not saved; the config is.
        calibration: slope and intercept by entity type that calibrate the log-odds of scores, before thresholds are
            applied. See `bioner_spacy.analysis.calibrate`.
        annotate_ents: also set `doc.ents`, preferring the highest score, then the longest span.
        ents_types: the only entity types in `doc.ents`, in order of preference for spans on the same tokens; None for all
            types and no preference.
        ents_last: entity types that are in `doc.ents` only where no other entity is, whatever their scores.
        overwrite_ents: whether existing entities are replaced; otherwise they are kept, and predicted ones fill the
            gaps.
        task_weights: loss weight of each task by name; 1 if not given.
        task_balance: policy that changes loss weights during training; None for fixed weights. See
            `bioner_spacy.training.balance`.
        ignore_scope: whether types outside the annotation scope count as negatives, as in a naive merge of corpora.
            Only to measure what that costs.
        unscoped: assumed scope of documents with entities but no stated scope: the types of their corpus ("corpus") or
            every type ("all"); "error" refuses them in training.
        disjoint: for an entity type (or CORPUS$TYPE for one corpus), the types that its mentions never have. Its
            mentions are negative examples for heads of these types in documents that do not supervise them.
        teach_scope: initial share, 0 to 1, of teachers in the targets within scope; it falls during training. Teachers
            are pipelines whose predictions the corpus reader provides (setting `soft_targets` of
            `bioner_spacy.MultiCorpus.v2`).
        teach_across: weight, 0 to 1, of the teachers' loss in documents that do not annotate a task; 0 for none.
        learn_rate_factor: factor on the learning rate of the heads. An encoder inside the component learns at the
            plain rate.
    """

    spans_key: str = SPANS_KEY
    context: str = "source"
    grain: str = "type"
    types: Optional[list[str]] = None
    merge: Merge = "union"
    threshold: float = 0.0
    thresholds: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, list[float]] = field(default_factory=dict)
    annotate_ents: bool = True
    ents_types: Optional[list[str]] = None
    ents_last: list[str] = field(default_factory=list)
    overwrite_ents: bool = False
    task_weights: dict[str, float] = field(default_factory=dict)
    task_balance: Any = None
    ignore_scope: bool = False
    unscoped: str = "corpus"
    disjoint: dict[str, list[str]] = field(default_factory=dict)
    teach_scope: float = 0.0
    teach_across: float = 0.0
    learn_rate_factor: float = 10.0

    def __post_init__(self) -> None:
        make_tasks({}, self.grain)
        check_context(self.context)
        self.task_balance = TaskBalance() if self.task_balance is None else self.task_balance
        check_setting("unscoped", self.unscoped, UNSCOPED)
        allowed = "a subclass of TaskBalance, such as @misc = bioner_spacy.FixedBalance.v1"
        check_setting("task_balance", self.task_balance, allowed, isinstance(self.task_balance, TaskBalance))
        check_number("learn_rate_factor", self.learn_rate_factor)
        check_list("ents_last", self.ents_last, "entity types")
        self.thresholds = dict(self.thresholds)
        self.calibration = dict(self.calibration)
        self.task_weights = dict(self.task_weights)
        self.disjoint = {name: list(types) for name, types in self.disjoint.items()}
