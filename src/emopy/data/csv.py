"""`CSVDataLoader`: a CSV file with one face per row, its pixels written as text."""

from __future__ import annotations

import csv
import io
import os
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from emopy.data.csv_layout import (
    LABELS_EXAMPLE,
    CSVLayout,
    Layout,
    find_layout,
    parse_pixels,
    settings_path,
)
from emopy.data.dataset import Dataset, ImageStats, SkippedSample, refuse_skipped
from emopy.errors import DataError
from emopy.escaping import one_line, unquote_csv_text
from emopy.labels import (
    FER2013_LABELS,
    canonical,
    composed,
    is_number,
    label_code,
    select_labels,
)
from emopy.models.card import InputSpec
from emopy.models.preprocessing import to_pixels

_PEEKED_ROWS = 64
"""First rows that show the layout of a file."""

_DELIMITERS = ",;\t|"
_MAX_CELL_LENGTH = 2**24
"""Characters of one cell: a gray image of about 2,000 × 2,000 pixels."""

_NOT_UTF8 = "not UTF-8: save the file as CSV UTF-8"
_MAX_LISTED = 10
_MAX_LABELS = 1000


class CSVDataLoader:
    """Loads faces from a CSV file such as FER2013's: one face per row.

        emotion,pixels,Usage
        3,70 80 82 … 106,Training

    Pixels are whole numbers 0–255 separated by space, row by row from the top left; for images
    in color red, green and blue of each pixel. Squares of another size are resized, and channels
    are converted, as for prediction. The file is streamed: memory holds the result and one row.

    Args:
        path: The file.
        labels: Emotions that the written labels stand for, such as
            ``{"0": "anger", "3": "happiness"}``; rows with other labels are left out. By
            default labels are words, of which aliases are understood, or, in a file with the
            columns of FER2013, its codes. ``3.0`` is the code 3. Codes that FER2013 does not know,
            and numbers among words, are listed once each in `Dataset.skipped`, with their count.
        target_emotions: Labels to load, in this order; all by default.
        size: (height, width) in pixels of the result. Images of that size are loaded unchanged;
            others must be squares, and are resized. Specify it for images that are not square:
            their size cannot be derived from their numbers. Default: the size of most of the
            first images.
        channels: 1 for gray, 3 for RGB; by default as most of the first images.
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
        """Load the rows in their order.

        Returns:
            (n, height, width, channels) faces with one-hot targets; labels in alphabetical
            order, or as requested; `sources` are the file's name and the line.

        Raises:
            DataError: No such file, another layout, numbers for labels without a meaning, fewer
                than two labels, or no row left; with ``strict``, any bad row.
            LabelError: The file has no row of a requested label.
        """
        skipped: list[SkippedSample] = []
        lines = csv_rows(self.path, skipped, delimiter=self.layout.get("delimiter"))
        first = list(islice(lines, _PEEKED_ROWS))
        layout = find_layout(self.path, self.layout, self.size, [cells for _, cells in first])
        meaning = _label_meaning(self.path, layout, self.labels)
        labels = _LabelCoder(
            meaning,
            self.target_emotions,
            selective=self.labels is not None,
            codes=FER2013_LABELS if layout.is_fer2013 else None,
        )
        rows = _LoadedRows(InputSpec(*layout.size, self.channels or layout.channels))
        for line, cells in islice(chain(first, lines), 1 if layout.header else 0, None):
            try:
                self._load_row(line, cells, layout, labels, rows)
            except DataError:
                raise
            except ValueError as error:
                skipped.append(SkippedSample(str(self.path), str(error), line=line))
        skipped += labels.without_meaning(self.path)
        if self.strict:
            refuse_skipped(skipped, "rows")
        return self._dataset(rows, labels, skipped)

    def _load_row(
        self, line: int, cells: list[str], layout: Layout, labels: _LabelCoder, rows: _LoadedRows
    ) -> None:
        """Add one row, unless it has another label or split than the requested ones."""
        if len(cells) < layout.width:
            raise ValueError(f"the row has only {len(cells)} cells")
        if not self._is_requested_split(cells, layout, rows):
            return
        code = labels.encode(cells[layout.label], line)
        if code is None:
            return
        pixels = parse_pixels(cells[layout.pixels])
        image = pixels.reshape(layout.shape(len(pixels)))
        rows.stats.add(image)
        rows.pixels += to_pixels(image[None], rows.spec).tobytes()
        rows.codes.append(code)
        rows.lines.append(line)
        if layout.subject is not None:
            rows.subject_ids.append(composed(cells[layout.subject]))

    def _is_requested_split(self, cells: list[str], layout: Layout, rows: _LoadedRows) -> bool:
        if self.usage is None:
            return True
        if layout.usage is None:
            raise DataError(
                f"`usage` must go with a file that has a column Usage. Received {self.path} with "
                f"{', '.join(layout.header) or 'no header'}. Name the column: `usage_column=2`."
            )
        found = composed(cells[layout.usage])
        rows.usages.setdefault(found.casefold(), found)
        return found.casefold() == composed(self.usage).casefold()

    def _dataset(
        self, rows: _LoadedRows, coder: _LabelCoder, skipped: list[SkippedSample]
    ) -> Dataset:
        count = len(rows.codes)
        if not count:
            labels = f" Its labels are {', '.join(coder.written)}." if coder.written else ""
            usages = f" Its splits are {', '.join(rows.usages.values())}." if rows.usages else ""
            bad = f" {sum(each.count for each in skipped):,} rows could not be read, the first: "
            bad = f"{bad}{skipped[0]}." if skipped else ""
            raise DataError(
                "`path` must hold rows of the requested labels and split. Received "
                f"{self.path}, which has no such row.{labels}{usages}{bad}"
            )
        labels = coder.labels_in_order(self.path)
        truth = coder.columns(labels)[np.frombuffer(rows.codes, dtype=np.uint16)]
        images = np.frombuffer(rows.pixels, dtype=np.uint8)
        lines = np.frombuffer(rows.lines, dtype=np.int64).astype(np.str_)
        data = Dataset(
            images.reshape(count, *rows.spec.shape),
            np.eye(len(labels), dtype=np.float32)[truth],
            labels,
            np.array(rows.subject_ids or np.full(count, ""), dtype=np.str_),
            np.char.add(f"{self.path.name}:", lines),
        )
        if coder.target_emotions is not None:
            # The labels that "standard" means are known only after all rows are read.
            chosen = select_labels(coder.target_emotions, labels).known
            data = data if chosen == labels else data.only(chosen)
        return replace(data, skipped=tuple(skipped), image_stats=rows.stats)


@dataclass(slots=True)
class _LoadedRows:
    """The rows loaded so far, about as compact as the result.

    Attributes:
        spec: Size and channels of every image.
        usages: Splits in the file, by their case-folded name.
    """

    spec: InputSpec
    pixels: bytearray = field(default_factory=bytearray)
    codes: array[int] = field(default_factory=lambda: array("H"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    subject_ids: list[str] = field(default_factory=list)
    usages: dict[str, str] = field(default_factory=dict)
    stats: ImageStats = field(default_factory=ImageStats)


class _LabelCoder:
    """Gives each written label a number.

    Args:
        meaning: Emotions that the written labels stand for; None if they are words.
        target_emotions: The labels that the user requested.
        selective: Whether the user chose `meaning`, so that other labels are left out.
        codes: All codes of the format, if it is known.

    Attributes:
        target_emotions: The labels that the user requested.
        written: The first labels as they are written, for error messages.
    """

    def __init__(
        self,
        meaning: Mapping[str, str] | None,
        target_emotions: str | Sequence[str] | None,
        *,
        selective: bool,
        codes: Collection[str] | None,
    ) -> None:
        self.target_emotions = target_emotions
        self.written: dict[str, None] = {}
        self._selective = selective
        self._known_codes = codes
        self._meaning = (
            None
            if meaning is None
            else {_code_or_word(str(key)): canonical(value) for key, value in meaning.items()}
        )
        names = sorted(set((self._meaning or {}).values()))
        self._codes = {label: code for code, label in enumerate(names)}
        self._unknown: dict[str, SkippedSample] = {}
        # A string is "all" or "standard".
        listed = None if isinstance(target_emotions, str) else target_emotions
        self._requested = None if listed is None else {canonical(label) for label in listed}

    def encode(self, written: str, line: int) -> int | None:
        """Number of a label, in order of appearance; None if it has no meaning or is not wanted."""
        if not written:
            raise ValueError("the label is empty")
        if one_line(written) != written:
            raise ValueError(f"the label {written!a} must be printable characters")
        if len(self.written) < _MAX_LISTED:
            self.written[written] = None
        label = self._label(written)
        if max(len(self._codes), len(self._unknown)) > _MAX_LABELS:
            raise DataError(
                "`label_column` must be the column of labels. Received one with more than "
                f"{_MAX_LABELS:,} different ones, such as {', '.join(self.written)}."
            )
        if label is None:
            self._note_unknown(written, line)
            return None
        code = self._codes.setdefault(label, len(self._codes))
        return code if self._requested is None or label in self._requested else None

    def _label(self, written: str) -> str | None:
        if self._meaning is None:
            return None if is_number(written) else canonical(written)
        return self._meaning.get(_code_or_word(written))

    def _note_unknown(self, written: str, line: int) -> None:
        if self._selective and self._may_be_left_out(written):
            return
        if known := self._unknown.get(written):
            self._unknown[written] = replace(known, count=known.count + 1)
            return
        if self._meaning is None:
            reason = f"the label {written!r} is a number, the others are words"
        else:
            codes = ", ".join(self._known_codes or self._meaning)
            reason = f"the label {written!r} is none of the codes {codes}"
        self._unknown[written] = SkippedSample("", reason, line=line)

    def _may_be_left_out(self, written: str) -> bool:
        """Whether the user's mapping may leave out a label: a word, or a code of the format."""
        if code := label_code(written):
            return self._known_codes is None or code in self._known_codes
        return not is_number(written)

    def without_meaning(self, path: Path) -> list[SkippedSample]:
        """The labels without a meaning, once each, with the number of their rows."""
        return [replace(sample, source=str(path)) for sample in self._unknown.values()]

    def labels_in_order(self, path: Path) -> tuple[str, ...]:
        """Labels of the result: in alphabetical order, or as the user listed them."""
        found = tuple(sorted(self._codes))
        if len(found) < 2:
            raise DataError(
                f"`path` must hold rows of two labels or more. Received {path} with only "
                f"{', '.join(found)}. Check `label_column`, `labels` and `usage`."
            )
        if self._requested is None:
            return found
        return select_labels(self.target_emotions or (), found).known

    def columns(self, labels: tuple[str, ...]) -> NDArray[np.intp]:
        """Column of the targets for each number; 0 for numbers without a row."""
        places = [labels.index(label) if label in labels else 0 for label in self._codes]
        return np.array(places, dtype=np.intp)


def _code_or_word(written: str) -> str:
    """A label as it is compared: ``"3"`` for ``"3.0"``, words composed (NFC)."""
    return label_code(written) or composed(written.strip())


def _label_meaning(
    path: Path, layout: Layout, labels: Mapping[str, str] | None
) -> Mapping[str, str] | None:
    """What numbers stand for. It is never assumed: a wrong meaning would mislabel every face."""
    numbers = [text for text in layout.first_labels if is_number(text)]
    if labels is not None or not numbers or 2 * len(numbers) < len(layout.first_labels):
        return labels
    if layout.is_fer2013:
        return FER2013_LABELS
    shown = ", ".join(dict.fromkeys(numbers[:_MAX_LISTED]))
    raise DataError(
        f"The labels in {path} must be names, or numbers with a name. Received {shown}. "
        f"Write into {settings_path(path)}: {LABELS_EXAMPLE}; "
        "CSVDataLoader takes the same as an argument, such as FER2013_LABELS."
    )


def csv_rows(
    path: Path, skipped: list[SkippedSample], *, delimiter: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV file line by line; memory holds one line.

    Every line is one row: a quotation mark that is never closed spoils its own row only. Blank
    lines are ignored. The file is UTF-8, or UTF-16 with a byte order mark.

    Args:
        path: The file.
        skipped: Receives the lines that are not rows.
        delimiter: Character between two cells. Default: the most frequent of , ; tab | in the
            first line.

    Yields:
        The line's number, counted from 1, and its cells without surrounding space.

    Raises:
        DataError: No such file, or a delimiter of several characters.
    """
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise DataError(f"`delimiter` must be one character. Received {delimiter!r}. Type ';'.")
    if not path.is_file():
        raise DataError(f"`path` must be a CSV file. Received {path}: no such file.")
    # The limit belongs to the process, not to a reader; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL_LENGTH))
    with path.open("rb") as stream:
        utf16 = stream.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")
        text = io.TextIOWrapper(stream, "utf-16" if utf16 else "utf-8-sig", errors="replace")
        for number, line in enumerate(text, start=1):
            if not line.strip():
                continue
            if "\ufffd" in line:  # else two names could become one
                skipped.append(SkippedSample(str(path), _NOT_UTF8, line=number))
                continue
            delimiter = delimiter or max(_DELIMITERS, key=line.count)
            try:
                cells = next(csv.reader((line,), delimiter=delimiter, skipinitialspace=True))
            except csv.Error as error:
                skipped.append(SkippedSample(str(path), str(error), line=number))
            else:
                yield number, [unquote_csv_text(cell.strip()) for cell in cells]
