"""`PixelBudget`: a limit on the images that several threads have in memory at the same time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition

from emopy.media.images import Admission


class PixelBudget:
    """The most pixels that threads decode and search for faces at the same time.

    Args:
        pixels: That number. An image with more waits until it is alone.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._used = 0
        self._changed = Condition()

    @contextmanager
    def spending(self) -> Generator[Admission]:
        """Give a function that spends pixels for one image as soon as there are enough.

        At the end of the block they can be spent by others.
        """
        spent = 0

        def spend(pixels: int) -> None:
            nonlocal spent
            with self._changed:
                self._changed.wait_for(lambda: self._has_room(pixels))
                self._used += pixels
                spent += pixels

        try:
            yield spend
        finally:
            with self._changed:
                self._used -= spent
                self._changed.notify_all()

    def _has_room(self, pixels: int) -> bool:
        return self._used == 0 or self._used + pixels <= self._pixels
