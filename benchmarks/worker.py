"""A program in another environment that stays loaded and answers in lines of JSON."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from benchmarks.environments import clean_environment
from benchmarks.report import CannotMeasureError

_SCRIPTS = Path(__file__).parent / "workers"


class Worker:
    """One side of a comparison: a script of ``benchmarks/workers``, warm and waiting.

    `about` is its first message: versions, threads, what it found.
    """

    def __init__(self, python: Path, script: str, *arguments: str) -> None:
        self._name = " ".join((script, *arguments))
        self._stderr = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - see close
        self._process = subprocess.Popen(
            [str(python), str(_SCRIPTS / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env=clean_environment(),
        )
        self.pid = self._process.pid
        try:
            self.about = self.read()
        except CannotMeasureError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, frames: int) -> list[float]:
        """Let it predict its frame some times; return the seconds of each prediction."""
        self.send(str(frames))
        return self.read()["seconds"]

    def resident_mb(self) -> float:
        """Its resident memory now, in MB, read by this process.

        Raises:
            CannotMeasureError: psutil is not installed.
        """
        try:
            import psutil
        except ImportError as error:
            raise CannotMeasureError("psutil is missing. Type: pip install '.[bench]'") from error
        return psutil.Process(self.pid).memory_info().rss / 1e6

    def send(self, line: str) -> None:
        """Write a line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """Wait for the next line of JSON; other lines are skipped.

        Raises:
            CannotMeasureError: It ended instead.
        """
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self._stderr.seek(0)
        error = " ".join(self._stderr.read().strip().splitlines()[-2:])
        raise CannotMeasureError(f"{self._name} ended: {error}")

    def close(self) -> None:
        """Close its input and wait; kill it after half a minute."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.close()
