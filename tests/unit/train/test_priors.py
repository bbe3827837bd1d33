"""The label prior of a run after sampling, logit adjustment and distillation."""

import dataclasses

import keras
import numpy as np
import pytest

from emopy.data import Dataset, Splits
from emopy.models import load_model, to_tensor
from emopy.train import FitSettings, export, fit
from emopy.train.targets import sampling_weights

SETTINGS = FitSettings(epochs=30, batch_size=50, learning_rate=0.05, weight_decay=0.0)
COMMON = 0.8


def brightness_only(input_shape, classes):
    """A network whose only feature is the brightness of the image."""
    crops = keras.Input(input_shape)
    x = keras.layers.GlobalAveragePooling2D()(crops)
    return keras.Model(crops, keras.layers.Dense(classes, name="logits")(x))


@pytest.fixture(scope="module")
def noise_splits():
    """Noise without any cue to the label: the predicted probabilities are the prior."""
    n = 200
    return Splits.of(
        Dataset(
            np.random.default_rng(0).integers(0, 256, (n, 8, 8, 1), np.uint8),
            np.eye(2, dtype=np.float32)[np.where(np.arange(n) < COMMON * n, 0, 1)],
            ("neutral", "fear"),
            np.full(n, ""),
            np.array([f"made-up:{i}" for i in range(n)]),
        )
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, COMMON),
        ({"class_balanced_sampling": 1.0}, 0.5),
        ({"class_balanced_sampling": 0.5}, COMMON**0.5 / (COMMON**0.5 + (1 - COMMON) ** 0.5)),
        ({"logit_adjustment": 1.0}, 0.5),
        ({"logit_adjustment": 0.5}, COMMON**0.5 / (COMMON**0.5 + (1 - COMMON) ** 0.5)),
        ({"class_balanced_sampling": 1.0, "logit_adjustment": 1.0}, 0.5),
    ],
)
def test_the_label_prior_of_a_run_is_that_of_its_predictions(noise_splits, change, expected):
    run = fit(brightness_only, noise_splits, settings=dataclasses.replace(SETTINGS, **change))
    assert run.label_prior == pytest.approx({"neutral": expected, "fear": 1 - expected})
    tensor = to_tensor(noise_splits.train.images, run.spec)
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(run.model(tensor)))
    np.testing.assert_allclose(probabilities.mean(axis=0), [expected, 1 - expected], atol=0.06)


def test_label_smoothing_is_part_of_the_prior(noise_splits):
    run = fit(
        brightness_only, noise_splits, settings=dataclasses.replace(SETTINGS, label_smoothing=0.3)
    )
    expected = [0.7 * COMMON + 0.15, 0.7 * (1 - COMMON) + 0.15]
    assert list(run.label_prior.values()) == pytest.approx(expected)
    tensor = to_tensor(noise_splits.train.images, run.spec)
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(run.model(tensor)))
    np.testing.assert_allclose(probabilities.mean(axis=0), expected, atol=0.06)


def test_the_prior_of_a_distilled_run_is_that_of_its_targets(splits, linear_model, tmp_path):
    settings = FitSettings(
        epochs=1, class_balanced_sampling=0.6, teacher=(str(linear_model),), teacher_weight=1.0
    )
    run = fit("ResidualNN", splits, settings=settings, net_settings={"widths": [8], "blocks": [1]})
    logits = load_model(linear_model).logits(splits.train.images)
    columns = [load_model(linear_model).card.labels.index(label) for label in run.labels]
    powers = np.exp(logits[:, columns])
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    expected = sampling_weights(splits.train.targets, 0.6) @ probabilities
    np.testing.assert_allclose(list(run.label_prior.values()), expected, rtol=1e-4)
    card = load_model(export(run, tmp_path / "model")).card
    assert list(card.training["label_prior"].values()) == pytest.approx(expected, abs=1e-4)


def test_a_training_with_all_settings_resumes_to_the_same_weights(
    splits, linear_model, tmp_path, kept_after
):
    settings = FitSettings(
        epochs=3,
        batch_size=64,
        ema=0.8,
        class_balanced_sampling=0.5,
        logit_adjustment=0.5,
        mixup=0.2,
        label_smoothing=0.1,
        teacher=(str(linear_model),),
    )

    def train(folder):
        small = {"widths": [8], "blocks": [1]}
        return fit("ResidualNN", splits, settings=settings, folder=folder, net_settings=small)

    with kept_after(tmp_path):
        whole = train(tmp_path / "uninterrupted")
    resumed, reopened = train(tmp_path / "2"), train(tmp_path / "2")
    assert resumed.history == whole.history == reopened.history
    assert resumed.label_prior == whole.label_prior == reopened.label_prior
    for a, b in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kept = keras.saving.load_model(tmp_path / "2" / "model.keras")  # the adjusted loss included
    assert kept.loss.offsets == pytest.approx(whole.model.loss.offsets)
