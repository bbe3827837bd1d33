"""`RayEngine`: the machines of a Ray cluster, or a Ray of this machine alone."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from emopy.batch.engines import Engine, Outcome
from emopy.batch.rows import Counts
from emopy.batch.worker import Unit, as_picklable, run_unit
from emopy.errors import InputError, import_extra

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # else a token is written into the home folder
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Variables of a Ray that is started here, unless they are set."""

_STORE_BYTES = 10**8
"""Memory for the objects of a Ray that is started here: units and counts are small."""

_CONNECT_S = 10.0
"""Time for a cluster to accept a connection, seconds."""

_PATIENCE_S = 60.0
"""Time after which a cluster without CPUs is given up, seconds: nodes may come back."""


class RayEngine(Engine):
    """Runs units as tasks of Ray, each on one CPU.

    Args:
        out: Location of the results, which every machine reaches.
        workers: Units at the same time; None: one per CPU of the cluster, also of the nodes that
            join it later.
        address: Address of a cluster, such as ``"auto"`` or ``"ray://host:10001"``; None starts a
            Ray on this machine, which ends with the run.

    Raises:
        InputError: The cluster cannot be reached, or has no CPU.
        MissingExtraError: Ray is not installed.
    """

    def __init__(self, out: str, workers: int | None = None, address: str | None = None) -> None:
        self._ray: Any = import_extra("ray", feature="The engine ray", extra="ray")
        self._out = out
        self._limit = workers
        self._folder: str | None = None
        self._running: dict[Any, Unit] = {}
        self._owns = not self._ray.is_initialized()
        if self._owns:
            self._connect(workers, address)
        if self._cpus() < 1:  # a task would wait for ever
            self.__exit__()
            raise InputError(
                "`address` must be a Ray cluster with CPUs. Received one that has none. "
                "Start it with --num-cpus."
            )
        options = {"num_cpus": 1, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        self._task = self._ray.remote(**options)(_run_unit)

    @property
    def capacity(self) -> int:
        """Number of tasks: those that exceed the CPUs wait for one."""
        return self._limit or max(1, self._cpus())

    def submit(self, unit: Unit) -> None:
        """Start a task."""
        self._running[self._task.remote(self._out, unit)] = unit

    def outcomes(self) -> Iterator[Outcome]:
        """Wait for one or more tasks."""
        done: list[Any] = []
        while not done:
            done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_PATIENCE_S)
            if not done and self._cpus() < 1:
                raise InputError(
                    "`address` must be a Ray cluster with CPUs. Received one that has lost all of "
                    "its nodes with CPUs. Start them, and rerun the command."
                )
        for reference in done:
            yield self._outcome(self._running.pop(reference), reference)

    def __exit__(self, *error: object) -> None:
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        if self._owns:
            self._ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _cpus(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))

    def _connect(self, workers: int | None, address: str | None) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if address is not None:
            _check_answers(address)
            options["address"] = address
        else:
            for name, value in _QUIET.items():
                os.environ.setdefault(name, value)
            # The names of sockets in it may have about 100 characters.
            short = "/tmp" if os.name == "posix" and os.access("/tmp", os.W_OK) else None
            self._folder = tempfile.mkdtemp(prefix="emopy-ray-", dir=short)
            options |= {"include_dashboard": False, "_temp_dir": self._folder}
            options["object_store_memory"] = _STORE_BYTES
            if workers is not None:
                options["num_cpus"] = workers
        stop = signal.getsignal(signal.SIGTERM)
        try:
            self._ray.init(**options)
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, stop)  # that of Ray ends Python at once
        except (OSError, RuntimeError, ValueError) as error:
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
            needed = "a Ray cluster that answers" if address else "a cluster: no Ray starts here"
            raise InputError(
                f"`address` must be {needed}. Received {address}: {error}"[:500]
            ) from error

    def _outcome(self, unit: Unit, reference: Any) -> Outcome:
        """What became of a task: what Ray raises is the loss of its process or machine."""
        exceptions = self._ray.exceptions
        try:
            found: Counts | Exception = self._ray.get(reference)
        except exceptions.RayTaskError as error:  # before it began, such as a missing package
            return Outcome(unit, error=_not_installed(error))
        except exceptions.RayError:
            return Outcome(unit)
        if isinstance(found, Counts):
            return Outcome(unit, counts=found)
        return Outcome(unit, error=found)


def _check_answers(address: str) -> None:
    """Raise InputError where nothing listens: Ray would try for ten minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not (colon and port.isdecimal()):  # "auto"
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except OSError as error:
        raise InputError(
            f"`address` must be a Ray cluster that answers. Received {address}: {error}."
        ) from error


def _not_installed(error: Exception) -> InputError:
    text = f"`address` must be a Ray cluster with EmoPy on every node. Received: {error}"
    return InputError(" ".join(text.split())[:500])


def _run_unit(out: str, unit: Unit) -> Counts | Exception:
    """Run a unit, and return what it raises: Ray changes the class of what is raised."""
    try:
        return run_unit(out, unit)
    except Exception as error:  # noqa: BLE001  handed to the process that gave the unit
        return as_picklable(error)
