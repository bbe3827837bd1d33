"""`run_unit`: predict the inputs of a shard, or of a piece of it, and write their rows."""

from __future__ import annotations

import errno
import pickle
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tarfile import TarError
from typing import Any, cast

from emopy import __version__
from emopy.batch.plan import Plan, read_inputs, read_plan
from emopy.batch.predictions import archive_images, count_archive, predict_archive, predict_inputs
from emopy.batch.rows import Counts, count_rows, write_results
from emopy.batch.storage import Storage, is_address
from emopy.errors import InputError, ModelError
from emopy.faces.detectors import detector_with_threads
from emopy.fermodel import FERModel
from emopy.types import FailedInput


@dataclass(frozen=True, slots=True)
class Unit:
    """A shard, or a piece of one.

    Attributes:
        plan: Digest of the plan.
        shard: Number of the shard.
        start: First input, or first image of an archive.
        stop: The one after the last; None: to the end. Equal to `start`: nothing is predicted or
            written, and the unit tells whether a process can run at all.
        target: Name of the object to write.
    """

    plan: str
    shard: int
    start: int
    stop: int | None
    target: str


def create_model(settings: Mapping[str, Any]) -> FERModel:
    """Return the model that the settings of a plan describe.

    Raises:
        EmoPyError: It cannot be made.
    """
    given = {"min_face_size": settings["min_face_size"], "min_score": settings["min_face_score"]}
    detector = {name: value for name, value in given.items() if value is not None}
    names = ("target_emotions", "model", "prior", "min_confidence", "views", "max_pixels")
    return FERModel(
        **{name: settings[name] for name in (*names, "providers")},
        detector=detector_with_threads(settings["detector"], 1, **detector),
        threads=1,  # there is a process for each core
    )


def run_unit(out: str, unit: Unit) -> Counts:
    """Predict the inputs of a unit and write their rows as one Parquet object.

    An object that is there is kept. The model stays loaded in the process for the next unit.

    Returns:
        What the object holds.

    Raises:
        InputError: The plan is damaged, or was replaced; or the object cannot be written.
        OSError: A store or a disk fails, or the source is not there.
        ModelError: The model here is not the one of the plan.
    """
    storage, plan, model = _prepared(out, unit.plan)
    if unit.start == unit.stop:
        return Counts()
    if storage.is_file(unit.target):
        return count_rows(storage, unit.target)
    if not is_address(plan.source) and not Path(plan.source).exists():
        raise OSError(errno.ENOENT, "the source is not there on this machine", plan.source)
    found = read_inputs(storage, plan, unit.shard)
    if found[0].kind == "archive":
        results = predict_archive(found[0].path, model, unit.start, unit.stop)
    else:
        results = predict_inputs(found[unit.start : unit.stop], model, plan.settings)
    return write_results(storage, unit.target, results, model.labels)


def write_failure(out: str, unit: Unit, reason: str) -> Counts:
    """Write a unit of one input as a row with an error."""
    storage, plan, model = _prepared(out, unit.plan)
    found = read_inputs(storage, plan, unit.shard)
    if found[0].kind == "archive":
        named, name = (name for name, _ in archive_images(found[0].path)), found[0].path
        with suppress(TarError):  # it is damaged before that place
            name = next(islice(named, unit.start, None), name)
    else:
        name = found[unit.start].path
    failed = FailedInput(name, InputError(reason))
    return write_results(storage, unit.target, [failed], model.labels)


def count_images(out: str, unit: Unit) -> int:
    """Return how many inputs the shard of a unit has; of an archive, how many images it has."""
    storage, plan, _ = _prepared(out, unit.plan)
    found = read_inputs(storage, plan, unit.shard)
    if found[0].kind == "archive":
        return count_archive(found[0].path)
    return len(found)


def as_picklable(error: Exception) -> Exception:
    """Return an error that can be sent to another process: itself, or one with its text."""
    try:
        return cast("Exception", pickle.loads(pickle.dumps(error)))  # noqa: S301  written just now
    except Exception:  # noqa: BLE001  its class may raise anything
        return RuntimeError(f"{type(error).__name__}: {error}")


@lru_cache(maxsize=1)
def _prepared(out: str, digest: str) -> tuple[Storage, Plan, FERModel]:
    storage = Storage(out)
    plan = read_plan(storage)
    if plan.digest != digest:
        raise InputError(
            f"`out` must be a folder into which one run writes. The plan of {storage.location} "
            "was replaced by that of another run. Rerun the command."
        )
    if plan.settings["version"] != __version__:
        raise ModelError(
            f"EmoPy must be of version {plan.settings['version']} on every machine, as in the "
            f"plan. Received {__version__}."
        )
    model = create_model(plan.settings)
    if model.card.checksum != plan.settings["model_sha256"]:
        raise ModelError(
            f"`model` must be the one of the plan. Received {model.card.name!r} with other weights "
            "or another card. Install the same model on every machine."
        )
    return storage, plan, model
