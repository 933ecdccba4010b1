"""spaCy's own entity recognisers in the place of ours: the same encoder, data, batches, schedule and optimizer."""

import sys
from collections.abc import Iterator
from typing import Any

from spacy import registry
from spacy.language import Language
from spacy.training import Example
from spacy.util import filter_spans

from bioner_spacy.layers.encoder.pretrained import resolve_encoder
from bioner_spacy.pipeline.tok2vec import TRANSFORMER_LISTENER
from bioner_spacy.scope import SPANS_KEY
from bioner_spacy.training.corpora import MultiCorpus

# As `spacy init config` writes them for a transformer, but for the longest span.
TRANSFORMER = {
    "factory": "transformer",
    "max_batch_items": 4096,
    "set_extra_annotations": {"@annotation_setters": "spacy-transformers.null_annotation_setter.v1"},
    "model": {
        "@architectures": "spacy-transformers.TransformerModel.v3",
        "mixed_precision": False,
        "get_spans": {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 128, "stride": 96},
        "grad_scaler_config": {},
        "tokenizer_config": {"use_fast": True},
        "transformer_config": {},
    },
}
STOCK: dict[str, dict[str, Any]] = {
    "ner": {
        "factory": "ner",
        "model": {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": "ner",
            "extra_state_tokens": False,
            "hidden_width": 64,
            "maxout_pieces": 2,
            "use_upper": False,
            "nO": None,
            "tok2vec": TRANSFORMER_LISTENER,
        },
    },
    "spancat": {
        "factory": "spancat",
        "spans_key": SPANS_KEY,
        "threshold": 0.5,
        "model": {
            "@architectures": "spacy.SpanCategorizer.v1",
            "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 128},
            "scorer": {"@layers": "spacy.LinearLogistic.v1", "nO": None, "nI": None},
            "tok2vec": TRANSFORMER_LISTENER,
        },
        "suggester": {"@misc": "spacy.ngram_range_suggester.v1", "min_size": 1, "max_size": 12},
    },
}
SCORES = {"ner": "ents_f", "spancat": f"spans_{SPANS_KEY}_f"}


class FlatCorpus(MultiCorpus):
    """Gold for components that know `doc.ents` alone: of overlapping mentions the longest."""

    def __call__(self, nlp: Language) -> Iterator[Example]:
        for example in super().__call__(nlp):
            example.reference.ents = filter_spans(example.reference.spans[SPANS_KEY])
            yield example


def make_stock(config: dict[str, Any], component: str, encoder: str) -> None:
    """Put one of spaCy's components into a training config of ours, in place.

    Args:
        config: the config, not interpolated.
        component: "ner" or "spancat".
        encoder: name of the encoder, as our own config takes it.
    """
    registry.readers("bioner_spacy_benchmarks.FlatCorpus.v1", func=FlatCorpus)
    name, revision = resolve_encoder(encoder)
    if revision != "main":
        sys.exit(f"spaCy's own encoder takes no revision: name a folder with {encoder}.")
    transformer = {**TRANSFORMER, "model": {**TRANSFORMER["model"], "name": name}}  # type: ignore[dict-item]
    config["components"] = {"transformer": transformer, component: STOCK[component]}
    config["nlp"]["pipeline"] = ["transformer", component]
    config["training"]["logger"] = {"@loggers": "spacy.ConsoleLogger.v1"}
    config["training"]["score_weights"] = {SCORES[component]: 1.0}
    if component == "ner":
        for reader in config["corpora"].values():
            reader["@readers"] = "bioner_spacy_benchmarks.FlatCorpus.v1"
