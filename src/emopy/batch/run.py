"""`run`: predict many images and videos, shard by shard; a run that was stopped is resumed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from emopy.batch.engines import Engine
from emopy.batch.local_engine import LocalEngine
from emopy.batch.plan import SHARD_SIZE, make_plan
from emopy.batch.ray_engine import RayEngine
from emopy.batch.results import Status, status_of
from emopy.batch.schedule import Progress, Schedule
from emopy.batch.storage import Storage, absolute
from emopy.batch.worker import create_model
from emopy.errors import InputError, alternatives
from emopy.fermodel import DEFAULT_PRIOR, SMOOTHING_S
from emopy.media import DEFAULT_MAX_PIXELS
from emopy.media.sampling import Sampling
from emopy.models import DEFAULT_MODEL
from emopy.models.card import has_card
from emopy.models.providers import asked_providers
from emopy.pipeline import Smoother

EngineName: TypeAlias = Literal["local", "ray"]
ENGINES: tuple[EngineName, ...] = ("local", "ray")

_DEFAULTS: dict[str, Any] = {
    "target_emotions": "standard",
    "model": DEFAULT_MODEL,
    "detector": "mtcnn",
    "min_face_size": None,
    "min_face_score": None,
    "prior": DEFAULT_PRIOR,
    "min_confidence": 0.0,
    "views": 1,
    "max_pixels": DEFAULT_MAX_PIXELS,
    "providers": None,
    "every": 1,
    "fps": None,
    "start_s": 0.0,
    "end_s": None,
    "smoothing_s": SMOOTHING_S,
    "shard_size": SHARD_SIZE,
}
"""Options that decide the results, as `FERModel`, `get_detector` and `predict_video` have them."""


def run(
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    engine: EngineName = "local",
    address: str | None = None,
    workers: int | None = None,
    shard: tuple[int, int] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Status:
    """Predict all images and videos of a source into a folder of Parquet shards.

    A shard is one object, which appears when it is whole: so a run that was stopped or killed is
    resumed by the same call, and every input is in the results exactly once, also if two runs write
    into the same folder. Inputs that cannot be read, or that end the process which reads them, are
    rows with an error.

    Args:
        source: Folder or address of images, videos and tar files; or a table of their paths.
        out: Folder or address of the results.
        engine: ``"local"``: processes of this machine; ``"ray"``: a Ray cluster.
        address: Address of the Ray cluster; None starts one on this machine.
        workers: Processes; None: one per core or CPU.
        shard: ``(i, n)``: only every n-th shard, from the i-th, 1 to n: for arrays of jobs.
        on_progress: Called for each shard that is written.
        **options: What `FERModel`, `get_detector` and `FERModel.predict_video` take:
            ``target_emotions``, ``model``, ``detector`` (a name), ``min_face_size``,
            ``min_face_score``, ``prior``, ``min_confidence``, ``views``, ``max_pixels``,
            ``providers``, ``every``, ``fps``, ``start_s``, ``end_s``, ``smoothing_s``; and
            ``shard_size``: most images of a shard, where a video counts for a hundred.

    Returns:
        How far the run is; with `shard`, how far these shards are.

    Raises:
        InputError: A bad argument, no input, or a folder that another run has begun.
        OSError: A store or a disk fails.
        ModelError: The model is damaged.
        MissingExtraError: The extra ``tables``, or ``ray``, is not installed.

    Example::

        status = emopy.batch.run("photos/", "results/", workers=8)
        emopy.batch.merge("results/", "faces.parquet")
    """
    if engine not in ENGINES:
        names = alternatives(map(repr, ENGINES))
        raise InputError(f"`engine` must be {names}. Received {engine!r}.")
    if address is not None and engine != "ray":
        raise InputError("`address` must go with the engine ray. Add `engine=ray`")
    if workers is not None and workers < 1:
        raise InputError(f"`workers` must be 1 or more. Received {workers}.")
    place, places = shard or (1, 1)
    if not 1 <= place <= places:
        raise InputError(f"`shard` must be I/N with I from 1 to N. Received {place}/{places}.")
    storage = Storage(out)
    plan = make_plan(absolute(source), storage, complete_options(options))
    mine = range(place - 1, plan.shards, places)
    schedule = Schedule(storage, plan, mine, on_progress)
    if not schedule.is_finished:
        make: Callable[[], Engine] = (
            (lambda: LocalEngine(storage.location, workers))
            if engine == "local"
            else (lambda: RayEngine(storage.location, workers, address))
        )
        with make() as placed:
            schedule.finish(placed)
    schedule.clean()
    return status_of(storage, plan, mine)


def complete_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options that decide the results, with the labels and checksum of the model.

    Raises:
        InputError: An unknown option, or a bad value.
        ModelError: The model is damaged.
    """
    if unknown := sorted(set(options) - set(_DEFAULTS)):
        raise InputError(
            f"`{unknown[0]}` must be an option of a batch run: {', '.join(_DEFAULTS)}."
        )
    settings = {**_DEFAULTS, **options}
    if not isinstance(settings["detector"], str):
        kind = type(settings["detector"]).__name__
        raise InputError(f"`detector` must be the name of a detector. Received {kind}.")
    if has_card(Path(str(settings["model"]))):
        settings["model"] = str(Path(settings["model"]).absolute())
    if isinstance(settings["prior"], Mapping):
        settings["prior"] = {str(label): float(p) for label, p in settings["prior"].items()}
    settings["providers"] = list(asked_providers(settings["providers"]))
    Sampling(**{name: settings[name] for name in ("every", "fps", "start_s", "end_s")})
    Smoother(settings["smoothing_s"])
    model = create_model(settings)
    settings |= {"target_emotions": list(model.labels), "model_sha256": model.card.checksum}
    try:
        return json.loads(json.dumps(settings))
    except TypeError as error:
        raise InputError(f"`options` must be numbers and text: {error}.") from error
