"""One `fit` for every network: seeded, resumable, with curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data.augment import Augmentation
from emopy.data.dataset import Dataset
from emopy.data.split import Splits
from emopy.errors import DataError, EmoPyError, MissingExtraError, RecipeError
from emopy.models import InputSpec
from emopy.nets import Net, get_net
from emopy.nets.layer_roles import wants_pixels
from emopy.nets.registry import net_name
from emopy.train.batches import TrainingBatches, whole_batch
from emopy.train.callbacks import BestWeights, RunLog, verbosity, watchers
from emopy.train.recipe import FitSettings, NetSettings, Recipe
from emopy.train.run_folder import History, RunFolder, kept_epoch
from emopy.train.stages import begin_stage, end_stage, numbers, plan_stages
from emopy.train.start import parent_models, start_from
from emopy.train.targets import Teachers, kept_shares, seen_shares, sharpened


@dataclass(frozen=True, eq=False)
class Run:
    """What a training produced.

    Attributes:
        model: The trained Keras network, returning logits.
        labels: Names of its outputs.
        spec: What it wants to see.
        recipe: How it was trained.
        history: One record per epoch: loss, accuracy, val_loss, val_accuracy.
        folder: Where the run is kept; None if it was not.
        label_prior: Prior of each label in the logits: its proportion in the training targets,
            less what `FitSettings.logit_adjustment` took out.
        crops: A few validation crops that `export` checks the ONNX file on.
        reopened: Whether the folder held the finished run already, so that nothing was trained.
        parent_models: Models that it began with or was taught by: name, version and checksum.
    """

    model: keras.Model
    labels: tuple[str, ...]
    spec: InputSpec
    recipe: Recipe
    history: tuple[Mapping[str, float], ...]
    folder: Path | None
    label_prior: Mapping[str, float]
    crops: np.ndarray = field(repr=False)
    reopened: bool = False
    parent_models: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One line: epochs, and the figures of the epoch whose weights are kept."""
        patience = self.recipe.fit.patience
        kept = kept_epoch(self.history, patience)
        stopped = f", epoch {kept['epoch']:.0f} kept" if patience else ""
        figures = ", ".join(f"{key} {value:.4g}" for key, value in kept.items() if key != "epoch")
        return f"{self.recipe.name}: {len(self.history)} epochs{stopped}, {figures}"


def fit(
    net: str | Net,
    splits: Splits,
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
        splits: Faces; `parts.train` is learnt, `parts.validation` is watched.
        epochs: Passes over the training faces; short for ``settings.epochs``.
        settings: How the network learns.
        augmentation: Random changes while learning; none by default.
        folder: Run folder. If it holds an unfinished run of the same recipe, that run goes on
            and ends as it would have without the interruption.
        net_settings: Keyword arguments of the network.

    Returns:
        The trained run.

    Raises:
        DataError: No training faces, clips of one frame, or early stopping without validation.
        RecipeError: Unknown network, bad settings, a teacher that does not fit, or the folder
            holds another run.
        ModelError: A teacher that cannot be opened.
        MissingExtraError: TensorBoard is asked for and not installed.
    """
    settings = settings or FitSettings()
    recipe = Recipe(
        net=NetSettings(net_name(net), dict(net_settings or {})),
        augment=augmentation or Augmentation(),
        fit=replace(settings, epochs=epochs) if epochs is not None else settings,
    )
    return fit_recipe(recipe, splits, folder=folder, net=net)


def fit_recipe(
    recipe: Recipe,
    splits: Splits,
    *,
    folder: str | Path | None = None,
    net: str | Net | None = None,
) -> Run:
    """Train what a recipe says on given faces; see `fit`."""
    train, validation = splits.train, splits.validation
    _check(recipe.fit, splits, folder)
    teachers = _teachers(recipe.fit, train)
    spec = spec_for(train)
    net = net or recipe.net.name
    keras.utils.set_random_seed(recipe.fit.seed)
    with numbers(recipe.fit.dtype_policy):
        model = _build(net, recipe, spec.shape, len(train.labels))
    train = replace(train, targets=sharpened(train.targets, recipe.fit.target_sharpening))
    if wants_pixels(model):
        spec = replace(spec, mean=0.0, std=1.0)
    if recipe.fit.init_from:
        spec = start_from(recipe.fit.init_from, model, train.labels)
    met = seen_shares(train, recipe.fit, teachers)
    models = parent_models(recipe.fit)
    home = RunFolder(Path(folder), recipe, splits, models) if folder is not None else None
    finished = home.open_trained(model) if home else None
    lessons = _Lessons(replace(splits, train=train), spec, recipe.augment, teachers, met)
    history = _learn(model, recipe.fit, lessons, home) if finished is None else finished
    if recipe.fit.dtype_policy != "float32":
        model = _in_float32(model, _build(net, recipe, spec.shape, len(train.labels)))
    if home and finished is None:
        home.finish(model, history)
    shares = kept_shares(met, recipe.fit.logit_adjustment)
    return Run(
        model=model,
        labels=train.labels,
        spec=spec,
        recipe=recipe,
        history=tuple(history),
        folder=home.path if home else None,
        label_prior=dict(zip(train.labels, map(float, shares), strict=True)),
        crops=(validation if len(validation) else train).images[:256],
        reopened=finished is not None,
        parent_models=models,
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


def _build(net: str | Net, recipe: Recipe, shape: tuple[int, ...], classes: int) -> keras.Model:
    try:
        return get_net(net)(shape, classes, **recipe.net.settings)
    except EmoPyError:
        raise
    except (TypeError, ValueError) as error:  # Keras' own words for a bad value
        raise RecipeError(
            f"`net.settings` must suit {recipe.net.name}. Received: {str(error).rstrip('.')}."
        ) from error


@dataclass(frozen=True, slots=True)
class _Lessons:
    """What a network is taught.

    Attributes:
        splits: The faces.
        spec: How the network sees them.
        augmentation: How they are changed.
        teachers: Whose answers count beside the targets.
        shares: (k,) of the labels as they are met.
    """

    splits: Splits
    spec: InputSpec
    augmentation: Augmentation
    teachers: Teachers | None
    shares: NDArray[np.floating]


def _learn(
    model: keras.Model, how: FitSettings, lessons: _Lessons, home: RunFolder | None
) -> History:
    """Train to the end, from the start or from where the run folder was left."""
    history, kept = home.read() if home else ([], None)
    splits, spec = lessons.splits, lessons.spec
    watched = whole_batch(splits.validation, spec) if len(splits.validation) else None
    best = BestWeights(history, kept) if how.patience else None
    stages = plan_stages(model, how)
    steps = math.ceil(len(splits.train) / how.batch_size)
    for stage in stages:
        if len(history) > stage.end:
            continue
        begin_stage(model, stage, how, steps, lessons.shares)
        if kept and stage.start < kept.epochs <= stage.end:
            kept.restore(model)
        # A frozen backbone's stage is never cut short: patience is for what the released one does.
        log = RunLog(
            history,
            folder=home,
            best=best,
            patience=how.patience if stage is stages[-1] else 0,
            since=stage.start,
        )
        if len(history) == stage.end or log.is_over:
            end_stage(model, how)
            continue
        model.fit(
            TrainingBatches(
                splits.train,
                spec,
                lessons.augmentation,
                how,
                epoch=len(history),
                teachers=lessons.teachers,
            ),
            epochs=stage.end,
            initial_epoch=len(history),
            validation_data=watched,
            callbacks=watchers(how, best, log, home),
            shuffle=False,
            verbose=verbosity(),
        )
    if best and best.weights:
        model.set_weights(best.weights)
    return history


def _in_float32(trained: keras.Model, twin: keras.Model) -> keras.Model:
    """The same network in full precision: what is exported must run on any CPU."""
    twin.set_weights(trained.get_weights())
    return twin


def _teachers(how: FitSettings, train: Dataset) -> Teachers | None:
    if not how.teacher:
        return None
    return Teachers(
        how.teacher,
        train.labels,
        frames=train.images.shape[1] if train.images.ndim == 5 else 1,
        weight=how.teacher_weight,
        temperature=how.teacher_temperature,
    )


def _check(how: FitSettings, splits: Splits, folder: str | Path | None) -> None:
    if not len(splits.train):
        raise DataError("`parts.train` must hold faces. Received none.")
    if splits.train.images.ndim == 5 and splits.train.images.shape[1] == 1:
        raise DataError(
            "`parts` must hold stills (n, H, W, C), or clips of 2 frames or more. Received clips "
            "of 1 frame. Load longer clips, or stills."
        )
    if how.log == "tensorboard" and find_spec("tensorboard") is None:
        raise MissingExtraError("Logging for TensorBoard", "tensorboard")
    if how.log == "tensorboard" and folder is None:
        raise RecipeError(
            "`folder` must be given for TensorBoard. Received None. "
            "Type for example: `folder='runs/mine'`"
        )
    if how.patience and not len(splits.validation):
        raise DataError(
            "`parts.validation` must hold faces for early stopping. Received none. "
            "Hold some out for validation, or set `patience=0`."
        )
