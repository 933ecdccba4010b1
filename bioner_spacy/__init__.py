"""Multi-task biomedical named entity recognition for spaCy."""

from .about import __version__

__all__ = ["__version__"]
