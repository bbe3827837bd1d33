"""What a benchmark measured: records, their JSON file, and their text and Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emopy.files import atomic_file
from emopy.tables import markdown_table, text_table

PACKAGES = ("emopy", "numpy", "onnxruntime", "opencv-python-headless")


class CannotMeasureError(RuntimeError):
    """A benchmark needs something that is missing; the message says what."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: a median, its smallest and largest value, and a target; None where it has none.

    `unit` is a key of `_DIGITS`; MB are 10⁶ bytes, kB 10³.
    """

    what: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def target_met(self) -> bool | None:
        """Whether the value reaches its target; None where there is none."""
        if self.at_most is None and self.at_least is None:
            return None
        below = self.at_most is None or self.value <= self.at_most
        return below and (self.at_least is None or self.value >= self.at_least)


@dataclass(frozen=True, slots=True)
class Section:
    """The results of one benchmark: how it was measured, its figures, notes and an extra table.

    `measured_on` is the day, ISO 8601.
    """

    title: str
    how: str
    figures: Sequence[Figure]
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str | float]] = ()
    notes: Sequence[str] = ()
    machine: str = ""
    measured_on: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of a measurement.

    Attributes:
        model: Name of a model, or an absolute path of a model folder.
        quick: A trial of the benchmark itself: few turns, meaningless figures.
        data: Labeled faces, or None.
        scratch: An empty folder that is removed afterwards.
    """

    model: str
    quick: bool
    data: Path | None
    scratch: Path = field(compare=False)

    def turns(self, usual: int) -> int:
        """How often to repeat a measurement."""
        return 2 if self.quick else usual


def machine() -> str:
    """Processor, cores, memory, system and versions, in one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores; {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}; {packages}"
    )


def save_sections(sections: Mapping[str, Section], path: Path) -> None:
    """Write results as JSON."""
    text = json.dumps({k: asdict(v) for k, v in sections.items()}, indent=2, ensure_ascii=False)
    with atomic_file(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def load_sections(path: Path) -> dict[str, Section]:
    """Read what `save_sections` wrote; nothing where there is no such file."""
    if not path.is_file():
        return {}
    raw: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    for item in raw.values():
        item["figures"] = [Figure(**figure) for figure in item["figures"]]
    return {name: Section(**item) for name, item in raw.items()}


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


START, END = "<!-- figures -->", "<!-- /figures -->"
_DIGITS = {"": 0, "×": 2, "ms": 1, "µs": 0, "s": 2, "MB": 0, "kB": 0, "%": 1, "/s": 1, "/min": 1}
_HEADER = ("figure", "value", "smallest – largest", "target")


def as_text(section: Section) -> str:
    """A section for the terminal."""
    heading = [section.title, "=" * len(section.title)]
    return "\n".join([*heading, *_tables(section, text_table), *section.notes, section.machine, ""])


def as_markdown(section: Section) -> str:
    """A section for the documentation."""
    notes = "\n".join(f"- {note}" for note in section.notes)
    measured = f"Measured on {section.measured_on}: {section.machine}."
    tables = _tables(section, markdown_table)
    parts = [f"## {section.title}", section.how, *tables, notes, measured]
    return "\n\n".join(filter(None, parts))


def write_docs(path: Path, sections: Mapping[str, Section]) -> None:
    """Write all sections between the markers `START` and `END` of a Markdown file."""
    body = "\n\n".join(as_markdown(section) for section in sections.values())
    write_between(path, (START, END), f"\n{body}\n")


def write_between(path: Path, markers: tuple[str, str], body: str) -> None:
    """Replace the text between two markers of a Markdown file.

    Raises:
        ValueError: The file has no such markers.
    """
    start, end = markers
    before, first, rest = path.read_text(encoding="utf-8").partition(start)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"{path} must hold the markers {start} and {end}.")
    with atomic_file(path) as partial:
        partial.write_text(f"{before}{start}\n{body}\n{end}{after}", encoding="utf-8")


def _tables(section: Section, write: Callable[..., str]) -> Iterator[str]:
    """The figures and the additional table, where there are any."""
    if section.figures:
        yield write(_HEADER, map(_figure_row, section.figures))
    if section.rows:
        cells = ([c if isinstance(c, str) else f"{c:g}" for c in row] for row in section.rows)
        yield write(section.header, cells)


def _figure_row(figure: Figure) -> tuple[str, ...]:
    def number(value: float) -> str:
        return f"{value:.{_DIGITS[figure.unit]}f}"

    low_high = target = ""
    if figure.low is not None and figure.high is not None:
        low_high = f"{number(figure.low)} – {number(figure.high)}"
    if figure.at_most is not None:
        target = f"≤ {number(figure.at_most)}"
    if figure.at_least is not None:
        target = f"≥ {number(figure.at_least)}"
    target += {True: ", met", False: ", missed", None: ""}[figure.target_met]
    return (figure.what, f"{number(figure.value)} {figure.unit}".rstrip(), low_high, target)
