"""`LocalEngine`: processes of this machine, one per core, each with a model of its own."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from typing import IO, TypeAlias, cast

from emopy.batch.engines import Engine, Outcome
from emopy.batch.rows import Counts
from emopy.batch.worker import Unit
from emopy.cores import usable_cores
from emopy.waiting import next_item

_STOP_S = 5.0
"""Time for a process to end before it is killed, seconds."""


class LocalEngine(Engine):
    """Runs units in processes of this machine.

    A process that ends while it runs a unit is replaced.

    Args:
        out: Location of the results.
        workers: Number of processes; None: one per core.
    """

    def __init__(self, out: str, workers: int | None = None) -> None:
        self._out = out
        self._limit = workers or usable_cores()
        self._workers: list[_Worker] = []
        self._messages: _Messages = SimpleQueue()

    @property
    def capacity(self) -> int:
        """Number of processes."""
        return self._limit

    def submit(self, unit: Unit) -> None:
        """Give a unit to a process that is free, or to a new one."""
        free = next((worker for worker in self._workers if worker.unit is None), None)
        if free is None:
            free = _Worker(self._out, self._messages)
            self._workers.append(free)
        free.give(unit)

    def outcomes(self) -> Iterator[Outcome]:
        """Wait for one unit."""
        while True:
            worker, found = next_item(self._messages)
            unit, worker.unit = worker.unit, None
            if found is None:
                self._workers.remove(worker)
                worker.stop(at_once=True)
            if unit is None:  # a process has ended while it was free
                continue
            if isinstance(found, Exception):
                yield Outcome(unit, error=found)
            else:
                yield Outcome(unit, counts=found)
            return

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.stop(at_once=worker.unit is not None)
        self._workers.clear()


class _Worker:
    """A process, and the unit that it runs; None while it waits for one.

    Args:
        out: Location of the results.
        messages: Where what it answers is put, with the worker; None when the process has ended.
    """

    def __init__(self, out: str, messages: _Messages) -> None:
        self.unit: Unit | None = None
        # No fork, in which threads may hang, and no multiprocessing, which runs the user's script
        # once more in each process.
        with _without_ctrl_c():
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "emopy.batch.local_worker", out],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Ctrl-C is for this process: on Windows a group of its own does not get it.
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            )
        self._in, self._out = (
            cast("IO[bytes]", stream) for stream in (self._process.stdin, self._process.stdout)
        )
        Thread(target=self._listen, args=(messages,), daemon=True).start()

    def give(self, unit: Unit) -> None:
        """Send a unit to the process."""
        self.unit = unit
        with suppress(OSError):  # it has ended; `_listen` notices
            pickle.dump(unit, self._in)
            self._in.flush()

    def stop(self, *, at_once: bool) -> None:
        """End the process."""
        if at_once:
            self._process.kill()
        with suppress(OSError):
            self._in.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self, messages: _Messages) -> None:
        with self._out:
            while True:
                try:
                    found = pickle.load(self._out)  # noqa: S301  from a process started here
                except Exception:  # noqa: BLE001 - whatever a broken message causes, it has ended
                    messages.put((self, None))
                    return
                messages.put((self, found))


_Messages: TypeAlias = "SimpleQueue[tuple[_Worker, Counts | Exception | None]]"


@contextmanager
def _without_ctrl_c() -> Generator[None]:
    """Let a process that is started inside ignore Ctrl-C from its first moment on."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which needs another group instead
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
