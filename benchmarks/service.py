"""A service in a process of its own, which listens on a free port of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from benchmarks.report import CannotMeasureError

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_START_S, _STOP_S = 120, 60


def emopy_service(log: Path, model: str, *options: str) -> Service:
    """Start `emopy serve` in the environment that measures; its log goes into a file."""
    words = (sys.executable, "-m", "emopy", "serve", "--port", "0", "--model", model, *options)
    return Service(words, log, os.environ)


class Service:
    """A server that writes its address on stderr and answers ``/readyz``.

    Args:
        command: What to run.
        log: File for its stderr.
        environment: Its environment variables.

    Attributes:
        port: Where it listens.
        exit_status: That of the process; None while it runs.

    Raises:
        CannotMeasureError: It ended, or was not ready within two minutes.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        try:
            import psutil
        except ImportError as error:
            raise CannotMeasureError("psutil is missing. Type: pip install '.[bench]'") from error
        self._log = log
        self.exit_status: int | None = None
        with log.open("wb") as file:
            self._child = subprocess.Popen(command, stderr=file, env=environment)
        self._process = psutil.Process(self._child.pid)
        try:
            self.port = self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    def resident_mb(self) -> float:
        """Its resident memory now, in MB."""
        return self._process.memory_info().rss / 1e6

    def cpu_s(self) -> float:
        """Processor time that it has used so far, user and system, in seconds."""
        times = self._process.cpu_times()
        return times.user + times.system

    def open_files(self) -> int:
        """File descriptors that it has open now, its connections among them."""
        return self._process.num_fds()

    def log_text(self) -> str:
        """What it wrote on stderr."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str) -> str:
        """Return what it answers to a GET request."""
        with urllib.request.urlopen(f"{self.address}{path}", timeout=30) as answer:
            return answer.read().decode()

    def close(self) -> None:
        """Ask it to stop and wait; kill it after a minute."""
        if self.exit_status is not None:
            return
        self._child.terminate()
        try:
            self.exit_status = self._child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self.exit_status = self._child.wait()

    def _wait_until_ready(self) -> int:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._child.poll() is None:
            if match := _ADDRESS.search(self.log_text()):
                self.port = int(match[1])
                try:
                    self.get("/readyz")
                except (urllib.error.URLError, ConnectionError):
                    pass
                else:
                    return self.port
            time.sleep(0.05)
        said = " ".join(self.log_text().strip().splitlines()[-2:])
        raise CannotMeasureError(f"{self._child.args} was not ready: {said}")
