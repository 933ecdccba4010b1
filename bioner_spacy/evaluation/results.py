"""The results of one pipeline on one split, as a JSON file that is the same for the same pipeline and data."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from ..corpora.files import replacing
from ..errors import BionerError, Errors

ALL_TYPES = "all types"
"""Stands for the entity type in rows over every type of a corpus."""


@dataclass(frozen=True)
class Pipeline:
    """What tells one trained pipeline from another.

    Attributes:
        name: language and name, as spaCy's package names: `en_bioner`.
        version: version of the pipeline package.
        encoder: name of the pretrained encoder in the config; None where there is none.
        seed: seed of the training, from the config.
        components: names of the components that ran.
    """

    name: str
    version: str
    encoder: Optional[str]
    seed: Optional[int]
    components: list[str]


@dataclass(frozen=True)
class Results:
    """Scores of a pipeline on one split of some corpora.

    Attributes:
        pipeline: what was evaluated.
        split: name of the split.
        limit: most documents taken from a corpus; None for all.
        scores: the scores of `score_spans` without the prefix of their names.
        context: what the pipeline saw at once, see `evaluate`.
        context_words: most words of a group; None for other contexts.
        words: number of words (tokens of the pipeline) that were processed.
        words_per_second: speed of `nlp.pipe` on raw text; the only part that differs from run to run.
    """

    pipeline: Pipeline
    split: str
    limit: Optional[int]
    scores: dict[str, Any]
    words: int
    words_per_second: float
    context: str = "source"
    context_words: Optional[int] = None

    @property
    def per_corpus(self) -> dict[str, dict[str, Any]]:
        """Scores by corpus, see `score_spans`."""
        corpora: dict[str, dict[str, Any]] = self.scores["per_corpus"]
        return corpora

    def to_disk(self, path: Path) -> None:
        """Write the results as JSON, whole or not at all."""
        write_json(path, asdict(self))

    @classmethod
    def from_disk(cls, path: Path) -> "Results":
        """Read results back.

        Raises:
            BionerError: the file is not there, or holds no results.
        """
        try:
            data = json.loads(path.read_text(encoding="utf8"))
            data["scores"]["per_corpus"].items()
            return cls(**{**data, "pipeline": Pipeline(**data["pipeline"])})
        except OSError as error:
            raise BionerError(Errors.E506.format(path=path, reason=error.strerror)) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BionerError(Errors.E506.format(path=path, reason=error)) from error


def write_json(path: Path, data: Any) -> None:
    """Write JSON with sorted keys, so that files can be compared line by line; whole or not at all."""
    write_text(path, json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; missing folders are made."""
    with replacing(path) as parts:
        parts[0].write_text(text, encoding="utf8")
