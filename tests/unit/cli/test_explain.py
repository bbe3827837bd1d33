import json
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from emopy.cli import explain as command
from emopy.cli.main import main
from emopy.explain import METHODS


@pytest.fixture
def explain(linear_model):
    """Run `emopy explain` with the quick model; each image is one face."""

    def run(*words):
        options = ["--model", str(linear_model), "--detector", "full-image"]
        return main(["explain", *map(str, words), *options])

    return run


@pytest.fixture
def images(tmp_path):
    """Two faces and a file that is no image."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(4)
    for name in ("a", "b"):
        cv2.imwrite(str(folder / f"{name}.png"), rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    (folder / "text.png").write_text("no image")
    return folder


def test_the_command_offers_the_methods_of_the_package():
    assert set(command.METHODS) == set(METHODS)


def test_text_has_the_prediction_and_the_effect_of_each_region(explain, images, capsys):
    assert explain(images / "a.png", "--of", "anger,calm") == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(" % " in line for line in lines) == 7
    (anger,) = [i for i, line in enumerate(lines) if "lowers (-) anger, log-odds" in line]
    assert [line.split("  ")[2] for line in lines[anger + 1 : anger + 4]] == [
        "brows and eyes", "nose and cheeks", "mouth and chin",
    ]  # fmt: skip
    assert sum("lowers (-) neutral" in line for line in lines) == 1


def test_without_a_question_the_predicted_emotion_is_explained(explain, images, capsys):
    assert explain(images / "a.png", "--format", "json") == 0
    ((face,),) = [each["faces"] for each in json.loads(capsys.readouterr().out)]
    assert list(face["explanation"]["emotions"]) == [face["emotion"]]


def test_json_has_the_maps_and_the_failed_inputs(explain, images, tmp_path, capsys):
    out = tmp_path / "new" / "maps.json"
    words = (images, "--of", "all", "--method", "occlusion", "--seed", "5", "--out", out)
    assert explain(*words) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "1 of 3 images could not be read" in captured.err
    first, second, failed = json.loads(out.read_text(encoding="utf-8"))
    assert failed["error"]
    assert failed["faces"] == []
    for record in (first, second):
        (face,) = record["faces"]
        found = face["explanation"]
        assert (found["method"], found["seed"]) == ("occlusion", 5)
        assert list(found["emotions"]) == list(face["probabilities"])
        assert all(np.shape(each["map"]) == (48, 48) for each in found["emotions"].values())
        assert all(np.isfinite(each["map"]).all() for each in found["emotions"].values())


def test_without_an_image_json_is_an_empty_array(explain, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert explain(tmp_path / "empty", "--format", "json") == 1
    assert json.loads(capsys.readouterr().out) == []


def test_maps_are_drawn_into_a_file_per_image(explain, images, tmp_path):
    drawn = tmp_path / "drawn"
    assert explain(images, "--draw", drawn) == 1
    assert sorted(path.name for path in drawn.iterdir()) == ["a.png", "b.png"]
    with Image.open(drawn / "a.png") as image:
        assert image.width > image.height > 200


def test_an_image_without_a_face_is_mentioned_and_not_drawn(linear_model, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "wall.png"), np.zeros((90, 90, 3), np.uint8))
    words = ["explain", str(tmp_path / "wall.png"), "--model", str(linear_model)]
    assert main([*words, "--draw", str(tmp_path / "drawn")]) == 0
    captured = capsys.readouterr()
    assert "no face found" in captured.out
    assert "wall.png shows no face: nothing is drawn." in captured.err
    assert not (tmp_path / "drawn").exists()


def test_stdin_is_explained(explain, images, tmp_path, monkeypatch, capsys):
    with (images / "a.png").open("rb") as stream:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stream}))
        assert explain("-", "--draw", tmp_path / "drawn") == 0
    assert (tmp_path / "drawn" / "stdin.png").is_file()
    assert "log-odds" in capsys.readouterr().out


def test_existing_files_are_replaced_on_request_only(explain, images, tmp_path, capsys):
    out, drawn = tmp_path / "maps.json", tmp_path / "drawn"
    words = (images / "a.png", "--out", out, "--draw", drawn)
    assert explain(*words) == 0
    before = (drawn / "a.png").read_bytes()
    for file, option in ((out, "--out"), (drawn / "a.png", "--draw")):
        assert explain(*words) == 2
        assert f"{option} must not replace a file" in capsys.readouterr().err
        file.unlink()
    assert explain(*words) == 0
    assert explain(*words, "--overwrite", "--seed", "2") == 0
    assert (drawn / "a.png").read_bytes() != before


def test_inputs_are_never_written_over(explain, images, capsys):
    kept = (images / "a.png").read_bytes()
    for words in (("--draw", images), ("--out", images / "a.png", "--format", "json")):
        assert explain(images / "a.png", *words, "--overwrite") == 2
    assert (images / "a.png").read_bytes() == kept
    assert capsys.readouterr().err.count("must ") == 2


@pytest.mark.parametrize(
    "words, text",
    [
        (["--of", "joyful"], "`--of` must be one of the target emotions. Received 'joyful'"),
        (["--of", ""], "`--of` must name an emotion"),
        (["--of", "anger", "--emotions", "calm,fear"], "`--of` must be one of the target emotions"),
        (["--method", "lime"], "'--method'"),
        (["--seed", "-1"], "'--seed'"),
        (["--out", "maps.csv"], "--out must end in .txt or .json"),
        (["--format", "csv"], "'--format'"),
    ],
)
def test_a_wrong_option_is_refused_before_the_first_image(explain, images, words, text, capsys):
    assert explain(images, *words) == 2
    captured = capsys.readouterr()
    assert text in captured.err
    assert captured.out == ""
    assert "text.png" not in captured.err


def test_a_failed_run_leaves_no_file(explain, images, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command.JSONWriter, "write", stop)
    assert explain(images, "--out", tmp_path / "maps.json") == 130
    assert not (tmp_path / "maps.json").exists()
    shutil.rmtree(images)
    assert list(tmp_path.iterdir()) == []
