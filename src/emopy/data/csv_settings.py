"""What a CSV file of faces means, kept in a small file beside it: ``faces.csv.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from emopy.data.csv_layout import CSVLayout
from emopy.errors import DataError, nearest

CSV_SUFFIXES = (".csv", ".tsv")
"""Suffixes of files with one face per row."""

_EXAMPLE = 'labels = { 0 = "anger", 1 = "disgust" }'


class CSVSettings(CSVLayout, total=False):
    """What ``faces.csv.toml`` may say: `CSVLayout`, and what follows, as for `CSVDataLoader`.

    Attributes:
        labels: What the written labels stand for.
        usage: The split to load, where the path names none.
        size: (height, width) in pixels to bring the images to, and that of those which are no
            squares.
        channels: 1 for gray, 3 for RGB.
    """

    labels: Mapping[str, str]
    usage: str
    size: tuple[int, int]
    channels: int


def find_csv(path: Path) -> tuple[Path, CSVSettings] | None:
    """Read how the CSV file at a path is to be loaded.

    Args:
        path: ``faces.csv``, or ``faces.csv#PART`` for the rows whose split is PART.

    Returns:
        The file, which need not exist, and what ``faces.csv.toml`` beside it and the path say;
        None where the path is that of another kind of file.

    Raises:
        DataError: The file beside it is no TOML, has an unknown key, or a value of another kind.
    """
    if path.suffix.lower() in CSV_SUFFIXES:
        return path, _read(path)
    name, mark, part = path.name.rpartition("#")
    file = path.with_name(name) if name else path
    if not mark or not part or file.suffix.lower() not in CSV_SUFFIXES:
        return None
    return file, CSVSettings({**_read(file), "usage": part})


def settings_path(path: Path) -> Path:
    """Where the meaning of a CSV file is written down: ``faces.csv.toml`` for ``faces.csv``."""
    return path.with_name(path.name + ".toml")


def _read(path: Path) -> CSVSettings:
    beside = settings_path(path)
    if not beside.is_file():
        return {}
    try:
        raw = tomllib.loads(beside.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{beside} must be TOML. Received: {error}. Type for example: {_EXAMPLE}"
        ) from error
    for key, value in raw.items():
        if key not in _RULES:
            raise DataError(f"Unknown key `{key}` in {beside}. {nearest(key, _RULES)}")
        is_good, rule = _RULES[key]
        if not is_good(value):
            raise DataError(f"`{key}` in {beside} must be {rule}. Received {value!r}.")
    if "size" in raw:
        raw["size"] = tuple(raw["size"])
    return cast(CSVSettings, raw)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_column(value: Any) -> bool:
    return isinstance(value, str) or type(value) is int


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and [type(side) for side in value] == [int, int]


def _is_labels(value: Any) -> bool:
    return isinstance(value, dict) and len(value) > 1 and all(map(_is_text, value.values()))


_COLUMN = (_is_column, "the name of a column, or its number, the first is 0")

_RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "labels": (_is_labels, f"a table of two labels or more, such as {_EXAMPLE}"),
    "label_column": _COLUMN,
    "pixels_column": _COLUMN,
    "usage_column": _COLUMN,
    "subject_column": _COLUMN,
    "usage": (_is_text, 'the name of a split, such as "Training"'),
    "delimiter": (_is_text, 'one character, such as ";"'),
    "header": (_is_text, '"detect", "yes" or "no"'),
    "size": (_is_size, "[height, width] in pixels, such as [60, 40]"),
    "channels": (lambda value: value in (1, 3), "1 or 3"),
}
