"""`CSVDataLoader`: a CSV file with one face per row, its pixels written as text."""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from emopy.data.csv_layout import CSVLayout, Layout, find_layout
from emopy.data.csv_settings import settings_path
from emopy.data.dataset import Dataset, ImageStats, SkippedSample, refuse_skipped
from emopy.data.rows import csv_rows, read_pixels
from emopy.errors import DataError
from emopy.labels import canonical, select_labels
from emopy.models.card import InputSpec
from emopy.models.preprocessing import to_pixels

FER2013_LABELS: Mapping[str, str] = {
    "0": "anger",
    "1": "disgust",
    "2": "fear",
    "3": "happiness",
    "4": "sadness",
    "5": "surprise",
    "6": "neutral",
}
"""What the numbers in FER2013's column `emotion` stand for (Goodfellow et al. 2013,
https://arxiv.org/abs/1307.0414)."""

_NAMED_IN_ERRORS = 10
_MOST_LABELS = 1000


class CSVDataLoader:
    """Loads faces from a CSV file such as FER2013's: one face per row.

        emotion,pixels,Usage
        3,70 80 82 … 106,Training

    Pixels are whole numbers 0–255 separated by space, row by row from the top left; of an image
    in colour red, green and blue of each pixel. Squares of another size are resized, and colour
    becomes gray or gray colour, as prediction would do it. The file is streamed: memory holds the
    result and one row.

    Args:
        path: The file.
        labels: What the written labels stand for, such as ``{"0": "anger", "3": "happiness"}``;
            rows with others are left out. By default labels are words, of which aliases are
            understood; numbers are understood in a file with the columns of FER2013.
        target_emotions: Labels to load, in this order; all by default.
        size: (height, width) in pixels of the result. Images of that size are taken as they are;
            others must be squares, and are resized. Give it for images that are no squares:
            their size cannot be told from their numbers. Default: the size of most of the first
            images.
        channels: 1 for gray, 3 for RGB; as most of the first images have by default.
        usage: Load only the rows of this split, such as ``"Training"``.
        strict: Raise an error when any row is bad; otherwise bad rows are listed in
            `Dataset.skipped` and the rest is loaded.
        **layout: Where the file keeps what: see `CSVLayout`.

    Example::

        CSVDataLoader("fer2013.csv", usage="Training")
        CSVDataLoader("mine.csv", label_column="mood", pixels_column=4, delimiter=";")
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        labels: Mapping[str, str] | None = None,
        target_emotions: str | Sequence[str] | None = None,
        size: tuple[int, int] | None = None,
        channels: int | None = None,
        usage: str | None = None,
        strict: bool = False,
        **layout: Unpack[CSVLayout],
    ) -> None:
        if unknown := layout.keys() - CSVLayout.__annotations__.keys():
            raise TypeError(f"CSVDataLoader() has no argument {', '.join(sorted(unknown))}")
        if channels not in (None, 1, 3):
            raise DataError(f"`channels` must be 1, 3 or None. Received {channels}.")
        self.path = Path(path)
        self.labels = labels
        self.target_emotions = target_emotions
        self.size = size
        self.channels = channels
        self.usage = usage
        self.strict = strict
        self.layout = layout

    def load_data(self) -> Dataset:
        """Read the rows in their order.

        Returns:
            (n, height, width, channels) faces with one-hot targets; labels in alphabetical
            order, or as asked for; `sources` are the file's name and the line.

        Raises:
            DataError: No such file, another layout, numbers for labels that nothing explains,
                fewer than two labels, or no row left; with ``strict``, any bad row.
            LabelError: The file has no row of a wanted label.
        """
        layout = find_layout(self.path, self.layout, self.size)
        names = _Names(_meaning(self.path, layout, self.labels), self.target_emotions)
        skipped: list[SkippedSample] = []
        rows = _Rows(InputSpec(*layout.size, self.channels or layout.channels))
        stream = csv_rows(self.path, skipped, delimiter=layout.delimiter)
        for line, cells in islice(stream, 1 if layout.header else 0, None):
            try:
                self._read(line, cells, layout, names, rows)
            except DataError:
                raise
            except ValueError as error:
                skipped.append(SkippedSample(str(self.path), str(error), line=line))
        if self.strict:
            refuse_skipped(skipped, "rows")
        return self._dataset(rows, names, skipped)

    def _read(
        self, line: int, cells: list[str], layout: Layout, names: _Names, rows: _Rows
    ) -> None:
        """Take over one row, or leave it out if nobody asked for it."""
        needed = (layout.label, layout.pixels, layout.usage, layout.subject)
        if len(cells) <= max(column for column in needed if column is not None):
            raise ValueError(f"the row has only {len(cells)} cells")
        if not self._is_wanted_split(cells, layout, rows):
            return
        code = names.code(cells[layout.label])
        if code is None:
            return
        pixels = read_pixels(cells[layout.pixels])
        image = pixels.reshape(layout.shape(len(pixels)))
        rows.stats.add(image)
        rows.pixels += to_pixels(image[None], rows.spec).tobytes()
        rows.codes.append(code)
        rows.lines.append(line)
        if layout.subject is not None:
            rows.subject_ids.append(cells[layout.subject])

    def _is_wanted_split(self, cells: list[str], layout: Layout, rows: _Rows) -> bool:
        if self.usage is None:
            return True
        if layout.usage is None:
            raise DataError(
                f"`usage` must go with a file that has a column Usage. Received {self.path} with "
                f"{', '.join(layout.header) or 'no header'}. Name the column: `usage_column=2`."
            )
        found = cells[layout.usage]
        rows.usages.setdefault(found.casefold(), found)
        return found.casefold() == self.usage.casefold()

    def _dataset(self, rows: _Rows, names: _Names, skipped: list[SkippedSample]) -> Dataset:
        count = len(rows.codes)
        if not count:
            usages = f"; its splits are {', '.join(rows.usages.values())}" if rows.usages else ""
            raise DataError(
                "`path` must hold rows of the wanted labels and split. Received none: "
                f"{self.path} has the labels {', '.join(names.written) or 'none'}{usages}; "
                f"{len(skipped)} bad rows."
            )
        labels = names.in_order(self.path)
        truth = names.columns(labels)[np.frombuffer(rows.codes, dtype=np.uint16)]
        images = np.frombuffer(rows.pixels, dtype=np.uint8)
        lines = np.frombuffer(rows.lines, dtype=np.int64).astype(np.str_)
        data = Dataset(
            images.reshape(count, *rows.spec.shape),
            np.eye(len(labels), dtype=np.float32)[truth],
            labels,
            np.array(rows.subject_ids or np.full(count, ""), dtype=np.str_),
            np.char.add(f"{self.path.name}:", lines),
        )
        # Which labels "standard" means is known only now that all rows are read.
        chosen = labels if names.wish is None else select_labels(names.wish, labels).known
        data = data if chosen == labels else data.only(chosen)
        return replace(data, skipped=tuple(skipped), image_stats=rows.stats)


@dataclass(slots=True)
class _Rows:
    """What is kept of the rows, about as compact as the result.

    Attributes:
        spec: What every image is brought to.
    """

    spec: InputSpec
    pixels: bytearray = field(default_factory=bytearray)
    codes: array[int] = field(default_factory=lambda: array("H"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    subject_ids: list[str] = field(default_factory=list)
    usages: dict[str, str] = field(default_factory=dict)
    stats: ImageStats = field(default_factory=ImageStats)


class _Names:
    """From labels as they are written to labels of the result.

    Attributes:
        wish: The user's target emotions.
        written: The first labels as they are written, to be named in errors.
    """

    def __init__(self, meaning: Mapping[str, str] | None, wish: str | Sequence[str] | None) -> None:
        self.wish = wish
        self.written: dict[str, None] = {}
        self._meaning = (
            None
            if meaning is None
            else {str(key).strip(): canonical(value) for key, value in meaning.items()}
        )
        self._codes: dict[str, int] = {}
        for label in sorted(set((self._meaning or {}).values())):
            self._codes[label] = len(self._codes)
        listed = None if isinstance(wish, str) else wish  # a word is `all` or `standard`
        self._wanted = None if listed is None else {canonical(label) for label in listed}

    def code(self, written: str) -> int | None:
        """Number of a label, by order of appearance; None where nobody asked for it."""
        if not written:
            raise ValueError("the label is empty")
        if len(self.written) < _NAMED_IN_ERRORS:
            self.written[written] = None
        if self._meaning is None:
            label = canonical(written)
        elif (label := self._meaning.get(written, "")) == "":
            return None
        if len(self._codes) > _MOST_LABELS:
            raise DataError(
                "`label_column` must be the column of labels. Received one with more than "
                f"{_MOST_LABELS:,} different ones, such as {', '.join(self.written)}."
            )
        code = self._codes.setdefault(label, len(self._codes))
        return code if self._wanted is None or label in self._wanted else None

    def in_order(self, path: Path) -> tuple[str, ...]:
        """Labels of the result: in alphabetical order, or as the user listed them."""
        found = tuple(sorted(self._codes))
        if len(found) < 2:
            raise DataError(
                f"`path` must hold rows of two labels or more. Received {path} with only "
                f"{', '.join(found)}. Check `label_column`, `labels` and `usage`."
            )
        return found if self._wanted is None else select_labels(self.wish or (), found).known

    def columns(self, labels: tuple[str, ...]) -> NDArray[np.intp]:
        """Column of the targets for each code; 0 for codes that no row has."""
        places = [labels.index(label) if label in labels else 0 for label in self._codes]
        return np.array(places, dtype=np.intp)


def _meaning(
    path: Path, layout: Layout, labels: Mapping[str, str] | None
) -> Mapping[str, str] | None:
    """What numbers stand for. They are never guessed: a wrong guess would mislabel every face."""
    numbers = [text for text in layout.first_labels if text.isdecimal()]
    if labels is not None or not numbers or len(numbers) < len(layout.first_labels):
        return labels
    if layout.is_fer2013:
        return FER2013_LABELS
    shown = ", ".join(dict.fromkeys(numbers[:_NAMED_IN_ERRORS]))
    raise DataError(
        f"The labels in {path} must be names, or numbers with a name. Received {shown}. "
        f'Write into {settings_path(path)}: labels = {{ 0 = "anger", 1 = "disgust" }}; '
        "CSVDataLoader takes the same as an argument, such as FER2013_LABELS."
    )
