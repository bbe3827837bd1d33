"""The formats of tables; Markdown tables and plain-text tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TABLE_FORMATS = ("csv", "json", "jsonl", "parquet")
"""Formats of tables of results: the names, which are also the file suffixes."""


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
