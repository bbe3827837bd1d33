"""Training: from a recipe file, a recipe, or a network and settings, to a run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data import Dataset, SkippedSample, Splits, open_data, split
from emopy.data.augment import Augmentation
from emopy.errors import (
    DataError,
    EmoPyError,
    MissingExtraError,
    ModelError,
    RecipeError,
    naming,
)
from emopy.models import InputSpec, load_model
from emopy.models.card import WEIGHTS_FILE
from emopy.nets import Net, get_net
from emopy.nets.registry import net_name, wants_pixels
from emopy.nets.transfer import backbone_model
from emopy.train.batches import Batch, TrainingBatches, input_spec_of, validation_batch
from emopy.train.callbacks import BestWeights, RunLog, keras_verbosity, make_callbacks
from emopy.train.export import export
from emopy.train.recipe import DataSettings, FitSettings, NetSettings, Recipe, load_recipe
from emopy.train.run_folder import History, Run, RunFolder
from emopy.train.stages import (
    compile_stage,
    dtype_policy,
    finalize_stage,
    init_weights_from,
    plan_stages,
)
from emopy.train.targets import Teachers, remaining_prior, sharpen_targets, training_prior

OnSkipped = Callable[[SkippedSample], None]


def train_recipe(
    recipe: str | Path,
    *,
    settings: Iterable[str] = (),
    out: str | Path | None = None,
    on_skipped: OnSkipped | None = None,
) -> Run:
    """Train a network as a recipe says and export it to ``<run folder>/model``.

    The model folder of a finished run is kept with its calibration and recorded metrics. Delete
    it to export the network again.

    Args:
        recipe: TOML file, or the name of a packaged recipe.
        settings: Overrides such as ``"fit.epochs=3"``.
        out: Run folder; ``runs/<name>-seed<seed>`` by default. An unfinished run in it is resumed.
        on_skipped: Called before the training with each file or row that could not be loaded, and
            with the labels without a face. They are not trained.

    Returns:
        The run; ``run.folder / "model"`` is the model folder.

    Raises:
        RecipeError: No such recipe, unknown key, invalid value, or no training data.
        DataError: The data cannot be loaded.
    """
    plan = load_recipe(recipe, settings)
    folder = Path(out) if out else Path("runs") / f"{plan.name}-seed{plan.fit.seed}"
    splits = _load_splits(plan.data, on_skipped)
    if on_skipped is not None:
        splits = _without_empty_labels(
            splits, lambda text: on_skipped(SkippedSample(plan.data.train, text))
        )
    with naming(net="net.name", patience="fit.patience"):
        run = fit_recipe(plan, splits, folder=folder)
    if not (run.reopened and _is_model(folder / "model")):
        export(run, folder / "model")
    return run


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
        splits: Data; `splits.train` for training, `splits.validation` for validation.
        epochs: Passes over the training samples; short for ``settings.epochs``.
        settings: Hyperparameters.
        augmentation: Data augmentation; none by default.
        folder: Run folder. An unfinished run of the same recipe in it is resumed, with the same
            result as without the interruption.
        net_settings: Keyword arguments of the network.

    Returns:
        The trained run. A label without a face in `splits.train` is not trained, which a warning
        says.

    Raises:
        DataError: No training samples, or of one label only, clips of one frame, or early stopping
            without validation.
        RecipeError: Unknown network, invalid settings, a teacher with other labels, or a folder
            with another run.
        ModelError: A teacher that cannot be loaded.
        MissingExtraError: `log` is ``"tensorboard"`` and TensorBoard is not installed.
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
    """Train the network of a recipe on the given data; see `fit`."""
    settings = recipe.fit
    _check(settings, splits, folder)
    splits = _without_empty_labels(splits, lambda text: warnings.warn(text, stacklevel=4))
    train, validation = splits.train, splits.validation
    teachers = _load_teachers(settings, train)
    keras.utils.set_random_seed(settings.seed)
    net = get_net(net or recipe.net.name)
    with dtype_policy(settings.dtype_policy):
        model, spec = _build(net, recipe, train)
    train = replace(train, targets=sharpen_targets(train.targets, settings.target_sharpening))
    prior = training_prior(train, settings, teachers)
    parents = parent_models(settings, backbone_model(net, recipe.net.settings))
    store = RunFolder(Path(folder), recipe, splits, parents) if folder is not None else None
    finished = store.load_finished(model) if store else None
    history = finished or _train(
        model,
        settings,
        lambda epoch: TrainingBatches(
            train, spec, recipe.augment, settings, epoch=epoch, teachers=teachers
        ),
        validation_batch(validation, spec),
        prior,
        store,
    )
    if settings.dtype_policy != "float32":  # exported models must run on any CPU
        trained, (model, _) = model, _build(net, recipe, train)
        model.set_weights(trained.get_weights())
    if store and finished is None:
        store.finish(model, history)
    label_prior = remaining_prior(prior, settings.logit_adjustment)
    return Run(
        model=model,
        labels=train.labels,
        spec=spec,
        recipe=recipe,
        history=tuple(history),
        folder=store.path if store else None,
        label_prior=dict(zip(train.labels, map(float, label_prior), strict=True)),
        crops=(validation if len(validation) else train).images[:256],
        reopened=finished is not None,
        parent_models=parents,
    )


def _train(
    model: keras.Model,
    settings: FitSettings,
    make_batches: Callable[[int], TrainingBatches],
    validation: Batch | None,
    prior: NDArray[np.floating],
    store: RunFolder | None,
) -> History:
    """Train to the end, from the first epoch or from the checkpoint of the run folder."""
    history, checkpoint = store.load_checkpoint() if store else ([], None)
    best = BestWeights(history, checkpoint) if settings.patience else None
    stages = plan_stages(model, settings)
    for stage in stages:
        if len(history) > stage.end:
            continue
        batches = make_batches(len(history))
        compile_stage(model, stage, settings, len(batches), prior)
        if checkpoint and stage.start < checkpoint.epochs <= stage.end:
            checkpoint.restore(model)
        # Early stopping applies to the last stage only; a frozen backbone gets all its epochs.
        patience = settings.patience if stage is stages[-1] else 0
        epochs = range(stage.start, stage.end)
        log = RunLog(history, folder=store, best=best, patience=patience, epochs=epochs)
        if log.is_over:
            finalize_stage(model, settings)
            continue
        model.fit(
            batches,
            epochs=settings.epochs,  # as shown; the log ends the stage
            initial_epoch=len(history),
            validation_data=validation,
            callbacks=make_callbacks(settings, best, log, store),
            shuffle=False,
            verbose=keras_verbosity(),
        )
    if best and best.weights:
        model.set_weights(best.weights)
    return history


def _build(net: Net, recipe: Recipe, train: Dataset) -> tuple[keras.Model, InputSpec]:
    """The network of a recipe with its initial weights, and its input."""
    spec = input_spec_of(train)
    try:
        model = net(spec.shape, len(train.labels), **recipe.net.settings)
    except EmoPyError:
        raise
    except (TypeError, ValueError) as error:  # Keras' message for an invalid value
        raise RecipeError(
            f"`net.settings` must suit {recipe.net.name}. Received: {str(error).rstrip('.')}."
        ) from error
    if wants_pixels(model):
        spec = replace(spec, mean=0.0, std=1.0)
    if recipe.fit.init_from:
        spec = init_weights_from(recipe.fit.init_from, model, train.labels)
    return model, spec


def _load_teachers(settings: FitSettings, train: Dataset) -> Teachers | None:
    if not settings.teacher:
        return None
    return Teachers(
        settings.teacher,
        train.labels,
        frames=train.images.shape[1] if train.images.ndim == 5 else 1,
        weight=settings.teacher_weight,
        temperature=settings.teacher_temperature,
    )


def parent_models(settings: FitSettings, backbone: str | Path | None = None) -> tuple[str, ...]:
    """Name, version and checksum of the initial model, the backbone and the teachers."""
    models = filter(None, (settings.init_from, backbone, *settings.teacher))
    cards = [load_model(model).card for model in models]
    return tuple(f"{card.name} {card.version}, {card.files[WEIGHTS_FILE]}" for card in cards)


def _is_model(folder: Path) -> bool:
    try:
        load_model(folder)
    except ModelError:
        return False
    return True


def _load_splits(data: DataSettings, on_skipped: OnSkipped | None) -> Splits:
    if not data.train:
        raise RecipeError(
            "`data.train` must name a .npz file or a folder of faces. Received nothing. "
            "Type for example: `settings=['data.train=faces/']`"
        )
    if data.validation:
        validation = _load_dataset("validation", data, on_skipped)
        return Splits.of(_load_dataset("train", data, on_skipped), validation)
    dataset = _load_dataset("train", data, on_skipped)
    return split(dataset, validation=0.1, calibration=0.0, test=0.0, seed=0)


def _load_dataset(name: str, data: DataSettings, on_skipped: OnSkipped | None) -> Dataset:
    with naming(path=f"data.{name}", num_frames="data.num_frames"):
        dataset = open_data(
            getattr(data, name),
            num_frames=data.num_frames or None,
            size=(data.size_px, data.size_px),
            channels=data.channels,
        )
    if on_skipped is not None:
        for skipped_sample in dataset.skipped:
            on_skipped(skipped_sample)
    return dataset.only(data.emotions) if data.emotions else dataset


def _without_empty_labels(splits: Splits, say: Callable[[str], object]) -> Splits:
    """The splits without the labels that have no face in `train`; says which these are.

    Raises:
        DataError: Fewer than two labels are left.
    """
    train, validation = splits.train, splits.validation
    kept = [label for i, label in enumerate(train.labels) if np.any(train.targets[:, i])]
    if missing := ", ".join(label for label in train.labels if label not in kept):
        say(f"{missing}: the training data have no face of it, so it is no label of the model")
    if len(kept) < 2:
        raise DataError(
            "`splits.train` must hold faces of two labels or more. Received faces of "
            f"{', '.join(kept)} only."
        )
    if not missing:
        return splits
    return Splits.of(train.only(kept), validation.only(kept))


def _check(settings: FitSettings, splits: Splits, folder: str | Path | None) -> None:
    if not len(splits.train):
        raise DataError("`splits.train` must hold faces. Received none.")
    if splits.train.images.ndim == 5 and splits.train.images.shape[1] == 1:
        raise DataError(
            "`splits` must hold stills (n, H, W, C), or clips of 2 frames or more. Received clips "
            "of 1 frame. Load longer clips, or stills."
        )
    if settings.log == "tensorboard" and find_spec("tensorboard") is None:
        raise MissingExtraError("Logging for TensorBoard", "tensorboard")
    if settings.log == "tensorboard" and folder is None:
        raise RecipeError(
            "`folder` must be given for TensorBoard. Received None. "
            "Type for example: `folder='runs/mine'`"
        )
    if settings.patience and not len(splits.validation):
        raise DataError(
            "`splits.validation` must hold faces for early stopping. Received none. "
            "Hold some out for validation, or set `patience=0`."
        )
