"""`Plan`: the inputs of a run in shards, and everything that decides its results.

A plan is written once into the folder of the results: ``plan.json``, and ``inputs.parquet`` with
a row group for each shard. Every process of a run, on any machine, works from these two alone.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from emopy import __version__
from emopy.batch.sources import Input, Kind, list_inputs
from emopy.batch.storage import Storage
from emopy.errors import InputError, import_extra

PLAN_FILE, INPUTS_FILE = "plan.json", "inputs.parquet"
PLAN_FORMAT = 1

WEIGHTS: dict[Kind, int] = {"image": 1, "video": 100}
"""How many images an input counts for when shards are filled; an archive is a shard of its own."""

SHARD_SIZE = 2000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        source: Where its inputs come from.
        settings: Everything else that decides the results: options, model, version.
        inputs: Number of inputs.
        shards: Number of shards.
        inputs_sha256: SHA-256 of ``inputs.parquet``.
        format: Version of the layout.
    """

    source: str
    settings: Mapping[str, Any]
    inputs: int
    shards: int
    inputs_sha256: str = ""
    format: int = field(default=PLAN_FORMAT)

    def part(self, shard: int) -> str:
        """Return the name of the object with the rows of a shard."""
        width = max(5, len(str(self.shards - 1)))
        return f"part-{shard:0{width}}.parquet"


def make_plan(source: str, out: Storage, settings: Mapping[str, Any]) -> Plan:
    """Return the plan of a run: the one that is there, or a new one, which is written.

    Args:
        source: Where the inputs come from, see `list_inputs`.
        out: Folder of the results.
        settings: Everything else that decides the results, with ``shard_size``, the images that
            a shard has at most.

    Raises:
        InputError: The folder has another plan; or no input.
    """
    shard_size = settings["shard_size"]
    if not isinstance(shard_size, int) or shard_size < 1:
        raise InputError(f"`shard_size` must be 1 or more. Received {shard_size}.")
    settings = {**settings, "version": __version__}
    if out.is_file(PLAN_FILE):
        plan = read_plan(out)
        _check_same(plan, source, settings, out)
        return plan
    if next(out.names(), None) is not None:
        raise InputError(
            f"`out` must be a new or empty folder, or one that a run has begun. Received "
            f"{out.location}, which holds other files. Choose another."
        )
    found = list_inputs(source)
    shards = split_into_shards(found, shard_size)
    content = _pack(shards)
    digest = hashlib.sha256(content).hexdigest()
    plan = Plan(source, settings, len(found), len(shards), digest)
    out.write(INPUTS_FILE, content)
    out.write(PLAN_FILE, json.dumps(asdict(plan), indent=2).encode() + b"\n")
    return plan


def read_plan(out: Storage) -> Plan:
    """Return the plan in a folder of results.

    Raises:
        InputError: There is none, or it is damaged or of another version.
    """
    if not out.is_file(PLAN_FILE):
        raise InputError(
            f"`out` must be the folder of a batch run. Received {out.location}, which has no "
            f"{PLAN_FILE}."
        )
    try:
        found = json.loads(out.read(PLAN_FILE))
        plan = Plan(**found)
        whole = (plan.inputs, plan.shards, plan.format)
        if not all(isinstance(each, int) for each in whole):
            raise TypeError("numbers")
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{out.join(PLAN_FILE)} must be a plan. It is damaged: {error}."
        ) from error
    if plan.format != PLAN_FORMAT:
        raise InputError(
            f"{out.join(PLAN_FILE)} must have format {PLAN_FORMAT}. Received {plan.format}. "
            "Use the version of EmoPy that began the run."
        )
    return plan


def read_inputs(out: Storage, shard: int) -> list[Input]:
    """Return the inputs of a shard.

    Raises:
        InputError: They cannot be read.
    """
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    with out.open(INPUTS_FILE) as stream:
        table = parquet.ParquetFile(stream).read_row_group(shard)
    kinds, paths = (table.column(name).to_pylist() for name in ("kind", "path"))
    return [Input(kind, path) for kind, path in zip(kinds, paths, strict=True)]


def split_into_shards(found: Sequence[Input], shard_size: int) -> list[list[Input]]:
    """Return the inputs, in their order, in shards of at most that many images.

    A video counts for a hundred images; an archive is a shard of its own.
    """
    shards: list[list[Input]] = []
    room = 0
    for each in found:
        weight = WEIGHTS.get(each.kind, shard_size)
        if not shards or weight > room:
            shards.append([])
            room = shard_size
        shards[-1].append(each)
        room -= weight
    return shards


def _pack(shards: Sequence[Sequence[Input]]) -> bytes:
    arrow: Any = import_extra("pyarrow", feature="Batch runs", extra="tables")
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    schema = arrow.schema([("kind", arrow.string()), ("path", arrow.string())])
    file = io.BytesIO()
    with parquet.ParquetWriter(file, schema) as writer:
        for shard in shards:
            columns = {"kind": [each.kind for each in shard], "path": [each.path for each in shard]}
            table = arrow.Table.from_pydict(columns, schema)
            writer.write_table(table, row_group_size=len(shard))
    return file.getvalue()


def _check_same(plan: Plan, source: str, settings: Mapping[str, Any], out: Storage) -> None:
    """Refuse another run into the same folder."""
    made = {**plan.settings, "source": plan.source}
    asked = {**settings, "source": source}
    differ = [
        _difference(name, made.get(name), asked.get(name))
        for name in sorted({*made, *asked})
        if made.get(name) != cast("object", asked.get(name))
    ]
    if differ:
        raise InputError(
            f"`out` must be a new folder, or one that the same run has begun. Received "
            f"{out.location}, which was begun with {'; '.join(differ)}. Give the same options, or "
            "another folder."
        )


def _difference(name: str, made: object, asked: object) -> str:
    if name in ("model_sha256", "version"):
        return f"another {'version of EmoPy' if name == 'version' else 'model'}"
    before, now = ("none" if each is None else str(each) for each in (made, asked))
    return f"`{name}` {before} instead of {now}"
