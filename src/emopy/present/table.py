"""`open_table`: write results as CSV, JSON, JSON Lines or Parquet.

    with open_table("faces.csv", model.labels) as table:
        for result in model.predict_many(paths):
            table.write(result)

CSV, JSON Lines and Parquet hold the rows of `emopy.result_table.to_rows`; JSON holds the
objects of `ImageResult.to_dict`. Images without a face and failed inputs are included. Memory use
does not grow with the number of results.
"""

from __future__ import annotations

import csv
import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Self, cast

from emopy.errors import InputError, alternatives, import_extra
from emopy.escaping import quote_csv_text
from emopy.files import atomic_file
from emopy.present.frame import arrow_schema
from emopy.result_table import check_labels, row_columns, to_rows
from emopy.tables import TABLE_FORMATS, other_format
from emopy.types import FailedInput, ImageResult

ROW_GROUP_SIZE = 8192
"""Rows of a Parquet row group: the most that are held in memory."""


class Table(ABC):
    """Writes results one by one to a file or stream; use it in a ``with`` block.

    A file is written under a temporary name and renamed when the ``with`` block ends. After an
    exception it is removed, and an existing file is unchanged. A stream is flushed after each
    result and stays open.

    Args:
        target: Path of the file to write, or a stream: of bytes for Parquet, else of text.
        labels: Labels of every prediction, in order.
    """

    def __init__(self, target: IO[Any] | str | os.PathLike[str], labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._target = target
        self._stack = ExitStack()
        self._stream: IO[Any] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if isinstance(self._target, str | os.PathLike):
                partial = stack.enter_context(atomic_file(self._target))
                self._stream = stack.enter_context(self._open(partial))
            else:
                self._stream = self._target
            with self._naming_stream():
                self._begin()
            stack.push(self._finish)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._stack.__exit__(*cast(Any, error))
        finally:
            self._stream = None

    def _finish(self, *error: object) -> None:
        # After an error of the stream, writing to it again would hide the first error.
        if not isinstance(error[1], OSError):
            with self._naming_stream():
                self._end()

    def write(self, result: ImageResult | FailedInput) -> None:
        """Write the faces of one image or frame, or the error of a failed input.

        Raises:
            InputError: Other labels than those of the table, or called outside the ``with`` block.
        """
        stream = self._out
        with self._naming_stream():
            self._write(result)
            stream.flush()

    @contextmanager
    def _naming_stream(self) -> Generator[None]:
        """Name a stream in its errors, which are not those of a file that is being written."""
        try:
            yield
        except OSError as error:
            if error.filename is None and not isinstance(self._target, str | os.PathLike):
                error.filename = getattr(self._target, "name", None)
            raise

    @property
    def _out(self) -> IO[Any]:
        if self._stream is None:
            raise InputError(
                "`write` must be called inside the `with` block of a table. Received a result "
                "outside it. Type: with open_table(path, labels) as table: ..."
            )
        return self._stream

    def _open(self, path: Path) -> IO[Any]:
        return path.open("w", encoding="utf-8", newline="")

    def _begin(self) -> None:  # noqa: B027 (optional)
        """Write what comes before the first result."""

    @abstractmethod
    def _write(self, result: ImageResult | FailedInput) -> None:
        """Write one result."""

    def _end(self) -> None:  # noqa: B027 (optional)
        """Write what comes after the last result."""


class CSVTable(Table):
    """CSV with a header line.

    Texts that a spreadsheet would take for formulas are written with an apostrophe before them:
    `emopy.escaping.quote_csv_text`.
    """

    def _begin(self) -> None:
        self._write_line(row_columns(self.labels))

    def _write(self, result: ImageResult | FailedInput) -> None:
        for row in to_rows(result, self.labels):
            self._write_line(row.values())

    def _write_line(self, cells: Iterable[Any]) -> None:
        # Only with this line end does the writer quote a lone carriage return in a cell.
        line = io.StringIO(newline="")
        quoted = (quote_csv_text(cell) if isinstance(cell, str) else cell for cell in cells)
        csv.writer(line, lineterminator="\r\n").writerow(quoted)
        self._out.write(line.getvalue().removesuffix("\r\n") + "\n")


class JSONLinesTable(Table):
    """JSON Lines: one row per line, as an object with the columns as keys."""

    def _write(self, result: ImageResult | FailedInput) -> None:
        for row in to_rows(result, self.labels):
            self._out.write(_to_json(row, self._out) + "\n")


class JSONTable(Table):
    """A JSON array with one nested object per image or frame.

    The array is closed even when the ``with`` block ends early, so that a stream holds valid JSON.
    """

    def _begin(self) -> None:
        self._out.write("[")
        self._separator = "\n"

    def _write(self, result: ImageResult | FailedInput) -> None:
        check_labels(result, self.labels)
        self._out.write(f"{self._separator}  {_to_json(result.to_dict(), self._out)}")
        self._separator = ",\n"

    def _end(self) -> None:
        self._out.write("\n]\n" if self._separator == ",\n" else "]\n")
        self._out.flush()


class ParquetTable(Table):
    """Parquet with typed columns, written row group by row group."""

    def _open(self, path: Path) -> IO[Any]:
        return path.open("wb")

    def _begin(self) -> None:
        self._arrow = _require_parquet()
        parquet = import_extra("pyarrow.parquet", feature="Writing Parquet files", extra="tables")
        if isinstance(self._out, io.TextIOBase):
            raise InputError(
                "`target` must be a binary stream for Parquet. Received a text stream. "
                "Give its `.buffer`, or a path."
            )
        self._schema = arrow_schema(self._arrow, self.labels)
        self._rows: list[dict[str, Any]] = []
        self._writer = parquet.ParquetWriter(self._out, self._schema)

    def _write(self, result: ImageResult | FailedInput) -> None:
        for row in to_rows(result, self.labels):
            self._rows.append(row)
            if len(self._rows) == ROW_GROUP_SIZE:
                self._write_row_group()

    def _end(self) -> None:
        if self._rows:
            self._write_row_group()
        self._writer.close()

    def _write_row_group(self) -> None:
        self._writer.write_table(self._arrow.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()


_TABLES: dict[str, type[Table]] = dict(
    zip(TABLE_FORMATS, (CSVTable, JSONTable, JSONLinesTable, ParquetTable), strict=True)
)


def open_table(
    target: IO[Any] | str | os.PathLike[str],
    labels: Sequence[str],
    *,
    format: str | None = None,  # noqa: A002
) -> Table:
    """Return a context manager with ``write(result)`` for results of images and videos alike.

    Args:
        target: Path of the file to write, or a stream: of bytes for Parquet, else of text.
        labels: Labels of every prediction, in order.
        format: ``"csv"``, ``"json"``, ``"jsonl"`` or ``"parquet"``; None uses the suffix of the
            path.

    Raises:
        InputError: Unknown format.
        MissingExtraError: Parquet without the extra ``tables``.
    """
    return _TABLES[table_format(target, format)](target, labels)


def table_format(target: object, format: str | None = None) -> str:  # noqa: A002
    """Return the format that `open_table` would write, without opening anything.

    Args:
        target: Path of the file, or a stream.
        format: One of `TABLE_FORMATS`; None uses the suffix of the path.

    Raises:
        InputError: Unknown format, or a stream without a format.
        MissingExtraError: Parquet without the extra ``tables``.
    """
    is_path = isinstance(target, str | os.PathLike)
    path = Path(cast("str | os.PathLike[str]", target)) if is_path else Path()
    name = path.suffix[1:].lower() if format is None else format
    if name == "parquet":
        _require_parquet()
    if name in _TABLES:
        return name
    if format is None and is_path:
        example = f"Type for example: {path.stem or 'faces'}.csv"
        suffixes = alternatives(f".{name}" for name in _TABLES)
        raise InputError(
            f"`target` must end in {suffixes}. Received {str(path)!r}. "
            f"{other_format(name, example)}"
        )
    raise InputError(
        f"`format` must be {alternatives(_TABLES)}. Received {format!r}. "
        "Type for example: `format='csv'`"
    )


def _require_parquet() -> Any:
    return import_extra("pyarrow", feature="Writing Parquet files", extra="tables")


def _to_json(record: dict[str, Any], stream: IO[Any]) -> str:
    """One line of JSON; characters are escaped where the stream's encoding may not have them."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    escaped = not str(encoding).lower().startswith("utf")
    return json.dumps(record, ensure_ascii=escaped, allow_nan=False)
