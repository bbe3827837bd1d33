"""`prefetch`: compute the next items in a thread while the present one is used."""

from __future__ import annotations

import weakref
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread, current_thread
from typing import Generic, TypeAlias, TypeVar

from emopy.errors import InputError
from emopy.forking import Owner
from emopy.waiting import next_item

T = TypeVar("T")

CLOSE_TIMEOUT_S = 1.0
"""Seconds that closing waits for a read in progress; a longer one is abandoned."""


def prefetch(items: Iterable[T], *, max_items: int = 8) -> Prefetcher[T]:
    """Iterate in a separate thread, a bounded number of items in advance.

    Work that releases Python's lock, such as decoding or running a model, then uses another core
    than the consumer.

    The thread ends, and a generator given as `items` is closed, after the last item, after an
    error, and when the consumer stops early: leaves its loop, raises, or calls ``close()``. Closing
    does not wait more than a second for an item, such as one from a pipe without a writer; such an
    item does not keep the process alive.

    Args:
        items: What to iterate, in that thread only, from the first request on.
        max_items: Most items computed and not yet requested, 1 or more; they bound the memory.

    Returns:
        The items in their order. An error that `items` raises comes after the items before it.
        ``close()`` may be called in any thread; it ends the iteration.

    Raises:
        InputError: `max_items` is below 1.

    Example:
        >>> list(prefetch(number * number for number in range(4)))
        [0, 1, 4, 9]
    """
    if max_items < 1:
        raise InputError(
            f"`max_items` must be 1 or more. Received {max_items}. Type for example: 8"
        )
    return Prefetcher(iter(items), max_items)


@dataclass(frozen=True, slots=True)
class _End:
    """Marker after the last item."""

    error: BaseException | None = None


_Queue: TypeAlias = SimpleQueue[T | _End]


class Prefetcher(Iterator[T], Generic[T]):
    """Iterator that `prefetch` returns."""

    def __init__(self, items: Iterator[T], max_items: int) -> None:
        self._unused = max_items
        self._queue: _Queue[T] = SimpleQueue()
        self._free = Semaphore(0)  # number of items that may be computed now
        self._closed = Event()
        self._owner = Owner()
        # The thread holds no reference to this object, so that dropping it ends the thread.
        shared = (self._queue, self._free, self._closed)
        thread = Thread(target=_fill, args=(items, *shared), name="emopy-prefetch", daemon=True)
        thread.start()
        self._close = weakref.finalize(self, _close, *shared, thread, self._owner)

    def __next__(self) -> T:
        self._owner.check("items", "Open the source again in the other process.")
        if self._closed.is_set():
            raise StopIteration
        if self._unused:  # the first request starts the work
            self._free.release(self._unused)
            self._unused = 0
        item = next_item(self._queue)
        if self._closed.is_set():  # meanwhile, by another thread
            raise StopIteration
        if isinstance(item, _End):
            self.close()
            try:
                raise StopIteration if item.error is None else item.error
            finally:
                del item  # an error must not refer to itself
        self._free.release()
        return item

    def close(self) -> None:
        """End the iteration and the thread; may be called in any thread, more than once."""
        self._close()


def _fill(items: Iterator[T], queue: _Queue[T], free: Semaphore, closed: Event) -> None:
    """Compute items while the queue has room; runs in the thread."""
    try:
        try:
            while free.acquire() and not closed.is_set():
                queue.put(next(items))
        finally:
            if isinstance(items, Generator):
                items.close()
    except StopIteration:
        queue.put(_End())
    except BaseException as error:  # noqa: BLE001  raised where the item is requested
        queue.put(_End(error))


def _close(queue: _Queue[T], free: Semaphore, closed: Event, thread: Thread, owner: Owner) -> None:
    if not owner.is_here:
        return  # a forked child has no such thread, and the thread may have held the locks
    closed.set()
    free.release()  # the thread may wait for this
    queue.put(_End())  # and a consumer for this
    if thread is not current_thread():
        thread.join(CLOSE_TIMEOUT_S)
    with suppress(Empty):  # free the memory of items that nobody takes
        while True:
            queue.get_nowait()
    queue.put(_End())
