"""A live view from its first frame to its end, and on the way into a table."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Protocol

from emopy.cli.interruption import interruption
from emopy.types import ImageResult


class Table(Protocol):
    """What a recording goes to."""

    def write(self, result: ImageResult) -> object:
        """Take one frame's faces."""
        ...


def play(
    results: Generator[ImageResult], table: Table | None, *, seconds: float
) -> tuple[int, bool]:
    """Take results until they end, the time is over, or Ctrl-C asks for the end.

    Args:
        results: One per frame, shown already; closed in the end.
        table: Where they are recorded; None for nowhere.
        seconds: Time of the last frame.

    Returns:
        How many there were, and whether they ended by themselves.
    """
    count = 0
    with interruption() as asked, closing(results):
        for result in results:
            count += 1
            if table is not None:
                table.write(result)
            if asked.is_set() or (result.time_s or 0.0) >= seconds:
                return count, False
    return count, True
