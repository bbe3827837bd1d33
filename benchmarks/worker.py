"""A program in another environment that stays loaded and answers in lines of JSON."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.child import Child
from benchmarks.environments import clean_environment
from benchmarks.report import CannotMeasureError

_SCRIPTS = Path(__file__).parent / "workers"


class Worker(Child):
    """One side of a comparison: a script of ``benchmarks/workers``, warm and waiting.

    `about` is its first message: versions, threads, what it found.
    """

    def __init__(self, python: Path, script: str, *arguments: str) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [str(python), str(_SCRIPTS / script), *arguments]
        log = Path(self._folder.name, "stderr.txt")
        super().__init__(command, log, clean_environment(), pipes=True)
        try:
            self.about = self.read()
        except CannotMeasureError:
            self.close()
            raise

    def ask(self, frames: int) -> list[float]:
        """Let it predict its frame some times; return the seconds of each prediction."""
        self.send(str(frames))
        return self.read()["seconds"]

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
        raise self._failure("ended")

    def close(self) -> None:
        """Close its input and wait; kill it after half a minute."""
        super().close()
        self._folder.cleanup()

    def _ask_to_stop(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
