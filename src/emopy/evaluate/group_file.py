"""`read_groups`: the group of each face from a table of the user's own."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import DataError, nearest

_DELIMITERS = ",;\t"


def read_groups(path: str | os.PathLike[str], dataset: Dataset) -> NDArray[np.str_]:
    """Read which group each face belongs to.

    The table is a CSV file with a line of column names. With a column `origin` its rows are
    matched by name, in any order, and rows about other data are passed over. Without one there
    must be a row for each face, in the order of the data.

        origin,group
        anger/001.png,women
        anger/002.png,men

    Args:
        path: The file: UTF-8, columns parted by comma, semicolon or tab.
        dataset: The faces.

    Returns:
        (n,) group of each face, in the order of the data; ``""`` where the table says nothing.

    Raises:
        DataError: Unreadable, no column `group`, a face without a row, or two groups for one.
    """
    rows = _read(Path(path))
    if not rows or "origin" not in rows[0]:
        if len(rows) != len(dataset):
            raise DataError(
                f"`groups` must have one row for each of the {len(dataset):,} faces, or a column "
                f"`origin`. Received {len(rows):,} rows in {path}. Add the column: it says which "
                "face a row is about."
            )
        return np.array([row["group"] for row in rows], dtype=np.str_)
    group_of = _by_origin(rows, path)
    origins = [str(origin) for origin in dataset.origin]
    missing = [origin for origin in origins if origin not in group_of]
    if missing:
        raise DataError(
            f"`groups` must have a row for every face. Received {path}, which lacks "
            f"{len(missing):,} of {len(origins):,}, the first {missing[0]!r}. "
            f"{nearest(missing[0], group_of) if len(group_of) < 10 else ''}"
            "Add them; the group may stay empty."
        )
    return np.array([group_of[origin] for origin in origins], dtype=np.str_)


def _by_origin(rows: Iterable[dict[str, str]], path: str | os.PathLike[str]) -> dict[str, str]:
    group_of: dict[str, str] = {}
    for row in rows:
        origin, group = row["origin"], row["group"]
        if group_of.setdefault(origin, group) != group:
            raise DataError(
                f"`groups` must name one group for each face. Received {path}, which gives "
                f"{origin!r} both {group_of[origin]!r} and {group!r}. Keep one row."
            )
    return group_of


def _read(path: Path) -> list[dict[str, str]]:
    """Rows by column name, spaces around names and values taken off."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(
            f"`groups` must be a CSV file. Received {path}: {error.strerror}. Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"`groups` must be a CSV file in UTF-8. Received {path}: {error.reason} at byte "
            f"{error.start}. Save it again as UTF-8."
        ) from error
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if line]
    except csv.Error as error:
        raise DataError(f"`groups` must be a CSV file. Received {path}: {error}.") from error
    head = [name.strip().lower() for name in lines[0]] if lines else []
    if "group" not in head:
        raise DataError(
            f"`groups` must have a column `group`. Received {path} with the columns "
            f"{', '.join(head) or 'of an empty file'}. Name the columns in the first line: "
            "origin,group"
        )
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(head):
            raise DataError(
                f"`groups` must have {len(head)} columns in each row. Received {len(line)} in "
                f"row {number} of {path}."
            )
    return [dict(zip(head, (value.strip() for value in line), strict=True)) for line in lines[1:]]
