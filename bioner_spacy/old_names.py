"""Names of settings and results before version 0.3, when tokens were called words, and subwords pieces."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import Signature, signature
from typing import Any, TypeVar

from .errors import Warnings, warn

NEW_NAMES = {
    "batch_pieces": "batch_subwords",
    "batch_words": "batch_tokens",
    "context_words": "context_tokens",
    "excluded sentences": "excluded records",
    "words": "tokens",
    "words_per_second": "tokens_per_second",
}

Made = TypeVar("Made")


def with_new_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings or results by the names that they have now."""
    return {NEW_NAMES.get(name, name): value for name, value in values.items()}


def by_old_names(make: Callable[..., Made]) -> Callable[..., Made]:
    """The version of a registered function whose settings have the old names, so that earlier configs still work."""
    old_names = {new: old for old, new in NEW_NAMES.items()}

    def make_by_old_names(**settings: Any) -> Made:
        return make(**with_new_names(settings))

    # spaCy checks and fills a config by the signature.
    parameters = signature(make).parameters.values()
    renamed = [one.replace(name=old_names.get(one.name, one.name)) for one in parameters]
    make_by_old_names.__signature__ = Signature(renamed)  # type: ignore[attr-defined]
    return make_by_old_names


def accept_old_names(function: Callable[..., Made]) -> Callable[..., Made]:
    """Let a public function take keyword arguments by their old names, with a warning."""

    @wraps(function)
    def with_either(*args: Any, **settings: Any) -> Made:
        if old := sorted(settings.keys() & NEW_NAMES.keys()):
            new = ", ".join(NEW_NAMES[name] for name in old)
            warn(Warnings.W302.format(where=f"Arguments of {function.__name__}", old=", ".join(old), new=new))
        return function(*args, **with_new_names(settings))

    return with_either
