"""Skipped files and rows of labeled faces are reported by every verb."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emopy.cli.main import main
from emopy.data import Dataset
from emopy.samples import sample_images

BAD = "bad.png"


def write_noise(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (48, 48), np.uint8)).save(path)


@pytest.fixture
def faces(tmp_path):
    """Eight faces of each of two emotions, and a file that is no image."""
    for label in ("fear", "happiness"):
        for number in range(8):
            write_noise(tmp_path / "faces" / label / f"{number}.png", number)
    (tmp_path / "faces" / "fear" / BAD).write_bytes(b"not an image")
    return tmp_path / "faces"


@pytest.fixture
def model(linear_model, tmp_path):
    return str(shutil.copytree(linear_model, tmp_path / "linear"))


def test_an_evaluation_lists_skipped_files_and_uses_the_rest(faces, model, capsys):
    assert main(["evaluate", model, str(faces)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"emopy: {faces / 'fear' / BAD}: ")
    assert re.search(r"^samples +16$", captured.out, re.MULTILINE)


def test_a_calibration_lists_skipped_files_and_uses_the_rest(faces, model, capsys):
    assert main(["calibrate", model, str(faces)]) == 1
    captured = capsys.readouterr()
    assert str(faces / "fear" / BAD) in captured.err
    assert captured.out.startswith("temperature ")


@pytest.mark.parametrize(
    "words", ["evaluate {model} {faces}", "calibrate {model} {faces}", "data describe {faces}",
              "data check {faces}", "data show {faces} --out {out}/sheet.png",
              "data split {faces} {out} --validation 0.2 --calibration 0 --test 0.2"],
)  # fmt: skip
def test_the_limit_of_pixels_applies_wherever_images_are_read(
    faces, model, tmp_path, capsys, words
):
    (faces / "fear" / BAD).unlink()
    Image.fromarray(np.zeros((99, 99), np.uint8)).save(faces / "fear" / "large.png")
    typed = words.format(model=model, faces=faces, out=tmp_path).split()
    assert main([*typed, "--max-pixels", "2304"]) == 1
    assert "or raise the limit: `--max-pixels 9801`" in capsys.readouterr().err
    main([*typed, "--max-pixels", "9801", *(["--overwrite"] if "{out}" in words else [])])
    assert "large.png" not in capsys.readouterr().err


def test_without_skipped_files_nothing_is_reported(faces, model, capsys):
    (faces / "fear" / BAD).unlink()
    assert main(["evaluate", model, str(faces)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("verb", ["predict", "explain"])
def test_faces_below_the_asked_score_are_left_out(verb, linear_model, astronaut_file, capsys):
    words = [verb, str(astronaut_file), "--model", str(linear_model), "--format", "json"]
    assert main(words) == 0
    ((face,),) = [image["faces"] for image in json.loads(capsys.readouterr().out)]
    for score, count in ((face["score"] - 1e-4, 1), ((1 + face["score"]) / 2, 0)):
        assert main([*words, "--min-face-score", str(score)]) == 0
        assert len(json.loads(capsys.readouterr().out)[0]["faces"]) == count


def test_a_temperature_from_few_faces_is_called_imprecise(faces, model, tmp_path, capsys):
    (faces / "fear" / BAD).unlink()
    assert main(["calibrate", model, str(faces)]) == 0
    assert "imprecise with fewer than 200 faces. Received 16." in capsys.readouterr().err
    many = np.random.default_rng(1).integers(0, 256, (200, 48, 48, 1), np.uint8)
    targets = np.eye(2, dtype=np.float32)[np.arange(200) % 2]
    names = np.arange(200).astype(str)
    data = Dataset(many, targets, ("fear", "happiness"), names, names)
    assert main(["calibrate", model, str(data.save(tmp_path / "many.npz"))]) == 0
    assert capsys.readouterr().err == ""


def test_a_model_of_clips_is_calibrated_and_evaluated_on_folders_of_clips(
    clip_model, tmp_path, capsys
):
    for place in ("fear/a", "fear/b", "happiness/a", "happiness/b"):
        for number in range(3):
            write_noise(tmp_path / "clips" / place / f"{number}.png", number)
    write_noise(tmp_path / "clips" / "fear" / "short" / "0.png", 0)
    words = [str(clip_model), str(tmp_path / "clips")]
    assert main(["calibrate", *words]) == 1
    assert "fewer than num_frames=2" in capsys.readouterr().err
    assert main(["evaluate", *words]) == 1
    captured = capsys.readouterr()
    assert "fewer than num_frames=2" in captured.err
    assert re.search(r"^samples +4$", captured.out, re.MULTILINE)


@pytest.fixture
def samples(tmp_path, monkeypatch):
    """The packaged sample images in a folder of the current one."""
    (tmp_path / "photos").mkdir()
    for emotion in ("anger", "happiness"):
        shutil.copy(sample_images()[emotion], tmp_path / "photos" / f"={emotion}.png")
    Image.fromarray(np.zeros((60, 60), np.uint8)).save(tmp_path / "photos" / "wall.png")
    monkeypatch.chdir(tmp_path)


def rows(capsys):
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_the_table_of_one_run_gives_the_boxes_of_another(samples, capsys):
    assert main(["predict", "photos", "--out", "results.csv"]) == 0
    with open("results.csv", encoding="utf-8", newline="") as file:  # noqa: PTH123
        first = list(csv.DictReader(file))
    assert [bool(row["face"]) for row in first] == [True, True, False]
    again = ["--boxes", "results.csv", "--format", "csv", "--detector", "full-image"]
    for places in (["photos"], ["photos/*.png"], ["./photos"]):
        assert main(["predict", *places, *again]) == 0
        second = rows(capsys)
        edges = ("left", "top", "right", "bottom", "face")
        assert [[row[e] for e in edges] for row in second] == [
            [row[e] for e in edges] for row in first
        ]
        assert {row["score"] for row in second if row["face"]} == {"1.0"}


def test_images_of_a_table_that_are_not_predicted_are_mentioned(samples, capsys):
    Path("b.csv").write_text(
        "source,left,top,right,bottom\nphotos/wall.png,1,2,30,40\nx.png,1,2,3,4\n"
    )
    quick = ["--boxes", "b.csv", "--format", "csv"]
    assert main(["predict", "photos", *quick]) == 0
    captured = capsys.readouterr()
    assert captured.err == (
        "emopy: b.csv: 1 of its 2 images, the first 'x.png', are not among the images.\n"
        "emopy: b.csv has no row for 2 of 3 images, the first 'photos/=anger.png'. They count as "
        "images without a face.\n"
    )
    found = list(csv.DictReader(io.StringIO(captured.out)))
    assert [row["left"] for row in found] == ["", "", "1.0"]
    assert main(["predict", "photos/=anger.png", *quick]) == 2
    assert (
        "--boxes must name the images. Received b.csv, in which no row does"
        in capsys.readouterr().err
    )


def test_names_of_files_are_enough_where_they_do_not_repeat(samples, capsys):
    Path("b.csv").write_text("source,left,top,right,bottom\nwall.png,1,2,30,40\n")
    quick = ["--boxes", "b.csv", "--format", "csv"]
    assert main(["predict", "photos/wall.png", *quick]) == 0
    assert [row["left"] for row in rows(capsys)] == ["1.0"]
    shutil.copytree("photos", "again")
    assert main(["predict", "photos", "again", *quick]) == 2
    said = capsys.readouterr().err
    assert "`--boxes` must name each image with its folder if file names repeat" in said
    assert "'wall.png', which is 'again/wall.png' and 'photos/wall.png'" in said
    shutil.copy("photos/wall.png", "wall.png")
    assert main(["predict", "wall.png", "photos", *quick]) == 0
    assert [row["left"] for row in rows(capsys)] == ["1.0", "", "", ""]


def test_no_table_is_written_if_no_image_can_be_read(samples, capsys):
    assert main(["predict", "fotos", "--out", "results.csv"]) == 1
    assert "fotos" in capsys.readouterr().err
    assert not list(Path().glob("results*"))
    assert main(["predict", "photos/wall.png", "fotos", "--out", "results.csv"]) == 1
    assert "emopy: results.csv: images 2, faces 0\n" in capsys.readouterr().err


def test_a_list_of_emotions_with_spaces_is_explained(samples, capsys):
    assert main(["predict", "photos", "--emotions", "happiness,", "anger"]) == 2
    assert (
        "the labels must stand without spaces, or in quotes. Received 'happiness,'."
        in capsys.readouterr().err
    )


def test_a_bad_box_fails_its_image_and_the_others_are_done(samples, capsys):
    Path("b.csv").write_text(
        "source,left,top,right,bottom\nphotos/wall.png,90,0,99,9\nphotos/=anger.png,9,9,99,99\n"
    )
    assert main(["predict", "photos", "--boxes", "b.csv", "--format", "csv"]) == 1
    captured = capsys.readouterr()
    assert "emopy: `--boxes` must each have a box that shows a part of the image" in captured.err
    found = list(csv.DictReader(io.StringIO(captured.out)))
    assert [row["left"] for row in found] == ["9.0", "", ""]


def test_a_table_without_rows_has_no_faces(samples, capsys):
    Path("b.csv").write_text("source,left,top,right,bottom\n")
    assert main(["predict", "photos", "--boxes", "b.csv", "--format", "csv"]) == 0
    assert [row["face"] for row in rows(capsys)] == ["", "", ""]
