"""CSV, JSON and JSON Lines: the tables of images.

    with CSVSink("faces.csv", model.labels) as sink:
        for result in model.predict_many(paths):
            sink.write(result)

Every input leaves a trace: an image without a face, and one that could not be read, have a row
or object of their own. Nothing is held in memory.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from functools import cached_property
from typing import IO, Any

from emopy.present.record import as_record
from emopy.present.sink import Sink, label_columns
from emopy.types import FailedInput, ImageResult


class CSVSink(Sink):
    """A tidy table: one row per face, one column per emotion.

    Columns: source, width, height, face (number from 1), left, top, right, bottom (pixels),
    score, emotion, confidence, one per label, error. An image without a face has one row with
    empty face columns; a failed input has one row with its reason under ``error``. A label that
    is also the name of a column gets ``_probability`` behind it.
    """

    _BEFORE = (
        *("source", "width", "height", "face", "left", "top", "right", "bottom", "score"),
        *("emotion", "confidence"),
    )

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        return (*self._BEFORE, *label_columns(self.labels, (*self._BEFORE, "error")), "error")

    def _records(self, result: ImageResult | FailedInput) -> Iterable[dict[str, Any]]:
        record, columns = as_record(result), self._columns
        image = [record["source"], record["width"], record["height"]]
        if not record["faces"]:
            blank = [None] * (len(columns) - len(image) - 1)
            yield dict(zip(columns, [*image, *blank, record["error"]], strict=True))
        for face in record["faces"]:
            numbers = [face["face"], *face["box"].values(), face["score"]]
            answer = [face["emotion"], face["confidence"], *face["probabilities"].values()]
            yield dict(zip(columns, [*image, *numbers, *answer, None], strict=True))

    def _begin(self) -> None:
        self._row(self._columns)

    def _add(self, record: dict[str, Any]) -> None:
        self._row(record.values())

    def _row(self, cells: Iterable[Any]) -> None:
        # Only with this line end does the writer quote a lone carriage return in a cell.
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(cells)
        self._out.write(line.getvalue().removesuffix("\r\n") + "\n")

    def _end(self) -> None:
        self._out.flush()


class JSONLSink(Sink):
    """JSON Lines: one object per image and line, as `as_record` gives it."""

    def _begin(self) -> None:
        """JSON Lines have no head."""

    def _add(self, record: dict[str, Any]) -> None:
        self._out.write(_as_json(record, self._out) + "\n")

    def _end(self) -> None:
        self._out.flush()


class JSONSink(Sink):
    """One JSON array with an object per image, as `as_record` gives it.

    The array is closed even when the ``with`` block ends early, so that what was written to a
    stream stays valid JSON.
    """

    def _begin(self) -> None:
        self._out.write("[")
        self._separator = "\n"

    def _add(self, record: dict[str, Any]) -> None:
        self._out.write(f"{self._separator}  {_as_json(record, self._out)}")
        self._separator = ",\n"

    def _end(self) -> None:
        self._out.write("\n]\n" if self._separator == ",\n" else "]\n")
        self._out.flush()


def _as_json(record: dict[str, Any], stream: IO[Any]) -> str:
    """One line of JSON, with escapes where the stream's encoding may lack a character."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    plain = not str(encoding).lower().startswith("utf")
    return json.dumps(record, ensure_ascii=plain, allow_nan=False)
