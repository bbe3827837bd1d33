"""`Schedule`: the shards of one process that are left, and what happens to those that fail."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from emopy.batch.engines import Engine, Outcome
from emopy.batch.plan import Plan
from emopy.batch.rows import Counts, join_parts
from emopy.batch.storage import Storage
from emopy.batch.worker import Unit, count_images, write_failure
from emopy.errors import EmoPyError, InputError, naming

MAX_CRASHES = 3
"""Processes that a shard, or a single input, may end before the shard is split, or it is listed."""

MAX_ERRORS = 5
"""Errors, such as those of a store, after which a shard is given up."""

_PIECES = "_pieces"


@dataclass(frozen=True, slots=True)
class Progress:
    """A shard that was just written.

    Attributes:
        shard: Its number.
        done: Shards of this process that are written by now, with those of earlier runs.
        shards: Shards of this process.
        images: Images and frames that this run has predicted so far.
        faces: Faces in them.
        failures: Inputs among them that could not be read.
        seconds: Time since it began.
        left_s: Estimate of the time left, in seconds.
    """

    shard: int
    done: int
    shards: int
    images: int
    faces: int
    failures: int
    seconds: float
    left_s: float


class Schedule:
    """The shards of one process, in their order; those that are written are left out.

    Args:
        storage: Folder of the results.
        plan: What is run.
        shards: Numbers of the shards.
        on_progress: Called for each shard that is written.
    """

    def __init__(
        self,
        storage: Storage,
        plan: Plan,
        shards: Iterable[int],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._storage, self._plan, self._tell = storage, plan, on_progress
        present = set(storage.names())
        shards = list(shards)
        left = [number for number in shards if plan.part(number) not in present]
        self._waiting = deque(Unit(plan.digest, n, 0, None, plan.part(n)) for n in left)
        self._crashes: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._suspects: dict[str, tuple[Unit, str]] = {}
        self._pieces: dict[int, dict[str, Counts | None]] = {}
        self._shards, self._kept, self._done = len(shards), len(shards) - len(left), 0
        self._counts = Counts()
        self._started_s = time.monotonic()

    @property
    def is_finished(self) -> bool:
        """Whether every shard is written."""
        return not self._waiting

    def finish(self, engine: Engine) -> None:
        """Run all units, until every shard is written.

        Raises:
            InputError: Processes end that have no input, or an object cannot be written.
            OSError: A store or a disk fails.
            ModelError: The model of a machine is not that of the plan.
        """
        running = 0
        while self._waiting or running:
            while self._waiting and running < engine.capacity:
                engine.submit(self._waiting.popleft())
                running += 1
            for outcome in engine.outcomes():
                running -= 1
                self._follow(outcome)

    def clean(self) -> None:
        """Delete the pieces of shards that are written, such as those of a run that was killed."""
        pieces = list(self._storage.names(_PIECES))
        present = set(self._storage.names()) if pieces else ()
        for piece in pieces:
            if f"{piece.partition('.')[0]}.parquet" in present:
                self._storage.delete(f"{_PIECES}/{piece}")
        self._storage.delete_empty_folder(_PIECES)

    def _follow(self, outcome: Outcome) -> None:
        unit, error = outcome.unit, outcome.error
        if outcome.counts is None and error is None:
            self._follow_crash(unit, "")
        elif unit.target in self._suspects:
            suspect = self._suspects.pop(unit.target)
            if error is not None:
                raise error
            self._take_apart(*suspect)
        elif isinstance(error, EmoPyError | OSError):
            self._errors[unit.target] += 1
            if self._errors[unit.target] >= MAX_ERRORS:
                raise error
            self._waiting.append(unit)
        elif error is not None:  # an input that no part of EmoPy expects
            self._follow_crash(unit, f"{type(error).__name__}: {error}")
        else:
            self._follow_written(unit, outcome.counts or Counts())

    def _follow_crash(self, unit: Unit, error: str) -> None:
        """Try again; or see whether processes run at all, and then take the unit apart."""
        self._crashes[unit.target] += 1
        is_piece = unit.stop is not None and unit.stop > unit.start + 1
        if self._crashes[unit.target] < MAX_CRASHES and not is_piece:
            self._waiting.append(unit)
        elif unit.target in self._suspects:
            raise InputError(
                "`workers` must be processes that can run. Received processes that end before "
                "their first input. Look for missing memory, or a package that ends Python."
            )
        elif not is_piece:
            probe = replace(unit, stop=unit.start, target=f"{unit.target} probe")
            self._suspects[probe.target] = (unit, error)
            self._waiting.appendleft(probe)
        else:
            self._take_apart(unit, error)

    def _take_apart(self, unit: Unit, error: str) -> None:
        """Split a unit, or list its only input."""
        out = self._storage.location
        stop = count_images(out, unit) if unit.stop is None else unit.stop
        pieces = self._pieces.setdefault(unit.shard, {})
        pieces.pop(unit.target, None)
        middle = (unit.start + stop) // 2
        if middle > unit.start:
            for start, end in ((unit.start, middle), (middle, stop)):
                piece = self._piece(unit, start, end)
                pieces[piece.target] = None
                self._waiting.append(piece)
            return
        what = f"caused {error}"[:500] if error else f"ended {MAX_CRASHES} processes"
        reason = (
            f"`source` must be an input that can be read. This one {what}. Convert it, or leave it "
            "out."
        )
        piece = self._piece(unit, unit.start, stop)
        pieces[piece.target] = None
        self._follow_written(piece, write_failure(out, piece, reason))

    def _piece(self, unit: Unit, start: int, stop: int) -> Unit:
        part = self._plan.part(unit.shard).removesuffix(".parquet")
        target = f"{_PIECES}/{part}.{start:09}-{stop:09}.parquet"
        return replace(unit, start=start, stop=stop, target=target)

    def _follow_written(self, unit: Unit, counts: Counts) -> None:
        """Count a shard; join its pieces first, when all of them are written."""
        pieces = self._pieces.get(unit.shard)
        if pieces is not None:
            pieces[unit.target] = counts
            if None in pieces.values():
                return
            counts = sum((each for each in pieces.values() if each), start=Counts())
            self._join(self._plan.part(unit.shard), sorted(pieces))
            del self._pieces[unit.shard]
        self._count(unit.shard, counts)

    def _join(self, part: str, pieces: list[str]) -> None:
        try:
            with naming(path="out"), self._storage.writing(part) as stream:
                join_parts(self._storage, pieces, stream)
        except InputError:  # another run has joined and deleted them
            if not self._storage.is_file(part):
                raise
        for piece in pieces:
            self._storage.delete(piece)

    def _count(self, shard: int, counts: Counts) -> None:
        self._done += 1
        self._counts += counts
        if self._tell is None:
            return
        seconds = time.monotonic() - self._started_s
        done = self._kept + self._done
        self._tell(
            Progress(
                shard=shard,
                done=done,
                shards=self._shards,
                images=self._counts.images,
                faces=self._counts.faces,
                failures=self._counts.failures,
                seconds=seconds,
                left_s=seconds / self._done * (self._shards - done),
            )
        )
