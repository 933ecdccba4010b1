"""Architectures on a CNN of a few weights: what the tests of all of them share."""

from collections.abc import Sequence
from typing import Any

import numpy
from spacy.util import registry
from thinc.api import Model, fix_random_seed
from tiny_encoder import make_docs
from toy_corpora import CNN

from bioner_spacy.tasks import Task
from bioner_spacy.types import Batch, Formulation

TINY_CNN = {**CNN, "width": 8, "embed_size": 50, "subword_features": False}
TEXTS = ["gene cell mutant", "", "mice"]
DISEASE, GENE = Task("DISEASE", ("DISEASE",)), Task("GENE", ("GENE",))
BOTH = Task("A", ("CHEMICAL", "DISEASE"), "A")


def make_batch(*texts: str) -> Batch:
    """A batch of some texts, or of `TEXTS`."""
    docs = make_docs(*(texts or TEXTS))
    return Batch(docs, numpy.array([len(doc) for doc in docs]))


def construct(architecture: str, **settings: Any) -> Model[Batch, Any]:
    """A model without outputs and weights, as a config makes it; without dropout unless `settings` say more."""
    block = {"@architectures": f"bioner_spacy.{architecture}.v1", "dropout": 0.0, **settings, "tok2vec": TINY_CNN}
    model: Model[Batch, Any] = registry.resolve({"model": block})["model"]
    return model


def initialise(model: Model[Batch, Any], columns: Sequence[tuple[str, ...]]) -> Model[Batch, Any]:
    """Give a constructed model outputs of some names and its weights, always the same; returns it."""
    fix_random_seed(0)
    model.attrs["resize_output"](model, [], columns)
    model.initialize(X=make_batch())
    return model


def named_spans(formulation: Formulation, scores: Any, batch: Batch, tasks: Sequence[Task]) -> Any:
    """Sorted (start, end, task, type) of what is decoded from scores."""
    spans = formulation.decode(scores, numpy.array([len(doc) for doc in batch.docs]))
    rows = zip(spans.starts.tolist(), spans.ends.tolist(), spans.tasks.tolist(), spans.types.tolist())
    return sorted((start, end, task, tasks[task].types[number]) for start, end, task, number in rows)
