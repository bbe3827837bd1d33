"""The plan: written once, the same for every process, and refused for another run."""

import json
import os
import threading
import tracemalloc

import pytest

from emopy.batch import plan as plans
from emopy.batch.plan import (
    PLAN_FILE,
    Plan,
    input_counts,
    make_plan,
    read_inputs,
    read_plan,
    split_into_shards,
)
from emopy.batch.sources import Input
from emopy.batch.storage import Storage
from emopy.errors import InputError
from tests.batch_inputs import write_images

SETTINGS = {"shard_size": 4, "prior": "tempered", "model_sha256": "abc"}


@pytest.fixture
def source(tmp_path):
    return str(write_images(tmp_path / "photos", 10))


@pytest.fixture
def out(tmp_path):
    return Storage(tmp_path / "results")


def test_inputs_are_in_shards_in_their_order(source, out):
    plan = make_plan(source, out, SETTINGS)
    assert (plan.inputs, plan.shards) == (10, 3)
    shards = [read_inputs(out, plan, number) for number in range(plan.shards)]
    assert [len(shard) for shard in shards] == input_counts(out, plan) == [4, 4, 2]
    paths = [each.path for shard in shards for each in shard]
    assert paths == [f"{source}/{number:04}.png" for number in range(10)]
    assert plan.part(1) == f"part-00001-{plan.digest}.parquet"


def test_ten_thousand_images_are_listed_and_planned_in_little_memory(tmp_path, out):
    folder = write_images(tmp_path / "photos", 1)
    make_plan(str(folder), Storage(tmp_path / "one"), SETTINGS)  # imports what it needs
    for number in range(1, 10_000):
        os.link(folder / "0000.png", folder / f"{number:04}.png")
    tracemalloc.start()
    try:
        plan = make_plan(str(folder), out, {**SETTINGS, "shard_size": 2000})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (plan.inputs, plan.shards) == (10_000, 5)
    assert peak < 10_000 * 1_000  # bytes, of which an image may take a thousand


@pytest.mark.parametrize(
    "kinds, expected",
    [
        ("i" * 7, ["iii", "iii", "i"]),
        ("ivi", ["i", "v", "i"]),  # a video is heavier than a shard: alone in it
        ("iaaii", ["i", "a", "a", "ii"]),
        ("", []),
    ],
)
def test_shards_are_filled_by_weight(kinds, expected):
    full = {"i": "image", "v": "video", "a": "archive"}
    found = [Input(full[kind], str(number)) for number, kind in enumerate(kinds)]
    shards = list(split_into_shards(found, 3))
    assert ["".join(each.kind[0] for each in shard) for shard in shards] == expected
    assert [each for shard in shards for each in shard] == found


def test_a_video_counts_for_a_hundred_images():
    found = [Input("video", "v")] * 3 + [Input("image", "i")] * 100
    assert [len(shard) for shard in split_into_shards(found, 200)] == [2, 101]


def test_the_plan_of_a_run_stays_when_its_inputs_change(source, out, tmp_path):
    before = make_plan(source, out, SETTINGS)
    (tmp_path / "photos" / "0000.png").unlink()
    write_images(tmp_path / "photos" / "more", 5)
    assert make_plan(source, out, SETTINGS) == before


@pytest.mark.parametrize(
    "change, message",
    [
        ({"prior": "uniform"}, "`prior` tempered instead of uniform"),
        ({"shard_size": 5}, "`shard_size` 4 instead of 5"),
        ({"model_sha256": "def"}, "another model"),
        ({"fps": 2.0}, "`fps` none instead of 2.0"),
    ],
)
def test_another_run_into_the_same_folder_is_refused(source, out, change, message):
    make_plan(source, out, SETTINGS)
    with pytest.raises(InputError, match=message):
        make_plan(source, out, {**SETTINGS, **change})


def test_another_version_or_source_is_refused(source, out, monkeypatch):
    make_plan(source, out, SETTINGS)
    with pytest.raises(InputError, match=r"`source` .*photos instead of .*others"):
        make_plan(f"{source}/others", out, SETTINGS)
    monkeypatch.setattr(plans, "__version__", "0.0.1")
    with pytest.raises(InputError, match="another version of EmoPy"):
        make_plan(source, out, SETTINGS)


@pytest.mark.parametrize("size", [0, -1, 2.5, None])
def test_a_bad_size_of_shards_is_refused(source, out, size):
    with pytest.raises(InputError, match="`shard_size` must be 1 or more"):
        make_plan(source, out, {**SETTINGS, "shard_size": size})


def test_a_folder_with_other_files_is_refused_but_not_litter(source, out, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / ".DS_Store").touch()
    (folder / "thesis.txt").touch()
    with pytest.raises(InputError, match="holds other files"):
        make_plan(source, out, SETTINGS)
    (folder / "thesis.txt").unlink()
    make_plan(source, out, SETTINGS)


def test_a_file_in_place_of_the_folder_is_refused(source, tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises((InputError, OSError), match="results"):
        make_plan(source, Storage(tmp_path / "results"), SETTINGS)


def test_a_process_that_was_killed_between_inputs_and_plan_changes_nothing(source, out, tmp_path):
    plan = make_plan(source, out, SETTINGS)
    (tmp_path / "results" / PLAN_FILE).unlink()
    assert make_plan(source, out, SETTINGS) == plan


def test_of_runs_that_begin_at_once_all_have_the_plan_of_the_first(source, out, tmp_path):
    found, errors = [], []
    start = threading.Barrier(4)

    def begin(number):
        write_images(tmp_path / "photos" / str(number), 1)  # they list different inputs
        start.wait()
        try:
            found.append(make_plan(source, out, SETTINGS))
        except InputError as error:  # pragma: no cover
            errors.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(found) == 4
    assert {plan.digest for plan in found} == {read_plan(out).digest}


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    "values, message",
    [
        ({"shards": "3"}, "`shards` in .*_plan.json must be a whole number"),
        ({"shards": 0}, "one input or more"),
        ({"format": 2}, "format 1"),
        ({"more": 1}, "Unknown key `more`"),
        ({"settings": []}, "`settings`"),
    ],
)
def test_a_damaged_plan_is_refused(source, out, tmp_path, values, message):
    make_plan(source, out, SETTINGS)
    change(tmp_path / "results" / PLAN_FILE, **values)
    with pytest.raises(InputError, match=message):
        read_plan(out)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"format": 1}'])
def test_a_plan_that_is_none_is_refused(out, tmp_path, content):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / PLAN_FILE).write_bytes(content)
    with pytest.raises(InputError, match=r"_plan\.json"):
        read_plan(out)


def test_a_folder_without_a_plan_is_no_run(out):
    with pytest.raises(InputError, match="must be the folder of a batch run"):
        read_plan(out)


@pytest.mark.parametrize("content", [None, b"", b"PAR1"])
def test_changed_inputs_are_refused(source, out, tmp_path, content):
    plan = make_plan(source, out, SETTINGS)
    path = tmp_path / "results" / plan.inputs_file
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(InputError, match=plan.inputs_file):
        make_plan(source, out, SETTINGS)
    with pytest.raises((InputError, OSError), match=plan.inputs_file):
        read_inputs(out, plan, 0)


def test_the_digest_depends_on_everything_in_the_plan():
    plan = Plan("a", {"b": 1}, 2, 1, "c")
    others = [
        *(Plan("x", {"b": 1}, 2, 1, "c"), Plan("a", {"b": 2}, 2, 1, "c")),
        *(Plan("a", {"b": 1}, 3, 1, "c"), Plan("a", {"b": 1}, 2, 1, "d")),
    ]
    assert plan.digest == Plan("a", {"b": 1}, 2, 1, "c").digest
    assert len({plan.digest, *(other.digest for other in others)}) == 5
