"""Counting everything and keeping the first few, so that memory does not grow with the number of problems."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass
class Listed(Generic[Item]):
    """What was found, all of it counted and the first part of it kept.

    Attributes:
        limit: most that is kept.
        count: how much was found.
        first: the first of it.
    """

    limit: int
    count: int = 0
    first: list[Item] = field(default_factory=list)

    def add(self, item: Item) -> None:
        """Count an item, and keep it if it is among the first."""
        self.count += 1
        if len(self.first) < self.limit:
            self.first.append(item)

    @property
    def rest(self) -> int:
        """How many were counted and not kept."""
        return self.count - len(self.first)
