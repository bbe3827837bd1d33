"""Give damaged inputs of every kind to EmoPy, in child processes, and list what went wrong.

    python -m tests.fuzz.run --minutes 60            every kind, the same time each
    python -m tests.fuzz.run --kind cards --seed 4711   one input again, in this process

An input must be read or refused with an `EmoPyError` within a minute and 4 GiB of memory. Another
exception, a warning, a crash or a hang is a fault; it is printed with the seed that repeats it.
"""

import argparse
import faulthandler
import json
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.targets import TARGETS

MAX_SECONDS = 60.0  # per input
MAX_MEMORY = 4 * 2**30
ROOT = Path(__file__).parents[2]


@dataclass
class Report:
    """What became of the inputs of one kind."""

    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    def __str__(self) -> str:
        count = self.outcomes.total()
        return (
            f"{self.kind}: {count:,} inputs, {self.outcomes['read']:,} read, "
            f"{self.outcomes['refused']:,} refused, {len(self.faults)} faults, "
            f"slowest {self.slowest_s:.1f} s"
        )


def fuzz(kind: str, *, first: int = 0, count: int | None = None, seconds: float = 1e9) -> Report:
    """Try `count` seeds from `first` on, or as many as fit into `seconds`."""
    report, seed, end = Report(kind), first, time.monotonic() + seconds
    while (count is None or seed < first + count) and time.monotonic() < end:
        left = None if count is None else first + count - seed
        for line in _child(kind, seed, left, end):
            report.outcomes[line["outcome"]] += 1
            report.slowest_s = max(report.slowest_s, line["seconds"])
            if line["outcome"] == "fault":
                report.faults.append(f"{kind}, seed {line['seed']}: {line['text']}")
            seed = line["seed"] + 1
    return report


def _child(kind: str, first: int, count: int | None, end: float) -> Iterator[dict]:
    """Outcomes of a child process; a child that dies or hangs is an outcome too."""
    command = [sys.executable, "-m", "tests.fuzz.run", "--child", "--kind", kind]
    command += ["--seed", str(first), "--count", str(count or 10**9)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT, bufsize=1
        ) as child,
    ):
        assert child.stdout
        seed = first
        for text in child.stdout:
            line = json.loads(text)
            yield line
            seed = line["seed"] + 1
            if time.monotonic() > end:
                child.kill()
                return
        if child.wait() != 0:
            errors.seek(0)
            last = errors.read()[-2000:].strip()
            text = f"the process ended with exit code {child.returncode}: {last}"
            yield {"seed": seed, "outcome": "fault", "text": text, "seconds": 0.0}


def _run_child(kind: str, first: int, count: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tried = TARGETS[kind](folder)
        for seed in range(first, first + count):
            faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
            start = time.monotonic()
            line = {"seed": seed, "text": ""}
            try:
                line["outcome"] = tried.try_one(seed, folder)
            except Exception as error:  # noqa: BLE001  any of them is what we look for
                where = traceback.extract_tb(error.__traceback__)[-1]
                line["outcome"] = "fault"
                line["text"] = (
                    f"{type(error).__name__}: {ascii(str(error))[:300]} "
                    f"({Path(where.filename).name}:{where.lineno})"
                )
            line["seconds"] = round(time.monotonic() - start, 2)
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        faulthandler.cancel_dump_traceback_later()


def main() -> int:
    """Run from the shell. Returns 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60, help="for all kinds together")
    parser.add_argument("--kind", choices=TARGETS)
    parser.add_argument("--seed", type=int, help="repeat this input of --kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed of a run")
    parser.add_argument("--count", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _run_child(options.kind, options.seed, options.count)
        return 0
    if options.seed is not None:
        with tempfile.TemporaryDirectory() as name:
            print(TARGETS[options.kind](Path(name)).try_one(options.seed, Path(name)))
        return 0
    kinds = [options.kind] if options.kind else list(TARGETS)
    reports = []
    for kind in kinds:
        report = fuzz(kind, first=options.first, seconds=60 * options.minutes / len(kinds))
        print(report, *report.faults[:20], sep="\n  ", flush=True)
        reports.append(report)
    print(
        f"{sum(r.outcomes.total() for r in reports):,} inputs, "
        f"{sum(len(r.faults) for r in reports)} faults"
    )
    return int(any(report.faults for report in reports))


if __name__ == "__main__":
    sys.exit(main())
