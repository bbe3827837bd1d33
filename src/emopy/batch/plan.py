"""`Plan`: the inputs of a run in shards, and everything that decides its results.

A plan is written once into the folder of the results: ``_plan.json``, and a Parquet file of the
inputs with a row group for each shard. Every process of a run, on any machine, works from these two
alone. Their names begin with an underscore: programs that read a folder of Parquet files, such as
those of Arrow and Spark, leave them out.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

from emopy import __version__
from emopy.batch.sources import Input, Kind, list_inputs
from emopy.batch.storage import Storage
from emopy.errors import InputError, import_extra
from emopy.settings import from_mapping

PLAN_FILE, INPUTS_PREFIX = "_plan.json", "_inputs-"
PLAN_FORMAT = 1

WEIGHTS: dict[Kind, int] = {"image": 1, "video": 100}
"""How many images an input counts for when shards are filled; an archive is a shard of its own."""

SHARD_SIZE = 2000


@dataclass(frozen=True)
class Plan:
    """What a run does.

    Attributes:
        source: Where its inputs come from.
        settings: Everything else that decides the results: options, model, version.
        inputs: Number of inputs.
        shards: Number of shards.
        inputs_sha256: SHA-256 of the file of the inputs.
        format: Version of the layout.
    """

    source: str
    settings: Mapping[str, Any]
    inputs: int
    shards: int
    inputs_sha256: str
    format: int = PLAN_FORMAT

    def __post_init__(self) -> None:
        if min(self.inputs, self.shards) < 1:
            raise InputError("A plan must have one input or more. Received none.")

    @cached_property
    def digest(self) -> str:
        """Eight digits that other plans do not have; they are in the name of each object.

        So the objects of two plans do not mix, also where a store lets two runs begin at once.
        """
        return hashlib.sha256(self.to_json()).hexdigest()[:8]

    @property
    def inputs_file(self) -> str:
        """Name of the file of the inputs."""
        return f"{INPUTS_PREFIX}{self.inputs_sha256[:8]}.parquet"

    def part(self, shard: int) -> str:
        """Return the name of the object with the rows of a shard."""
        width = max(5, len(str(self.shards - 1)))
        return f"part-{shard:0{width}}-{self.digest}.parquet"

    def to_json(self) -> bytes:
        """Return the content of the file of the plan."""
        return json.dumps(asdict(self), indent=2, sort_keys=True).encode() + b"\n"


def make_plan(source: str, out: Storage, settings: Mapping[str, Any]) -> Plan:
    """Return the plan of a run: the one that is there, or a new one, which is written.

    Args:
        source: Where the inputs come from, see `list_inputs`.
        out: Folder of the results.
        settings: Everything else that decides the results, as JSON has it, with ``shard_size``,
            the images that a shard has at most.

    Raises:
        InputError: The folder has another plan, or is damaged; or no input.
    """
    shard_size = settings["shard_size"]
    if not isinstance(shard_size, int) or shard_size < 1:
        raise InputError(f"`shard_size` must be 1 or more. Received {shard_size}.")
    settings = {**settings, "version": __version__}
    if not out.is_file(PLAN_FILE):
        _write_plan(source, out, settings, shard_size)
    plan = read_plan(out)
    _check_same(plan, source, settings, out)
    if hashlib.sha256(out.read(plan.inputs_file)).hexdigest() != plan.inputs_sha256:
        raise InputError(
            f"{out.join(plan.inputs_file)} must be the inputs of the plan. It was changed. Choose "
            "another folder for the results."
        )
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
    return _parse(out.read(PLAN_FILE), out.join(PLAN_FILE))


def _parse(content: bytes, where: str) -> Plan:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise InputError(f"{where} must be a plan. It is damaged: {error}.") from error
    if not isinstance(found, dict) or found.get("format") != PLAN_FORMAT:
        raise InputError(
            f"{where} must be a plan of format {PLAN_FORMAT}. Received another. Use the version of "
            "EmoPy that began the run."
        )
    return from_mapping(Plan, found, where, InputError)


def read_inputs(out: Storage, plan: Plan, shard: int) -> list[Input]:
    """Return the inputs of a shard.

    Raises:
        InputError: They are not there.
        OSError: They cannot be read.
    """
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    metadata = _inputs_metadata(out.location, plan.inputs_file)
    with out.explained(plan.inputs_file), out.open(plan.inputs_file) as stream:
        table = parquet.ParquetFile(stream, metadata=metadata).read_row_group(shard)
    kinds, paths = (table.column(name).to_pylist() for name in ("kind", "path"))
    return [Input(kind, os.fsdecode(path)) for kind, path in zip(kinds, paths, strict=True)]


def input_counts(out: Storage, plan: Plan) -> list[int]:
    """Return how many inputs each shard has."""
    metadata = _inputs_metadata(out.location, plan.inputs_file)
    return [metadata.row_group(number).num_rows for number in range(plan.shards)]


def split_into_shards(found: Iterable[Input], shard_size: int) -> Iterator[list[Input]]:
    """Yield the inputs, in their order, in shards of at most that many images.

    A video counts for a hundred images; an archive is a shard of its own.
    """
    shard: list[Input] = []
    room = 0
    for each in found:
        weight = WEIGHTS.get(each.kind, shard_size)
        if shard and weight > room:
            yield shard
            shard = []
        if not shard:
            room = shard_size
        shard.append(each)
        room -= weight
    if shard:
        yield shard


def _write_plan(source: str, out: Storage, settings: Mapping[str, Any], shard_size: int) -> None:
    """Write a plan, unless another process writes one meanwhile."""
    if any(not name.startswith((INPUTS_PREFIX, PLAN_FILE)) for name in out.names()):
        raise InputError(
            f"`out` must be a new or empty folder, or one that a run has begun. Received "
            f"{out.location}, which holds other files. Choose another."
        )
    content, inputs, shards = _pack(split_into_shards(list_inputs(source), shard_size))
    plan = Plan(source, settings, inputs, shards, hashlib.sha256(content).hexdigest())
    _parse(plan.to_json(), "the plan")  # else the run could not be resumed
    out.write(plan.inputs_file, content)
    out.create(PLAN_FILE, plan.to_json())


def _pack(shards: Iterable[list[Input]]) -> tuple[bytes, int, int]:
    """The file of the inputs, and the numbers of inputs and shards."""
    arrow: Any = import_extra("pyarrow", feature="Batch runs", extra="tables")
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    # Names of files are bytes: those of other systems may be no UTF-8.
    schema = arrow.schema([("kind", arrow.string()), ("path", arrow.binary())])
    file = io.BytesIO()
    inputs = number = 0
    with parquet.ParquetWriter(file, schema, write_statistics=False) as writer:
        for number, shard in enumerate(shards, start=1):  # noqa: B007  their number
            paths = [os.fsencode(each.path) for each in shard]
            columns = {"kind": [each.kind for each in shard], "path": paths}
            writer.write_table(arrow.Table.from_pydict(columns, schema), row_group_size=len(shard))
            inputs += len(shard)
    return file.getvalue(), inputs, number


@lru_cache(maxsize=4)
def _inputs_metadata(location: str, name: str) -> Any:
    """The footer of the file of the inputs, which is megabytes for a million of them."""
    parquet: Any = import_extra("pyarrow.parquet", feature="Batch runs", extra="tables")
    out = Storage(location)
    with out.explained(name), out.open(name) as stream:
        return parquet.ParquetFile(stream).metadata


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
    return f"`{name}` {_as_typed(made)} instead of {_as_typed(asked)}"


def _as_typed(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, cast("list[object]", value)))
    return "none" if value is None else str(value)
