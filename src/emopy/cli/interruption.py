"""Interruption: Ctrl-C, `kill` and a closed terminal end a command in an orderly way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

START_AGAIN = "Nothing is kept: rerun the same command to start again."
"""What a command that is not resumed says when it is stopped."""


@contextmanager
def on_stop(hint: str) -> Generator[None]:
    """Add to the message that the command was stopped how to resume it, in one line."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(hint) from None


def _signals(*names: str) -> list[int]:
    """Return those signals that this system has.

    Only Windows has SIGBREAK, which comes when the window of the terminal is closed; it has no
    SIGHUP.
    """
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


class StopRequest:
    """Whether the user asked for an orderly end.

    Attributes:
        was_made: Whether the end was asked for.
    """

    def __init__(self) -> None:
        self.was_made = False
        self._may_break = False

    def make(self) -> None:
        """Ask for the end."""
        self.was_made = True
        if self._may_break:
            raise KeyboardInterrupt

    def items_until(self, items: Iterable[T]) -> Generator[T]:
        """Pass items on until the request is made; it ends the wait for the next item."""
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
def stop_on_ctrl_c() -> Generator[StopRequest]:
    """Make the first Ctrl-C, or `kill`, a request for an orderly end; the second one interrupts.

    A closed terminal or connection is a request too, unless it is ignored, as under `nohup`.

    Yields:
        The request. Outside the main thread it is never made.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    stops = (signal.SIGINT, *_signals("SIGTERM", "SIGBREAK"))
    before: dict[int, Any] = {number: signal.getsignal(number) for number in stops}
    hangup: int | None = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        before[hangup] = signal.getsignal(hangup)

    def restore(numbers: Iterable[int]) -> None:
        for number in numbers:
            signal.signal(number, before[number])

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        restore(stops)
        if not request.was_made:
            request.make()

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore(before)


@contextmanager
def interrupt_on_kill() -> Generator[None]:
    """Let `kill`, or a closed terminal, clean up like Ctrl-C: no half-written files."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = _signals("SIGTERM", "SIGHUP", "SIGBREAK")
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # `nohup` ignores it
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
