"""`run`: its arguments; `status` and `merge` of its folder. Real processes: tests/e2e."""

import sys

import pandas as pd
import pyarrow.parquet as parquet
import pytest

from emopy.batch import merge, run, status
from emopy.batch.run import complete_options
from emopy.batch.worker import create_model, run_unit
from emopy.errors import InputError, LabelError, ModelNotFoundError
from emopy.fermodel import FERModel
from tests.batch_inputs import QUICK, write_images


def test_a_folder_without_a_model_does_not_hide_the_model_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "emopy-tiny").mkdir()
    assert complete_options({"model": "emopy-tiny"})["model"] == "emopy-tiny"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"engine": "spark"}, "`engine` must be 'local' or 'ray'"),
        ({"address": "auto"}, "`address` must go with the engine ray"),
        ({"workers": 0}, "`workers` must be 1 or more"),
        ({"shard": (0, 3)}, "`shard` must be I/N"),
        ({"shard": (4, 3)}, "`shard` must be I/N"),
        ({"shards": 3}, "`shards` must be an option of a batch run"),
        ({"shard_size": 0}, "`shard_size` must be 1 or more"),
        ({"every": 0}, "`every` must be a whole number"),
        ({"every": 2, "fps": 3}, "must not both be given"),
        ({"start_s": 3, "end_s": 2}, "`end_s` must be later"),
        ({"smoothing_s": -1}, "`smoothing_s` must"),
        ({"max_pixels": 0}, "`max_pixels` must"),
        ({"min_confidence": 2}, "`min_confidence` must"),
        ({"detector": len}, "`detector` must be the name"),
        ({"min_face_size": 40, "detector": "full-image"}, "`min_face_size` must be a setting"),
    ],
)
def test_a_bad_argument_is_refused_before_anything_is_written(tmp_path, options, message):
    source = write_images(tmp_path / "photos", 1)
    with pytest.raises(InputError, match=message):
        run(source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options, error",
    [
        ({"model": "unknown"}, ModelNotFoundError),
        ({"detector": "unknown"}, ModelNotFoundError),
        ({"target_emotions": ["anger", "boredom"]}, LabelError),
        ({"prior": {"anger": 2}}, InputError),
    ],
)
def test_a_model_that_cannot_be_made_is_refused(tmp_path, options, error):
    with pytest.raises(error):
        run(write_images(tmp_path / "photos", 1), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_options_are_complete_and_the_same_after_json(linear_model, monkeypatch):
    monkeypatch.chdir(linear_model.parent)
    options = complete_options({"model": "linear", "target_emotions": ("anger", "fear")})
    assert options["model"] == str(linear_model)
    assert options["target_emotions"] == ["anger", "fear"]
    assert options["shard_size"] == 2000
    assert len(options["model_sha256"]) == 64
    given = {name: options[name] for name in options if name != "model_sha256"}
    assert complete_options(given) == options


@pytest.mark.parametrize("given", ["cpu", ["cpu"], ("cpu",), None])
def test_every_process_opens_the_providers_of_the_plan(linear_model, monkeypatch, given):
    opened = []

    def model(**options):
        opened.append(options["providers"])
        return FERModel(**options)

    monkeypatch.setattr("emopy.batch.worker.FERModel", model)
    options = complete_options({"model": linear_model, "providers": given})
    assert options["providers"] == ["cpu"]
    create_model(options)
    create_model(complete_options({"model": linear_model}))
    assert [*map(list, opened)] == [["cpu"]] * 4
    with pytest.raises(InputError, match="`providers` must"):
        complete_options({"model": linear_model, "providers": "abacus"})


def test_status_is_that_of_the_folder_alone(tmp_path, planned):
    made = planned(write_images(tmp_path / "photos", 12, damaged_every=4))
    assert status(made.out).to_dict() == {
        **dict.fromkeys(("done", "done_inputs", "rows", "faces", "failures"), 0),
        "shards": 3,
        "inputs": 12,
    }
    run_unit(made.out, made.unit(1))
    found = status(made.out)
    assert (found.done, found.done_inputs, found.faces, found.failures) == (1, 5, 4, 1)
    assert not found.is_complete
    for number in (0, 2):
        run_unit(made.out, made.unit(number))
    found = status(made.out)
    assert (found.done, found.done_inputs, found.rows, found.faces, found.failures) == (
        *(3, 12, 12, 9, 3),
    )
    assert found.is_complete


def test_a_complete_run_is_merged_in_the_order_of_the_inputs(tmp_path, planned):
    source = write_images(tmp_path / "photos", 12, damaged_every=4)
    tables = []
    for size in (5, 1, 100):
        made = planned(source, shard_size=size)
        for number in reversed(range(made.plan.shards)):
            run_unit(made.out, made.unit(number))
        target = tmp_path / f"{size}.parquet"
        assert merge(made.out, target) == 12
        tables.append(target.read_bytes())
        assert pd.read_parquet(made.out).equals(pd.read_parquet(target))  # plan and inputs left out
    assert tables[0] == tables[1] == tables[2]
    sources = parquet.read_table(target).column("source").to_pylist()
    assert sources == [f"{source}/{number:04}.png" for number in range(12)]


def test_row_groups_of_the_merged_table_do_not_depend_on_the_shards(tmp_path, planned, monkeypatch):
    monkeypatch.setattr("emopy.batch.results.MERGED_ROW_GROUP_SIZE", 5)
    made = planned(write_images(tmp_path / "photos", 11), shard_size=3)
    for number in range(made.plan.shards):
        run_unit(made.out, made.unit(number))
    merge(made.out, tmp_path / "all.parquet")
    found = parquet.ParquetFile(tmp_path / "all.parquet").metadata
    groups = [found.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert groups == [5, 5, 1]


def test_a_run_that_is_not_complete_is_not_merged(tmp_path, planned):
    made = planned(write_images(tmp_path / "photos", 12))
    run_unit(made.out, made.unit(1))
    with pytest.raises(InputError, match="2 of 3 shards are missing"):
        merge(made.out, tmp_path / "all.parquet")
    assert not (tmp_path / "all.parquet").exists()


def test_a_damaged_shard_is_named_and_nothing_is_written(tmp_path, planned):
    made = planned(write_images(tmp_path / "photos", 12))
    for number in range(3):
        run_unit(made.out, made.unit(number))
    whole = made.storage.read(made.plan.part(2))
    for content in (whole[:-100], b""):
        made.storage.write(made.plan.part(2), content)
        with pytest.raises(OSError, match=made.plan.part(2)):
            merge(made.out, tmp_path / "all.parquet")
        with pytest.raises(OSError, match=made.plan.part(2)):
            status(made.out)
        assert not (tmp_path / "all.parquet").exists()


@pytest.mark.parametrize("name", ["all.csv", "all"])
def test_another_format_is_refused(tmp_path, planned, name):
    with pytest.raises(InputError, match=r"must end in \.parquet"):
        merge(tmp_path, tmp_path / name)


@pytest.mark.parametrize("call", [status, lambda out: merge(out, "all.parquet")])
def test_a_folder_that_is_no_run_is_refused(tmp_path, call):
    with pytest.raises(InputError, match="must be the folder of a batch run"):
        call(tmp_path)


def test_a_run_with_nothing_left_starts_no_process(tmp_path, planned, linear_model, monkeypatch):
    source = write_images(tmp_path / "photos", 6)
    made = planned(source)
    for number in range(2):
        run_unit(made.out, made.unit(number))
    monkeypatch.setattr(sys.modules["emopy.batch.run"], "LocalEngine", None)
    found = run(source, made.out, model=linear_model, **QUICK)
    assert found.is_complete
    assert run(source, made.out, model=linear_model, shard=(3, 3), **QUICK).shards == 0
