"""Where the results of `predict` go: text for a person, or a table for a program."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TextIO

from emopy.errors import InputError
from emopy.files import atomic_file
from emopy.present import TABLE_FORMATS, Table, as_text, encodable, open_table
from emopy.types import FailedInput, ImageResult


class TextSink:
    """Readable text, a blank line between images; failures are left to stderr."""

    def __init__(self, target: TextIO | Path, width: int) -> None:
        self._target = target
        self._width = width
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._gap = ""
        if isinstance(self._target, Path):
            partial = self._stack.enter_context(atomic_file(self._target))
            self._stream = self._stack.enter_context(partial.open("w", encoding="utf-8"))
        else:
            self._stream = self._target
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def write(self, result: ImageResult | FailedInput) -> None:
        """Write one image's faces."""
        if isinstance(result, ImageResult):
            text = encodable(as_text(result, width=self._width), self._stream.encoding)
            self._stream.write(f"{self._gap}{text}\n")
            self._stream.flush()
            self._gap = "\n"


def open_sink(
    output_format: str | None, out: Path | None, labels: tuple[str, ...]
) -> Table | TextSink:
    """Make the sink that the options ask for.

    Args:
        output_format: text, csv, json, jsonl or parquet; None uses the suffix of `out`,
            else text.
        out: File to write; None for stdout.
        labels: Labels of the model, the columns of a table.

    Returns:
        A context manager with ``write(result)``. A file appears when all is written.
    """
    suffix = out.suffix.lstrip(".").lower() if out else ""
    if output_format is None and suffix not in ("", "txt", *TABLE_FORMATS):
        raise InputError(
            f"--out must end in .txt, .{', .'.join(TABLE_FORMATS)}. Received {out}. "
            "Choose another ending, or type --format as well."
        )
    name = output_format or suffix
    target: TextIO | Path = out or sys.stdout
    if name in TABLE_FORMATS:
        return open_table(target, labels, format=name)
    return TextSink(target, text_width())


def text_width() -> int:
    """Columns to write text in: those of the terminal, 72 in a file or pipe."""
    return min(shutil.get_terminal_size((72, 24)).columns, 100) if sys.stdout.isatty() else 72
