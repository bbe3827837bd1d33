"""`ahead`: the next items are made while the present one is used."""

from __future__ import annotations

import weakref
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Semaphore, Thread, current_thread
from typing import Generic, TypeAlias, TypeVar

from emopy.errors import InputError

T = TypeVar("T")

PATIENCE_S = 1.0
"""How long closing waits for a read under way; one that does not return by then is abandoned."""


def prefetch(items: Iterable[T], *, most: int = 8) -> Prefetcher[T]:
    """Run an iterator in a thread of its own, a bounded number of items in advance.

    Work that leaves Python, such as decoding or a network, then runs on another core than the
    consumer's. One thread is all that an iterator can use, and it keeps the order; images,
    which do not depend on each other, are read by several.

    The thread has ended, and a generator given as `items` is closed, when the last item came,
    when an error came, and when the consumer stops early: leaves its loop, raises, or calls
    ``close()``. An item that takes longer than a second, such as one from a pipe into which
    nobody writes, is not waited for then, and does not keep the process alive; should it come
    after all, the thread ends.

    Args:
        items: What to iterate; only ever touched by that thread. Nothing is asked of it before
            the first item is asked for.
        most: Most items made and not yet asked for, at least 1; they bound the memory.

    Returns:
        The items in their order. An error that `items` raises comes after the items before it.
        ``close()`` may be called in any thread; it ends the iteration.

    Raises:
        InputError: `most` is below 1.

    Example:
        >>> list(ahead(number * number for number in range(4)))
        [0, 1, 4, 9]
    """
    if most < 1:
        raise InputError(f"`most` must be at least 1. Received {most}. Type: most=1")
    return Prefetcher(iter(items), most)


@dataclass(frozen=True, slots=True)
class _Last:
    """What comes after the last item."""

    error: BaseException | None = None


_Made: TypeAlias = SimpleQueue[T | _Last]


class Prefetcher(Iterator[T], Generic[T]):
    """What `ahead` returns."""

    def __init__(self, items: Iterator[T], most: int) -> None:
        self._most = most
        self._made: _Made[T] = SimpleQueue()
        self._room = Semaphore(0)  # how many items may be made now
        self._closed = Event()
        # Nothing that the thread holds leads here, so that who drops this ends the thread.
        thread = Thread(
            target=_make,
            args=(items, self._made, self._room, self._closed),
            name="emopy-ahead",
            daemon=True,
        )
        thread.start()
        self._end = weakref.finalize(self, _end, self._made, self._room, self._closed, thread)

    def __next__(self) -> T:
        if self._closed.is_set():
            raise StopIteration
        if self._most:
            self._room.release(self._most)
            self._most = 0
        item = self._made.get()
        if self._closed.is_set():  # meanwhile, by another thread
            raise StopIteration
        if isinstance(item, _Last):
            self.close()
            try:
                raise StopIteration if item.error is None else item.error
            finally:
                del item  # an error must not hold itself
        self._room.release()
        return item

    def close(self) -> None:
        """End the iteration and the thread; in any thread, and more than once if need be."""
        self._end()


def _make(items: Iterator[T], made: _Made[T], room: Semaphore, closed: Event) -> None:
    """Make items while there is room; runs in the thread."""
    try:
        try:
            while room.acquire() and not closed.is_set():
                made.put(next(items))
        finally:
            if isinstance(items, Generator):
                items.close()
    except StopIteration:
        made.put(_Last())
    except BaseException as error:  # noqa: BLE001  it is raised where the item is asked for
        made.put(_Last(error))


def _end(made: _Made[T], room: Semaphore, closed: Event, thread: Thread) -> None:
    closed.set()
    room.release()  # the thread may be waiting for it
    made.put(_Last())  # and this, who asked for an item
    if thread is not current_thread():
        thread.join(PATIENCE_S)
    with suppress(Empty):  # large items must not live as long as this
        while True:
            made.get_nowait()
    made.put(_Last())
