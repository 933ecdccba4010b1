"""Registered encoders: the shared transformer, and the same inside a component that shares it with nobody."""

from typing import Any

from spacy.tokens import Doc
from spacy_transformers.data_classes import FullTransformerBatch
from spacy_transformers.layers.split_trf import split_trf_batch
from spacy_transformers.layers.trfs2arrays import trfs2arrays
from thinc.api import Model, chain
from thinc.types import Floats2d, Ragged

from ..corpora.context import WHOLE, check_context
from ..layers.encoder.model import WordTransformer


def build_transformer(
    name: str,
    context: str = "source",
    window: int = 256,
    overlap: int = 32,
    pooling: str = "mean",
    precision: str = "auto",
    batch_pieces: int = 4096,
    tokenizer_config: dict[str, Any] = {},
    transformer_config: dict[str, Any] = {},
) -> Model[list[Doc], FullTransformerBatch]:
    """Build the shared encoder for spacy-transformers' `transformer` component.

    Texts are read sentence by sentence, or as they are given. What is longer than a window is cut into overlapping
    windows of subwords, and every token takes its vector from the window in which it has most context. Windows of
    similar length are computed together, in bfloat16 where the device has units for it, in training and prediction
    alike.

    Args:
        name: a Hugging Face name or "NAME@REVISION", a folder, or "package:NAME" for weights inside an installed
            package.
        context: what is read at once, with the values that the reader's `context` has, so one variable of a
            config tells both: the text as it is given ("group", "document"), or else one sentence. Where sentences
            begin, rules say (`bioner_spacy.tokenization.sentences`), whatever the document has been told.
        window: maximum number of subwords in a window, special tokens included.
        overlap: subwords of context on either side of a window's core.
        pooling: vector of a token from those of its subwords, "mean" or "first".
        precision: "auto" (bfloat16 where the device computes in it), "bfloat16" or "float32".
        batch_pieces: maximum number of subwords in one forward pass, padding counted; bounds memory.
        tokenizer_config: further arguments for the tokenizer.
        transformer_config: settings that replace those of the encoder's configuration, such as dropout.

    Returns:
        Model from documents to token vectors, in the form that transformer listeners take.

    Raises:
        BionerError: a setting is not allowed; on initialisation, the encoder cannot be found or loaded.
    """
    check_context(context)
    return WordTransformer(
        name,
        sentences=context not in WHOLE,
        window=window,
        overlap=overlap,
        pooling=pooling,
        precision=precision,
        batch_pieces=batch_pieces,
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
    batch_pieces: int = 4096,
    tokenizer_config: dict[str, Any] = {},
    transformer_config: dict[str, Any] = {},
) -> Model[list[Doc], list[Floats2d]]:
    """Build an encoder that belongs to one component, as `nlp.replace_listeners` makes it.

    The arguments that are not listed are those of `build_transformer`, spelt out because a config can name no others.

    Args:
        name: see `build_transformer`.
        listener_pooling: pooling layer of the replaced listener; tokens come pooled, so it changes nothing.
        grad_factor: factor on the gradient that reaches the encoder.

    Returns:
        Model from documents to a list of (tokens, width) arrays.
    """
    # A chain in a chain, as replacing a listener leaves it: saved weights are matched by position.
    encoder: Model = chain(
        build_transformer(
            name,
            context=context,
            window=window,
            overlap=overlap,
            pooling=pooling,
            precision=precision,
            batch_pieces=batch_pieces,
            tokenizer_config=tokenizer_config,
            transformer_config=transformer_config,
        ),
        split_trf_batch(),
    )
    return chain(encoder, trfs2arrays(listener_pooling, grad_factor))
