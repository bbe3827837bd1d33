"""A network that learns from the sample data knows composites of faces it never saw."""

import numpy as np
import pytest

from emopy import FERModel
from emopy.data.samples import sample_parts
from emopy.evaluate import evaluate

pytest.importorskip("keras")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from emopy.data.augment import Augmentation
    from emopy.train import export, fit
    from emopy.train.recipe import FitSettings

    run = fit(
        "ResidualNN",
        sample_parts(),
        settings=FitSettings(epochs=30, batch_size=16, learning_rate=4e-3),
        augmentation=Augmentation(
            flip=0.5, shift=0.04, rotation_deg=6, contrast=0.3, brightness=0.1
        ),
        net_settings={"widths": (12, 24, 48), "blocks": (1, 1, 1), "squeeze": 0, "dropout": 0},
    )
    return export(run, tmp_path_factory.mktemp("models") / "samples")


def test_a_small_network_beats_chance_clearly_on_the_held_out_part(folder):
    report = evaluate(folder, sample_parts().test)
    assert report.accuracy >= 0.5  # chance: 0.14


def test_the_exported_model_says_the_same_through_fermodel(folder):
    test = sample_parts().test
    predictions = FERModel(model=folder, detector="whole").predict_faces(list(test.images))
    named = np.array([prediction.emotion for prediction in predictions])
    truth = np.array(test.labels)[test.truth]
    assert np.mean(named == truth) == pytest.approx(evaluate(folder, test).accuracy)
