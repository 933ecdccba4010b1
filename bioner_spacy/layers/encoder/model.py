"""The shared encoder as a Thinc layer: from documents to token vectors."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Optional, cast

import numpy
from spacy.tokens import Doc
from spacy_transformers.data_classes import FullTransformerBatch, TransformerData, WordpieceBatch
from spacy_transformers.layers.split_trf import split_trf_batch
from thinc.api import Model, chain, torch2xp, xp2torch
from thinc.types import Floats2d, Floats3d, Ragged
from transformers.modeling_outputs import BaseModelOutput

from ...errors import BionerError, Errors
from ...tokenization.sentences import doc_sentence_starts
from ...tokens import token_offsets
from ...types import Array
from .pretrained import load_encoder
from .shim import EncoderShim, check_settings, max_subwords
from .subwords import SubwordTokenizer
from .windows import WindowBatch, align_subwords, cut_windows


@dataclass
class TokenVectorBatch(FullTransformerBatch):
    """Output of the encoder, as spacy-transformers passes it to listeners.

    Subwords are already pooled to tokens: alignment is the identity and `last_hidden_state` is (1, tokens, width).
    """

    def unsplit_by_doc(self, arrays: list[list[Floats3d]]) -> "TokenVectorBatch":
        """Join the gradients of the documents that have tokens, each [(1, tokens, width)], to one (tokens, width)."""
        width = arrays[0][0].shape[-1] if arrays else 0
        flat = [array[0].reshape((-1, width)) for array in arrays]
        return TokenVectorBatch(
            spans=self.spans,
            wordpieces=self.wordpieces,
            model_output=cast(Any, {"d_vectors": flat}),
            align=self.align,
            cached_doc_data=self.cached_doc_data,
        )


def TokenTransformer(
    name: str,
    *,
    sentences: bool,
    window: int,
    overlap: int,
    pooling: str,
    precision: str,
    batch_subwords: int,
    tokenizer_config: dict[str, Any],
    transformer_config: dict[str, Any],
) -> Model[list[Doc], FullTransformerBatch]:
    """Build the encoder layer; see `bioner_spacy.models.encoder` for the arguments.

    `sentences`: whether texts are read sentence by sentence.
    """
    check_settings(pooling=pooling, precision=precision, window=window, overlap=overlap)
    shim = EncoderShim(pooling=pooling, precision=precision, batch_subwords=batch_subwords)
    return Model(
        "transformer",
        # Not an attribute, because attributes are loaded with weights, and the config has precedence.
        partial(forward, sentences=sentences, window=window, overlap=overlap),
        init=init,
        shims=[shim],
        dims={"nO": None},
        attrs={
            "name": name,
            "tokenizer_config": tokenizer_config,
            "transformer_config": transformer_config,
            "replace_listener": replace_listener,
            "replace_listener_cfg": replace_listener_cfg,
        },
    )


def init(model: Model, X: Optional[Sequence[Doc]] = None, Y: Any = None) -> None:
    """Load the pretrained encoder, unless weights are there already."""
    shim = cast(EncoderShim, model.shims[0])
    if shim.transformer is None:
        attrs = model.attrs
        shim.adopt(*load_encoder(attrs["name"], attrs["tokenizer_config"], attrs["transformer_config"]))
    model.set_dim("nO", cast(Any, shim.transformer).config.hidden_size)


def forward(
    model: Model, docs: Sequence[Doc], is_train: bool, *, sentences: bool, window: int, overlap: int
) -> tuple[TokenVectorBatch, Callable[[TokenVectorBatch], list[Doc]]]:
    shim = cast(EncoderShim, model.shims[0])
    if shim.transformer is None:
        raise BionerError(Errors.E314)
    window, overlap = _fit_window(window, overlap, shim)
    batch = make_windows(docs, cast(Any, shim.tokenizer), window, overlap, sentences=sentences)
    vectors, backprop_torch = shim(batch, is_train)
    lengths = [len(doc) for doc in docs]
    flat = cast(Floats2d, torch2xp(vectors))

    def backprop(d_output: TokenVectorBatch) -> list[Doc]:
        d_flat = model.ops.xp.concatenate(cast(Any, d_output.model_output)["d_vectors"])
        backprop_torch(xp2torch(d_flat, device=vectors.device))
        return []

    return _split_by_doc(docs, lengths, flat), backprop


def _fit_window(window: int, overlap: int, shim: EncoderShim) -> tuple[int, int]:
    """Reduce window and overlap proportionally to the encoder's maximum."""
    limit = min(max_subwords(cast(Any, shim.transformer)), cast(Any, shim.tokenizer).model_max_length)
    return (window, overlap) if window <= limit else (limit, overlap * limit // window)


def make_windows(
    docs: Sequence[Doc], tokenizer: SubwordTokenizer, window: int, overlap: int, *, sentences: bool
) -> WindowBatch:
    """Tokenize documents to subwords and cut them into windows.

    Args:
        window: maximum number of subwords in a window, special tokens included.
        overlap: subwords of context on either side of a window's core.
        sentences: whether windows end at sentence boundaries.

    Raises:
        BionerError: the special tokens alone fill the window.
    """
    n_special = len(tokenizer.prefix) + len(tokenizer.suffix)
    size = window - n_special
    if size < 1:
        raise BionerError(Errors.E308.format(window=window, count=n_special))
    bases = numpy.cumsum([0, *(len(doc.text) + 1 for doc in docs)])[:-1]
    texts = [text for doc, base in zip(docs, bases) for text in _texts(doc, base, sentences)]
    encodings = tokenizer.encode([text for text, _ in texts] or [""])
    text_lengths = numpy.array([len(encoding) for encoding in encodings], dtype="int64")
    offsets = (
        numpy.array([pair for encoding in encodings for pair in encoding.offsets], dtype="int64").reshape(-1, 2)
        + numpy.repeat([base for _, base in texts] or [0], text_lengths)[:, None]
    )
    tokens = [tuple(side + base for side in token_offsets(doc)) for doc, base in zip(docs, bases)]
    tokens = tokens or [(bases, bases)]
    token_starts, token_ends = (numpy.concatenate([bases[:0], *side]) for side in zip(*tokens))
    # Some tokenizers give subwords of one character the same offsets; make them ascending for the search.
    firsts, counts = align_subwords(
        token_starts,
        token_ends,
        offsets[:, 0],
        numpy.maximum.accumulate(offsets[:, 1]) if len(offsets) else offsets[:, 1],
    )
    return cut_windows(
        numpy.array([i for encoding in encodings for i in encoding.ids], dtype="int64"),
        text_lengths,
        firsts,
        counts,
        window=size,
        overlap=min(overlap, (size - 1) // 2),
    )


def _texts(doc: Doc, base: int, sentences: bool) -> Iterator[tuple[str, int]]:
    """The texts of a document to read at once, with their offsets.

    Sentences are tokenized without the space that follows them, because in some tokenizers spaces are part of
    subwords.
    """
    text = doc.text
    if not sentences:
        yield text, base
        return
    boundaries = [0, *doc_sentence_starts(doc), len(text)]
    yield from ((text[start:end].rstrip(), base + start) for start, end in zip(boundaries, boundaries[1:]))


def _split_by_doc(docs: Sequence[Doc], lengths: list[int], vectors: Floats2d) -> TokenVectorBatch:
    data = []
    begin = 0
    for length in lengths:
        if length == 0:
            data.append(TransformerData.empty())
            continue
        identity = _ragged(numpy.arange(length, dtype="i"), numpy.ones((length,), dtype="i"))
        output = BaseModelOutput(last_hidden_state=cast(Any, vectors)[None, begin : begin + length])
        data.append(TransformerData(wordpieces=WordpieceBatch.empty(), model_output=output, align=identity))
        begin += length
    return TokenVectorBatch(
        spans=[[doc[:]] if len(doc) else [] for doc in docs],
        wordpieces=WordpieceBatch.empty(),
        model_output=BaseModelOutput(last_hidden_state=cast(Any, vectors)),
        align=_ragged(numpy.zeros((0,), dtype="i"), numpy.zeros((0,), dtype="i")),
        cached_doc_data=data,
    )


def _ragged(data: Array, lengths: Array) -> Ragged:
    return Ragged(cast(Any, data), cast(Any, lengths))


def replace_listener(model: Model) -> Model:
    """The layer that replaces a listener when the encoder is copied into a component."""
    return chain(model, split_trf_batch())


def replace_listener_cfg(encoder_cfg: dict[str, Any], listener_cfg: dict[str, Any]) -> dict[str, Any]:
    """Config of a component's `tok2vec` after `nlp.replace_listeners`."""
    result = dict(encoder_cfg)
    version = encoder_cfg["@architectures"].rpartition(".")[2]  # which the names of the other settings depend on
    result["@architectures"] = f"bioner_spacy.Tok2VecTransformer.{version}"
    result["grad_factor"] = listener_cfg["grad_factor"]
    result["listener_pooling"] = listener_cfg["pooling"]
    return result
