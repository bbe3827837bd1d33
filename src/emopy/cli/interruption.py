"""Ctrl-C as a request, for verbs that it is the usual way to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

_ASKING = (signal.SIGINT, signal.SIGTERM)
_HUNG_UP: int | None = getattr(signal, "SIGHUP", None)  # Windows has none


class Request:
    """Whether the end was asked for.

    Attributes:
        was_made: It was.
    """

    def __init__(self) -> None:
        self.was_made = False
        self._may_break = False

    def make(self) -> None:
        """Ask for the end."""
        self.was_made = True
        if self._may_break:
            raise KeyboardInterrupt

    def ending(self, items: Iterable[T]) -> Generator[T]:
        """Pass items on until the request is made; one that never comes is not waited for then."""
        rest = iter(items)
        while not self.was_made:
            try:
                self._may_break = True
                item = next(rest)
                self._may_break = False
            except StopIteration:
                return
            except KeyboardInterrupt:
                if self.was_made:
                    return
                raise
            finally:
                self._may_break = False
            yield item


@contextmanager
def interruption() -> Generator[Request]:
    """Let the first Ctrl-C, or `kill`, ask for an orderly end; the second stops as elsewhere.

    A terminal or connection that is closed asks for it as well, often more than once. Where that
    is to be ignored, as with `nohup`, it is.

    Yields:
        The request, to be looked at. Outside the main thread it is never made.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before: dict[int, Any] = {number: signal.getsignal(number) for number in _ASKING}
    if _HUNG_UP is not None and signal.getsignal(_HUNG_UP) is not signal.SIG_IGN:
        before[_HUNG_UP] = signal.getsignal(_HUNG_UP)

    def restore(numbers: Iterable[int]) -> None:
        for number in numbers:
            signal.signal(number, before[number])

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        restore(_ASKING)
        if not request.was_made:
            request.make()

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore(before)
