"""`ahead`: the next items are made while the present one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from emopy.errors import InputError

T = TypeVar("T")


class _End:
    """What comes after the last item."""


_END: Final = _End()


def ahead(items: Iterable[T], *, most: int = 8) -> Generator[T]:
    """Run an iterator in a thread of its own, a bounded number of items in advance.

    Work that leaves Python, such as decoding or a network, then runs on another core than the
    consumer's. The thread starts with the first item asked for. It has ended, and a generator
    given as `items` is closed, when the last item came, when an error came, and when the
    consumer stops early: leaves its loop, raises, or calls ``close()``.

    Args:
        items: What to iterate; only ever touched by one thread at a time.
        most: Most items made and not yet asked for, at least 1; they bound the memory.

    Returns:
        The items in their order. An error that `items` raises comes after the items before it.

    Raises:
        InputError: `most` is below 1.

    Example:
        >>> list(ahead(number * number for number in range(4)))
        [0, 1, 4, 9]
    """
    if most < 1:
        raise InputError(f"`most` must be at least 1. Received {most}. Type: most=1")
    return _ahead(iter(items), most)


def _ahead(items: Iterator[T], most: int) -> Generator[T]:
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="emopy-ahead")
    made: deque[Future[T | _End]] = deque()
    try:
        made.extend(pool.submit(next, items, _END) for _ in range(most))
        while True:
            item = made.popleft().result()
            if isinstance(item, _End):
                return
            made.append(pool.submit(next, items, _END))
            yield item
            del item  # a large one must not live until the next is there
    finally:
        pool.shutdown(cancel_futures=True)
        if isinstance(items, Generator):
            items.close()
