"""`Workers`: threads that help with the work of one call, unless a thread works alone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from emopy.errors import InputError
from emopy.forking import Owner, fork_safe_lock

_thread = threading.local()

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """Threads that help the calling thread with the work of one call; thread-safe.

    They are started when they are first needed, and again in a forked process.

    Args:
        threads: Items in work at the same time, 1 or more. With 1 the calling thread does it all.

    Raises:
        InputError: Bad `threads`.
    """

    def __init__(self, threads: int) -> None:
        if threads < 1:
            raise InputError(
                f"`threads` must be 1 or more. Received {threads}. Type for example: 1"
            )
        self._threads = threads
        self._lock = fork_safe_lock()
        self._pool: ThreadPoolExecutor | None = None
        self._owner = Owner()

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return the results of the items, in their order; the first error ends the call."""
        if self._threads == 1 or len(items) < 2 or getattr(_thread, "works_alone", False):
            return [work(item) for item in items]
        results: dict[int, R] = {}
        todo = deque(range(len(items)))

        def take_part() -> None:
            while True:
                try:
                    place = todo.popleft()
                except IndexError:
                    return
                try:
                    results[place] = work(items[place])
                except BaseException:
                    todo.clear()  # the others end too
                    raise

        pool = self._running_pool()
        parts = [pool.submit(take_part) for _ in range(min(self._threads, len(items)) - 1)]
        take_part()
        for part in parts:
            if not part.cancel():  # one that has not begun has nothing left to do
                part.result()
        return [results[place] for place in range(len(items))]

    def _running_pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None or not self._owner.is_here:
                # The threads of the parent process are not in a forked one.
                self._owner = Owner()
                self._pool = ThreadPoolExecutor(
                    self._threads - 1, thread_name_prefix="emopy-search"
                )
            return self._pool


def work_alone() -> None:
    """Let the current thread do all its work itself from now on, without the help of `Workers`."""
    _thread.works_alone = True
