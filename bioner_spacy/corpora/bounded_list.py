"""A list that counts all items and keeps the first ones, so memory is bounded."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass
class BoundedList(Generic[Item]):
    """A list that counts all items and keeps the first ones.

    Attributes:
        limit: maximum number of items kept.
        count: number of items added.
        first: the first items.
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
        """Number of items counted but not kept."""
        return self.count - len(self.first)
