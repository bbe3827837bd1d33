"""Sinks: results go in one by one; a CSV, JSON or JSON Lines file comes out.

    with CSVSink("faces.csv", model.labels) as sink:
        for result in model.predict_many(paths):
            sink.write(result)

Every input leaves a trace: a picture without a face, and one that could not be read, have a row
or object of their own. Nothing is held in memory.
"""

from __future__ import annotations

import csv
import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TextIO

from emopy.errors import InputError
from emopy.present.atomic import replacing
from emopy.present.record import as_record, writable
from emopy.types import FailedInput, ImageResult


class Sink(ABC):
    """What all sinks share: where they write, and when the file appears.

    A path is written under a temporary name, and renamed when the ``with`` block ends; after an
    exception nothing is left of it. A stream is written as results come, and stays open.

    Args:
        target: Text stream, or path of the file to write.
        labels: Labels of every prediction that will come, in order.
    """

    def __init__(self, target: TextIO | str | os.PathLike[str], labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._target = target
        self._stack = ExitStack()
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if isinstance(self._target, str | os.PathLike):
                partial = stack.enter_context(replacing(self._target))
                self._stream = stack.enter_context(partial.open("w", encoding="utf-8", newline=""))
            else:
                self._stream = self._target
            self._begin()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            # A stream that just failed would fail again, and hide the first reason.
            if not isinstance(error, OSError):
                self._end()
        except BaseException as late:
            self._stack.__exit__(type(late), late, late.__traceback__)
            raise
        else:
            self._stack.__exit__(kind, error, trace)
        finally:
            self._stream = None

    def write(self, result: ImageResult | FailedInput) -> None:
        """Add one picture's faces, or the reason why it failed.

        Raises:
            InputError: Labels other than the sink's, or outside the ``with`` block.
        """
        if isinstance(result, ImageResult):
            for face in result.faces:
                if face.prediction.labels != self.labels:
                    raise InputError(
                        f"`result` must have the labels of the sink, {list(self.labels)}. "
                        f"Received {list(face.prediction.labels)}. Give the sink model.labels."
                    )
        self._add(as_record(result))
        self._out.flush()

    @property
    def _out(self) -> TextIO:
        if self._stream is None:
            name = type(self).__name__
            raise InputError(
                f"`{name}` must be open to write. Received a result outside its `with` block. "
                f"Type: with {name}(path, labels) as sink: ..."
            )
        return self._stream

    @abstractmethod
    def _begin(self) -> None:
        """Write what comes before the first result."""

    @abstractmethod
    def _add(self, record: dict[str, Any]) -> None:
        """Write one result."""

    @abstractmethod
    def _end(self) -> None:
        """Write what comes after the last result."""


class CSVSink(Sink):
    """A tidy table: one row per face, one column per emotion.

    Columns: source, width, height, face (number from 1), left, top, right, bottom (pixels),
    score, emotion, confidence, one per label, error. A picture without a face has one row with
    empty face columns; a failed input has one row with its reason under ``error``. A label that
    is also the name of a column gets ``_probability`` behind it.
    """

    _BEFORE = (
        *("source", "width", "height", "face", "left", "top", "right", "bottom", "score"),
        *("emotion", "confidence"),
    )

    def _begin(self) -> None:
        taken = {*self._BEFORE, "error"}
        named = [f"{label}_probability" if label in taken else label for label in self.labels]
        self._row([*self._BEFORE, *map(writable, named), "error"])

    def _add(self, record: dict[str, Any]) -> None:
        picture = [record["source"], record["width"], record["height"]]
        empty = len(self._BEFORE) - len(picture) + len(self.labels)
        if not record["faces"]:
            self._row([*picture, *[None] * empty, record["error"]])
        for face in record["faces"]:
            numbers = [face["face"], *face["box"].values(), face["score"]]
            answer = [face["emotion"], face["confidence"], *face["probabilities"].values()]
            self._row([*picture, *numbers, *answer, None])

    def _row(self, cells: Sequence[Any]) -> None:
        # Only with this line end does the writer quote a lone carriage return in a cell.
        line = io.StringIO(newline="")
        csv.writer(line, lineterminator="\r\n").writerow(cells)
        self._out.write(line.getvalue().removesuffix("\r\n") + "\n")

    def _end(self) -> None:
        self._out.flush()


class JSONLSink(Sink):
    """JSON Lines: one object per picture and line, as `as_record` gives it."""

    def _begin(self) -> None:
        """JSON Lines have no head."""

    def _add(self, record: dict[str, Any]) -> None:
        self._out.write(_as_json(record, self._out) + "\n")

    def _end(self) -> None:
        self._out.flush()


class JSONSink(Sink):
    """One JSON array with an object per picture, as `as_record` gives it.

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


def _as_json(record: dict[str, Any], stream: TextIO) -> str:
    """One line of JSON, with escapes where the stream's encoding may lack a character."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    plain = not str(encoding).lower().startswith("utf")
    return json.dumps(record, ensure_ascii=plain, allow_nan=False)
