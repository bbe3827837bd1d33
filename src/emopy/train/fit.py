"""One `fit` for every network: seeded, resumable, with curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emopy.data.augment import Augmentation
from emopy.data.dataset import Dataset
from emopy.data.split import Parts
from emopy.errors import DataError, RecipeError
from emopy.models import InputSpec
from emopy.nets import Net, get_net
from emopy.train.generator import EpochSeeds, TrainingBatches, whole_batch
from emopy.train.log import RunFolder, RunLog
from emopy.train.recipe import FitSettings, NetSettings, Recipe


@dataclass(frozen=True, eq=False)
class Run:
    """What a training produced.

    Attributes:
        model: The trained Keras network, returning logits.
        labels: Names of its outputs.
        spec: What it wants to see.
        recipe: How it was trained.
        history: One record per epoch: loss, accuracy, val_loss, val_accuracy, learning_rate.
        folder: Where the run is kept; None if it was not.
        shares: Share of each label in the training targets.
        crops: A few validation crops that `export` checks the ONNX file on.
    """

    model: keras.Model
    labels: tuple[str, ...]
    spec: InputSpec
    recipe: Recipe
    history: tuple[Mapping[str, float], ...]
    folder: Path | None
    shares: Mapping[str, float]
    crops: np.ndarray = field(repr=False)

    @property
    def summary(self) -> str:
        """One line: epochs and the last figures."""
        last = self.history[-1]
        figures = ", ".join(f"{key} {value:.4g}" for key, value in last.items() if key != "epoch")
        return f"{self.recipe.name}: {len(self.history)} epochs, {figures}"


def fit(
    net: str | Net,
    parts: Parts,
    *,
    epochs: int | None = None,
    settings: FitSettings | None = None,
    augmentation: Augmentation | None = None,
    folder: str | Path | None = None,
    net_settings: Mapping[str, Any] | None = None,
) -> Run:
    """Train a network.

    Args:
        net: Name of a network, or a function ``(input_shape, classes, **settings) -> keras.Model``.
        parts: Faces; `parts.train` is learnt, `parts.validation` is watched.
        epochs: Passes over the training faces; short for ``settings.epochs``.
        settings: How the network learns.
        augmentation: Random changes while learning; none by default.
        folder: Run folder. If it holds an unfinished run of the same recipe, that run goes on
            and ends as it would have without the interruption.
        net_settings: Keyword arguments of the network.

    Returns:
        The trained run.

    Raises:
        DataError: No training faces, or the parts do not fit together.
        RecipeError: Unknown network, bad settings, or the folder holds another run.
    """
    settings = settings or FitSettings()
    recipe = Recipe(
        net=NetSettings(net if isinstance(net, str) else net.__name__, dict(net_settings or {})),
        augment=augmentation or Augmentation(),
        fit=replace(settings, epochs=epochs) if epochs is not None else settings,
    )
    return fit_recipe(recipe, parts, folder=folder, net=net)


def fit_recipe(
    recipe: Recipe, parts: Parts, *, folder: str | Path | None = None, net: str | Net | None = None
) -> Run:
    """Train what a recipe says on given faces; see `fit`."""
    train, validation = parts.train, parts.validation
    _check(train, validation)
    spec = spec_for(train)
    home = RunFolder(Path(folder), recipe) if folder is not None else None
    keras.utils.set_random_seed(recipe.fit.seed)
    model = _build(recipe, net or recipe.net.name, spec, train)
    steps_per_epoch = math.ceil(len(train) / recipe.fit.batch_size)
    history = home.resume(model, steps_per_epoch) if home else []
    log = RunLog(home, history)
    callbacks = [EpochSeeds(recipe.fit.seed), log]
    if recipe.fit.ema:
        callbacks.insert(0, keras.callbacks.SwapEMAWeights())
    batches = TrainingBatches(
        train,
        spec,
        recipe.augment,
        batch_size=recipe.fit.batch_size,
        seed=recipe.fit.seed,
        epoch=len(history),
    )
    watched = whole_batch(validation, spec) if len(validation) else None
    if len(history) < recipe.fit.epochs:
        model.fit(
            batches,
            epochs=recipe.fit.epochs,
            initial_epoch=len(history),
            validation_data=watched,
            callbacks=callbacks,
            shuffle=False,
            verbose="auto",
        )
    elif recipe.fit.ema:
        # Killed after its last epoch: the average is in the optimiser, not yet in the network.
        model.optimizer.finalize_variable_values(model.trainable_variables)
    if home:
        home.finish(model, log.history)
    shares = train.targets.mean(axis=0)
    return Run(
        model=model,
        labels=train.labels,
        spec=spec,
        recipe=recipe,
        history=tuple(log.history),
        folder=home.path if home else None,
        shares=dict(zip(train.labels, map(float, shares), strict=True)),
        crops=(validation if len(validation) else train).images[:256],
    )


def spec_for(dataset: Dataset) -> InputSpec:
    """What a network trained on these faces wants to see.

    Mean and standard deviation of the pixels are measured on the faces, so that training and
    prediction standardise alike.
    """
    *frames, height, width, channels = dataset.images.shape[1:]
    sample = dataset.images[:: max(1, len(dataset) // 4096)] / 255
    return InputSpec(
        height=height,
        width=width,
        channels=channels,
        frames=frames[0] if frames else 1,
        mean=round(float(sample.mean()), 4),
        std=round(max(float(sample.std()), 0.01), 4),
    )


def _build(recipe: Recipe, net: str | Net, spec: InputSpec, train: Dataset) -> keras.Model:
    try:
        model = get_net(net)(spec.shape, len(train.labels), **recipe.net.settings)
    except TypeError as error:
        raise RecipeError(
            f"`net.settings` must suit {recipe.net.name}. Received: {error}."
        ) from error
    how = recipe.fit
    steps = math.ceil(len(train) / how.batch_size) * how.epochs
    warmup = round(how.warmup * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else how.learning_rate,
        max(1, steps - warmup),
        warmup_target=how.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=how.weight_decay,
        use_ema=how.ema > 0,
        ema_momentum=how.ema or 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=how.label_smoothing
    )
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def _check(train: Dataset, validation: Dataset) -> None:
    if not len(train):
        raise DataError("`parts.train` must hold faces. Received none.")
    if not len(validation):
        return
    if train.labels != validation.labels or train.images.shape[1:] != validation.images.shape[1:]:
        raise DataError(
            "`parts` must agree in labels and image shape. Received "
            f"{train.labels} {train.images.shape[1:]} for training and "
            f"{validation.labels} {validation.images.shape[1:]} for validation."
        )
