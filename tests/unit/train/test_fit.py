import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest

from emopy.data import Dataset, Splits
from emopy.data.augment import Augmentation
from emopy.errors import DataError, RecipeError
from emopy.models import load_model, write_model_folder
from emopy.models.store import read_golden
from emopy.nets import ResidualNN
from emopy.train import export, fit
from emopy.train.recipe import FitSettings
from emopy.train.run_folder import RunFolder

SMALL = {"widths": [8, 16], "blocks": [1, 1], "dropout": 0.2}
SETTINGS = FitSettings(epochs=6, batch_size=32, learning_rate=5e-3, ema=0.9, seed=3)
AUGMENTATION = Augmentation(shift=0.1, noise=0.05, brightness=0.1)


def train(splits: Splits, folder: Path | None = None):
    return fit(
        "ResidualNN",
        splits,
        settings=SETTINGS,
        augmentation=AUGMENTATION,
        folder=folder,
        net_settings=SMALL,
    )


@pytest.fixture(scope="module")
def finished(splits, tmp_path_factory):
    """A finished training."""
    return train(splits, tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def run_folder(finished, tmp_path):
    """A copy of the folder of the finished training."""
    return shutil.copytree(finished.folder, tmp_path / "run")


def test_training_improves_accuracy_and_fills_the_run_folder(finished, splits):
    run = finished
    assert run.history[-1]["val_accuracy"] > 0.8
    assert run.labels == splits.train.labels
    assert len(run.history) == 6
    assert "val_accuracy" in run.summary
    for name in ("recipe.toml", "metrics.csv", "curves.png", "model.keras"):
        assert (run.folder / name).stat().st_size > 0
    assert not list(run.folder.glob("partial*")) + list(run.folder.glob(".emopy-*"))


def test_the_same_seed_gives_the_same_curve_and_weights(finished, splits):
    first, second = finished, train(splits)
    assert first.history == second.history
    for a, b in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


KILLED = """
import sys
import numpy as np
from emopy.data import Splits, load_dataset
sys.path.insert(0, sys.argv[1])
from test_fit import train
train(Splits.of(load_dataset(sys.argv[2]), load_dataset(sys.argv[3])), sys.argv[4])
"""


def test_a_killed_training_resumes_to_the_same_curve_and_weights(finished, splits, tmp_path):
    run_folder = tmp_path / "run"
    files = splits.train.save(tmp_path / "train.npz"), splits.validation.save(tmp_path / "val.npz")
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(Path(__file__).parent), *map(str, files), run_folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "KERAS_BACKEND": keras.backend.backend()},
    )
    deadline = time.monotonic() + 120
    while not (run_folder / "checkpoint.npz").exists():
        assert child.poll() is None, child.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not (run_folder / "model.keras").exists()

    resumed = train(splits, run_folder)
    assert [row["epoch"] for row in resumed.history] == [1, 2, 3, 4, 5, 6]
    assert resumed.history == finished.history
    for a, b in zip(resumed.model.get_weights(), finished.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_training_killed_after_its_last_epoch_ends_with_the_same_weights(
    finished, splits, tmp_path, monkeypatch
):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            train(splits, tmp_path)
    resumed = train(splits, tmp_path)
    assert resumed.history == finished.history
    for a, b in zip(resumed.model.get_weights(), finished.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_finished_run_is_loaded_and_not_trained_again(finished, splits, run_folder):
    assert not finished.reopened
    written = (run_folder / "metrics.csv").stat().st_mtime_ns
    again = train(splits, run_folder)
    assert again.reopened
    assert again.history == finished.history
    assert (run_folder / "metrics.csv").stat().st_mtime_ns == written


def test_a_folder_with_a_run_on_other_data_is_refused(splits, run_folder):
    fewer = dataclasses.replace(splits, train=splits.train.take(range(100)))
    with pytest.raises(RecipeError, match="trained on others"):
        train(fewer, run_folder)


def test_other_validation_data_with_early_stopping_is_refused(splits, tmp_path):
    patient = dataclasses.replace(SETTINGS, epochs=1, patience=2)

    def train_with(splits):
        return fit(ResidualNN, splits, settings=patient, folder=tmp_path, net_settings=SMALL)

    train_with(splits)
    with pytest.raises(RecipeError, match="trained on others"):
        train_with(dataclasses.replace(splits, validation=splits.validation.take(range(50))))


def test_another_teacher_of_the_same_name_is_refused(finished, splits, tmp_path):
    def train_pupil():
        settings = dataclasses.replace(SETTINGS, epochs=1, teacher=(str(teacher),))
        return fit(ResidualNN, splits, settings=settings, folder=folder, net_settings=SMALL)

    teacher = export(finished, tmp_path / "teacher")
    folder = tmp_path / "pupil"
    card = load_model(export(train_pupil(), folder / "model")).card
    checksum = load_model(teacher).card.files["model.onnx"]
    assert card.training["parent_models"] == [f"{load_model(teacher).card.name} 1, {checksum}"]
    other = load_model(teacher)
    golden = read_golden(teacher)
    weights = onnx.load(teacher / "model.onnx")
    weights.doc_string = "another file"
    write_model_folder(
        teacher,
        card=other.card,
        weights=weights.SerializeToString(),
        golden_crops=golden.crops,
        golden_logits=golden.logits,
    )
    with pytest.raises(RecipeError, match="the same teachers"):
        train_pupil()


def test_a_folder_with_another_run_is_refused(splits, run_folder):
    with pytest.raises(RecipeError, match=r"another folder") as refused:
        fit(ResidualNN, splits, epochs=1, folder=run_folder, net_settings=SMALL)
    assert "fit.epochs is" in str(refused.value)


def test_invalid_network_settings_leave_no_folder(splits, tmp_path):
    for settings in ({"width": 3}, {"dropout": 3.0}, {"widths": [-8]}):
        with pytest.raises(RecipeError, match=r"net\.settings"):
            fit(ResidualNN, splits, folder=tmp_path / "run", net_settings=settings)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("precision", "compute_dtype"),
    [("float32", "float32"), ("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")],
)
def test_training_uses_the_dtype_policy(splits, precision, compute_dtype):
    used = set()

    class Witness(keras.layers.Layer):
        def call(self, inputs, training=None):
            if training:
                used.add(keras.backend.standardize_dtype(inputs.dtype))
            return inputs

    def witnessed(input_shape, classes):
        crops = keras.Input(input_shape)
        x = Witness()(keras.layers.Dense(4)(keras.layers.Flatten()(crops)))
        return keras.Model(crops, keras.layers.Dense(classes, dtype="float32")(x))

    fit(witnessed, splits, settings=FitSettings(epochs=1, dtype_policy=precision))
    assert used == {compute_dtype}


def test_splits_with_different_labels_are_refused(splits):
    other = splits.validation.only(["anger", "fear"])
    with pytest.raises(DataError, match="must have the same labels"):
        dataclasses.replace(splits, validation=other)


def test_a_label_without_a_face_is_not_trained_and_said(splits):
    train = splits.train.take(splits.train.targets[:, 1] == 0)
    with pytest.warns(UserWarning, match=r"^fear: the training data have no face of it"):
        run = fit(ResidualNN, Splits.of(train, splits.validation), epochs=1, net_settings=SMALL)
    assert run.labels == ("anger", "neutral")
    assert list(run.label_prior) == ["anger", "neutral"]
    assert run.model.output_shape == (None, 2)


def test_soft_targets_are_faces_of_every_label_that_they_name(splits):
    targets = splits.train.targets.copy()
    fear = targets[:, 1] == 1
    targets[fear] = [0.6, 0.4, 0.0]
    soft = dataclasses.replace(splits.train, targets=targets)
    assert fit(ResidualNN, Splits.of(soft), epochs=1, net_settings=SMALL).labels == soft.labels


def test_faces_of_one_label_only_are_refused(splits):
    train = splits.train.take(splits.train.targets[:, 0] == 1)
    with (
        pytest.warns(UserWarning, match="fear, neutral"),
        pytest.raises(DataError, match=r"two labels or more\. Received faces of anger only"),
    ):
        fit(ResidualNN, Splits.of(train), epochs=1, net_settings=SMALL)


def test_a_damaged_network_of_a_finished_run_is_named(splits, tmp_path):
    train(splits, tmp_path)
    (tmp_path / "model.keras").write_bytes(b"PK damaged")
    with pytest.raises(RecipeError, match=r"model\.keras.*delete that file to train again"):
        train(splits, tmp_path)


def test_data_with_one_label_are_refused(splits):
    n = len(splits.train)
    train = dataclasses.replace(splits.train, targets=np.ones((n, 1)), labels=("anger",))
    with pytest.raises(DataError, match="two labels or more"):
        fit(ResidualNN, Splits.of(train), epochs=1, net_settings=SMALL)


def test_a_damaged_checkpoint_is_named(splits, tmp_path, killed_after):
    with killed_after(1):
        train(splits, tmp_path)
    (tmp_path / "checkpoint.npz").write_bytes(b"PK damaged")
    with pytest.raises(RecipeError, match=r"checkpoint\.npz.*Delete that file"):
        train(splits, tmp_path)


def test_an_empty_training_split_is_refused(splits):
    nothing: Dataset = splits.train.take([])
    with pytest.raises(DataError, match=r"`splits\.train` must hold faces"):
        fit(ResidualNN, Splits.of(nothing), epochs=1)


def test_an_unknown_network_setting_is_named(splits):
    with pytest.raises(RecipeError, match="depth"):
        fit(ResidualNN, splits, epochs=1, net_settings={"depth": 3})


def test_clips_of_one_frame_are_refused(splits):
    single = dataclasses.replace(splits.train, images=splits.train.images[:, None])
    with pytest.raises(DataError, match="Received clips of 1 frame"):
        fit("TimeDelayConvNN", Splits.of(single), epochs=1)
