"""`LocalEngine`: processes of this machine, one per core, each with a model of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from emopy.batch.engines import Engine, Outcome
from emopy.batch.worker import Unit, run_unit

_STOP_S = 5.0
"""Time for a process to end before it is killed, seconds."""


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalEngine(Engine):
    """Runs units in processes of this machine.

    A process that ends while it runs a unit is replaced, and its unit counts as crashed.

    Args:
        out: Location of the results.
        workers: Number of processes; None: one per core.
    """

    def __init__(self, out: str, workers: int | None = None) -> None:
        self._out = out
        self.capacity = workers or usable_cores()
        self._workers: list[_Worker] = []

    def submit(self, unit: Unit) -> None:
        """Give a unit to a process that is free, or to a new one."""
        free = next((worker for worker in self._workers if worker.unit is None), None)
        if free is None:
            free = _Worker(self._out)
            self._workers.append(free)
        free.give(unit)

    def outcomes(self) -> Iterator[Outcome]:
        """Wait for one or more units."""
        busy = {worker.connection: worker for worker in self._workers if worker.unit is not None}
        for connection in cast("list[Connection]", wait(list(busy))):
            worker = busy[connection]
            outcome = worker.take()
            if outcome.crashed:
                self._workers.remove(worker)
            yield outcome

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.stop(at_once=worker.unit is not None)
        self._workers.clear()


class _Worker:
    """A process, and the unit that it runs."""

    def __init__(self, out: str) -> None:
        context = multiprocessing.get_context("spawn")  # forks of a process with threads may hang
        self.connection, theirs = context.Pipe()
        self.unit: Unit | None = None
        self._process = context.Process(target=_work, args=(out, theirs), daemon=True)
        self._process.start()
        theirs.close()  # its end of the pipe closes with the process, which is how it is noticed

    def give(self, unit: Unit) -> None:
        self.unit = unit
        with suppress(OSError):  # it has ended while it was free; `take` notices
            self.connection.send(unit)

    def take(self) -> Outcome:
        unit = cast("Unit", self.unit)
        try:
            error: Any = self.connection.recv()
        except (EOFError, OSError):
            self.stop(at_once=True)
            return Outcome(unit, crashed=True)
        self.unit = None
        return Outcome(unit, error=error)

    def stop(self, *, at_once: bool) -> None:
        if at_once:
            self._process.kill()
        self.connection.close()
        self._process.join(_STOP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(out: str, connection: Connection) -> None:
    """Run the units that come until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that gives the units
    while True:
        try:
            unit: Unit = connection.recv()
        except (EOFError, OSError):
            return
        error: Exception | None = None
        try:
            run_unit(out, unit)
        except Exception as failed:  # noqa: BLE001  handed to the process that gave the unit
            error = failed
        try:
            connection.send(error)
        except (OSError, TypeError, AttributeError):  # an error that cannot be pickled
            connection.send(RuntimeError(f"{type(error).__name__}: {error}"))
