"""Multi-task biomedical named entity recognition for spaCy.

The public names, which keep their meaning within a major version; everything else may change:

- `set_gold`, `get_scope`, `get_corpus`, `get_doc_id`: annotate documents, with what is annotated exhaustively.
- `load_catalogue`, `fetch`, `verify`, `convert`: from the corpora of a catalogue to DocBins.
- `convert_file`, `apply`: write annotated files in another format; annotate the texts of a file.
- `annotate`: annotate texts in Python, or a table of pandas or polars with a column of them.
- `to_dataframe`: a table of the mentions of annotated documents.
- `train`, `evaluate`, `compare`: pipelines, their scores, and what the difference between two is worth.
- `MultiTaskNER`: the component; `BionerError`, `BionerWarning`: what mistakes and doubts are reported as.

Names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .about import __version__

if TYPE_CHECKING:
    from .corpora import convert, fetch, load_catalogue, verify
    from .errors import BionerError, BionerWarning
    from .pipeline.multitask_ner import MultiTaskNER
    from .scope import get_corpus, get_doc_id, get_scope, set_gold
    from .scoring.compare import compare
    from .scoring.evaluate import evaluate
    from .serving.annotate import annotate, to_dataframe
    from .serving.apply import apply
    from .serving.convert import convert_file
    from .training.train import train

_PLACES = {
    "BionerError": "errors",
    "BionerWarning": "errors",
    "MultiTaskNER": "pipeline.multitask_ner",
    "annotate": "serving.annotate",
    "apply": "serving.apply",
    "compare": "scoring.compare",
    "convert": "corpora",
    "convert_file": "serving.convert",
    "evaluate": "scoring.evaluate",
    "fetch": "corpora",
    "get_corpus": "scope",
    "get_doc_id": "scope",
    "get_scope": "scope",
    "load_catalogue": "corpora",
    "set_gold": "scope",
    "to_dataframe": "serving.annotate",
    "train": "training.train",
    "verify": "corpora",
}
"""Module of each public name."""

__all__ = [
    "BionerError",
    "BionerWarning",
    "MultiTaskNER",
    "__version__",
    "annotate",
    "apply",
    "compare",
    "convert",
    "convert_file",
    "evaluate",
    "fetch",
    "get_corpus",
    "get_doc_id",
    "get_scope",
    "load_catalogue",
    "set_gold",
    "to_dataframe",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
