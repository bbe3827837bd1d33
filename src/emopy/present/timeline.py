"""Timelines: the faces of a video as a tidy table, one row per face and frame.

    with open_timeline("faces.parquet", model.labels) as sink:
        for result in model.predict_video("clip.mp4"):
            sink.write(result)

CSV, JSON, JSON Lines and Parquet have the same columns and the same numbers. Every frame leaves
a trace: one without a face has a row with empty face cells. Nothing grows with the video.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from emopy.errors import InputError
from emopy.present.extras import extra_module
from emopy.present.record import as_record
from emopy.present.sink import Sink, check_labels, label_columns
from emopy.present.table import CSVSink, JSONLSink, JSONSink
from emopy.types import FailedInput, ImageResult

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

_FACE = ("track", "left", "top", "right", "bottom", "score")
_BEFORE = ("source", "time_s", "frame", *_FACE)
_AFTER = ("emotion", "confidence")

_ROWS_AT_ONCE = 8192
"""Rows of a Parquet row group: the most that is held in memory."""


def timeline_columns(labels: Sequence[str]) -> tuple[str, ...]:
    """The columns of a timeline, in order.

    A label that is also the name of a column gets ``_probability`` behind it.

    Example:
        >>> timeline_columns(("anger", "fear"))[9:]
        ('anger', 'fear', 'emotion', 'confidence')
    """
    return (*_BEFORE, *label_columns(labels, (*_BEFORE, *_AFTER)), *_AFTER)


def _rows(result: ImageResult | FailedInput, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One row per face, or one with empty face cells."""
    record = as_record(result)
    if record["error"] is not None:
        raise InputError(
            f"`result` must be a video frame. Received the failed input {record['source']!r}. "
            "Leave it out of the timeline."
        )
    moment = [record["source"], record.get("time_s"), record.get("frame")]
    for face in record["faces"]:
        found = [face.get("track"), *face["box"].values(), face["score"]]
        answer = [*face["probabilities"].values(), face["emotion"], face["confidence"]]
        yield dict(zip(columns, [*moment, *found, *answer], strict=True))
    if not record["faces"]:
        blank = [None] * (len(columns) - len(moment))
        yield dict(zip(columns, [*moment, *blank], strict=True))


class _Timeline(Sink):
    """A sink whose rows or objects are those of a timeline."""

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        return timeline_columns(self.labels)

    def _records(self, result: ImageResult | FailedInput) -> Iterable[dict[str, Any]]:
        return _rows(result, self._columns)


class _CSVTimeline(_Timeline, CSVSink):
    pass


class _JSONTimeline(_Timeline, JSONSink):
    pass


class _JSONLTimeline(_Timeline, JSONLSink):
    pass


class _ParquetTimeline(_Timeline):
    """Columns of numbers for data frames; a row group is written whenever it is full."""

    def _open(self, path: Path) -> IO[Any]:
        return path.open("wb")

    def _begin(self) -> None:
        self._arrow = extra_module("pyarrow", feature="Writing Parquet files", extra="tables")
        parquet = extra_module("pyarrow.parquet", feature="Writing Parquet files", extra="tables")
        if isinstance(self._out, io.TextIOBase):
            raise InputError(
                "`target` must be a binary stream for Parquet. Received a text stream. "
                "Give its `.buffer`, or a path."
            )
        self._held: list[dict[str, Any]] = []
        kinds = {name: self._arrow.int64() for name in ("frame", "track")}
        kinds |= {name: self._arrow.string() for name in ("source", "emotion")}
        number = self._arrow.float64()
        self._schema = self._arrow.schema([(n, kinds.get(n, number)) for n in self._columns])
        self._writer = parquet.ParquetWriter(self._out, self._schema)

    def _add(self, record: dict[str, Any]) -> None:
        self._held.append(record)
        if len(self._held) == _ROWS_AT_ONCE:
            self._write_group()

    def _end(self) -> None:
        if self._held:
            self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_table(self._arrow.Table.from_pylist(self._held, self._schema))
        self._held.clear()


_KINDS: dict[str, type[_Timeline]] = {
    "csv": _CSVTimeline,
    "json": _JSONTimeline,
    "jsonl": _JSONLTimeline,
    "parquet": _ParquetTimeline,
}

TIMELINE_FORMATS = tuple(_KINDS)
"""Formats of a timeline: the names, and the suffixes of files."""


def open_timeline(
    target: IO[Any] | str | os.PathLike[str],
    labels: Sequence[str],
    *,
    format: str | None = None,  # noqa: A002
) -> Sink:
    """Make the sink that writes a timeline.

    A file appears when its ``with`` block ends; after an exception nothing is left of it, and a
    file that was there stays as it was. A stream stays open.

    Args:
        target: Path of the file to write, or a stream: of bytes for Parquet, else of text.
        labels: Labels of every prediction that will come, in order.
        format: csv, json, jsonl or parquet; None takes it from the suffix of the path.

    Returns:
        A context manager with ``write(result)``. Columns: source, time_s, frame (number from
        0), track, left, top, right, bottom (pixels), score, one per label, emotion, confidence.

    Raises:
        InputError: No such format.
        MissingExtraError: Parquet without the extra ``tables``.
    """
    return _KINDS[timeline_format(target, format)](target, labels)


def timeline_format(target: object, format: str | None = None) -> str:  # noqa: A002
    """Say which format a timeline will have, and early that it cannot be written.

    Args:
        target: Path of the file, or a stream.
        format: csv, json, jsonl or parquet; None takes it from the suffix of the path.

    Raises:
        InputError: No such format, or a stream without one.
        MissingExtraError: Parquet without the extra ``tables``.
    """
    named = isinstance(target, str | os.PathLike)
    path = Path(cast("str | os.PathLike[str]", target)) if named else Path()
    kind = path.suffix[1:].lower() if format is None else format
    if kind == "parquet":
        extra_module("pyarrow", feature="Writing Parquet files", extra="tables")
    if kind in _KINDS:
        return kind
    if format is None and named:
        raise InputError(
            f"`target` must end in .{', .'.join(_KINDS)}. Received {str(path)!r}. "
            f"Type for example: {path.stem or 'faces'}.csv"
        )
    raise InputError(
        f"`format` must be {', '.join(_KINDS)}. Received {format!r}. Type for example: format='csv'"
    )


def to_frame(results: Iterable[ImageResult], labels: Sequence[str] | None = None) -> pd.DataFrame:
    """Turn results into a data frame with the columns and numbers of a timeline.

    Args:
        results: Video frames, as `FERModel.predict_video` gives them; images have no time.
        labels: Labels of every prediction; None takes those of the first face.

    Returns:
        One row per face and frame. ``track`` and ``frame`` are nullable integers; the numbers
        of a frame without a face are missing.

    Raises:
        InputError: Faces with other labels, or a failed input.
        MissingExtraError: pandas is not installed.
    """
    pandas = extra_module("pandas", feature="Data frames", extra="tables")
    held = list(results)
    if labels is None:
        found = (face.prediction.labels for result in held for face in result.faces)
        labels = next(found, ())
    columns = timeline_columns(labels)
    cells: dict[str, list[Any]] = {name: [] for name in columns}
    for result in held:
        check_labels(result, labels)
        for row in _rows(result, columns):
            for name, value in row.items():
                cells[name].append(value)
    return pandas.DataFrame(
        {name: pandas.array(cells[name], dtype=_PANDAS.get(name, "float64")) for name in columns}
    )


_PANDAS = {"source": "string", "frame": "Int64", "track": "Int64", "emotion": "string"}
