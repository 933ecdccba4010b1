"""The trainable component `multitask_ner`: many heads on one shared encoder."""

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Optional, Union

import numpy
from spacy.attrs import IS_SPACE
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate, to_numpy

from ..corpora.context import WHOLE
from ..errors import BionerError, Errors, Warnings, warn
from ..layers import limit_threads
from ..layers.undecided import is_undecided
from ..scope import annotated_types, get_corpus, warn_of_unscoped
from ..tasks import Task, make_tasks, require_annotated
from ..tokenization.sentences import sentence_lengths
from ..training.updates import update_weights
from ..types import Array, Batch, Formulation, Gold, SpanArrays
from .gold import collect_gold, read_by_sentence, warn_of_unlearnable
from .merge import Merger
from .settings import Settings
from .spans import (
    calibrated,
    calibration_table,
    flat_view,
    lowest_scores,
    merge_by_document,
    require_upstream,
    warn_of_replaced,
    without_spaces,
)
from .teaching import check_teaching, gather_taught, has_tags, require_teachers
from .tok2vec import TRANSFORMER_LISTENER, build_tok2vec, choose_tok2vec


class MultiTaskNER(TrainablePipe, Settings):
    """Named entity recognition by many heads on one encoder, trained on corpora that annotate different types.

    A head learns only from documents whose annotation scope covers its task; elsewhere its loss and gradient are zero.
    All predicted spans, including overlapping ones, go to `doc.spans[spans_key]`, with their scores (0 to 1) in the
    group's `attrs["scores"]`; `doc.ents` has the best spans that do not overlap.

    Args:
        model: model from a `Batch` to the scores of its formulation, such as `bioner_spacy.TagHeads.v1`; see
            `bioner_spacy.models`.
        name: name of the component in the pipeline.
        settings: see `bioner_spacy.pipeline.settings.Settings`; they are also attributes.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[Batch, Any],
        name: str = "multitask_ner",
        *,
        scorer: Optional[Callable] = None,
        **settings: Any,
    ) -> None:
        Settings.__init__(self, **settings)
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.annealing = 0.0
        self._configured = copy.deepcopy(self._changeable())
        self._replaces = False
        self.cfg: dict[str, Any] = {"label_data": {}}
        self._set_tasks()

    @property
    def label_data(self) -> dict[str, list[str]]:
        """Entity types that each training corpus annotates, for `init labels` and `initialize`."""
        return {corpus: list(types) for corpus, types in self.cfg["label_data"].items()}

    @property
    def labels(self) -> tuple[str, ...]:
        """Entity types that the component predicts, sorted."""
        return tuple(self._merger.types)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, in the order of the heads."""
        return tuple(self._tasks)

    def add_label(self, label: str, corpus: str = "") -> int:
        """Add an entity type; on an initialised model, its head predicts nothing at first, and others do not change.
        It is also added to the end of `ents_types`, if that is set. With `guideline_default = "mean"`, a further corpus
        counts in the mean of a type that was there.

        Args:
            corpus: corpus that annotates it; only used with the grains corpus and guideline.

        Returns:
            1 if the type was added, 0 if the corpus had it already.

        Raises:
            BionerError: the label is not a string, empty or not in `types`, or `merge` does not fit the new tasks.
        """
        if not isinstance(label, str) or not label or (self.types is not None and label not in self.types):
            known = "" if self.types is None else f", and by the setting types one of {', '.join(self.types)}"
            raise BionerError(Errors.E416.format(label=label, known=known))
        before = self.label_data
        if label in before.get(corpus, ()):
            return 0
        old_columns = self._formulation.columns
        self.cfg["label_data"] = {**before, corpus: [*before.get(corpus, ()), label]}
        try:
            self._set_tasks()
        except BionerError:
            self.cfg["label_data"] = before
            self._set_tasks()
            raise
        if self.model.get_ref("output_layer").has_dim("nO"):
            self._resize(old_columns)
        if self.ents_types is not None and label not in self.ents_types:
            self.ents_types = [*self.ents_types, label]
        return 1

    def _set_tasks(self) -> None:
        """Derive tasks, formulation and merging from the label data."""
        label_data = {corpus: set(types) for corpus, types in self.cfg["label_data"].items()}
        if self.types is not None:
            label_data = {corpus: types & set(self.types) for corpus, types in label_data.items()}
        self._tasks = [task for task in make_tasks(label_data, self.grain) if task.types]
        self._formulation: Formulation = self.model.attrs["make_formulation"](self._tasks)
        shares = {"teach_scope": self.teach_scope, "teach_across": self.teach_across}
        check_teaching(self.name, self._formulation, shares)
        self.task_balance.set_tasks([task.name for task in self._tasks])
        self._merger = Merger(self._tasks, self.merge if self._tasks else "union")
        self.vocab.strings.add(self.spans_key)
        self._label_ids = [self.vocab.strings.add(entity_type) for entity_type in self._merger.types]

    def _resize(self, old_columns: Sequence[tuple[str, ...]]) -> None:
        """Resize the outputs of the model, and its guideline corrections if it has any."""
        self.model.attrs["resize_output"](self.model, old_columns, self._formulation.columns)
        self._set_guidelines()

    def _set_guidelines(self, *, resize: bool = True) -> None:
        """Set the corpora with a guideline correction, if the model has any, and the scores of their types."""
        if set_guidelines := self.model.attrs.get("set_guidelines"):
            tasks = {task.name: task for task in self._tasks}
            columns = [tasks[name] for name, *_ in self._formulation.columns]
            set_guidelines(
                self.model,
                {
                    corpus: [place for place, task in enumerate(columns) if task.supervised_by(corpus, types)]
                    for corpus, types in sorted(self.label_data.items())
                    if corpus
                },
                resize=resize,
            )

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Mapping[str, Sequence[str]]] = None,
    ) -> None:
        """Derive the tasks from training data and initialise the model.

        Args:
            labels: entity types by corpus, see `label_data`; collected from the examples if None. Types that were
                added before are kept.

        Raises:
            BionerError: no example is annotated, a setting names a type or task that no corpus annotates, or the model
                is to listen to a component that does not come before this one.
        """
        validate_get_examples(get_examples, "MultiTaskNER.initialize")
        if nlp is not None and is_undecided(self.model):
            choose_tok2vec(self, nlp)
        self._listen_to_transformer()
        for node in self.model.walk():
            # Listeners know the width of the transformer's vectors by now.
            if hasattr(node, "upstream_name") and node.has_dim("nO") is None:
                raise BionerError(Errors.E426.format(name=self.name, upstream=node.upstream_name))
        label_data = {corpus: set(types) for corpus, types in self.label_data.items()}
        found, unscoped = annotated_types((example.reference for example in get_examples()), self.spans_key)
        for corpus, types in (found if labels is None else labels).items():
            label_data.setdefault(corpus, set()).update(types)
        self.cfg["label_data"] = {corpus: sorted(types) for corpus, types in sorted(label_data.items())}
        self._check_unscoped(unscoped)
        annotated = {entity_type for types in self.cfg["label_data"].values() for entity_type in types}
        require_annotated("types", self.types or (), sorted(annotated))
        old_columns = self._formulation.columns
        self._set_tasks()
        if not self._tasks:
            others = (
                ", ".join(sorted({key for example in get_examples() for key in example.reference.spans})) or "none"
            )
            raise BionerError(Errors.E403.format(name=self.name, spans_key=self.spans_key, others=others))
        require_annotated("task_weights", self.task_weights, [task.name for task in self._tasks])
        self._lowest_scores()
        require_annotated("ents_types", self.ents_types or (), sorted(annotated))
        require_annotated("ents_last", self.ents_last, sorted(annotated))
        self.task_balance.load({})
        if self.teach_scope or self.teach_across:
            require_teachers(self.name, get_examples(), self._tasks)
        warn_of_unlearnable(get_examples(), self._collect_gold, self._formulation, self.spans_key)
        # Some encoders fail on batches without tokens.
        sample = list(islice((example for example in get_examples() if len(example.predicted)), 10))
        self._resize(old_columns)
        self.model.initialize(X=self.make_batch(sample))

    def _listen_to_transformer(self) -> None:
        """Listen to the transformer if token vectors are undecided, as saved pipelines without a choice did."""
        if is_undecided(self.model):
            build_tok2vec(self, TRANSFORMER_LISTENER)

    def _check_unscoped(self, unscoped: Mapping[str, Collection[str]]) -> None:
        """Refuse documents that state no scope, or warn of their assumed scope."""
        if unscoped and self.unscoped == "error":
            raise BionerError(Errors.E428.format(name=self.name, corpora=", ".join(map(repr, unscoped))))
        if unscoped and self.unscoped == "corpus" and not self.ignore_scope:
            warn_of_unscoped({corpus: self.label_data.get(corpus, types) for corpus, types in unscoped.items()})

    def predict(self, docs: Iterable[Doc]) -> list[SpanArrays]:
        """Predict spans without setting them.

        Returns:
            Spans of each document, over its own tokens, merged to entity types; `types` are indices into `labels`.

        Raises:
            BionerError: the component has not been initialised, or documents lack the vectors of the component it
                listens to.
        """
        docs = list(docs)
        spans = self._decode(docs, self._formulation.decode) or SpanArrays.empty()
        lengths = numpy.array([len(doc) for doc in docs], dtype="int64")
        spans = without_spaces(spans, numpy.concatenate([numpy.zeros(0), *(doc.to_array(IS_SPACE) for doc in docs)]))
        return merge_by_document(self._merger, spans, lengths, [doc._.guideline for doc in docs])

    def _decode(self, docs: list[Doc], decode: Callable[[Any, Array], Any]) -> Any:
        """Apply a function to the scores of documents and the lengths of texts; None without tokens."""
        if not self._tasks:
            raise BionerError(Errors.E405.format(name=self.name))
        lengths = numpy.array([len(doc) for doc in docs], dtype="int64")
        if not lengths.sum():
            return None
        require_upstream(self.name, self.model, docs[int(lengths.argmax())])
        limit_threads()
        read = numpy.concatenate([sentence_lengths(doc) for doc in docs]) if self._by_sentence else lengths
        return decode(self.model.predict(Batch(docs, read, guidelines=[doc._.guideline for doc in docs])), read)

    @property
    def has_tags(self) -> bool:
        """Whether the component can be a teacher (its formulation is a CRF over tags)."""
        return has_tags(self._formulation)

    def transitions(self, docs: Iterable[Doc], *, most: float) -> list[tuple[Array, Array]]:
        """Probabilities of tag transitions, for students.

        Args:
            most: tokens whose transition from O to O has at least this probability are left out.

        Returns:
            For each task, (M,) token indices over all documents, and (M, T, T) probability of each pair of tags
            (previous token, token).
        """
        formulation: Any = self._formulation
        return self._decode(list(docs), partial(formulation.transitions, most=most)) or []

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[SpanArrays]) -> None:
        """Write predicted spans to `doc.spans` and their flat view to `doc.ents`.

        Raises:
            BionerError: a threshold is not a number from 0 to 1, or is given for a type that is not one of `labels`.
        """
        lowest, table = self._lowest_scores(), calibration_table(self._merger.types, self.calibration)
        places = None if self.ents_types is None else {name: place for place, name in enumerate(self.ents_types)}
        for doc, found in zip(docs, predictions):
            found = replace(found, scores=calibrated(found.scores, found.types, table))
            kept = found.scores >= lowest[found.types]
            rows = zip(found.starts[kept].tolist(), found.ends[kept].tolist(), found.types[kept].tolist())
            labels = self._label_ids if doc.vocab is self.vocab else self._merger.types
            spans = [Span(doc, start, end, label=labels[number]) for start, end, number in rows]
            scores = found.scores[kept].tolist()
            if self.spans_key in doc.spans and not self._replaces:
                self._replaces = warn_of_replaced(doc, self.spans_key, self.name, self.labels)
            doc.spans[self.spans_key] = SpanGroup(doc, name=self.spans_key, attrs={"scores": scores}, spans=spans)
            if self.annotate_ents:
                keep = not self.overwrite_ents
                doc.ents = flat_view(doc, spans, scores, keep=keep, types=places, last=self.ents_last)

    def _lowest_scores(self) -> Array:
        return lowest_scores(self._merger.types, self.threshold, self.thresholds)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[dict[str, float]] = None,
    ) -> dict[str, float]:
        """Update the model on a batch. Targets are made before scores, because some models need them.

        Args:
            sgd: the optimizer; without one, gradients are added up.
            losses: losses by component; updated.
        """
        examples = list(examples)
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        validate_examples(examples, "MultiTaskNER.update")
        if not any(len(example.predicted) for example in examples):
            return losses
        self._warn_of_unknown(examples)
        set_dropout_rate(self.model, drop)
        gold, _ = self._collect_gold(examples)
        batch = self._make_batch(examples, gold)
        scores, backprop = self.model.begin_update(batch)
        task_losses, d_scores = self._loss(scores, batch)
        backprop(d_scores)
        self.task_balance.observe(task_losses, gold.supervised[gold.lengths > 0].any(axis=0))
        if sgd not in (None, False):
            self.finish_update(sgd)
        losses[self.name] += self._total(task_losses)
        return losses

    def _warn_of_unknown(self, examples: Sequence[Example]) -> None:
        if self.types is not None:  # others are left out on purpose
            return
        found, _ = annotated_types((example.reference for example in examples), self.spans_key)
        if unknown := set().union(*found.values()).difference(self.labels):
            warn(Warnings.W414.format(name=self.name, types=", ".join(sorted(unknown))))

    def make_batch(self, examples: Sequence[Example]) -> Batch:
        """Make a training batch of examples: predicted documents, and targets from the references."""
        return self._make_batch(examples, self._collect_gold(examples)[0])

    def _make_batch(self, examples: Sequence[Example], gold: Gold) -> Batch:
        docs = [example.predicted for example in examples]
        guidelines = [get_corpus(example.reference, self.spans_key) for example in examples]
        return Batch(docs, gold.lengths, self._formulation.targets(gold)[0], guidelines)

    def _collect_gold(self, examples: Sequence[Example]) -> tuple[Gold, int]:
        corpus_types = None if self.unscoped == "all" else self.cfg["label_data"]
        gold, misaligned = collect_gold(
            examples,
            self._tasks,
            self.spans_key,
            ignore_scope=self.ignore_scope,
            corpus_types=corpus_types,
            disjoint=self.disjoint,
        )
        if self.teach_scope or self.teach_across:
            share = self.teach_scope * (1.0 - self.annealing)
            taught = gather_taught(examples, self._tasks, gold, share=share, across=self.teach_across)
            gold = replace(gold, taught=taught)
        if self._by_sentence:
            gold = read_by_sentence(gold, [example.predicted for example in examples])
        return gold, misaligned

    @property
    def _by_sentence(self) -> bool:
        return self.context not in WHOLE

    def get_loss(self, examples: Iterable[Example], scores: Any) -> tuple[float, Any]:
        """Loss over all tasks and its gradient.

        Args:
            scores: output of the model for `make_batch`.

        Returns:
            Sum of the tasks' losses in nats, weighted by `task_weights` only (comparable between balances), and the
            gradient of the balanced sum.
        """
        examples = list(examples)
        validate_examples(examples, "MultiTaskNER.get_loss")
        losses, d_scores = self._loss(scores, self.make_batch(examples))
        return self._total(losses), d_scores

    def _loss(self, scores: Any, batch: Batch) -> tuple[Array, Any]:
        """(K,) unweighted losses, and the gradient of their weighted sum."""
        weights = self._weights_by_hand() * self.task_balance.weights()
        losses, d_scores = self._formulation.loss(scores, batch.targets, weights)
        return to_numpy(losses), d_scores

    def _total(self, losses: Array) -> float:
        return float((losses * self._weights_by_hand()).sum())

    def _weights_by_hand(self) -> Array:
        return numpy.array([self.task_weights.get(task.name, 1.0) for task in self._tasks], dtype="f")

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score predictions under the component's own `spans_key`."""
        corpus_types = None if self.unscoped == "all" else self.label_data
        settings = {"spans_key": self.spans_key, "corpus_types": corpus_types, **kwargs}
        scores: dict[str, Any] = super().score(examples, **settings)
        return scores

    def finish_update(self, sgd: Optimizer) -> None:
        """Update the weights of model and task balance; heads have their own learning rate."""
        update_weights(self.model, sgd, plain=self.model.get_ref("tok2vec"), factor=self.learn_rate_factor)
        self.task_balance.finish_update(sgd, self.model.id)

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Save to a byte string."""
        self._prepare_to_save()
        saved: bytes = super().to_bytes(exclude=exclude)
        return saved

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Save to a folder."""
        self._prepare_to_save()
        super().to_disk(path, exclude=exclude)

    def _changeable(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("threshold", "thresholds", "ents_types")}

    def _prepare_to_save(self) -> None:
        if changed := [name for name, value in self._changeable().items() if value != self._configured[name]]:
            warn(Warnings.W404.format(name=self.name, names=", ".join(changed)))
        self.cfg.pop("task_balance", None)
        if state := self.task_balance.state():
            self.cfg["task_balance"] = state

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "MultiTaskNER":
        """Load from a byte string."""
        with self._loading():
            super().from_bytes(bytes_data, exclude=exclude)
        return self

    def from_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> "MultiTaskNER":
        """Load from a folder."""
        with self._loading():
            super().from_disk(path, exclude=exclude)
        return self

    @contextmanager
    def _loading(self) -> Iterator[None]:
        """Load weights, and check that they fit the settings."""
        self.cfg.pop("task_balance", None)
        self._listen_to_transformer()
        try:
            yield
        except BionerError:
            raise
        except ValueError as error:  # from Thinc: other layers, or weights of other sizes
            raise BionerError(Errors.E412.format(name=self.name, reason=error)) from error
        self._set_tasks()
        self.task_balance.load(self.cfg.get("task_balance", {}))
        if self._tasks:
            self._lowest_scores()
            require_annotated("ents_types", self.ents_types or (), self.labels)
            require_annotated("ents_last", self.ents_last, self.labels)
        wanted, found = len(self._formulation.columns), self.model.get_ref("output_layer").maybe_get_dim("nO")
        if self._tasks and found is not None and found != wanted:
            raise BionerError(Errors.E411.format(name=self.name, found=found, wanted=wanted))
        self._set_guidelines(resize=False)
