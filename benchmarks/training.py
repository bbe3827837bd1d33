"""How much data augmentation slows training down."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report import CannotMeasureError, Section, Settings
from benchmarks.timing import Spread, alternate, ratios, seconds
from emopy.cores import usable_cores
from emopy.data import Dataset, load_dataset
from emopy.data.augment import Augmentation

if TYPE_CHECKING:
    from emopy.train import Recipe

BATCHES = 12
AT_LEAST = 0.9
"""Training speed with augmentation ÷ without."""

RECIPE = "emopy-base"


def measure(settings: Settings) -> Section:
    """Time the same steps with and without data augmentation, and the augmentation alone."""
    if settings.data is None:
        raise CannotMeasureError("Give labeled faces: --data FACES.npz")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    from emopy.train import load_recipe

    cores = usable_cores()
    recipe = load_recipe(RECIPE)
    faces = load_dataset(settings.data).take(np.arange(BATCHES * recipe.fit.batch_size))
    sides = _sides(recipe, faces)
    alternate(sides, 1)  # the first steps build the graph
    values = alternate(sides, settings.turns(7))
    rates = {name: [len(faces) / taken for taken in times] for name, times in values.items()}
    words = {
        "with": "training, with augmentation: faces per second",
        "without": "training, without: faces per second",
        "alone": "augmentation alone, one thread: faces per second",
    }
    kept = ratios(rates["with"], rates["without"])
    figures = [
        kept.figure("training speed, with ÷ without", "×", at_least=AT_LEAST),
        *(
            Spread.of(rates[s]).figure(f"{what}: faces per second", "/s")
            for s, what in words.items()
        ),
    ]
    return Section(
        title="Training",
        how=(
            f"{BATCHES} steps of {recipe.fit.batch_size} faces of the recipe `emopy-base`, with "
            "its data augmentation and without, and the same batches alone; "
            f"{settings.turns(7)} turns. Ratios are taken turn by turn."
        ),
        figures=figures,
        notes=(f"Keras {keras.__version__} on {keras.backend.backend()}, {cores} cores.",),
    )


def _sides(recipe: Recipe, faces: Dataset) -> dict[str, Callable[[], float]]:
    """Training with and without augmentation, and the augmentation alone: seconds of a turn."""
    from emopy.nets import get_net
    from emopy.train.batches import TrainingBatches, input_spec_of
    from emopy.train.stages import compile_stage, plan_stages

    spec = input_spec_of(faces)
    model = get_net(recipe.net.name)(spec.shape, len(faces.labels), **recipe.net.settings)
    compile_stage(model, plan_stages(model, recipe.fit)[0], recipe.fit, BATCHES)

    def batches(augmentation: Augmentation) -> TrainingBatches:
        return TrainingBatches(faces, spec, augmentation, recipe.fit)

    def train(augmentation: Augmentation) -> float:
        return seconds(lambda: model.fit(batches(augmentation), shuffle=False, verbose=0))

    alone, plain = batches(recipe.augment), Augmentation()
    return {
        "with": lambda: train(recipe.augment),
        "without": lambda: train(plain),
        "alone": lambda: seconds(lambda: [alone[i] for i in range(BATCHES)]),
    }
