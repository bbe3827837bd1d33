"""`status`, `merge`: the shards of a run that are written, and one table of all of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from emopy.batch.plan import Plan, input_counts, read_plan
from emopy.batch.rows import MERGED_ROW_GROUP_SIZE, Counts, count_rows, join_parts
from emopy.batch.storage import Storage, absolute
from emopy.errors import InputError, naming

_THREADS = 16
"""Objects whose footers are read at the same time."""


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
        OSError: It cannot be read.
    """
    storage = Storage(out)
    plan = read_plan(storage)
    return status_of(storage, plan, range(plan.shards))


def status_of(storage: Storage, plan: Plan, shards: Iterable[int]) -> Status:
    """Return how far some shards of a run are."""
    inputs = input_counts(storage, plan)
    present = set(storage.names())
    shards = list(shards)
    done = [number for number in shards if plan.part(number) in present]
    with ThreadPoolExecutor(_THREADS) as threads:
        counts = threads.map(partial(count_rows, storage), map(plan.part, done))
        found = sum(counts, start=Counts())
    return Status(
        shards=len(shards),
        done=len(done),
        inputs=sum(inputs[number] for number in shards),
        done_inputs=sum(inputs[number] for number in done),
        rows=found.rows,
        faces=found.faces,
        failures=found.failures,
    )


def merge(out: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Join the shards of a complete run into one Parquet file, in the order of the inputs.

    Args:
        out: Folder or address of the results.
        target: The file or address to write; it appears when it is complete.

    Returns:
        The number of rows.

    Raises:
        InputError: The run is not complete, or the target is no Parquet file.
        OSError: A shard cannot be read, or the target not be written.
    """
    name = absolute(target)
    if not name.endswith(".parquet"):
        raise InputError(
            f"`target` must end in .parquet. Received {os.fsdecode(target)}. For another format, "
            "read that file with pandas."
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
    folder, _, file = name.rpartition("/")
    with naming(path="target"), Storage(f"{folder}/").writing(file) as stream:
        return join_parts(storage, parts, stream, group=MERGED_ROW_GROUP_SIZE)
