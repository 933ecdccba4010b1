"""Save pipelines without tokens of training texts, and with weights as float32 or int8."""

import copy
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Optional, Union

from spacy.language import Language
from spacy.strings import StringStore
from spacy.vocab import Vocab

from ..errors import Warnings, check_setting, warn
from ..layers.encoder.files import WEIGHTS

# spaCy factories whose components store hashes of tokens, and so need the tokens.
_NEED_TOKENS = ("entity_linker", "trainable_lemmatizer")


def before_saving(weights: Optional[str] = None) -> Callable[[Language], Language]:
    """Build a callback for `[training.before_to_disk]` that leaves out the tokens of the training texts.

    spaCy's list of strings (`vocab/strings.json`) would contain every token that a pipeline has read.

    Args:
        weights: how weights of encoders are stored, "float32" or "int8"; None for no change.

    Returns:
        Function from a pipeline to one that shares its components and can be saved.

    Raises:
        BionerError: `weights` is neither.
    """
    if weights is not None:
        check_setting("weights", weights, WEIGHTS)

    def prepare(nlp: Language) -> Language:
        if weights is not None:
            set_weights(nlp, weights)
        return without_tokens(nlp)

    return prepare


def set_weights(nlp: Language, weights: str) -> None:
    """Set how the weights of a pipeline's encoders are stored when it is saved.

    Args:
        weights: "float32" or "int8" (8-bit matrices with a scale per row, a quarter of the size). After further
            training, float32 is used again.
    """
    for _, pipe in nlp.components:
        model: Any = getattr(pipe, "model", None)
        for node in model.walk() if hasattr(model, "walk") else ():
            for shim in node.shims:
                if hasattr(shim, "weights"):
                    shim.weights = weights


def without_tokens(nlp: Language) -> Language:
    """A copy of a pipeline that shares its components, and saves only the strings that it needs.

    Labels and keys of static vectors are kept; other strings are added again when texts are read.
    """
    if needing := [name for name, _ in nlp.components if nlp.get_pipe_meta(name).factory in _NEED_TOKENS]:
        warn(Warnings.W409.format(names=", ".join(needing)))
        return nlp
    result = copy.copy(nlp)
    result.vocab = _SavedVocab(nlp.vocab, sorted(_needed(nlp)))  # type: ignore[assignment]
    return result


def _needed(nlp: Language) -> Iterable[str]:
    strings = nlp.vocab.strings
    needed = {strings[key] for key in nlp.vocab.vectors.keys() if key in strings}
    for _, pipe in nlp.components:
        labels: Any = getattr(pipe, "labels", ())
        needed.update(label for label in labels if isinstance(label, str))
    return needed


class _SavedVocab:
    """A vocabulary that saves a given list of strings."""

    def __init__(self, vocab: Vocab, strings: Iterable[str]) -> None:
        self._vocab = vocab
        self._strings = StringStore(strings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vocab, name)

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        self._vocab.to_disk(path, exclude=[*exclude, "strings"])
        if "strings" not in exclude:
            self._strings.to_disk(Path(path) / "strings.json")
