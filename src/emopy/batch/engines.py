"""What every engine does: run units in other processes, and tell which of them ended one.

An engine only places units. Which units there are, and what follows from a process that ended,
is decided in `emopy.batch.schedule`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from emopy.batch.rows import Counts
from emopy.batch.worker import Unit


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a unit.

    Attributes:
        unit: The unit.
        counts: What was written; None if nothing was.
        error: What it raised; None if it was written, or if the process that ran it has ended, or
            its machine was lost.
    """

    unit: Unit
    counts: Counts | None = None
    error: Exception | None = None


class Engine(ABC):
    """Runs units of one run in other processes; use it in a ``with`` block."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """Units that may be submitted and not yet returned."""

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
