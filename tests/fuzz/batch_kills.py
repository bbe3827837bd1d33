"""Kill the driver or a worker of batch runs at random moments, and compare the merged tables.

    python -m tests.fuzz.batch_kills --kills 200
    python -m tests.fuzz.batch_kills --kills 20 --engine ray

A run is started again whenever its driver was killed, sometimes beside a second one, until it ends
by itself. Its table must be byte for byte that of a run without a kill: no row lost or doubled.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from emopy.batch import merge
from tests.batch_inputs import write_clip, write_images
from tests.processes import children, is_running, wait_for

WORKERS = {"local": "local_worker", "ray": "ray::"}
"""Word in the command line of a worker of each engine."""


class Run:
    """A batch run over generated inputs, in one folder.

    Args:
        source: The inputs.
        out: Folder of the results.
        engine: ``local`` or ``ray``.
        options: More words of the command.
    """

    def __init__(self, source: Path, out: Path, engine: str, options: list[str]) -> None:
        self.out = out
        self._engine = engine
        self._command = [
            *(sys.executable, "-m", "emopy", "batch", "run", str(source), str(out)),
            *("--engine", engine, "--workers", "2", "--detector", "full-image", *options),
        ]
        self._drivers: list[subprocess.Popen[str]] = []
        self.faults: list[str] = []

    def start(self, *words: str) -> None:
        """Start a driver, with more words of the command."""
        path = os.pathsep.join(map(os.path.abspath, sys.path))
        self._drivers.append(
            subprocess.Popen(
                [*self._command, *words],
                env={**os.environ, "PYTHONPATH": path},
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def is_running(self) -> bool:
        """Whether a driver runs; those that failed are kept as faults."""
        for driver in [driver for driver in self._drivers if driver.poll() is not None]:
            self._drivers.remove(driver)
            said = driver.communicate()[1]
            if driver.returncode not in (1, -signal.SIGKILL):  # 1: some inputs are damaged
                self.faults.append(f"exit code {driver.returncode}: {said}")
        return bool(self._drivers)

    def kill(self, rng: random.Random) -> str:
        """Kill a driver or a worker; return which, or nothing if there is none."""
        if not self.is_running():
            return ""
        driver = rng.choice(self._drivers)
        workers = self._workers(driver.pid)
        if not workers or rng.random() < 0.2:
            driver.kill()
            driver.wait()
            return "driver"
        with suppress(ProcessLookupError):
            os.kill(rng.choice(workers), signal.SIGKILL)
        return "worker"

    def wait(self, seconds: float) -> None:
        """Wait some seconds, or until no driver runs."""
        with suppress(AssertionError):
            wait_for(lambda: not self.is_running(), seconds=seconds)

    def end(self) -> bytes:
        """Finish the run, and return its merged table."""
        self.start()
        return self.table()

    def table(self) -> bytes:
        """Wait until no driver runs, and return the merged table."""
        wait_for(lambda: not self.is_running(), seconds=600)
        target = self.out.with_suffix(".parquet")
        merge(self.out, target)
        return target.read_bytes()

    def _workers(self, process: int) -> list[int]:
        """Workers of a driver; those of Ray are children of its raylet."""
        below = children(process)
        found = [each for each in below if each in children(process, WORKERS[self._engine])]
        return found + [worker for each in below for worker in self._workers(each)]


def kill_runs(folder: Path, kills: int, *, seed: int = 0, images: int = 300, engine: str = "local",
              options: tuple[str, ...] = ()) -> list[str]:  # fmt: skip
    """Kill runs, and return what is wrong with their results.

    Args:
        folder: A new folder for everything.
        kills: Number of kills.
        seed: Seed of the moments and of what is killed.
        images: Number of images; every ninth is damaged.
        engine: ``local`` or ``ray``.
        options: More words of the command.
    """
    rng = random.Random(seed)
    source = write_images(folder / "source", images, damaged_every=9)
    write_clip(source / "clip.mp4", frames=6)
    words = ["--shard-size", str(max(5, images // 30)), *options]
    begun = time.monotonic()
    expected = Run(source, folder / "expected", "local", words).end()
    pause_s = (time.monotonic() - begun) / 2
    faults, killed, number = [], 0, 0
    while killed < kills:
        run = Run(source, folder / str(number), engine, words)
        run.start()
        for _ in range(rng.randint(1, 12)):
            run.wait(rng.expovariate(1 / pause_s))
            if killed < kills and (victim := run.kill(rng)):
                killed += 1
                print(f"run {number}, kill {killed}: {victim}", file=sys.stderr, flush=True)
            if not run.is_running() or rng.random() < 0.1:
                run.start()
        same = run.end() == expected
        faults += [f"run {number}: {fault}" for fault in run.faults]
        if not same:
            faults.append(f"run {number}: another table")
        number += 1
    wait_for(lambda: not any(map(is_running, children(1, str(folder)))))  # the driverless workers
    return faults


def main() -> int:
    """Run from the shell. Returns 1 if a result differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=list(WORKERS), default="local")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        faults = kill_runs(
            Path(name) / "runs",
            options.kills,
            seed=options.seed,
            images=options.images,
            engine=options.engine,
        )
    print(
        f"batch, {options.engine}: {options.kills} kills, {len(faults)} faults", *faults, sep="\n  "
    )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
