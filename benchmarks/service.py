"""A service in a process of its own, which listens on a free port of this machine."""

from __future__ import annotations

import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.child import Child, import_psutil

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_START_S = 120


def emopy_service(log: Path, model: str, *options: str) -> Service:
    """Start `emopy serve` in the environment that measures; its log goes into a file."""
    words = (sys.executable, "-m", "emopy", "serve", "--port", "0", "--model", model, *options)
    return Service(words, log, os.environ)


class Service(Child):
    """A server that writes its address on stderr and answers ``/readyz``.

    Args:
        command: What to run.
        log: File for its stderr.
        environment: Its environment variables.

    Attributes:
        port: Where it listens.

    Raises:
        CannotMeasureError: It ended, or was not ready within two minutes, or no psutil.
    """

    stop_s = 60

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        import_psutil()
        super().__init__(command, log, environment)
        try:
            self.port = self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> str:
        """Return what it answers to a GET request."""
        with urllib.request.urlopen(f"{self.address}{path}", timeout=30) as answer:
            return answer.read().decode()

    def _wait_until_ready(self) -> int:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if match := _ADDRESS.search(self.log_text()):
                self.port = int(match[1])
                try:
                    self.get("/readyz")
                except (urllib.error.URLError, ConnectionError):
                    pass
                else:
                    return self.port
            time.sleep(0.05)
        raise self._failure("was not ready")
