"""The encoder alone, and a Hugging Face pipeline with the weights of one of ours, beside our pipelines."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy
import torch
from spacy.language import Language
from thinc.api import to_numpy
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, AutoModelForTokenClassification, PreTrainedTokenizerFast, pipeline

from bioner_spacy.layers.encoder.files import encoder_config
from bioner_spacy.layers.encoder.precision import bfloat16_enabled

WINDOW = 256
OVERLAP = 32


def bare_encoder(nlp: Language, *, batch_subwords: int = 4096) -> Callable[[Sequence[str]], Any]:
    """The encoder of a pipeline of ours and its tokenizer, on batches sorted by length, in the same precision.

    Args:
        nlp: a pipeline of ours.
        batch_subwords: most subwords in a batch, padding counted.

    Returns:
        A function that encodes texts.
    """
    shim = _shim(nlp)
    tokenizer, transformer, device = _tokenizer(shim), _transformer(shim), shim.device
    dtype, enabled = torch.bfloat16, bfloat16_enabled(shim.precision, device)

    def encode(texts: Sequence[str]) -> None:
        most = min(WINDOW, tokenizer.model_max_length)
        ids = tokenizer(list(texts), truncation=True, max_length=most, return_overflowing_tokens=True)["input_ids"]
        transformer.eval()
        with torch.inference_mode(), torch.autocast(device.type, dtype=dtype, enabled=enabled):
            for batch in _sorted_batches(ids, batch_subwords):
                padded = torch.full((len(batch), len(batch[0])), tokenizer.pad_token_id)
                mask = torch.zeros_like(padded)
                for row, text in enumerate(batch):
                    padded[row, : len(text)] = torch.tensor(text)
                    mask[row, : len(text)] = 1
                transformer(padded.to(device), mask.to(device)).last_hidden_state.cpu()

    return encode


def _sorted_batches(ids: Sequence[list[int]], batch_subwords: int) -> list[list[list[int]]]:
    batches: list[list[list[int]]] = []
    for text in sorted(ids, key=len, reverse=True):
        if batches and (len(batches[-1]) + 1) * len(batches[-1][0]) <= batch_subwords:
            batches[-1].append(text)
        else:
            batches.append([text])
    return batches


def hugging_face(nlp: Language, *, batch_size: int = 32) -> Callable[[Sequence[str]], Any]:
    """A plain token classifier with the encoder and the heads of a pipeline of ours that has one layer of tags.

    Of the heads' tags all but O become outputs of one softmax, each less the O of its task, and O is 0.

    Args:
        nlp: a pipeline of the system "tags-softmax".
        batch_size: texts in a batch.

    Returns:
        A function that finds entities in texts.
    """
    shim = _shim(nlp)
    ner: Any = nlp.get_pipe("multitask_ner")
    columns = ner.model.attrs["make_formulation"](ner.tasks).columns
    layer = ner.model.get_ref("output_layer")
    W, b = (to_numpy(layer.get_param(name)) for name in ("W", "b"))
    outside = {task: i for i, (task, tag) in enumerate(columns) if tag == "O"}
    tags = [(i, task, tag) for i, (task, tag) in enumerate(columns) if tag != "O"]
    config = deepcopy(_transformer(shim).config)
    config.id2label = {0: "O", **{n: tag for n, (_, _, tag) in enumerate(tags, start=1)}}
    config.label2id = {tag: n for n, tag in config.id2label.items()}
    model: Any = AutoModelForTokenClassification.from_config(config)
    model.base_model.load_state_dict(shim.transformer.state_dict(), strict=False)
    with torch.no_grad():
        for target, source in ((model.classifier.weight, W), (model.classifier.bias, b)):
            rows = [source[0] * 0, *(source[i] - source[outside[task]] for i, task, _ in tags)]
            target.copy_(torch.from_numpy(numpy.stack(rows)))
    run = pipeline(
        "token-classification",
        model=model,
        tokenizer=_tokenizer(shim),
        aggregation_strategy="simple",
        batch_size=batch_size,
        stride=min(OVERLAP, shim.tokenizer.model_max_length // 4),
        device=shim.device,
    )
    return lambda texts: run(list(texts))


def _shim(nlp: Language) -> Any:
    transformer: Any = nlp.get_pipe("transformer")
    return transformer.model.shims[0]


def _tokenizer(shim: Any) -> Any:
    """The tokenizer of an encoder as transformers has it."""
    one = shim.tokenizer
    backend = Tokenizer.from_str(one.backend.to_str())  # a copy, because truncation is set on it
    settings = {"model_max_length": one.model_max_length, "pad_token": one.pad_token}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **settings)


def _transformer(shim: Any) -> Any:
    """The encoder as transformers has it."""
    config = encoder_config(shim.transformer)
    model = AutoModel.from_config(AutoConfig.for_model(**config))
    model.load_state_dict(shim.transformer.state_dict(), strict=False)
    return model.to(shim.device)
