"""Tasks: what one head learns, at one of three grains, and which documents supervise it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from .errors import BionerError, Errors, check_setting

GRAINS = ("type", "corpus", "guideline")
GUIDELINE_SEPARATOR = "$"

# Entity types annotated in training data, by corpus ("" if documents do not name theirs).
LabelData = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Task:
    """What one head learns.

    Attributes:
        name: unique name: "DISEASE", "BC5CDR" or "BC5CDR$DISEASE", by grain.
        types: the entity types that the head predicts.
        corpus: the only corpus that supervises the task; None for all that annotate the type.
    """

    name: str
    types: tuple[str, ...]
    corpus: Optional[str] = None

    def supervised_by(self, corpus: str, scope: Optional[Collection[str]]) -> bool:
        """Whether a document supervises the task.

        Args:
            scope: the document's annotation scope; None stands for every type.
        """
        in_scope = scope is None or all(entity_type in scope for entity_type in self.types)
        return in_scope and (self.corpus is None or self.corpus == corpus)


def make_tasks(label_data: LabelData, grain: str) -> list[Task]:
    """Make the tasks of training data.

    Args:
        label_data: entity types that each corpus annotates.
        grain: "type" (one task for each entity type, shared by the corpora that annotate it), "corpus" (one for
            each corpus, with all of its types) or "guideline" (one for each type of each corpus).

    Returns:
        Tasks in a fixed order.
    """
    check_setting("grain", grain, GRAINS)
    if grain == "type":
        types = sorted({entity_type for types in label_data.values() for entity_type in types})
        return [Task(entity_type, (entity_type,)) for entity_type in types]
    if grain == "corpus":
        return [Task(corpus, tuple(sorted(types)), corpus) for corpus, types in sorted(label_data.items())]
    return [
        Task(f"{corpus}{GUIDELINE_SEPARATOR}{entity_type}", (entity_type,), corpus)
        for corpus, types in sorted(label_data.items())
        for entity_type in sorted(types)
    ]


def require_annotated(setting: str, names: Iterable[str], known: Sequence[str]) -> None:
    """Check that a setting names only known types or tasks.

    Args:
        names: entity types or tasks that it names.
        known: known types or tasks.

    Raises:
        BionerError: one is unknown.
    """
    if unknown := sorted(set(names) - set(known)):
        raise BionerError(Errors.E404.format(setting=setting, names=", ".join(unknown), known=", ".join(known)))
