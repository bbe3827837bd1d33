"""`WorkQueue`: a thread for the model, a bounded queue before it, and time limits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import TypeAlias, TypeVar

from emopy.serve.problems import ProblemDetails, busy

T = TypeVar("T")

IsWanted: TypeAlias = Callable[[], bool]
"""Tells whether the result of work is still waited for."""

_FIRST_ESTIMATE_S = 0.05
_WEIGHT = 0.1
"""Weight of the newest request in the mean time of a request."""


class WorkQueue:
    """Runs one request after the other; those that wait are few, and others are refused.

    One thread is enough: the detector and the model use the cores that they are given, and more
    threads would only wait for each other.

    Args:
        size: Requests that may wait.
        timeout_s: Longest time until an answer is ready, seconds.
    """

    def __init__(self, size: int, timeout_s: float) -> None:
        self._size = size
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="emopy-serve")
        self._places = 0
        self._mean_s = _FIRST_ESTIMATE_S

    @property
    def length(self) -> int:
        """Requests that wait or run."""
        return self._places

    @property
    def wait_s(self) -> float:
        """Time in seconds that a new request would wait, by the mean of the last ones."""
        return self._places * self._mean_s

    def check_free(self) -> None:
        """Raise the problem 429 if no place is free."""
        if self._places > self._size:
            raise busy(self.wait_s)

    async def run(self, work: Callable[[IsWanted], T], gone: Awaitable[None]) -> T:
        """Run work in the thread of the model, and return its result.

        A client that goes away before its turn gives its place back at once; one whose turn has
        come, when the work ends.

        Args:
            work: What to run. It takes a function that tells whether the result is still waited
                for.
            gone: Returns when the client has gone away.

        Raises:
            ProblemDetails: No place is free, or the time is over.
            ClientGone: The client has gone away.
        """
        self.check_free()
        unwanted = threading.Event()
        self._places += 1
        try:
            future = self._threads.submit(self._timed, partial(work, lambda: not unwanted.is_set()))
        except BaseException:
            self._places -= 1
            raise
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._call_soon(loop))
        try:
            return await answer_in_time(asyncio.wrap_future(future), gone, self._timeout_s)
        finally:
            unwanted.set()

    def close(self) -> None:
        """Wait for the work that runs, and end the thread."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _call_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the service has stopped
            loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._places -= 1

    def _timed(self, work: Callable[[], T]) -> T:
        started_s = time.perf_counter()
        try:
            return work()
        finally:
            self._mean_s += _WEIGHT * (time.perf_counter() - started_s - self._mean_s)


async def answer_in_time(answer: Awaitable[T], gone: Awaitable[None], timeout_s: float) -> T:
    """Wait for an answer as long as its client does, and not longer than a time.

    Args:
        answer: The answer; it is canceled if it is not waited for any more.
        gone: Returns when the client has gone away.
        timeout_s: Longest time, seconds.

    Raises:
        ProblemDetails: 504: the time is over.
        ClientGone: The client has gone away.
    """
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(gone)
    try:
        await asyncio.wait(
            (answering, leaving), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        if answering.done():
            return answering.result()
        if leaving.done():
            raise ClientGone
        raise ProblemDetails(
            HTTPStatus.GATEWAY_TIMEOUT,
            f"The answer was not ready within {timeout_s:g} s. Send fewer or smaller images, or "
            "try again when there are fewer requests.",
        )
    finally:
        leaving.cancel()
        answering.cancel()


class Places:
    """Counts what may be there at the same time, such as bytes of bodies or live sessions.

    Args:
        size: Most that may be taken.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.taken = 0

    def take(self, count: int = 1) -> None:
        """Take places, or raise the problem 429 if too few are free."""
        if self.taken + count > self._size:
            raise busy(1.0)
        self.taken += count

    def give_back(self, count: int = 1) -> None:
        """Give places back."""
        self.taken -= count


class ClientGone(Exception):  # noqa: N818  an event rather than an error
    """The client has closed the connection; nobody waits for the answer."""
