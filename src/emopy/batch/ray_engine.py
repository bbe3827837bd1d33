"""`RayEngine`: the machines of a Ray cluster, or a Ray of this machine alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from emopy.batch.engines import Engine, Outcome
from emopy.batch.worker import Unit, run_unit
from emopy.errors import InputError, import_extra

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # else a token is written into the home folder
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Variables of a Ray that is started here, unless they are set."""


class RayEngine(Engine):
    """Runs units as tasks of Ray, each on one CPU.

    Args:
        out: Location of the results, which every machine reaches.
        workers: Units at the same time; None: one per CPU of the cluster.
        address: Address of a cluster, such as ``"auto"`` or ``"ray://host:10001"``; None starts a
            Ray on this machine, which ends with the run.

    Raises:
        InputError: The cluster cannot be reached, or has no CPU.
        MissingExtraError: Ray is not installed.
    """

    def __init__(self, out: str, workers: int | None = None, address: str | None = None) -> None:
        self._ray: Any = import_extra("ray", feature="The engine ray", extra="ray")
        self._out = out
        self._folder: str | None = None
        self._owns = not self._ray.is_initialized()
        if self._owns:
            self._connect(workers, address)
        cpus = int(self._ray.cluster_resources().get("CPU", 0))
        if cpus < 1:  # a task would wait for ever
            self.__exit__()
            raise InputError(
                "`address` must be a Ray cluster with CPUs. Received one that has none. "
                "Start it with --num-cpus."
            )
        self.capacity = min(workers or cpus, cpus)
        self._task = self._ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(
            run_unit
        )
        self._running: dict[Any, Unit] = {}

    def submit(self, unit: Unit) -> None:
        """Start a task."""
        self._running[self._task.remote(self._out, unit)] = unit

    def outcomes(self) -> Iterator[Outcome]:
        """Wait for one or more tasks."""
        done, _ = self._ray.wait(list(self._running), num_returns=1)
        for reference in done:
            yield self._outcome(self._running.pop(reference), reference)

    def __exit__(self, *error: object) -> None:
        for reference in getattr(self, "_running", {}):
            self._ray.cancel(reference, force=True)
        if self._owns:
            self._ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self, workers: int | None, address: str | None) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if address is not None:
            options["address"] = address
        else:
            for name, value in _QUIET.items():
                os.environ.setdefault(name, value)
            self._folder = tempfile.mkdtemp(prefix="emopy-ray-")
            options |= {"include_dashboard": False, "_temp_dir": self._folder}
            if workers is not None:
                options["num_cpus"] = workers
        try:
            self._ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InputError(
                f"`address` must be a Ray cluster that answers. Received {address}: {error}"[:500]
            ) from error

    def _outcome(self, unit: Unit, reference: Any) -> Outcome:
        """What became of a task: its own errors are Ray's with the cause; all others are losses."""
        exceptions = self._ray.exceptions
        try:
            self._ray.get(reference)
        except exceptions.RayTaskError as error:
            return Outcome(unit, error=error.cause if isinstance(error.cause, Exception) else error)
        except exceptions.RayError:
            return Outcome(unit, crashed=True)
        return Outcome(unit)
