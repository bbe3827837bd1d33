"""The studies behind the bundled models: `python -m research.flagship`, and others.

README.md lists what each asks, what it needs and where its result stands.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT
from benchmarks.report import write_between
from emopy.files import atomic_file

RESULTS = Path(__file__).parent / "results"
FERPLUS = "local/ferplus"
"""Folder of the prepared faces: train.npz, calibration.npz and validation.npz."""

__all__ = [
    "FERPLUS",
    "RESULTS",
    "ROOT",
    "mean_and_spread",
    "options_of",
    "read_results",
    "run_module",
    "slug",
    "write_results",
]


def run_module(module: str, *arguments: str | Path) -> None:
    """Run `python -m module arguments` in the root folder."""
    print("python -m", module, *arguments, flush=True)
    subprocess.run([sys.executable, "-m", module, *map(str, arguments)], check=True, cwd=ROOT)


def options_of(settings: Iterable[str]) -> list[str]:
    """Options of a training command: --set KEY=VALUE for each setting."""
    return [part for setting in settings for part in ("--set", setting)]


def slug(text: str) -> str:
    """A text as the name of a run folder."""
    return "".join(c if c.isalnum() else "-" for c in text.lower()).strip("-")


def mean_and_spread(values: list[float], digits: int = 3) -> str:
    """Mean, with ± standard deviation for several values."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def read_results(study: str) -> dict[str, Any]:
    """What an earlier run of a study measured; empty where there was none."""
    file = RESULTS / f"{study}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write_results(study: str, results: dict[str, Any], page: str, table: str) -> None:
    """Write results as JSON, and their table between the markers of the study in a page of docs."""
    with atomic_file(RESULTS / f"{study}.json") as partial:
        partial.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_between(ROOT / "docs" / page, (f"<!-- {study} -->", f"<!-- /{study} -->"), table)
