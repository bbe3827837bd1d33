"""Rows of large CSV files as a stream, and pixels that are written as text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import SkippedSample
from emopy.errors import DataError

_LONGEST_CELL = 2**24
"""Characters of one cell: a gray image of about 2,000 × 2,000 pixels."""

_DIGITS_AND_SPACE = b"0123456789 \t\r\n"


def csv_rows(
    path: Path, skipped: list[SkippedSample], *, delimiter: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV file line by line; memory holds one line.

    Every line is one row: a quotation mark that is never closed spoils its own row only. Blank
    lines are left out. UTF-8 is expected, or UTF-16 where the file says so.

    Args:
        path: The file.
        skipped: Receives the lines that are no rows.
        delimiter: What stands between two cells.

    Yields:
        The line's number, the first is 1, and its cells without surrounding space.

    Raises:
        DataError: No such file.
    """
    if not path.is_file():
        raise DataError(f"`path` must be a CSV file. Received {path}: no such file.")
    # The limit belongs to the process, not to a reader; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    with path.open(encoding=_encoding(path), errors="replace") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                cells = next(csv.reader((line,), delimiter=delimiter, skipinitialspace=True))
            except csv.Error as error:
                skipped.append(SkippedSample(str(path), str(error), line=number))
            else:
                yield number, [cell.strip() for cell in cells]


def read_pixels(text: str) -> NDArray[np.uint8]:
    """Read whole numbers 0–255 that are separated by space.

    Args:
        text: Such as ``"70 80 82"``.

    Returns:
        (n,) uint8.

    Raises:
        ValueError: Anything else.

    Example:
        >>> read_pixels("70 80 82").tolist()
        [70, 80, 82]
    """
    # np.fromstring is five times as quick as int() on each, but lenient: the check comes first.
    clean = not text.encode(errors="replace").translate(None, _DIGITS_AND_SPACE)
    numbers = np.fromstring(text, dtype=np.int64, sep=" ") if clean and text else np.empty(0)
    if not clean or numbers.max(initial=0) > 255:
        raise ValueError("pixels must be whole numbers 0–255")
    return numbers.astype(np.uint8)


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        return "utf-16" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
