"""Every network learns from the sample data: it knows composites of faces it never saw.

The test split is made of source faces that no other split holds. Only `TransferLearningNN`
begins with weights that were trained on the photographs behind both splits.
"""

import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

from emopy import FERModel
from emopy.data.augment import Augmentation
from emopy.evaluate import calibrate, evaluate
from emopy.samples import sample_clip_splits, sample_splits

pytest.importorskip("keras")

FRAMES = 2
CHANGES = Augmentation(flip=0.5, shift=0.04, rotation_deg=6, contrast=0.3, brightness=0.1)


@dataclass(frozen=True)
class Training:
    """Settings of a training, and the lowest acceptable test accuracy."""

    net: str
    epochs: int
    learning_rate: float
    settings: dict
    least: float
    clips: bool = False

    @property
    def splits(self):
        return sample_clip_splits(frames=FRAMES) if self.clips else sample_splits()


# Chance is 1/7 = 0.14.
SMALL = {"widths": (12, 24, 48), "blocks": (1, 1, 1), "dropout": 0}
TRAININGS = [
    Training("ConvolutionalNN", 7, 4e-3, {"filters": 8, "dense": 32}, 0.45),
    Training("ConvolutionalNNDropout", 10, 8e-3, {"filters": 8, "dropout": 0}, 0.45),
    Training("ResidualNN", 16, 4e-3, SMALL, 0.45),
    Training("TransferLearningNN", 3, 4e-3, {"dense": 32, "dropout": 0.1}, 0.7),
    Training("ConvolutionalLstmNN", 8, 8e-3, {"filters": 8, "dropout": 0.1}, 0.4, clips=True),
    Training("TimeDelayConvNN", 8, 8e-3, {"filters": 4, "dropout": 0, "grid": 6}, 0.4, clips=True),
]


@dataclass(frozen=True)
class Trained:
    """The result of a training."""

    training: Training
    folder: object
    history: tuple


@pytest.fixture(scope="module", params=TRAININGS, ids=lambda training: training.net)
def trained(request, tmp_path_factory):
    from emopy.train import FitSettings, export, fit

    training = request.param
    run = fit(
        training.net,
        training.splits,
        settings=FitSettings(
            epochs=training.epochs,
            batch_size=8 if training.clips else 16,
            learning_rate=training.learning_rate,
        ),
        augmentation=CHANGES,
        net_settings=training.settings,
    )
    return Trained(training, export(run, tmp_path_factory.mktemp("models") / "model"), run.history)


def test_accuracy_on_the_test_split_is_far_above_chance(trained):
    report = evaluate(trained.folder, trained.training.splits.test)
    assert report.accuracy >= trained.training.least
    assert report.samples == len(trained.training.splits.test)
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]


def test_the_reloaded_model_predicts_the_same(trained):
    test = trained.training.splits.test
    model = FERModel(model=trained.folder)
    if trained.training.clips:
        said = [model.predict_sequence(clip)[-1] for clip in test.images]
    else:
        said = model.predict_faces(list(test.images))
    named = [prediction.emotion for prediction in said]
    known = np.mean(np.array(named) == np.array(test.labels)[test.truth])
    assert known == pytest.approx(evaluate(trained.folder, test).accuracy)


def test_calibration_lowers_the_log_loss_and_changes_no_label(trained, tmp_path):
    folder = shutil.copytree(trained.folder, tmp_path / "model")
    splits = trained.training.splits
    before, answers = evaluate(folder, splits.calibration), evaluate(folder, splits.test)
    temperature = calibrate(folder, splits.calibration)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["temperature"] == pytest.approx(temperature)
    assert temperature != 1
    assert evaluate(folder, splits.calibration).log_loss < before.log_loss
    assert evaluate(folder, splits.test).accuracy == answers.accuracy
