"""Results as text for the terminal and as Markdown for docs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Figure, Section

START, END = "<!-- figures -->", "<!-- /figures -->"
_DIGITS = {"×": 2, "ms": 1, "µs": 0, "s": 2, "MB": 0, "%": 1, "/s": 1, "/min": 1}
_HEADER = ("figure", "value", "smallest – largest", "target")

Rows = Sequence[Sequence[str]]


def as_text(section: Section) -> str:
    """A section for the terminal: aligned columns."""
    parts = [section.title, "=" * len(section.title)]
    if section.figures:
        parts.append(_aligned([_HEADER, *map(_figure_row, section.figures)]))
    if section.rows:
        parts.append(_aligned([section.header, *_cells(section)]))
    return "\n".join([*parts, *section.notes, section.machine]) + "\n"


def as_markdown(section: Section) -> str:
    """A section for the documentation."""
    parts = [f"## {section.title}", section.how]
    if section.figures:
        parts.append(_markdown([_HEADER, *map(_figure_row, section.figures)]))
    if section.rows:
        parts.append(_markdown([section.header, *_cells(section)]))
    parts += ["\n".join(f"- {note}" for note in section.notes)] if section.notes else []
    parts.append(f"Measured on {section.measured_on}: {section.machine}.")
    return "\n\n".join(parts)


def write_docs(path: Path, sections: Mapping[str, Section]) -> None:
    """Write all sections between the two marks of a Markdown file; see `write_between`."""
    body = "\n\n".join(as_markdown(section) for section in sections.values())
    write_between(path, (START, END), f"\n{body}\n")


def write_between(path: Path, marks: tuple[str, str], body: str) -> None:
    """Replace what stands between two marks of a Markdown file, whole or not at all.

    Raises:
        ValueError: The file has no such marks.
    """
    start, end = marks
    before, first, rest = path.read_text(encoding="utf-8").partition(start)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise ValueError(f"{path} must hold the marks {start} and {end}.")
    partial = path.with_suffix(".partial")
    partial.write_text(f"{before}{start}\n{body}\n{end}{after}", encoding="utf-8")
    partial.replace(path)


def _figure_row(figure: Figure) -> tuple[str, ...]:
    low_high = ""
    if figure.low is not None and figure.high is not None:
        low_high = f"{_number(figure.low, figure.unit)} – {_number(figure.high, figure.unit)}"
    target = f"≤ {_number(figure.at_most, figure.unit)}" if figure.at_most is not None else ""
    if figure.at_least is not None:
        target = f"≥ {_number(figure.at_least, figure.unit)}"
    target += {True: ", met", False: ", missed", None: ""}[figure.target_met]
    value = f"{_number(figure.value, figure.unit)} {figure.unit}"
    return (figure.what, value, low_high, target)


def _number(value: float, unit: str) -> str:
    return f"{value:.{_DIGITS[unit]}f}"


def _cells(section: Section) -> list[list[str]]:
    return [
        [cell if isinstance(cell, str) else f"{cell:g}" for cell in row] for row in section.rows
    ]


def _aligned(rows: Rows) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _markdown(rows: Rows) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    # Names to the left, numbers to the right.
    rule = "|".join(["---", *["---:"] * (len(rows[0]) - 1)])
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])
