"""Waits that Ctrl-C ends on every system.

On Windows no signal interrupts a wait for a lock, so there a long wait is a series of short ones.
Source: https://docs.python.org/3/library/_thread.html#thread.lock.acquire.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Condition
from typing import TypeVar

T = TypeVar("T")

_WINDOWS_SLICE_S = 0.2


def _slice_s() -> float | None:
    return _WINDOWS_SLICE_S if sys.platform == "win32" else None


def next_item(queue: SimpleQueue[T]) -> T:
    """Wait for an item of a queue, and take it."""
    while True:
        try:
            return queue.get(timeout=_slice_s())
        except Empty:
            continue


def wait_until(changed: Condition, is_true: Callable[[], bool]) -> None:
    """Wait until something is true.

    Args:
        changed: Notified when it may have become true; the caller holds its lock.
        is_true: Whether it is.
    """
    while not changed.wait_for(is_true, timeout=_slice_s()):
        pass
