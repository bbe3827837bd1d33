import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from emopy.cli.data_show import show
from emopy.data import Dataset


@pytest.fixture
def faces_file(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1), dtype=np.uint8)
    empty = np.full(6, "")
    targets = np.eye(2, dtype=np.float32)[[0, 1] * 3]
    return Dataset(images, targets, ("fear", "joy"), empty, empty).save(tmp_path / "faces.npz")


def test_faces_are_drawn_as_they_are_without_a_recipe(faces_file, tmp_path):
    out = tmp_path / "sheet.png"
    done = CliRunner().invoke(show, [str(faces_file), "--out", str(out), "--rows", "4"])
    assert (done.exit_code, done.stdout) == (0, "")
    with Image.open(out) as image:
        assert image.size == (204, 426)


def test_a_recipe_changes_the_faces_and_can_be_changed(faces_file, tmp_path):
    pytest.importorskip("keras")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[augment]\nbrightness = 0.3\n")
    sheets = []
    for extra in ([], ["--set", "augment.brightness=0"]):
        out = tmp_path / "sheet.png"
        words = [str(faces_file), "--recipe", str(recipe), "--out", str(out), "--epochs", "2"]
        assert CliRunner().invoke(show, [*words, *extra]).exit_code == 0
        with Image.open(out) as image:
            sheets.append(np.asarray(image)[26:122, 104:404])
    assert not np.array_equal(sheets[0][:, :96], sheets[0][:, 200:296])
    np.testing.assert_array_equal(sheets[1][:, :96], sheets[1][:, 200:296])


def test_clips_are_drawn_with_their_frames_side_by_side(tmp_path):
    for label in ("fear", "happiness"):
        for frame in range(3):
            path = tmp_path / "clips" / label / "one" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (48, 48), 60 * frame).save(path)
    out = tmp_path / "sheet.png"
    words = [str(tmp_path / "clips"), "--clips", "3", "--out", str(out)]
    assert CliRunner().invoke(show, words).exit_code == 0
    with Image.open(out) as image:
        assert image.size == (104 + 3 * 96 + 4, 26 + 2 * 100)


def test_a_setting_without_a_recipe_is_wrong_usage(faces_file):
    done = CliRunner().invoke(show, [str(faces_file), "--set", "augment.flip=1"])
    assert done.exit_code == 2
    assert "--recipe" in done.output


def test_images_that_cannot_be_read_are_listed_and_the_others_drawn(tmp_path):
    for label in ("fear", "happiness"):
        path = tmp_path / "faces" / label / "one.png"
        path.parent.mkdir(parents=True)
        Image.new("L", (48, 48), 60).save(path)
    (path.parent / "bad.png").write_bytes(b"no image")
    out = tmp_path / "sheet.png"
    done = CliRunner().invoke(
        show, [str(tmp_path / "faces"), "--out", str(out)], standalone_mode=False
    )
    assert done.return_value == 1
    assert str(path.parent / "bad.png") in done.stderr
    assert out.is_file()
