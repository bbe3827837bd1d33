import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from emopy.cli.main import main
from emopy.data import Dataset
from emopy.labels import ALL_EMOTIONS


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(3)
    return Dataset(
        rng.integers(0, 256, (64, 48, 48, 1), dtype=np.uint8),
        np.eye(8, dtype=np.float32)[np.arange(64) % 8],
        ALL_EMOTIONS,
        np.full(64, ""),
        np.array([f"row {i}" for i in range(64)]),
    ).save(tmp_path / "noise.npz")


@pytest.fixture
def groups(tmp_path):
    path = tmp_path / "groups.csv"
    rows = [f"row {i},{'even' if i % 2 == 0 else 'odd'}" for i in range(64)]
    path.write_text("\n".join(["source,group", *rows]), encoding="utf-8")
    return path


def test_each_group_of_a_file_is_measured(linear_model, data, groups, capsys):
    line = ["evaluate", str(linear_model), str(data), "--groups", str(groups)]
    assert main([*line, "--format", "json"]) == 0
    values = json.loads(capsys.readouterr().out)["groups"]
    assert {name: value["samples"] for name, value in values.items()} == {"even": 32, "odd": 32}
    assert main(line) == 0
    assert "95 % interval" in capsys.readouterr().out


def test_a_page_is_written_and_named_on_stderr(linear_model, data, groups, tmp_path, capsys):
    page = tmp_path / "new" / "report.html"
    line = ["evaluate", str(linear_model), str(data), "--groups", str(groups), "--html", str(page)]
    assert main(line) == 0
    captured = capsys.readouterr()
    assert str(page) in captured.err
    assert str(page) not in captured.out
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "noise.npz" in text
    assert "odd" in text
    assert list(page.parent.iterdir()) == [page]


def test_a_failed_evaluation_leaves_the_earlier_page_as_it_was(linear_model, data, tmp_path):
    page = tmp_path / "report.html"
    page.write_text("earlier", encoding="utf-8")
    broken = shutil.copytree(linear_model, tmp_path / "broken")
    (broken / "model.onnx").write_bytes(b"")
    line = ["evaluate", str(broken), str(data), "--html", str(page)]
    assert main([*line, "--overwrite"]) == 2
    assert page.read_text(encoding="utf-8") == "earlier"
    assert not list(tmp_path.glob(".*partial*"))


def test_a_report_replaces_a_file_on_request_only(linear_model, data, tmp_path, capsys):
    page = tmp_path / "report.html"
    page.write_text("earlier", encoding="utf-8")
    line = ["evaluate", str(linear_model), str(data), "--html", str(page)]
    assert main(line) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "earlier"
    assert main([*line, "--overwrite"]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_groups_file_of_other_faces_is_refused_in_one_line(linear_model, data, tmp_path, capsys):
    other = tmp_path / "other.csv"
    other.write_text("source,group\nsomebody,a\n", encoding="utf-8")
    assert main(["evaluate", str(linear_model), str(data), "--groups", str(other)]) == 2
    captured = capsys.readouterr()
    assert "where 64 of 64 are missing, the first 'row 0'" in captured.err
    assert not captured.out


@pytest.fixture
def folder(tmp_path):
    """A face of each of two emotions, with names that are not UTF-8, and a damaged one."""
    for seed, emotion in enumerate(("anger", "fear")):
        path = tmp_path / "faces" / emotion / os.fsdecode(b"caf\xe9.png")
        path.parent.mkdir(parents=True)
        noise = np.random.default_rng(seed).integers(0, 256, (48, 48), np.uint8)
        Image.fromarray(noise).save(path)
    (path.parent / os.fsdecode(b"\xff.png")).write_bytes(b"damaged")
    return tmp_path / "faces"


def test_what_cannot_be_recorded_is_refused_before_the_evaluation(folder, capsys, monkeypatch):
    monkeypatch.setattr("emopy.evaluate.evaluate", None)  # would end the test if it were called
    assert main(["evaluate", "emopy-tiny", str(folder), "--record", "x"]) == 2
    assert "must be a model of your own" in capsys.readouterr().err
    assert main(["evaluate", "emopy-tiny", str(folder), "--record", ""]) == 2
    assert "must be a name of printable characters" in capsys.readouterr().err


def test_names_that_are_not_utf_8_do_not_end_a_report(linear_model, folder, tmp_path, capsys):
    page = tmp_path / "report.html"
    assert main(["evaluate", str(linear_model), str(folder), "--html", str(page)]) == 1
    assert r"caf\udce9.png" in page.read_text(encoding="utf-8")
    moved = folder.rename(folder.with_name(os.fsdecode(b"\xe9")))
    line = ["evaluate", str(linear_model), str(moved), "--html", str(page), "--overwrite"]
    assert main(line) == 1
    assert r"caf\udce9.png" in page.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main([*line, "--record", os.fsdecode(b"\xe9")]) == 2
    assert "`--record` must be a name of printable characters" in capsys.readouterr().err


def test_the_folder_of_one_emotion_names_the_folder_to_type(linear_model, folder, capsys):
    assert main(["evaluate", str(linear_model), str(folder / "anger")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "`DATA` must hold at least two folders" in error
    assert error.endswith(f"the folder of one label. Type {folder}\n")


def test_a_folder_of_splits_names_the_paths_to_type(linear_model, folder, capsys):
    (folder.parent / "split").mkdir()
    test = folder.rename(folder.parent / "split" / "test")
    assert main(["evaluate", str(linear_model), str(test.parent)]) == 2
    assert f"which is split already. Type {test}" in capsys.readouterr().err


def test_a_prior_is_a_name_or_probabilities(linear_model, data, capsys):
    line = ["evaluate", str(linear_model), str(data), "--emotions", "anger,fear"]
    assert main([*line, "--prior", "uniform"]) == 2  # its card has no label prior
    assert "must be 'training'" in capsys.readouterr().err
    assert main([*line, "--prior", "anger=much,fear=1"]) == 2
    assert "anger=0.2,neutral=0.8" in capsys.readouterr().err
