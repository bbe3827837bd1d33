"""`emopy batch`: its words, what it prints, its exit codes."""

import json
import re

import pyarrow.parquet as parquet
import pytest

from emopy.cli.main import main
from emopy.fermodel import FERModel
from emopy.present import to_arrow
from tests.batch_inputs import write_images


@pytest.fixture
def source(tmp_path):
    return write_images(tmp_path / "photos", 7)


@pytest.fixture
def run(tmp_path, linear_model):
    """run(source, *words) -> exit code, into ``out``."""

    def run(source, *words):
        options = ["--model", linear_model, "--detector", "full-image", "--shard-size", 3]
        return main(["batch", "run", *map(str, (source, tmp_path / "out", *options, *words))])

    return run


def test_a_run_its_status_and_its_table(source, run, tmp_path, capsys):
    out, table = str(tmp_path / "out"), tmp_path / "faces.parquet"
    assert run(source, "--shard", "2/3", "--workers", 1) == 0
    said = capsys.readouterr()
    assert said.out == ""
    first, last = said.err.splitlines()
    assert re.fullmatch(
        r"emopy: 1 of 1 shards, [\d.]+ images/s, 3 faces, 0 failed, 0:00:00 left", first
    )
    assert last == f"{out}: shards 1 of 1, inputs 3 of 3, faces 3, failed 0"
    assert main(["batch", "status", out]) == 0
    assert capsys.readouterr().out == f"{out}: shards 1 of 3, inputs 3 of 7, faces 3, failed 0\n"
    assert main(["batch", "merge", out, str(table)]) == 2
    assert "OUT must be a complete run" in capsys.readouterr().err.replace("`", "")
    assert run(source, "--workers", 1) == 0
    capsys.readouterr()
    assert main(["batch", "status", out, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "shards": 3, "done": 3, "inputs": 7, "done_inputs": 7, "rows": 7, "faces": 7,
        "failures": 0, "complete": True,
    }  # fmt: skip
    assert main(["batch", "merge", out, str(table)]) == 0
    assert capsys.readouterr().err == f"emopy: {table}: 7 rows\n"
    assert parquet.read_table(table).num_rows == 7
    assert main(["batch", "merge", out, str(table)]) == 2
    assert "exists" in capsys.readouterr().err.replace("`", "")
    assert main(["batch", "merge", out, str(table), "--overwrite"]) == 0
    capsys.readouterr()
    assert main(["batch", "merge", out, str(table / "t.parquet")]) == 2
    assert capsys.readouterr().err.startswith("emopy: `TABLE` must be a file that can be written.")


def test_inputs_that_cannot_be_read_make_exit_code_1(source, run, capsys):
    (source / "0003.png").write_text("no image")
    assert run(source, "--workers", 1) == 1
    assert capsys.readouterr().err.endswith(
        "inputs 7 of 7, faces 6, failed 1\n"
        "emopy: the rows of failed inputs have the reason in the column error\n"
    )
    assert run(source) == 1
    assert run(source, "--shard", "1/3") == 0  # its own inputs only
    assert run(source, "--shard", "2/3") == 1


def test_two_views_are_those_of_python(source, run, tmp_path, linear_model):
    assert run(source, "--workers", 1, "--views", 2) == 0
    table = tmp_path / "faces.parquet"
    assert main(["batch", "merge", str(tmp_path / "out"), str(table)]) == 0
    for views in (1, 2):
        model = FERModel(model=linear_model, detector="full-image", views=views)
        expected = to_arrow(model.predict_many(source), model.labels)
        assert parquet.read_table(table).equals(expected) is (views == 2)


@pytest.mark.parametrize("place", ["3", "a/b", "1/", "/2", "-1/3", "1/2/3", "٣/٤x"])
def test_a_place_that_is_none_is_refused(source, run, capsys, place):
    assert run(source, "--shard", place) == 2
    assert "--shard must be I/N" in capsys.readouterr().err.replace("`", "")


@pytest.mark.parametrize(
    "words, message",
    [
        (["--shard", "4/3"], "--shard must be I/N with I from 1 to N. Received 4/3"),
        (["--address", "auto"], "--address must go with the engine ray"),
        (["--every", 2, "--fps", 3], "--every and --fps must not both be given"),
        (["--detector", "unknown"], "--detector must be a known detector"),
        (["--threads", 2], "No such option"),
        (["--provider", "gpu"], "--provider must be names of providers"),
    ],
)
def test_errors_name_the_options(source, run, capsys, words, message):
    assert run(source, *words) == 2
    assert message in capsys.readouterr().err.replace("`", "")


def test_another_run_into_the_same_folder_is_refused_in_the_words_of_the_shell(source, run, capsys):
    assert run(source, "--workers", 1) == 0
    capsys.readouterr()
    assert run(source, "--smoothing", 1, "--fps", 2) == 2
    said = capsys.readouterr().err.replace("`", "")
    assert "begun with --fps none instead of 2.0; --smoothing 0.3 instead of 1.0" in said


@pytest.mark.parametrize("words", [(), ("--provider", "cpu")])
def test_a_run_without_a_provider_is_one_on_the_cpu(source, run, words):
    assert run(source, "--workers", 1, *words) == 0
    assert run(source, "--provider", "cpu") == 0
    assert run(source) == 0


@pytest.mark.parametrize("verb", [["status"], ["merge", "x.parquet"]])
def test_a_folder_that_is_no_run_is_refused(tmp_path, capsys, verb):
    assert main(["batch", verb[0], str(tmp_path), *verb[1:]]) == 2
    assert "OUT must be the folder of a batch run" in capsys.readouterr().err.replace("`", "")
