"""spacy-transformers without the parts of transformers that it imports and our encoders do without.

The import of transformers' Auto classes brings text generation, and with it torch's compiler, scikit-learn, SciPy and
pandas: more than half of the time that it takes to load a pipeline.
"""

import importlib
import sys
from typing import Any

_NAMES = ("AutoConfig", "AutoModel", "AutoTokenizer")


class _Later:
    """Stands for a class of transformers, which is imported when it is used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(importlib.import_module("transformers"), self._name), attribute)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the class does, which none of these can."""
        return getattr(importlib.import_module("transformers"), self._name)(*args, **kwargs)


def import_spacy_transformers() -> None:
    """Import spacy-transformers, if it is not yet; transformers itself is unchanged afterwards."""
    if "spacy_transformers" in sys.modules:
        return
    transformers = importlib.import_module("transformers")
    names = [name for name in _NAMES if name not in vars(transformers)]
    for name in names:
        setattr(transformers, name, _Later(name))
    try:
        importlib.import_module("spacy_transformers.pipeline_component")
        importlib.import_module("spacy_transformers.architectures")
    finally:
        for name in names:
            delattr(transformers, name)
