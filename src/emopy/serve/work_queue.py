"""`WorkQueue`: a thread for the model, a bounded queue before it, and time limits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar

from emopy.serve.problems import ProblemDetails, busy

T = TypeVar("T")

IsWanted: TypeAlias = Callable[[], bool]
"""Tells whether the result of work is still waited for."""

Gone: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Waits until a client has gone away."""

Report: TypeAlias = Callable[[int], None]
"""Takes a number that has changed."""

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
        report: Takes the number of requests that wait or run, whenever it changes.
    """

    def __init__(self, size: int, timeout_s: float, report: Report) -> None:
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="emopy-serve")
        self._places = Places(size + 1, report)
        self._mean_s = _FIRST_ESTIMATE_S

    def check_free(self) -> None:
        """Raise the problem 429 if no place is free.

        Its time to wait is that of the requests before, by the mean of the last ones.
        """
        self._places.check_free(wait_s=self._places.taken * self._mean_s)

    async def run(self, work: Callable[[IsWanted], T], gone: Gone) -> T:
        """Run work in the thread of the model, and return its result.

        A client that goes away before its turn gives its place back at once, and its work is
        dropped with the images that it holds; one whose turn has come, when the work ends.

        Args:
            work: What to run. It takes a function that tells whether the result is still waited
                for.
            gone: Returns when the client has gone away; it is called if the work is taken.

        Raises:
            ProblemDetails: No place is free, or the time is over.
            ClientGone: The client has gone away.
        """
        self.check_free()
        unwanted = threading.Event()
        # The executor keeps a canceled task until its turn, so the task does not hold the work.
        waiting = [work]
        del work
        self._places.take()
        try:
            future = self._threads.submit(self._timed, waiting, lambda: not unwanted.is_set())
        except BaseException:
            self._places.give_back()
            raise
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._call_soon(loop))
        try:
            return await answer_in_time(asyncio.wrap_future(future), gone, self._timeout_s)
        finally:
            unwanted.set()
            waiting.clear()

    def close(self) -> None:
        """Wait for the work that runs, and end the thread."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _call_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the service has stopped
            loop.call_soon_threadsafe(self._places.give_back)

    def _timed(self, waiting: list[Callable[[IsWanted], T]], is_wanted: IsWanted) -> T:
        started_s = time.perf_counter()
        try:
            work = waiting.pop()
        except IndexError:  # it was dropped in this moment
            raise ClientGone from None
        try:
            return work(is_wanted)
        finally:
            self._mean_s += _WEIGHT * (time.perf_counter() - started_s - self._mean_s)


async def answer_in_time(answer: Awaitable[T], gone: Gone, timeout_s: float) -> T:
    """Wait for an answer as long as its client does, and not longer than a time.

    Args:
        answer: The answer; it is canceled if it is not waited for any more.
        gone: Returns when the client has gone away.
        timeout_s: Longest time, seconds.

    Raises:
        ProblemDetails: 504: the time is over.
        ClientGone: The client has gone away.
    """
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(gone())
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
        report: Takes the number of those that are taken, whenever it changes; None for nobody.

    Attributes:
        taken: How many are taken.
    """

    def __init__(self, size: int, report: Report | None = None) -> None:
        self._size = size
        self._report = report
        self.taken = 0

    def has_free(self, count: int = 1) -> bool:
        """Return whether so many are free."""
        return self.taken + count <= self._size

    def check_free(self, count: int = 1, *, wait_s: float = 1.0) -> None:
        """Raise the problem 429, with this time to wait in seconds, if too few are free."""
        if not self.has_free(count):
            raise busy(wait_s)

    def take(self, count: int = 1) -> None:
        """Take places, or raise the problem 429 if too few are free."""
        self.check_free(count)
        self._change(count)

    def give_back(self, count: int = 1) -> None:
        """Give places back."""
        self._change(-count)

    def _change(self, count: int) -> None:
        self.taken += count
        if self._report is not None:
            self._report(self.taken)


class ClientGone(Exception):  # noqa: N818  an event rather than an error
    """The client has closed the connection; nobody waits for the answer."""
