"""From a folder of faces to a model that reads images, as a newcomer types it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from emopy.cli.main import main
from emopy.data.augment import Augmentation, augment
from emopy.samples import sample_images

EMOTIONS = ("happiness", "surprise", "neutral")
RECIPE = """
name = "mine"
[net.settings]
widths = [8, 16, 32]
blocks = [1, 1, 1]
[fit]
epochs = 14
batch_size = 16
learning_rate = 5e-3
"""


@pytest.fixture(scope="module")
def faces(tmp_path_factory) -> Path:
    """Sixty changed copies of three composites, one folder per emotion."""
    root = tmp_path_factory.mktemp("faces")
    change = Augmentation(rotation_deg=8, shift=0.04, zoom=0.08, brightness=0.1, noise=0.02)
    for emotion in EMOTIONS:
        (root / emotion).mkdir()
        image = cv2.imread(str(sample_images()[emotion]), cv2.IMREAD_GRAYSCALE)
        crop = cv2.resize(image[60:280, 50:270], (48, 48), interpolation=cv2.INTER_AREA)
        for number in range(60):
            changed = augment(crop[..., None], change, np.random.default_rng(number))
            cv2.imwrite(str(root / emotion / f"{number}.png"), changed)
    return root


def test_faces_become_a_calibrated_model_that_reads_images(faces, tmp_path, capsys):
    recipe, run, splits = tmp_path / "recipe.toml", tmp_path / "run", tmp_path / "parts"
    recipe.write_text(RECIPE)

    assert main(["data", "describe", str(faces)]) == 0
    fractions = ["--validation", "0.1", "--calibration", "0.2", "--test", "0.2"]
    assert main(["data", "split", str(faces), str(splits), *fractions]) == 0
    train = f"data.train={splits / 'train.npz'}"
    validation = f"data.validation={splits / 'validation.npz'}"
    options = ["--set", train, "--set", validation]
    assert main(["train", str(recipe), *options, "--out", str(run)]) == 0
    model = str(run / "model")
    assert main(["models", "check", model]) == 0
    assert main(["calibrate", model, str(splits / "calibration.npz")]) == 0
    capsys.readouterr()
    unseen = [str(splits / "test.npz"), "--format", "json", "--record", "mine"]
    assert main(["evaluate", model, *unseen]) == 0
    report = json.loads(capsys.readouterr().out)
    assert sum(map(sum, report["confusion_matrix"])) == 36
    assert report["accuracy"] > 0.9

    image = str(sample_images()["surprise"])
    assert main(["predict", image, "--model", model, "--format", "json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert [face["emotion"] for face in result["faces"]] == ["surprise"]
    card = json.loads((run / "model" / "card.json").read_text())
    assert card["temperature"] != 1.0
    assert "mine" in card["metrics"]
