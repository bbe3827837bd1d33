"""Every network learns from the sample data: it knows composites of faces it never saw.

The held-out part is made of source faces that no other part holds. Only `TransferLearningNN`
begins with weights that were learnt on the photographs behind both parts.
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

FRAMES = 3
CHANGES = Augmentation(flip=0.5, shift=0.04, rotation_deg=6, contrast=0.3, brightness=0.1)


@dataclass(frozen=True)
class Lesson:
    """How one network learns here, and the least share of held-out faces it must know."""

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
LESSONS = [
    Lesson("ConvolutionalNN", 12, 2e-3, {"filters": 8, "dense": 32}, 0.45),
    Lesson("ConvolutionalNNDropout", 16, 4e-3, {"filters": 8, "dropout": 0.1}, 0.45),
    Lesson("ResidualNN", 16, 4e-3, SMALL, 0.45),
    Lesson("TransferLearningNN", 6, 2e-3, {"dense": 32, "dropout": 0.1}, 0.7),
    Lesson("ConvolutionalLstmNN", 16, 4e-3, {"filters": 8, "dropout": 0.1}, 0.4, clips=True),
    Lesson("TimeDelayConvNN", 16, 4e-3, {"filters": 4, "dropout": 0, "grid": 6}, 0.4, clips=True),
]


@dataclass(frozen=True)
class Learnt:
    """What a lesson left behind."""

    lesson: Lesson
    folder: object
    history: tuple


@pytest.fixture(scope="module", params=LESSONS, ids=lambda lesson: lesson.net)
def learnt(request, tmp_path_factory):
    from emopy.train import FitSettings, export, fit

    lesson = request.param
    run = fit(
        lesson.net,
        lesson.splits,
        settings=FitSettings(
            epochs=lesson.epochs,
            batch_size=8 if lesson.clips else 16,
            learning_rate=lesson.learning_rate,
        ),
        augmentation=CHANGES,
        net_settings=lesson.settings,
    )
    return Learnt(lesson, export(run, tmp_path_factory.mktemp("models") / "model"), run.history)


def test_it_beats_chance_clearly_on_the_held_out_part(learnt):
    report = evaluate(learnt.folder, learnt.lesson.splits.test)
    assert report.accuracy >= learnt.lesson.least
    assert report.samples == len(learnt.lesson.splits.test)
    assert learnt.history[-1]["loss"] < learnt.history[0]["loss"]


def test_the_reloaded_model_says_the_same_about_new_faces(learnt):
    test = learnt.lesson.splits.test
    model = FERModel(model=learnt.folder)
    if learnt.lesson.clips:
        said = [model.predict_sequence(clip)[-1] for clip in test.images]
    else:
        said = model.predict_faces(list(test.images))
    named = [prediction.emotion for prediction in said]
    known = np.mean(np.array(named) == np.array(test.labels)[test.truth])
    assert known == pytest.approx(evaluate(learnt.folder, test).accuracy)


def test_calibration_makes_its_confidence_honest_and_changes_no_answer(learnt, tmp_path):
    folder = shutil.copytree(learnt.folder, tmp_path / "model")
    splits = learnt.lesson.splits
    before, answers = evaluate(folder, splits.calibration), evaluate(folder, splits.test)
    temperature = calibrate(folder, splits.calibration)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card["temperature"] == pytest.approx(temperature)
    assert temperature != 1
    assert evaluate(folder, splits.calibration).log_loss < before.log_loss
    assert evaluate(folder, splits.test).accuracy == answers.accuracy
