"""The command line of measurements: run some of them, and write a JSON file and a page."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from benchmarks.environments import ROOT
from benchmarks.report import (
    CannotMeasureError,
    Section,
    Settings,
    as_text,
    load_sections,
    machine,
    save_sections,
    write_docs,
)
from emopy.errors import EmoPyError
from emopy.models import DEFAULT_MODEL

Measurement = Callable[[Settings], Section]

VALIDATION_FACES = ROOT / "local" / "ferplus" / "validation.npz"
"""Labeled faces, where `emopy data prepare ferplus` writes them in a clone."""


def run(
    measurements: Mapping[str, Measurement],
    *,
    description: str,
    results: Path,
    page: Path,
    other_pages: Mapping[str, Path] | None = None,
) -> int:
    """Run the measurements named on the command line, in the order of the page.

    Each section goes to stdout, to the JSON file `results` and between the markers of a page as
    soon as it is measured: of `page`, or of that which `other_pages` has for its name. Returns 0,
    or 1 when something could not be measured.
    """
    page_of = dict.fromkeys(measurements, page) | dict(other_pages or {})
    options = _options(measurements, description)
    sections = load_sections(results)
    failed = 0
    for name in options.only:
        print(f"Measuring: {name}", file=sys.stderr)
        try:
            section = _measure(measurements[name], options)
        except (CannotMeasureError, EmoPyError) as error:
            print(f"{name} could not be measured. {error}", file=sys.stderr)
            failed += 1
            continue
        print(as_text(section), flush=True)
        sections[name] = section
        if not options.quick:
            ordered = {key: sections[key] for key in measurements if key in sections}
            save_sections(ordered, results)
            written = page_of[name]
            write_docs(written, {k: v for k, v in ordered.items() if page_of[k] == written})
    return 1 if failed else 0


def _measure(measurement: Measurement, options: argparse.Namespace) -> Section:
    model = Path(options.model)
    with tempfile.TemporaryDirectory(prefix="emopy-bench-") as scratch:
        settings = Settings(
            # Workers run in other folders: a model folder needs its absolute path.
            model=str(model.resolve()) if model.is_dir() else options.model,
            quick=options.quick,
            data=options.data,
            scratch=Path(scratch),
        )
        section = measurement(settings)
    return replace(section, machine=machine(), measured_on=date.today().isoformat())


def _options(measurements: Mapping[str, Measurement], description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    names, some = list(measurements), f"some of: {', '.join(measurements)}"
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help=some
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name of a model, or its folder")
    parser.add_argument(
        "--data",
        type=Path,
        default=VALIDATION_FACES if VALIDATION_FACES.is_file() else None,
        help="labeled faces (.npz) [local/ferplus/validation.npz where it exists]",
    )
    trial = "try the measurement itself: few repetitions, nothing written"
    parser.add_argument("--quick", action="store_true", help=trial)
    return parser.parse_args()
