"""The layout and settings of CSV files with one face per row: columns, sizes, ``NAME.csv.toml``."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from emopy.data.directory import MIN_SIDE_PX
from emopy.errors import DataError, nearest
from emopy.labels import composed
from emopy.settings import from_mapping, read_toml

CSV_SUFFIXES = (".csv", ".tsv")
"""Suffixes of files with one face per row."""

LABELS_EXAMPLE = 'labels = { 0 = "anger", 1 = "disgust" }'
"""A line of ``NAME.csv.toml``, for error messages."""

_MIN_PIXELS = MIN_SIDE_PX**2
_LABEL_COLUMNS = ("emotion", "label", "expression", "class")
_FER2013_HEADER = {"emotion", "pixels", "usage"}
_DIGITS_AND_SPACE = b"0123456789 \t\r\n"


class CSVLayout(TypedDict, total=False):
    """Where a CSV file keeps what; anything left out is detected.

    A column is named by its header or counted from 0.

    Attributes:
        label_column: Labels. Default: `emotion`, `label`, `expression` or `class` of the header,
            else the first column without pixels.
        pixels_column: Pixels as text. Default: the first column of numbers separated by space.
        usage_column: The split of each row. Default: `Usage` of the header.
        subject_column: Subject ids. Default: unknown.
        delimiter: Character between two cells. Default: the most frequent of , ; tab | in the
            first line.
        header: Whether the first line names the columns: ``"yes"``, ``"no"``, or ``"detect"``:
            it does if none of its cells holds pixels.
    """

    label_column: int | str
    pixels_column: int | str
    usage_column: int | str
    subject_column: int | str
    delimiter: str
    header: Literal["detect", "yes", "no"]


class CSVSettings(CSVLayout, total=False):
    """The settings in ``NAME.csv.toml``: `CSVLayout` and these, as for `CSVDataLoader`.

    Attributes:
        labels: Emotions that the written labels stand for.
        usage: The split to load, unless the path names one.
        size: (height, width) in pixels that the images are resized to, and the size of images
            that are not square.
        channels: 1 for gray, 3 for RGB.
    """

    labels: Mapping[str, str]
    usage: str
    size: tuple[int, int]
    channels: Literal[1, 3]


@dataclass(frozen=True, slots=True)
class Layout:
    """A complete layout; columns are counted from 0.

    Attributes:
        header: Names of the columns; empty if the file has none.
        label: Column of the labels.
        pixels: Column of the pixels.
        usage: Column of the splits; None if there is none.
        subject: Column of the subject ids; None if there is none.
        size: (height, width) that every image is resized to.
        channels: 1 or 3, as most of the first images have.
        first_labels: Labels of the first rows.
    """

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
    def width(self) -> int:
        """Number of cells that a row must have."""
        columns = (self.label, self.pixels, self.usage, self.subject)
        return 1 + max(column for column in columns if column is not None)

    def shape(self, count: int) -> tuple[int, int, int]:
        """(height, width, channels) of an image of so many numbers.

        Raises:
            ValueError: Neither an image of `size` nor a square.
        """
        if (found := _image_shape(count, self.size)) is None:
            raise ValueError(
                f"pixels must be {math.prod(self.size) * self.channels} numbers, or those of a "
                f"square of at least {MIN_SIDE_PX} × {MIN_SIDE_PX}. Received {count}"
            )
        return found


def read_settings(path: Path) -> tuple[Path, CSVSettings] | None:
    """Read the settings of the CSV file at a path.

    Args:
        path: ``faces.csv``, or ``faces.csv#SPLIT`` for the rows of one split.

    Returns:
        The file, which need not exist, and the settings in ``faces.csv.toml`` and in the path;
        None if the path is that of another kind of file.

    Raises:
        DataError: ``faces.csv.toml`` is no TOML, has an unknown key or a value of a wrong type.
    """
    if path.suffix.lower() in CSV_SUFFIXES:
        return path, _parse_settings(settings_path(path))
    name, mark, split = path.name.rpartition("#")
    file = path.with_name(name) if name else path
    if not mark or not split or file.suffix.lower() not in CSV_SUFFIXES:
        return None
    return file, CSVSettings({**_parse_settings(settings_path(file)), "usage": split})


def settings_path(path: Path) -> Path:
    """The settings file of a CSV file: ``faces.csv.toml`` for ``faces.csv``."""
    return path.with_name(path.name + ".toml")


def _parse_settings(path: Path) -> CSVSettings:
    if not path.is_file():
        return {}
    values = read_toml(path, DataError, example=f" Type for example: {LABELS_EXAMPLE}")
    return from_mapping(CSVSettings, values, str(path), DataError)


def find_layout(
    path: Path, given: CSVLayout, size: tuple[int, int] | None, rows: Sequence[list[str]]
) -> Layout:
    """Complete a layout by the first rows of a file.

    Args:
        path: The CSV file, for error messages.
        given: What the user specified.
        size: (height, width) that every image is resized to; images of another size must be
            squares. None for the size of most of the first ones.
        rows: Cells of the first rows, including the header.

    Raises:
        DataError: No row, an unknown column, or images that are neither of that size nor
            squares.
    """
    header = _header(rows[0], given) if rows else ()
    rows = rows[1:] if header else rows
    if not rows:
        raise DataError(f"`path` must be a CSV file with rows of faces. Received {path}: none.")
    width = max(len(header), *map(len, rows))
    find = _ColumnFinder(path, header, width)
    pixels = find("pixels_column", given.get("pixels_column"))
    if pixels is None:
        pixels = _first_pixels_column(path, rows)
    usage = find("usage_column", given.get("usage_column"), defaults=("usage",))
    subject = find("subject_column", given.get("subject_column"))
    label = find("label_column", given.get("label_column"), defaults=_LABEL_COLUMNS)
    if label is None:
        free = (column for column in range(width) if column not in (pixels, usage, subject))
        label = next(free, pixels)
    if label == pixels:
        raise DataError(
            f"`label_column` must be another column than the pixels. Received {path} with "
            f"column {pixels} for both. Type for example `label_column=0` and `pixels_column=1`."
        )
    image_size, channels = _find_size(path, [_cell(row, pixels) for row in rows], size)
    first_labels = tuple(text for row in rows if (text := _cell(row, label)))
    return Layout(header, label, pixels, usage, subject, image_size, channels, first_labels)


class _ColumnFinder:
    """Turns names and numbers of columns into numbers."""

    def __init__(self, path: Path, header: tuple[str, ...], width: int) -> None:
        self._path, self._width = path, width
        names = reversed(list(enumerate(header)))
        self._columns = {composed(name).lower(): i for i, name in names}

    def __call__(
        self, argument: str, given: int | str | None, *, defaults: Sequence[str] = ()
    ) -> int | None:
        if given is None:
            return next((self._columns[name] for name in defaults if name in self._columns), None)
        if isinstance(given, str):
            if (column := self._columns.get(composed(given).strip().lower())) is None:
                raise DataError(
                    f"`{argument}` must be a column of {self._path}. Received {given!r}. "
                    + (nearest(given, self._columns) if self._columns else "It has no header.")
                )
            return column
        if not 0 <= given < self._width:
            raise DataError(
                f"`{argument}` must be 0 to {self._width - 1}: {self._path} has {self._width} "
                f"columns. Received {given}."
            )
        return given


def _header(first: list[str], given: CSVLayout) -> tuple[str, ...]:
    choice = given.get("header", "detect")
    if choice not in ("detect", "yes", "no"):
        raise DataError(f"`header` must be 'detect', 'yes' or 'no'. Received {choice!r}.")
    named = any(isinstance(value, str) for key, value in given.items() if key.endswith("_column"))
    found = named or not any(_count_pixels(cell) >= _MIN_PIXELS for cell in first)
    return tuple(first) if choice == "yes" or (choice == "detect" and found) else ()


def _first_pixels_column(path: Path, rows: Sequence[list[str]]) -> int:
    for row in rows:
        for column, cell in enumerate(row):
            if _count_pixels(cell) >= _MIN_PIXELS:
                return column
    raise DataError(
        f"`path` must have a column of pixels: at least {_MIN_PIXELS} whole numbers 0–255 "
        f"in one cell, separated by space. Received {path} with none in its first rows. "
        "If the delimiter was not detected, type for example `delimiter=';'`."
    )


def _find_size(
    path: Path, cells: list[str], size: tuple[int, int] | None
) -> tuple[tuple[int, int], int]:
    """(height, width) that images are resized to, and channels of most of the first ones."""
    counts = Counter(count for cell in cells if (count := _count_pixels(cell)))
    usual = counts.most_common(1)[0][0] if counts else 0
    found = _image_shape(usual, size)
    if found is None or min(size or found[:2]) < MIN_SIDE_PX:
        rule = f" of {size[0]} × {size[1]} pixels, or squares" if size is not None else ""
        hint = " that fits." if size is not None else ", such as size=(60, 40), if no square."
        raise DataError(
            f"`path` must hold images{rule}, each at least {MIN_SIDE_PX} pixels high and wide. "
            f"Received {path} with {usual} numbers per image. Type a `size`{hint}"
        )
    return size or found[:2], found[2]


def _image_shape(count: int, size: tuple[int, int] | None) -> tuple[int, int, int] | None:
    """(height, width, channels) of an image of `size` or of a square; None if it is neither.

    No number is both a square and three times a square, so gray and color are distinguished.
    """
    for channels in (1, 3):
        if size is not None and count == size[0] * size[1] * channels:
            return size[0], size[1], channels
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if side >= MIN_SIDE_PX and count == side * side * channels:
            return side, side, channels
    return None


def _count_pixels(cell: str) -> int:
    """Number of pixels in a cell; 0 if it holds something else."""
    try:
        return len(parse_pixels(cell))
    except ValueError:
        return 0


def _cell(row: list[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def parse_pixels(text: str) -> NDArray[np.uint8]:
    """Parse whole numbers 0–255 that are separated by space.

    Args:
        text: Such as ``"70 80 82"``.

    Returns:
        (n,) uint8.

    Raises:
        ValueError: Anything else.

    Example:
        >>> parse_pixels("70 80 82").tolist()
        [70, 80, 82]
    """
    # np.fromstring is five times as fast as int() on each, but lenient: the check comes first.
    clean = not text.encode(errors="replace").translate(None, _DIGITS_AND_SPACE)
    numbers = np.fromstring(text, dtype=np.int64, sep=" ") if clean and text else np.empty(0)
    if not clean or numbers.max(initial=0) > 255:
        raise ValueError("pixels must be whole numbers 0–255")
    return numbers.astype(np.uint8)
