"""`Child`: a process that is measured from outside, and that always ends."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.report import CannotMeasureError


def import_psutil() -> Any:
    """Return the module psutil.

    Raises:
        CannotMeasureError: It is not installed.
    """
    try:
        import psutil
    except ImportError as error:
        raise CannotMeasureError("psutil is missing. Type: pip install '.[bench]'") from error
    return psutil


class Child:
    """A program in a process of its own, ended with the ``with`` block.

    Args:
        command: What to run.
        log: File for its stderr.
        environment: Its environment variables.
        pipes: Whether this process writes its stdin and reads its stdout, as text.

    Attributes:
        exit_status: That of the process; None while it runs.
    """

    stop_s = 30
    """Seconds that it has to end before it is killed."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        *,
        pipes: bool = False,
    ) -> None:
        self._name = " ".join(command)
        self._log = log
        self.exit_status: int | None = None
        pipe = subprocess.PIPE if pipes else None
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=file, text=pipes, env=environment
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def resident_mb(self) -> float:
        """Its resident memory now, in MB, read by this process.

        Raises:
            CannotMeasureError: psutil is not installed; also below.
        """
        return self._measured().memory_info().rss / 1e6

    def cpu_s(self) -> float:
        """Processor time that it has used so far, user and system, in seconds."""
        times = self._measured().cpu_times()
        return times.user + times.system

    def open_files(self) -> int:
        """File descriptors that it has open now, its connections among them."""
        return self._measured().num_fds()

    def log_text(self) -> str:
        """What it wrote on stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Ask it to stop and wait; kill it after `stop_s`."""
        if self.exit_status is not None:
            return
        self._ask_to_stop()
        try:
            self.exit_status = self._process.wait(self.stop_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.exit_status = self._process.wait()

    def _ask_to_stop(self) -> None:
        self._process.terminate()

    def _failure(self, what: str) -> CannotMeasureError:
        """An error with the last lines of its log."""
        said = " ".join(self.log_text().strip().splitlines()[-2:])
        return CannotMeasureError(f"{self._name} {what}: {said}")

    def _measured(self) -> Any:
        return import_psutil().Process(self._process.pid)
