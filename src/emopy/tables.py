"""The formats of tables; reading of CSV files; Markdown tables and plain-text tables."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emopy.errors import EmoPyError
from emopy.escaping import unquote_csv_text

TABLE_FORMATS = ("csv", "json", "jsonl", "parquet")
"""Formats of tables of results: the names, which are also the file suffixes."""

_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table as text.

    Attributes:
        header: Titles of the columns.
        rows: Cells of each row, one per column.
        lines: Number of the last line of each row in the file, from 1.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]


def delimiter_of(header: str) -> str:
    """Return what separates the cells of a CSV file, by its first line."""
    return max(_DELIMITERS, key=header.count)


def read_csv(path: str | os.PathLike[str], argument: str, error: type[EmoPyError]) -> TextTable:
    """Read a CSV file with a header row: UTF-8, separated by comma, semicolon or tab.

    Empty lines are skipped, cells are stripped, and what `quote_csv_text` quoted is unquoted.

    Args:
        path: The file.
        argument: Argument of the caller that named the file, for errors.
        error: Class of the errors.

    Raises:
        EmoPyError: Of the class `error`: unreadable, or rows of different lengths.
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as reason:
        raise error(
            f"`{argument}` must be a CSV file. Received {file}: {reason.strerror}. Check the path."
        ) from reason
    except UnicodeDecodeError as reason:
        raise error(
            f"`{argument}` must be a CSV file in UTF-8. Received {file}: {reason.reason} at byte "
            f"{reason.start}. Save it again as UTF-8."
        ) from reason
    reader = csv.reader(io.StringIO(text), delimiter=delimiter_of(text.split("\n", 1)[0]))
    header: list[str] = []
    table = TextTable(header, [], [])
    try:
        for cells in reader:
            if not header:
                header += [cell.strip() for cell in cells]
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                raise error(
                    f"`{argument}` must have {len(header)} columns in each row. Received "
                    f"{len(cells)} in line {reader.line_num} of {file}."
                )
            table.rows.append([_text_of(cell) for cell in cells])
            table.lines.append(reader.line_num)
    except csv.Error as reason:
        raise error(f"`{argument}` must be a CSV file. Received {file}: {reason}.") from reason
    return table


def _text_of(cell: str) -> str:
    """A cell without spaces around it, or the text that was quoted when EmoPy wrote it."""
    text = unquote_csv_text(cell)
    return text if text != cell else cell.strip()


def other_format(suffix: str, otherwise: str) -> str:
    """Say what to type in place of a file suffix that is no format of tables.

    Args:
        suffix: The suffix in lower case, without its point.
        otherwise: The answer for other suffixes than those of Excel.
    """
    if suffix in ("xls", "xlsx"):
        return "For Excel write a .csv file, and open it there with Data > From Text/CSV."
    return otherwise


def markdown_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], align: str | None = None
) -> str:
    r"""Write a Markdown table. Cells are escaped so that they cannot break it.

    Args:
        header: Titles of the columns.
        rows: Cells of each row, one per column.
        align: ``"l"`` or ``"r"`` for each column; by default the first is left-aligned and the
            others are right-aligned.

    Returns:
        The lines of the table, without a final line break.

    Example:
        >>> print(markdown_table(["model", "MB"], [["a|b", "1.5"]]))
        | model | MB |
        | --- | ---: |
        | a\|b | 1.5 |
    """
    rule = ["---" if side == "l" else "---:" for side in align or _default_align(header)]
    lines = [[_escaped(cell) for cell in row] for row in (header, *rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])


def text_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], align: str | None = None
) -> str:
    """Write a table for a terminal: columns of equal width, two spaces apart.

    Args:
        header: Titles of the columns.
        rows: Cells of each row, one per column.
        align: ``"l"`` or ``"r"`` for each column; by default the first is left-aligned and the
            others are right-aligned.

    Returns:
        The lines of the table, without spaces at their ends and without a final line break.

    Example:
        >>> print(text_table(["model", "MB"], [["tiny", "0.4"], ["base", "12.0"]]))
        model    MB
        tiny    0.4
        base   12.0
    """
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides = align or _default_align(header)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if side == "l" else cell.rjust(width)
            for cell, width, side in zip(line, widths, sides, strict=True)
        ).rstrip()
        for line in lines
    )


def _default_align(header: Sequence[str]) -> str:
    return "l" + "r" * (len(header) - 1)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
