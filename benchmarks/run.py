"""Measure EmoPy: `python benchmarks/run.py`, or `--only NAME` for some of it.

Results go to stdout, to a JSON file, and between the marks of docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import against_fer
import faces_batch
import footprint
import network
import overtime
import robustness
import stability
import throughput
import training
import video
from emopy.errors import EmoPyError
from emopy.models import DEFAULT_MODEL
from environments import ROOT
from figures import CannotMeasureError, Section, Settings, load_sections, machine, save_sections
from report import as_text, write_docs

BENCHMARKS: dict[str, Callable[[Settings], Section]] = {
    "network": network.measure,
    "faces": faces_batch.measure,
    "fer": against_fer.measure,
    "many": throughput.measure,
    "video": video.measure,
    "overtime": overtime.measure,
    "footprint": footprint.measure,
    "stability": stability.measure,
    "robustness": robustness.measure,
    "training": training.measure,
}
RESULTS = Path(__file__).parent / "results" / "performance.json"
DOCS = ROOT / "docs" / "performance.md"


def main() -> int:
    """Measure what was asked for; 1 when something could not be measured."""
    options = _options()
    sections = load_sections(options.results)
    failed = 0
    for name in options.only:
        print(f"Measuring: {name}", file=sys.stderr)
        try:
            section = _measure(name, options)
        except (CannotMeasureError, EmoPyError) as error:
            print(f"{name} could not be measured. {error}", file=sys.stderr)
            failed += 1
            continue
        print(as_text(section), flush=True)
        sections[name] = section
        if not options.quick:
            # After each, so that a run that is stopped keeps what it has.
            ordered = {key: sections[key] for key in BENCHMARKS if key in sections}
            save_sections(ordered, options.results)
            write_docs(options.docs, ordered)
    return 1 if failed else 0


def _measure(name: str, options: argparse.Namespace) -> Section:
    model = Path(options.model)
    with tempfile.TemporaryDirectory(prefix="emopy-bench-") as scratch:
        settings = Settings(
            # Workers run elsewhere: a folder needs its whole path.
            model=str(model.resolve()) if model.is_dir() else options.model,
            quick=options.quick,
            data=options.data,
            scratch=Path(scratch),
        )
        section = BENCHMARKS[name](settings)
    return replace(section, machine=machine(), measured_on=date.today().isoformat())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure EmoPy's speed, memory and steadiness.")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=BENCHMARKS,
        default=list(BENCHMARKS),
        metavar="NAME",
        help=f"some of: {', '.join(BENCHMARKS)}",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name of a model, or its folder")
    parser.add_argument(
        "--data",
        type=Path,
        default=stability.default_data(ROOT),
        help="labelled faces (.npz) for stability, robustness and training "
        "[local/ferplus/validation.npz where it exists]",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="try the benchmark itself: few turns, nothing written, figures without meaning",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="JSON file")
    parser.add_argument("--docs", type=Path, default=DOCS, help="Markdown file with the marks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
