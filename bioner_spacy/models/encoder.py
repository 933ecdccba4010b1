"""Registered encoders: the shared transformer, and the same inside a single component."""

from typing import Any

from spacy.tokens import Doc
from spacy_transformers.data_classes import FullTransformerBatch
from spacy_transformers.layers.split_trf import split_trf_batch
from spacy_transformers.layers.trfs2arrays import trfs2arrays
from thinc.api import Model, chain
from thinc.types import Floats2d, Ragged

from ..corpora.context import WHOLE, check_context
from ..layers.encoder.model import TokenTransformer
from ..old_names import by_old_names


def build_transformer(
    name: str,
    context: str = "source",
    window: int = 256,
    overlap: int = 32,
    pooling: str = "mean",
    precision: str = "auto",
    batch_subwords: int = 4096,
    tokenizer_config: dict[str, Any] = {},
    transformer_config: dict[str, Any] = {},
) -> Model[list[Doc], FullTransformerBatch]:
    """Build the shared encoder for spacy-transformers' `transformer` component.

    Texts are read sentence by sentence or whole. Longer texts are cut into overlapping windows of subwords, and every
    token takes its vector from the window in which it has most context. Windows of similar length are computed
    together, in bfloat16 if the device supports it.

    Args:
        name: a Hugging Face name or "NAME@REVISION", a folder, or "package:NAME" for weights inside an installed
            package.
        context: what is read at once, with the values of the reader's `context`: the whole text ("group", "document"),
            or one sentence ("source", "sentence"). Sentences are found by rules
            (`bioner_spacy.tokenization.sentences`), regardless of `Doc.sents`.
        window: maximum number of subwords in a window, special tokens included.
        overlap: subwords of context on either side of a window's core.
        pooling: vector of a token from those of its subwords, "mean" or "first".
        precision: "auto" (bfloat16 if the device supports it and it is faster), "bfloat16", "float32", or "int8" (prediction
            on a CPU with products of 8-bit integers, otherwise as "auto").
        batch_subwords: maximum number of subwords in one forward pass, including padding; bounds memory.
        tokenizer_config: further arguments for the tokenizer.
        transformer_config: settings that override the encoder's configuration, such as dropout.

    Returns:
        Model from documents to token vectors, for transformer listeners.

    Raises:
        BionerError: a setting is not allowed; on initialisation, the encoder cannot be found or loaded.
    """
    check_context(context)
    return TokenTransformer(
        name,
        sentences=context not in WHOLE,
        window=window,
        overlap=overlap,
        pooling=pooling,
        precision=precision,
        batch_subwords=batch_subwords,
        tokenizer_config=tokenizer_config,
        transformer_config=transformer_config,
    )


def build_tok2vec_transformer(
    name: str,
    listener_pooling: Model[Ragged, Floats2d],
    grad_factor: float = 1.0,
    context: str = "source",
    window: int = 256,
    overlap: int = 32,
    pooling: str = "mean",
    precision: str = "auto",
    batch_subwords: int = 4096,
    tokenizer_config: dict[str, Any] = {},
    transformer_config: dict[str, Any] = {},
) -> Model[list[Doc], list[Floats2d]]:
    """Build an encoder inside one component, as `nlp.replace_listeners` does.

    For other arguments, see `build_transformer`.

    Args:
        name: see `build_transformer`.
        listener_pooling: pooling layer of the replaced listener; without effect, because tokens are pooled already.
        grad_factor: factor on the gradient that reaches the encoder.

    Returns:
        Model from documents to a list of (tokens, width) arrays.
    """
    # Nested chains, as after replacing a listener: saved weights are matched by position.
    encoder: Model = chain(
        build_transformer(
            name,
            context=context,
            window=window,
            overlap=overlap,
            pooling=pooling,
            precision=precision,
            batch_subwords=batch_subwords,
            tokenizer_config=tokenizer_config,
            transformer_config=transformer_config,
        ),
        split_trf_batch(),
    )
    return chain(encoder, trfs2arrays(listener_pooling, grad_factor))


build_transformer_v1 = by_old_names(build_transformer)
build_tok2vec_transformer_v1 = by_old_names(build_tok2vec_transformer)
