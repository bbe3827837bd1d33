import dataclasses
import sys

import numpy as np
import pytest

from emopy.data import Splits
from emopy.errors import DataError, MissingExtraError, RecipeError
from emopy.models import to_tensor
from emopy.train import FitSettings, fit
from emopy.train.callbacks import RunLog

SMALL = {"widths": [8], "blocks": [1]}
SETTINGS = FitSettings(epochs=9, batch_size=32, learning_rate=0.01, patience=2, ema=0.5, seed=1)


def is_over(losses, patience, first_epoch=0):
    history = [{"epoch": i + 1, "val_loss": loss} for i, loss in enumerate(losses)]
    epochs = range(first_epoch, 6)
    return RunLog(history, folder=None, best=None, patience=patience, epochs=epochs).is_over


@pytest.mark.parametrize(
    "losses, patience, first_epoch, expected",
    [
        ([3, 2, 1], 1, 0, False),
        ([3, 2, 2], 1, 0, True),
        ([1, 2], 2, 0, False),
        ([1, 2, 3], 2, 0, True),
        ([1, 2, 3], 0, 0, False),
        ([1, 2, 3, 4], 2, 3, False),
        ([1, 2, 3, 4, 5], 2, 3, True),
        ([float("nan"), 2, 3, float("nan")], 2, 0, True),
        ([], 1, 0, False),
        ([6, 5, 4, 3, 2], 0, 0, False),
        ([6, 5, 4, 3, 2, 1], 0, 0, True),
    ],
)
def test_training_ends_after_the_epochs_or_without_a_better_one(
    losses, patience, first_epoch, expected
):
    assert is_over(losses, patience, first_epoch) is expected


def train(splits, folder=None):
    """Train with wrong validation labels, so that the validation loss rises."""
    wrong = dataclasses.replace(
        splits.validation, targets=np.roll(splits.validation.targets, 1, axis=1)
    )
    splits = dataclasses.replace(splits, validation=wrong)
    return fit("ResidualNN", splits, settings=SETTINGS, folder=folder, net_settings=SMALL)


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """The folders that `whole` left after every epoch."""
    return tmp_path_factory.mktemp("copies")


@pytest.fixture(scope="module")
def whole(splits, kept_after, copies):
    with kept_after(copies):
        return train(splits, copies / "end")


def test_early_stopping_keeps_the_weights_of_the_best_epoch(whole, splits):
    losses = [row["val_loss"] for row in whole.history]
    assert len(losses) < 9
    assert len(losses) - (losses.index(min(losses)) + 1) == 2
    tensor = to_tensor(splits.validation.images, whole.spec)
    wrong = np.roll(splits.validation.targets, 1, axis=1)
    loss, _ = whole.model.evaluate(tensor, wrong, verbose=0)
    assert loss == pytest.approx(min(losses), rel=1e-4)


@pytest.mark.parametrize("before_the_end", [0, 1])
def test_early_stopping_resumes_after_a_kill(whole, splits, copies, before_the_end):
    folder = copies / str(len(whole.history) - before_the_end)
    resumed = train(splits, folder)
    assert resumed.history == whole.history
    for a, b in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert train(splits, folder).history == whole.history


def test_early_stopping_without_validation_faces_is_refused(splits):
    with pytest.raises(DataError, match="for early stopping"):
        fit("ResidualNN", Splits.of(splits.train), settings=SETTINGS)


def test_tensorboard_gets_its_events_on_request(splits, tmp_path):
    settings = FitSettings(epochs=1, batch_size=64, log="tensorboard")
    fit("ResidualNN", splits, settings=settings, folder=tmp_path, net_settings=SMALL)
    assert list((tmp_path / "tensorboard").rglob("events.out.tfevents.*"))
    with pytest.raises(RecipeError, match="`folder` must be given for TensorBoard"):
        fit("ResidualNN", splits, settings=settings, net_settings=SMALL)


def test_a_missing_tensorboard_is_named(splits, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"emopy\[tensorboard\]"):
        fit("ResidualNN", splits, settings=FitSettings(log="tensorboard"), folder=tmp_path)
