"""What every engine does: run units in other processes, and tell which of them ended one.

An engine only places units. Which units there are, and what follows from a process that ended,
is decided in `emopy.batch.run`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from emopy.batch.worker import Unit


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a unit.

    Attributes:
        unit: The unit.
        crashed: Whether the process that ran it has ended, or its machine was lost.
        error: What it raised; None if it is written, or `crashed`.
    """

    unit: Unit
    crashed: bool = False
    error: Exception | None = None


class Engine(ABC):
    """Runs units of one run in other processes; use it in a ``with`` block.

    Attributes:
        capacity: Units that may be submitted and not yet returned.
    """

    capacity: int

    @abstractmethod
    def submit(self, unit: Unit) -> None:
        """Start a unit, at most `capacity` at the same time."""

    @abstractmethod
    def outcomes(self) -> Iterator[Outcome]:
        """Wait for one or more submitted units, and yield what became of them."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(self, *error: object) -> None: ...
