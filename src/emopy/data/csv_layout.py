"""How a CSV file of faces is laid out: what the user says, and what its first lines show."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypedDict

from emopy.data.dataset import SkippedSample
from emopy.data.directory import MIN_SIDE_PX
from emopy.data.rows import csv_rows, read_pixels
from emopy.errors import DataError, nearest

_PEEK = 64
_DELIMITERS = ",;\t|"
_LABEL_NAMES = ("emotion", "label", "expression", "class")
_FER2013_HEADER = {"emotion", "pixels", "usage"}


class CSVLayout(TypedDict, total=False):
    """What `CSVDataLoader` can be told about the file; whatever is left out is found.

    A column is named by its header or counted from 0.

    Attributes:
        label_column: Labels. Default: `emotion`, `label`, `expression` or `class` of the header,
            else the first column that holds no pixels.
        pixels_column: Pixels as text. Default: the first column that holds rows of numbers.
        usage_column: The split that a row belongs to. Default: `Usage` of the header.
        subject_column: Who is shown. Default: nobody is known.
        delimiter: What stands between two cells. Default: the most frequent of , ; tab | in the
            first line.
        header: Whether the first line names the columns: ``"yes"``, ``"no"``, or ``"detect"``:
            it does when none of its cells holds pixels.
    """

    label_column: int | str
    pixels_column: int | str
    usage_column: int | str
    subject_column: int | str
    delimiter: str
    header: Literal["detect", "yes", "no"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout with nothing left open; columns are counted from 0.

    Attributes:
        header: Names of the columns; empty where the file has none.
        size: (height, width) that every image comes to.
        channels: 1 or 3, as most of the first images have.
        first_labels: Labels of the first rows, to judge how they are written.
    """

    delimiter: str
    header: tuple[str, ...]
    label: int
    pixels: int
    usage: int | None
    subject: int | None
    size: tuple[int, int]
    channels: int
    first_labels: tuple[str, ...]

    @property
    def is_fer2013(self) -> bool:
        """Whether the file has the columns of FER2013, and so its numbers for labels."""
        return {name.lower() for name in self.header} == _FER2013_HEADER

    @property
    def pixel_count(self) -> int:
        """Numbers in a cell of pixels that needs no change."""
        return math.prod(self.size) * self.channels

    def shape(self, count: int) -> tuple[int, int, int]:
        """(height, width, channels) of an image of so many numbers.

        Raises:
            ValueError: Neither an image of `size` nor a square.
        """
        if (found := _shape(count, self.size)) is None:
            raise ValueError(
                f"pixels must be {self.pixel_count} numbers, or those of a square of at least "
                f"{MIN_SIDE_PX} × {MIN_SIDE_PX}. Received {count}"
            )
        return found


def find_layout(path: Path, told: CSVLayout, size: tuple[int, int] | None) -> Layout:
    """Find what the user left open in the first lines of a file.

    Args:
        path: The CSV file.
        told: What the user said.
        size: (height, width) that every image comes to; images of another size must be
            squares. None for the size of most of the first ones.

    Raises:
        DataError: No such file, an empty one, an unknown column, or images that are neither of
            that size nor squares.
    """
    delimiter = _delimiter(path, told.get("delimiter"))
    ignored: list[SkippedSample] = []  # told when the rows are loaded
    rows = [cells for _, cells in islice(csv_rows(path, ignored, delimiter=delimiter), _PEEK)]
    header = _header(rows[0], told) if rows else ()
    rows = rows[1:] if header else rows
    if not rows:
        raise DataError(f"`path` must be a CSV file with rows of faces. Received {path}: none.")
    width = max(len(header), *map(len, rows))
    find = _ColumnFinder(path, header, width)
    pixels = find("pixels_column", told.get("pixels_column"))
    if pixels is None:
        pixels = _first_pixels(path, rows)
    usage = find("usage_column", told.get("usage_column"), defaults=("usage",))
    subject = find("subject_column", told.get("subject_column"))
    label = find("label_column", told.get("label_column"), defaults=_LABEL_NAMES)
    if label is None:
        free = (column for column in range(width) if column not in (pixels, usage, subject))
        label = next(free, pixels)
    if label == pixels:
        raise DataError(
            f"`label_column` must be another column than the pixels. Received {path} with "
            f"column {pixels} for both. Type for example `label_column=0` and `pixels_column=1`."
        )
    height_width, channels = _size(path, [_cell(row, pixels) for row in rows], size)
    first_labels = tuple(text for row in rows if (text := _cell(row, label)))
    return Layout(
        delimiter, header, label, pixels, usage, subject, height_width, channels, first_labels
    )


class _ColumnFinder:
    """Turns names and numbers of columns into places."""

    def __init__(self, path: Path, header: tuple[str, ...], width: int) -> None:
        self._path, self._width = path, width
        self._places = {name.lower(): i for i, name in reversed(list(enumerate(header)))}

    def __call__(
        self, argument: str, wish: int | str | None, *, defaults: Sequence[str] = ()
    ) -> int | None:
        if wish is None:
            return next((self._places[name] for name in defaults if name in self._places), None)
        if isinstance(wish, str):
            if (place := self._places.get(wish.strip().lower())) is None:
                raise DataError(
                    f"`{argument}` must be a column of {self._path}. Received {wish!r}. "
                    + (nearest(wish, self._places) if self._places else "It has no header.")
                )
            return place
        if not 0 <= wish < self._width:
            raise DataError(
                f"`{argument}` must be 0 to {self._width - 1}: {self._path} has {self._width} "
                f"columns. Received {wish}."
            )
        return wish


def _delimiter(path: Path, wish: str | None) -> str:
    if wish is not None:
        if len(wish) != 1 or wish in '"\r\n':
            raise DataError(f"`delimiter` must be one character. Received {wish!r}. Type ';'.")
        return wish
    # Read with a delimiter that no text holds: the whole first line is one cell.
    ignored: list[SkippedSample] = []
    _, cells = next(csv_rows(path, ignored, delimiter="\x1f"), (1, [""]))
    return max(_DELIMITERS, key="".join(cells).count)


def _header(first: list[str], told: CSVLayout) -> tuple[str, ...]:
    choice = told.get("header", "detect")
    if choice not in ("detect", "yes", "no"):
        raise DataError(f"`header` must be 'detect', 'yes' or 'no'. Received {choice!r}.")
    named = any(isinstance(value, str) for key, value in told.items() if key.endswith("_column"))
    found = named or not any(_count(cell) >= MIN_SIDE_PX**2 for cell in first)
    return tuple(first) if choice == "yes" or (choice == "detect" and found) else ()


def _first_pixels(path: Path, rows: list[list[str]]) -> int:
    for row in rows:
        for column, cell in enumerate(row):
            if _count(cell) >= MIN_SIDE_PX**2:
                return column
    raise DataError(
        f"`path` must have a column of pixels: at least {MIN_SIDE_PX**2} whole numbers 0–255 "
        f"in one cell, separated by space. Received {path} with none in its first rows. "
        "Where the delimiter was not found, type for example `delimiter=';'`."
    )


def _size(
    path: Path, cells: list[str], size: tuple[int, int] | None
) -> tuple[tuple[int, int], int]:
    """(height, width) to bring the images to, and channels of most of the first ones."""
    counts = Counter(count for cell in cells if (count := _count(cell)))
    usual = counts.most_common(1)[0][0] if counts else 0
    found = _shape(usual, size)
    if found is None or min(size or found[:2]) < MIN_SIDE_PX:
        wish = f" of {size[0]} × {size[1]} pixels, or squares" if size is not None else ""
        hint = " that fits." if size is not None else ", such as size=(60, 40), if no square."
        raise DataError(
            f"`path` must hold images{wish}, each at least {MIN_SIDE_PX} pixels high and wide. "
            f"Received {path} with {usual} numbers per image. Type a `size`{hint}"
        )
    return size or found[:2], found[2]


def _shape(count: int, size: tuple[int, int] | None) -> tuple[int, int, int] | None:
    """(height, width, channels) of an image of `size` or of a square; None if it is neither.

    No number is both a square and three times a square, so gray and colour are told apart.
    """
    for channels in (1, 3):
        if size is not None and count == size[0] * size[1] * channels:
            return size[0], size[1], channels
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if side >= MIN_SIDE_PX and count == side * side * channels:
            return side, side, channels
    return None


def _count(cell: str) -> int:
    """How many pixels a cell holds; 0 where it holds something else."""
    try:
        return len(read_pixels(cell))
    except ValueError:
        return 0


def _cell(row: list[str], column: int) -> str:
    return row[column] if column < len(row) else ""
