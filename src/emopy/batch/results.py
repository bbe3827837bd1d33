"""`status`, `merge`: the shards of a run that are written, and one table of all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emopy.batch.plan import INPUTS_FILE, read_plan
from emopy.batch.storage import Storage, absolute
from emopy.errors import InputError, import_extra


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run is.

    Attributes:
        shards: Number of shards.
        done: Shards that are written.
        inputs: Number of inputs: images, videos and archives.
        done_inputs: Inputs of the shards that are written.
        rows: Rows of the shards that are written.
        faces: Faces in them.
        failures: Inputs in them that could not be read.
    """

    shards: int
    done: int
    inputs: int
    done_inputs: int
    rows: int
    faces: int
    failures: int

    @property
    def is_complete(self) -> bool:
        """Whether every shard is written."""
        return self.done == self.shards

    def to_dict(self) -> dict[str, int]:
        """Return the attributes."""
        return {name: getattr(self, name) for name in self.__slots__}


def status(out: str | os.PathLike[str]) -> Status:
    """Return how far a run is, from its folder alone.

    Raises:
        InputError: It is no folder of a run.
    """
    storage = Storage(out)
    plan = read_plan(storage)
    present = set(storage.names())
    done = [number for number in range(plan.shards) if plan.part(number) in present]
    counts = [_counts(storage, plan.part(number)) for number in done]
    rows, faces, failures = map(sum, zip(*counts, strict=True)) if counts else (0, 0, 0)
    inputs = _input_counts(storage, done)
    return Status(plan.shards, len(done), plan.inputs, inputs, rows, faces, failures)


def merge(out: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Join the shards of a complete run into one Parquet file, in the order of the inputs.

    Args:
        out: Folder or address of the results.
        target: The file to write; it appears when it is complete.

    Returns:
        The number of rows.

    Raises:
        InputError: The run is not complete, or the target is no Parquet file.
    """
    name = os.fsdecode(target)
    if not name.endswith(".parquet"):
        raise InputError(
            f"`target` must end in .parquet. Received {name}. For another format: "
            "pandas.read_parquet(target).to_csv(…)"
        )
    storage = Storage(out)
    plan = read_plan(storage)
    present = set(storage.names())
    parts = [plan.part(number) for number in range(plan.shards)]
    if missing := [part for part in parts if part not in present]:
        raise InputError(
            f"`out` must be a complete run. Received {storage.location}, in which {len(missing):,} "
            f"of {plan.shards:,} shards are missing. Rerun the command to finish it."
        )
    folder, _, file = absolute(name).rpartition("/")
    return join(storage, parts, file, Storage(folder))


def join(storage: Storage, parts: Iterable[str], name: str, target: Storage | None = None) -> int:
    """Write the rows of several Parquet objects as one, row group by row group."""
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    rows = 0
    writer: Any = None
    with (target or storage).writing(name) as stream:
        try:
            for part in parts:
                with storage.open(part) as opened:
                    file = parquet.ParquetFile(opened)
                    writer = writer or parquet.ParquetWriter(stream, file.schema_arrow)
                    for batch in file.iter_batches():
                        writer.write_batch(batch)
                        rows += batch.num_rows
        finally:
            if writer is not None:
                writer.close()
    return rows


def _counts(storage: Storage, part: str) -> tuple[int, int, int]:
    """Rows, faces and failures of a shard, from the statistics of its footer."""
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    with storage.open(part) as stream:
        found = parquet.ParquetFile(stream).metadata
    names = found.schema.names
    face, error = names.index("face"), names.index("error")
    faces = failures = 0
    for number in range(found.num_row_groups):
        group = found.row_group(number)
        faces += group.num_rows - group.column(face).statistics.null_count
        failures += group.num_rows - group.column(error).statistics.null_count
    return found.num_rows, faces, failures


def _input_counts(storage: Storage, shards: Iterable[int]) -> int:
    """Inputs of some shards."""
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    with storage.open(INPUTS_FILE) as stream:
        found = parquet.ParquetFile(stream).metadata
    return sum(found.row_group(number).num_rows for number in shards)
