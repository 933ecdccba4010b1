"""Task-adaptive pretraining of an encoder on the training texts of the corpora.

Gururangan et al. 2020, "Don't stop pretraining" (arXiv 2004.10964): masked-language-model training on the texts of the
task itself. 15 % of the subwords are predicted, whole tokens at a time; of these 80 % are masked, 10 % replaced
by random subwords and 10 % left as they are (Devlin et al. 2019).
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import numpy
from safetensors import SafetensorError, safe_open
from spacy.util import logger
from spacy.vocab import Vocab

from ..device import require_gpu
from ..errors import BionerError, Errors, check_setting, raising
from ..files import remove, replacing
from ..layers.encoder.masked_lm import MaskedLanguageModel
from ..layers.encoder.shim import max_subwords
from ..layers.encoder.subwords import SubwordTokenizer
from ..provenance import checksums, differences, provenance
from ..scope import get_doc_id
from ..types import Array
from .batching import warmup_and_decay
from .corpora import AUTO, MultiCorpus
from .soft_targets import TRAIN

LENGTH = 128
"""Subwords per sequence, including special tokens."""
CHOSEN, MASKED, RANDOM = 0.15, 0.8, 0.1
"""Share of the subwords to predict, and shares of these that are masked and that are replaced."""
WARMUP = 0.1
"""Share of the steps in which the learning rate rises."""
SPECIAL = -1
"""Token of special tokens."""
REPORT_FILE = "pretraining.json"
"""File in the encoder's folder with its provenance and the mean loss of every epoch."""


def pretrain(
    output: Union[str, Path],
    corpora: Optional[Sequence[str]],
    corpus_folder: Union[str, Path],
    *,
    encoder: str,
    epochs: int = 3,
    split: str = TRAIN,
    exclude: Optional[Union[str, Path]] = AUTO,
    rate: float = 1e-4,
    batch_size: int = 32,
    checkpoint_steps: int = 500,
    seed: int = 0,
    gpu_id: int = -1,
    resume: bool = False,
) -> Path:
    """Train an encoder as a masked language model on the training texts of corpora.

    Args:
        output: folder to write the encoder to, for the setting `vars.encoder`.
        corpora: names of converted corpora; None for all in the folder.
        encoder: name of the encoder, as in the setting components.transformer.model.name.
        exclude: file with records to leave out, see `MultiCorpus`.
        rate: highest learning rate, of AdamW; it rises linearly and then falls to 0.
        checkpoint_steps: steps between two checkpoints, in a file beside the folder; 0 for none.
        resume: continue from the checkpoint, if there is one.

    Raises:
        BionerError: the split is not for training, the folder exists, a corpus is missing, the encoder cannot be
            loaded or has no mask token, or there is a checkpoint without `resume` or with other settings.
    """
    output = Path(output)
    if split != TRAIN:
        raise BionerError(Errors.E451.format(split=split))
    for setting, value, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1), ("seed", seed, 0)):
        check_setting(setting, value, f"{least} and more", value >= least)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise BionerError(Errors.E165.format(path=output))
    checkpoint = output.with_name(f"{output.name}.checkpoint.safetensors")
    if checkpoint.exists() and not resume:
        raise BionerError(Errors.E432.format(path=checkpoint))
    if gpu_id >= 0:
        require_gpu(gpu_id)
    reader = MultiCorpus(corpus_folder, corpora, split, exclude=exclude)
    settings = {"encoder": encoder, "epochs": epochs, "rate": rate, "batch_size": batch_size, "seed": seed}
    origin = {"settings": settings, "checksums": checksums(reader.files(), root=reader.path)}
    model = MaskedLanguageModel(encoder, seed=seed)
    losses = _train(model, *pack(training_texts(reader), model), checkpoint, checkpoint_steps, origin)
    with replacing(output, folders=True) as [part]:
        model.save_encoder(part)
        of_epochs = losses.mean(axis=1).tolist()
        report = provenance(files=reader.files(), root=reader.path, seed=seed, settings=settings, losses=of_epochs)
        (part / REPORT_FILE).write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    remove(checkpoint)
    return output


def _train(
    model: MaskedLanguageModel, ids: Array, tokens: Array, checkpoint: Path, checkpoint_steps: int, origin: Mapping
) -> Array:
    """Train on (S, L) ids of subwords and numbers of their tokens; returns (epochs, batches) losses.

    Random numbers depend on the seed and the step only, so resumed runs give the same result.

    Args:
        origin: provenance of the run, for the checkpoint, with its settings.
    """
    epochs, rate, seed = (origin["settings"][name] for name in ("epochs", "rate", "seed"))
    n_batches = math.ceil(len(ids) / origin["settings"]["batch_size"])
    n_steps = epochs * n_batches
    losses = _take_up(checkpoint, model, origin) if checkpoint.exists() else []
    logger.info("Pretraining on %d subwords, steps %d to %d", ids.size, len(losses) + 1, n_steps)
    while (step := len(losses)) < n_steps:
        epoch, number = divmod(step, n_batches)
        part = numpy.random.default_rng([seed, epoch]).permutation(len(ids))[number::n_batches]
        rng = numpy.random.default_rng([seed, epoch, number])
        masked, chosen = mask(ids[part], tokens[part], rng, model.tokenizer)
        factor = warmup_and_decay(step, n_steps, WARMUP)
        losses.append(model.step(masked, ids[part], chosen, rate=rate * factor, seed=int(rng.integers(2**62))))
        if len(losses) % n_batches == 0:
            logger.info("Epoch %d: loss %.3f", epoch + 1, numpy.mean(losses[-n_batches:]))
        if checkpoint_steps and len(losses) % checkpoint_steps == 0:
            content = json.dumps({"losses": losses, "origin": origin})
            with replacing(checkpoint) as [beside]:
                model.save_state(beside, {"bioner_spacy": content})
    return numpy.array(losses).reshape(epochs, n_batches)


def training_texts(reader: MultiCorpus) -> Iterator[tuple[str, bool]]:
    """Each text once, and whether it continues the document of the text before it."""
    seen: set[str] = set()
    before: tuple[str, str] = ("", "")
    for corpus, doc in reader.documents(Vocab()):
        place = (corpus, get_doc_id(doc))
        if doc.text not in seen:
            seen.add(doc.text)
            yield doc.text, bool(place[1]) and place == before
        before = place


def pack(texts: Iterator[tuple[str, bool]], model: MaskedLanguageModel) -> tuple[Array, Array]:
    """Concatenate texts, with a separator between documents, and cut them into sequences of one length.

    Args:
        texts: each text, and whether it continues the document before it.

    Returns:
        (S, L) ids of subwords, and (S, L) number of the token of each, `SPECIAL` for special tokens. The last sequence
        overlaps with the one before it, so that all have one length.

    Raises:
        BionerError: there is no text, or the tokenizer has no mask.
    """
    if model.tokenizer.mask_token_id is None:
        raise BionerError(Errors.E450)
    tokenizer = SubwordTokenizer.from_hugging_face(model.tokenizer)
    ids: list[int] = []
    tokens: list[int] = []
    n_tokens = 0
    everything = list(texts)
    for encoding, (_, goes_on) in zip(tokenizer.encode([text for text, _ in everything]), everything):
        if not goes_on and ids:
            ids += tokenizer.suffix
            tokens += [SPECIAL] * len(tokenizer.suffix)
        ids += encoding.ids
        of_text = [SPECIAL if token is None else n_tokens + token for token in encoding.word_ids]
        tokens += of_text
        n_tokens = max(n_tokens, *of_text) + 1 if of_text else n_tokens
    if not any(token != SPECIAL for token in tokens):
        raise BionerError(Errors.E453)
    n_special = len(tokenizer.prefix) + len(tokenizer.suffix)
    longest = min(LENGTH, max_subwords(model.encoder), tokenizer.model_max_length) - n_special
    size = min(longest, len(ids))
    starts = numpy.minimum(numpy.arange(0, len(ids), size), len(ids) - size)
    parts = starts[:, None] + numpy.arange(size)
    columns = []
    for before, inside, behind in (
        (tokenizer.prefix, ids, tokenizer.suffix),
        ([SPECIAL] * len(tokenizer.prefix), tokens, [SPECIAL] * len(tokenizer.suffix)),
    ):
        around = [numpy.tile(numpy.array(special, dtype="int64"), (len(starts), 1)) for special in (before, behind)]
        columns.append(numpy.concatenate([around[0], numpy.array(inside, dtype="int64")[parts], around[1]], axis=1))
    return columns[0], columns[1]


def mask(ids: Array, tokens: Array, rng: numpy.random.Generator, tokenizer: Any) -> tuple[Array, Array]:
    """Choose tokens to predict, and mask them.

    Args:
        ids: (B, L) ids of subwords.
        tokens: (B, L) number of the token of each, `SPECIAL` for special tokens.

    Returns:
        (B, L) ids with some of them replaced, and (B, L) bool, subwords to predict: whole tokens, a share of `CHOSEN`,
        and at least one per sequence.
    """
    chosen = numpy.zeros(ids.shape, dtype=bool)
    for row, of_row in zip(chosen, tokens):
        numbers, counts = numpy.unique(of_row[of_row != SPECIAL], return_counts=True)
        order = rng.permutation(len(numbers))
        before = numpy.cumsum(counts[order]) - counts[order]
        row[:] = numpy.isin(of_row, numbers[order[before < CHOSEN * counts.sum()]])
    draws = rng.random(ids.shape)
    others = rng.integers(len(tokenizer), size=ids.shape)
    hidden = numpy.where(draws < MASKED, tokenizer.mask_token_id, numpy.where(draws < MASKED + RANDOM, others, ids))
    return numpy.where(chosen, hidden, ids), chosen


def _take_up(checkpoint: Path, model: MaskedLanguageModel, origin: Mapping[str, Any]) -> list[float]:
    """Load a checkpoint; returns the loss of each step so far."""
    kinds = (SafetensorError, KeyError, ValueError, TypeError, RuntimeError)
    with raising(Errors.E431, *kinds, path=checkpoint):
        with safe_open(checkpoint, framework="numpy") as file:
            metadata = json.loads((file.metadata() or {})["bioner_spacy"])
        if names := differences(metadata["origin"], origin):
            raise BionerError(Errors.E603.format(path=checkpoint, names=", ".join(names)))
        model.load_state(checkpoint)
        losses = [float(loss) for loss in metadata["losses"]]
    return losses
