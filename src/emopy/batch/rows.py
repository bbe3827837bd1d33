"""Rows of results in Parquet objects: written, joined and counted."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from emopy.batch.storage import Storage
from emopy.errors import import_extra
from emopy.present import open_table
from emopy.present.table import ROW_GROUP_SIZE
from emopy.types import FailedInput, ImageResult

MERGED_ROW_GROUP_SIZE = 2**17
"""Rows of a row group of a table of a whole run: the most that are held in memory."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an object holds.

    Attributes:
        images: Images and frames of videos, with the inputs that could not be read; 0 where
            only the rows are known.
        rows: Rows.
        faces: Faces.
        failures: Inputs that could not be read.
    """

    images: int = 0
    rows: int = 0
    faces: int = 0
    failures: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.images + other.images,
            self.rows + other.rows,
            self.faces + other.faces,
            self.failures + other.failures,
        )


def write_results(
    storage: Storage, name: str, results: Iterable[ImageResult | FailedInput], labels: Sequence[str]
) -> Counts:
    """Write results as one Parquet object, and return how many they are."""
    file = io.BytesIO()
    counts = Counts()
    with open_table(file, labels, format="parquet") as table:
        for result in results:
            table.write(result)
            if isinstance(result, FailedInput):
                counts += Counts(1, 1, 0, 1)
            else:
                counts += Counts(1, max(1, len(result.faces)), len(result.faces), 0)
    storage.write(name, file.getbuffer())
    return counts


def join_parts(
    storage: Storage, parts: Iterable[str], stream: IO[bytes], *, group: int = ROW_GROUP_SIZE
) -> int:
    """Write the rows of several objects as one, and return how many they are.

    The bytes depend on the rows alone, not on how they are divided into objects.

    Args:
        storage: Where the objects are.
        parts: Their names, one or more.
        stream: What is written to.
        group: Rows of a row group; by default as `write_results` writes them.

    Raises:
        InputError: One of them is not there.
        OSError: One of them cannot be read, or the rows not be written.
    """
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    rows = 0
    writer: Any = None
    try:
        for table in _tables(storage, parts, group):
            writer = writer or parquet.ParquetWriter(stream, table.schema)
            writer.write_table(table.combine_chunks())
            rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows


def count_rows(storage: Storage, name: str) -> Counts:
    """Return what an object holds, from the statistics of its footer."""
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    with storage.explained(name), storage.open(name) as stream:
        found = parquet.ParquetFile(stream).metadata
    names = found.schema.names
    face, error = names.index("face"), names.index("error")
    counts = Counts()
    for number in range(found.num_row_groups):
        group = found.row_group(number)
        empty = [group.column(column).statistics.null_count for column in (face, error)]
        counts += Counts(0, group.num_rows, *(group.num_rows - each for each in empty))
    return counts


def _tables(storage: Storage, parts: Iterable[str], group: int) -> Iterator[Any]:
    """The rows of several objects as tables of `group` rows; the last one has fewer, or none."""
    arrow: Any = import_extra("pyarrow", feature="Batch runs", extra="tables")
    kept: Any = None
    for part in parts:
        for table in _row_groups(storage, part):
            kept = table if kept is None else arrow.concat_tables([kept, table])
            while kept.num_rows > group:
                yield kept.slice(0, group)
                kept = kept.slice(group)
    yield kept


def _row_groups(storage: Storage, part: str) -> Iterator[Any]:
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    with storage.explained(part), storage.open(part) as stream:
        file = parquet.ParquetFile(stream)
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)
        if not file.num_row_groups:
            yield file.schema_arrow.empty_table()
