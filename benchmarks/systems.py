"""The systems that the benchmarks compare, as training configs and as pipelines."""

import argparse
import random
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any, Optional

import spacy
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import init_nlp
from spacy.training.loop import create_train_batches, train_while_improving
from spacy.util import load_config, registry, resolve_dot_names
from stock import STOCK, make_stock

from bioner_spacy.training.corpora import MultiCorpus

VARIANTS = ("stm", "fs", "sp", "adv", "cs")
MODELS: dict[str, dict[str, Any]] = {
    "tags": {"@architectures": "bioner_spacy.TagHeads.v1"},
    "tags-softmax": {"@architectures": "bioner_spacy.TagHeads.v1", "crf": False},
    "span-pairs": {"@architectures": "bioner_spacy.SpanPairs.v1"},
    "slots": {"@architectures": "bioner_spacy.SlotRecurrent.v1"},
    **{name: {"@architectures": "bioner_spacy.CrossSharing.v1", "variant": name} for name in VARIANTS},
}
SYSTEMS = (*MODELS, *STOCK)
LEARN_RATE = 3e-4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the speed benchmarks: pipelines, texts, and how many of them."""
    parser.add_argument("--encoder", default=None, help="default: that of the config")
    parser.add_argument("--precision", default="auto", help="of our encoder: auto, bfloat16, float32 or int8")
    parser.add_argument("--corpus", type=Path, default=Path("corpus/sample"), help="folder of converted corpora")
    parser.add_argument("--corpora", default=None, help="names of corpora, separated by commas; default: all")
    parser.add_argument("--split", default="test", help="split whose texts are annotated")
    parser.add_argument("--tokens", type=int, default=20_000, help="tokens to annotate in a repeat, about")
    parser.add_argument("--steps", type=int, default=20, help="of training in a repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--config", type=Path, default=Path("configs/small.cfg"))
    parser.add_argument("--gpu-id", type=int, default=-1)


def choose_system(config: dict[str, Any], system: str, encoder: Optional[str] = None) -> str:
    """Put a system into a training config of ours, in place.

    Args:
        config: the config, not interpolated.
        system: one of `SYSTEMS`.
        encoder: name of the encoder, as the config takes it; None for that of the config.

    Returns:
        Name of the encoder.
    """
    encoder = config["vars"]["encoder"] = encoder or config["vars"]["encoder"]
    if system in STOCK:
        make_stock(config, system, encoder)
    else:
        tok2vec = config["components"]["multitask_ner"]["model"]["tok2vec"]
        config["components"]["multitask_ner"]["model"] = {**MODELS[system], "tok2vec": tok2vec}
    return encoder


def make_pipeline(
    system: str,
    config: Path,
    corpus: Path,
    *,
    corpora: Optional[str] = None,
    encoder: Optional[str] = None,
    precision: str = "auto",
    learn_rate: float = LEARN_RATE,
    gpu_id: int = -1,
    **settings: Any,
) -> Language:
    """Make a pipeline as `spacy train` does before its first step.

    Args:
        system: one of `SYSTEMS`.
        config: training config.
        corpus: folder of converted corpora.
        corpora: names of those to train on, separated by commas; None for all.
        encoder: name of the encoder; None for that of the config.
        precision: of our encoder; spaCy's computes in float32.
        learn_rate: the learning rate, throughout.
        gpu_id: number of the GPU; -1 for the CPU.
        settings: of our component.
    """
    values = load_config(config, interpolate=False)
    choose_system(values, system, encoder)
    values["vars"].update(corpus_folder=str(corpus), corpora=corpora, exclude=None)
    values["training"]["optimizer"]["learn_rate"] = learn_rate
    if system not in STOCK:
        values["components"]["transformer"]["model"]["precision"] = precision
        values["components"]["multitask_ner"].update(settings)
    return init_nlp(values, use_gpu=gpu_id)


def training(nlp: Language, *, seed: int = 0) -> Iterator[int]:
    """Train a pipeline without end by the loop of `spacy train`, and yield the tokens of each batch.

    The batches depend on the seed alone, whatever else draws random numbers between two steps.
    """
    config = nlp.config.interpolate()
    settings = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    (corpus,) = resolve_dot_names(config, [settings["train_corpus"]])
    steps = train_while_improving(
        nlp,
        settings["optimizer"],
        _with_own_random(create_train_batches(nlp, corpus, settings["batcher"], max_epochs=0), seed),
        lambda: (0.0, {}),
        dropout=settings["dropout"],
        eval_frequency=1_000_000,
        accumulate_gradient=settings["accumulate_gradient"],
        patience=0,
        max_steps=0,
        exclude=[],
        annotating_components=[],
        before_update=None,
    )
    for batch, _, _ in steps:
        yield sum(len(example.reference) for example in batch)


def _with_own_random(items: Iterator[Any], seed: int) -> Iterator[Any]:
    """Items of an iterator that has Python's `random`, beginning with a seed, to itself."""
    state = random.Random(seed).getstate()
    while True:
        others = random.getstate()
        random.setstate(state)
        item = next(items)
        state = random.getstate()
        random.setstate(others)
        yield item


def read_texts(corpus: Path, corpora: Optional[str], split: str, *, n_tokens: int) -> tuple[list[str], int]:
    """Texts of converted corpora, over and over until there are so many tokens, and the number of tokens that there are."""
    docs = cycle([example.reference for example in MultiCorpus(corpus, corpora, split=split)(spacy.blank("en"))])
    texts, found = [], 0
    while found < n_tokens:
        doc = next(docs)
        texts.append(doc.text)
        found += len(doc)
    return texts, found
