"""`WorkQueue`: a thread for the model, a bounded queue before it, and time limits."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from emopy.serve.problems import ProblemDetails, busy

T = TypeVar("T")

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

    async def run(self, work: Callable[[], T], gone: Callable[[], Awaitable[None]]) -> T:
        """Run work in the thread of the model, and return its result.

        A client that goes away before its turn gives its place back at once; one whose turn has
        come, when the work is done.

        Args:
            work: What to run.
            gone: Returns when the client has gone away.

        Raises:
            ProblemDetails: No place is free, or the time is over.
            ClientGone: The client has gone away.
        """
        self.check_free()
        self._places += 1
        try:
            future = self._threads.submit(self._timed, work)
        except BaseException:
            self._places -= 1
            raise
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._call_soon(loop))
        return await self._wait(future, gone)

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

    async def _wait(self, future: Future[T], gone: Callable[[], Awaitable[None]]) -> T:
        answer = asyncio.wrap_future(future)
        leaving = asyncio.ensure_future(gone())
        try:
            await asyncio.wait(
                (answer, leaving), timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if answer.done():
                return answer.result()
            if leaving.done():
                raise ClientGone
            raise ProblemDetails(
                HTTPStatus.GATEWAY_TIMEOUT,
                f"The answer was not ready within {self._timeout_s:g} s. Send fewer or smaller "
                "images, or try again when there are fewer requests.",
            )
        finally:
            leaving.cancel()
            future.cancel()
            answer.cancel()


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
