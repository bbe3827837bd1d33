"""What happens to shards that fail, with an engine that runs them in this process."""

import io
import random

import pyarrow.parquet as parquet
import pytest

from emopy.batch import schedule as schedules
from emopy.batch.engines import Engine, Outcome
from emopy.batch.plan import read_inputs
from emopy.batch.results import status_of
from emopy.batch.schedule import MAX_CRASHES, MAX_ERRORS, Progress, Schedule
from emopy.batch.worker import run_unit
from emopy.errors import InputError, ModelError
from tests.batch_inputs import encoded, write_images, write_tar


class HereEngine(Engine):
    """Runs units in this process; `fate(unit, paths)` may crash one, or return its error."""

    capacity = 2

    def __init__(self, made, fate=None):
        self.made, self.fate, self.units, self.running = made, fate, [], []

    def submit(self, unit):
        assert len(self.running) < self.capacity
        self.units.append(unit)
        self.running.append(unit)

    def outcomes(self):
        unit = self.running.pop(0)
        fate = self.fate and self.fate(unit, self._paths(unit))
        if fate == "crash":
            yield Outcome(unit)
        elif fate:
            yield Outcome(unit, error=fate)
        else:
            yield Outcome(unit, counts=run_unit(self.made.out, unit))

    def __exit__(self, *error):
        pass

    def _paths(self, unit):
        found = read_inputs(self.made.storage, self.made.plan, unit.shard)[unit.start : unit.stop]
        return [each.path.rpartition("/")[2] for each in found]


@pytest.fixture
def source(tmp_path):
    return write_images(tmp_path / "photos", 13)


def schedule_of(made, on_progress=None):
    return Schedule(made.storage, made.plan, range(made.plan.shards), on_progress)


def run(made, fate=None):
    engine = HereEngine(made, fate)
    schedule = schedule_of(made)
    schedule.finish(engine)
    schedule.clean()
    return engine.units


def parts(made):
    return {name: made.storage.read(name) for name in made.storage.names() if name[0] != "_"}


def rows(made):
    return [row for _, part in sorted(parts(made).items()) for row in
            parquet.read_table(io.BytesIO(part)).to_pylist()]  # fmt: skip


def crash_at(*names):
    return lambda unit, paths: "crash" if set(names) & set(paths) else None


def test_every_shard_is_run_once_and_progress_is_reported(source, planned):
    made, reported = planned(source), []
    engine = HereEngine(made)
    schedule_of(made, reported.append).finish(engine)
    assert [unit.target for unit in engine.units] == [made.plan.part(n) for n in range(3)]
    assert [progress.done for progress in reported] == [1, 2, 3]
    assert reported[-1].images == reported[-1].faces == 13
    assert isinstance(reported[0], Progress)
    assert reported[0].left_s == pytest.approx(2 * reported[0].seconds)
    assert reported[-1].left_s == 0


def test_shards_that_are_written_are_left_out(source, planned):
    made = planned(source)
    run_unit(made.out, made.unit(1))
    assert [unit.shard for unit in run(made)] == [0, 2]
    assert schedule_of(made).is_finished


@pytest.mark.parametrize("bad", [["0007.png"], ["0000.png", "0012.png"], ["0005.png", "0006.png"]])
def test_inputs_that_end_processes_are_found_and_listed(source, planned, bad):
    whole, made = planned(source), planned(source)
    run(whole)
    run(made, crash_at(*bad))
    expected = rows(whole)
    for row in expected:
        if row["source"].rpartition("/")[2] in bad:
            text = f"`source` must be an input that can be read. This one ended {MAX_CRASHES}"
            row.update(dict.fromkeys(set(row) - {"source"}))
            row["error"] = f"{text} processes. Convert it, or leave it out."
    assert rows(made) == expected
    assert list(made.storage.names("_pieces")) == []


def test_a_shard_that_ended_processes_by_chance_has_the_bytes_of_one_that_did_not(source, planned):
    left = 12

    def by_chance(unit, paths):
        nonlocal left
        left -= 1
        return "crash" if left > 0 and unit.stop != unit.start else None

    whole, made = planned(source, shard_size=8), planned(source, shard_size=8)
    run(whole)
    units = run(made, by_chance)
    assert any("_pieces" in unit.target for unit in units)
    assert list(parts(made).values()) == list(parts(whole).values())


def test_an_image_of_an_archive_that_ends_processes_is_found(tmp_path, planned):
    path = write_tar(tmp_path / "a.tar", {f"{n}.png": encoded(n) for n in range(9)})
    made = planned(path)

    def fate(unit, paths):
        return "crash" if unit.start <= 6 < (9 if unit.stop is None else unit.stop) else None

    run(made, fate)
    assert [row["source"][-5:] for row in rows(made)] == [f"{n}.png" for n in range(9)]
    assert [row["error"] is not None for row in rows(made)] == [n == 6 for n in range(9)]


def test_an_input_that_no_part_of_emopy_expects_is_listed_with_its_error(source, planned):
    def fate(unit, paths):
        return RuntimeError("odd") if "0007.png" in paths and unit.start != unit.stop else None

    made = planned(source)
    run(made, fate)
    [row] = [row for row in rows(made) if row["error"]]
    assert row["source"].endswith("0007.png")
    assert "This one caused RuntimeError: odd. Convert it" in row["error"]
    assert len(rows(made)) == 13


def test_processes_that_end_without_an_input_end_the_run(source, planned):
    made = planned(source)
    with pytest.raises(InputError, match="end before their first input"):
        run(made, lambda unit, paths: "crash")
    assert parts(made) == {}


def test_a_probe_may_raise(source, planned):
    made = planned(source)
    with pytest.raises(ModelError, match="other weights"):
        run(made, lambda unit, _: ModelError("other weights") if unit.stop == 0 else "crash")


@pytest.mark.parametrize("error", [OSError(5, "the store fails"), InputError("no plan yet")])
def test_a_store_that_fails_for_a_while_is_tried_again(source, planned, error):
    left = MAX_ERRORS - 1

    def fate(unit, paths):
        nonlocal left
        if unit.shard == 1 and left:
            left -= 1
            return error
        return None

    whole, made = planned(source), planned(source)
    run(whole)
    run(made, fate)
    assert parts(made).keys() == {made.plan.part(n) for n in range(3)}
    assert rows(made) == rows(whole)


def test_a_store_that_keeps_failing_ends_the_run_and_keeps_the_other_shards(source, planned):
    made = planned(source)
    with pytest.raises(OSError, match="the store fails"):
        run(made, lambda unit, _: OSError(5, "the store fails") if unit.shard == 1 else None)
    assert set(parts(made)) == {made.plan.part(0), made.plan.part(2)}
    run(made)
    assert status_of(made.storage, made.plan, range(3)).is_complete


def test_of_two_runs_that_take_a_shard_apart_both_finish(source, planned):
    made = planned(source, shard_size=13)

    def fate(unit, paths):
        # The other run finishes between the pieces of this one, and deletes them.
        if unit.start == 6 and unit.stop == 13 and not made.storage.is_file(made.plan.part(0)):
            run(made, crash_at("0003.png"))
        return "crash" if unit.stop is None else None

    run(made, fate)
    assert len(rows(made)) == 13
    assert list(made.storage.names("_pieces")) == []


def test_pieces_of_a_killed_run_are_deleted(source, planned):
    def fate(unit, paths):
        if unit.start == 6:
            raise KeyboardInterrupt
        return "crash" if unit.stop is None else None

    made = planned(source, shard_size=13)
    with pytest.raises(KeyboardInterrupt):
        run(made, fate)
    assert list(made.storage.names("_pieces"))
    run(made)
    assert len(rows(made)) == 13
    assert list(made.storage.names("_pieces")) == []


@pytest.mark.parametrize("seed", range(5))
def test_whatever_fails_at_random_every_input_is_there_once(source, planned, seed):
    rng = random.Random(seed)

    def fate(unit, paths):
        if unit.start == unit.stop:
            return None
        return rng.choices([None, "crash", OSError(5, "fails"), ValueError("odd")], (6, 2, 0.5, 1))[
            0
        ]

    whole, made = planned(source), planned(source)
    run(whole)
    run(made, fate)
    assert [row["source"] for row in rows(made)] == [row["source"] for row in rows(whole)]
    same = [a == b for a, b in zip(rows(made), rows(whole), strict=True) if not a["error"]]
    assert all(same)
    assert list(made.storage.names("_pieces")) == []


def test_the_limits_are_those_of_the_documentation():
    assert (schedules.MAX_CRASHES, schedules.MAX_ERRORS) == (3, 5)
