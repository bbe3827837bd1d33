"""`run`: predict many images and videos, shard by shard; a run that was stopped is resumed."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from emopy.batch.engines import Engine, Outcome
from emopy.batch.local_engine import LocalEngine
from emopy.batch.plan import SHARD_SIZE, Plan, make_plan
from emopy.batch.ray_engine import RayEngine
from emopy.batch.results import Status, join, status
from emopy.batch.storage import Storage, absolute
from emopy.batch.worker import Unit, count_images, create_model, write_failure
from emopy.errors import EmoPyError, InputError, alternatives
from emopy.fermodel import DEFAULT_PRIOR, SMOOTHING_S
from emopy.media import DEFAULT_MAX_PIXELS
from emopy.models import DEFAULT_MODEL

EngineName: TypeAlias = Literal["local", "ray"]
ENGINES: tuple[EngineName, ...] = ("local", "ray")

MAX_CRASHES = 3
"""Processes that a shard, or a single input, may end before the shard is split, or it is listed."""

MAX_ERRORS = 5
"""Errors, such as those of a store, after which a shard is given up."""

_PIECES = "pieces"
_DEFAULTS: dict[str, Any] = {
    "target_emotions": "standard",
    "model": DEFAULT_MODEL,
    "detector": "mtcnn",
    "min_face_size": None,
    "min_face_score": None,
    "prior": DEFAULT_PRIOR,
    "min_confidence": 0.0,
    "max_pixels": DEFAULT_MAX_PIXELS,
    "every": 1,
    "fps": None,
    "start_s": 0.0,
    "end_s": None,
    "smoothing_s": SMOOTHING_S,
    "shard_size": SHARD_SIZE,
}
"""Options that decide the results, as `FERModel`, `get_detector` and `predict_video` have them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A shard that was just written.

    Attributes:
        shard: Its number.
        done: Shards of this process that are written by now, with those of earlier runs.
        shards: Shards of this process.
        inputs: Inputs that this process has predicted so far.
        left: Inputs that are left to it.
        seconds: Time since it began.
    """

    shard: int
    done: int
    shards: int
    inputs: int
    left: int
    seconds: float


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
            ``min_face_score``, ``prior``, ``min_confidence``, ``max_pixels``, ``every``, ``fps``,
            ``start_s``, ``end_s``, ``smoothing_s``; and ``shard_size``: images that a shard has at
            most, where a video counts for a hundred.

    Returns:
        How far the whole run is.

    Raises:
        InputError: A bad argument, no input, or a folder that another run has begun.
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
        raise InputError("`address` must go with the engine ray. Type: engine='ray'")
    if workers is not None and workers < 1:
        raise InputError(f"`workers` must be 1 or more. Received {workers}.")
    place, places = shard or (1, 1)
    if not 1 <= place <= places:
        raise InputError(f"`shard` must be I/N with I from 1 to N. Received {place}/{places}.")
    storage = Storage(out)
    plan = make_plan(absolute(source), storage, complete_options(options))
    mine = range(place - 1, plan.shards, places)
    run_ = _Run(storage, plan, mine, on_progress)
    if run_.waiting:
        make: Callable[[], Engine] = (
            (lambda: LocalEngine(storage.location, workers))
            if engine == "local"
            else (lambda: RayEngine(storage.location, workers, address))
        )
        with make() as placed:
            run_.finish(placed)
    return status(out)


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
    if isinstance(settings["model"], Path) or Path(str(settings["model"])).is_dir():
        settings["model"] = str(Path(settings["model"]).absolute())
    if isinstance(settings["prior"], Mapping):
        settings["prior"] = dict(settings["prior"])
    model = create_model(settings)
    return {
        **settings,
        "target_emotions": list(model.labels),
        "model_sha256": model.card.checksum,
    }


class _Run:
    """The shards of one process that are left, and what happens to those that fail."""

    def __init__(
        self,
        storage: Storage,
        plan: Plan,
        mine: Iterable[int],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._storage = storage
        self._plan = plan
        self._mine = list(mine)
        self._tell = on_progress
        present = set(storage.names())
        left = [number for number in self._mine if plan.part(number) not in present]
        self.waiting = deque(Unit(number, 0, None, plan.part(number)) for number in left)
        self._crashes: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._pieces: dict[int, dict[str, bool]] = {}
        self._done = len(self._mine) - len(left)
        self._started_s = time.monotonic()
        self._inputs_each = plan.inputs / plan.shards
        self._predicted = 0.0

    def finish(self, engine: Engine) -> None:
        """Run all units, until every shard is written."""
        running = 0
        while self.waiting or running:
            while self.waiting and running < engine.capacity:
                engine.submit(self.waiting.popleft())
                running += 1
            for outcome in engine.outcomes():
                running -= 1
                self._follow(outcome)

    def _follow(self, outcome: Outcome) -> None:
        unit = outcome.unit
        if outcome.crashed:
            self._follow_crash(unit)
        elif outcome.error is not None:
            self._errors[unit.target] += 1
            if not isinstance(outcome.error, (EmoPyError, OSError)) or (
                self._errors[unit.target] >= MAX_ERRORS
            ):
                raise outcome.error
            self.waiting.append(unit)
        elif unit.shard in self._pieces:
            self._follow_piece(unit)
        else:
            self._count(unit.shard)

    def _follow_crash(self, unit: Unit) -> None:
        """Try again, or split the shard, or list the one input that ends every process."""
        self._crashes[unit.target] += 1
        is_whole = unit.shard not in self._pieces
        if is_whole and self._crashes[unit.target] < MAX_CRASHES:
            self.waiting.append(unit)
            return
        stop = count_images(self._storage.location, unit.shard) if unit.stop is None else unit.stop
        if stop - unit.start > 1:
            self._split(unit, stop)
        elif self._crashes[unit.target] < MAX_CRASHES:
            self.waiting.append(unit)
        else:
            reason = (
                f"`source` must be an input that can be read. This one ended {MAX_CRASHES} "
                "processes. Convert it, or leave it out."
            )
            piece = self._piece(unit.shard, unit.start, stop)
            write_failure(self._storage.location, piece, reason)
            self._pieces.setdefault(unit.shard, {}).setdefault(piece.target, False)
            self._follow_piece(piece)

    def _split(self, unit: Unit, stop: int) -> None:
        pieces = self._pieces.setdefault(unit.shard, {})
        pieces.pop(unit.target, None)
        middle = (unit.start + stop) // 2
        for start, end in ((unit.start, middle), (middle, stop)):
            piece = self._piece(unit.shard, start, end)
            pieces[piece.target] = False
            self.waiting.append(piece)

    def _piece(self, shard: int, start: int, stop: int) -> Unit:
        name = f"{_PIECES}/{self._plan.part(shard)}.{start:09}-{stop:09}"
        return Unit(shard, start, stop, name)

    def _follow_piece(self, unit: Unit) -> None:
        """Join the pieces of a shard when all of them are written."""
        pieces = self._pieces[unit.shard]
        pieces[unit.target] = True
        if not all(pieces.values()):
            return
        names = sorted(pieces)
        join(self._storage, names, self._plan.part(unit.shard))
        for name in names:
            self._storage.delete(name)
        del self._pieces[unit.shard]
        self._count(unit.shard)

    def _count(self, shard: int) -> None:
        self._done += 1
        self._predicted += self._inputs_each
        if self._tell is not None:
            left = (len(self._mine) - self._done) * self._inputs_each
            seconds = time.monotonic() - self._started_s
            place = (shard, self._done, len(self._mine))
            self._tell(Progress(*place, round(self._predicted), round(left), seconds))
