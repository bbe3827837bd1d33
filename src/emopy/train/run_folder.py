"""A training run and its folder.

- ``recipe.toml``: every setting, defaults included
- ``data.txt``: labels, shapes and checksums of the data, and the models the training depends on
- ``metrics.csv``: one row per epoch
- ``curves.png``: loss and accuracy
- ``checkpoint.npz``: weights and optimizer after the last complete epoch; removed at the end
- ``model.keras``: the trained network
- ``tensorboard/``: TensorBoard events, if requested
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data import Dataset, Splits
from emopy.errors import RecipeError
from emopy.files import DamagedFileError, atomic_file, read_arrays
from emopy.models import InputSpec
from emopy.train.recipe import FitSettings, Recipe, differing_settings, load_recipe

History = list[dict[str, float]]
"""One row per epoch: epoch, loss, accuracy and, with validation data, val_loss and val_accuracy."""

TRAINED_FILE = "model.keras"
"""File that a run folder has once the training is finished."""


@dataclass(frozen=True, eq=False)
class Run:
    """Result of a training.

    Attributes:
        model: The trained Keras network, returning logits.
        labels: Names of its outputs.
        spec: Its input.
        recipe: Its settings.
        history: One row per epoch: loss, accuracy, val_loss, val_accuracy.
        folder: Run folder; None if there is none.
        label_prior: Label prior of the logits: the proportion of each label in the training
            targets, less what `FitSettings.logit_adjustment` removes.
        crops: Some validation images on which `export` checks the ONNX file.
        reopened: Whether the folder already held the finished run, so that nothing was trained.
        parent_models: Name, version and checksum of the initial model and the teachers.
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
        """One line: number of epochs, and the metrics of the epoch whose weights are kept."""
        patience = self.recipe.fit.patience
        kept = kept_epoch(self.history, patience)
        stopped = f", epoch {kept['epoch']:.0f} kept" if patience else ""
        metrics = ", ".join(f"{key} {value:.4g}" for key, value in kept.items() if key != "epoch")
        return f"{self.recipe.name}: {len(self.history)} epochs{stopped}, {metrics}"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """State from which a training resumes.

    Attributes:
        epochs: Complete epochs.
        weights: Weights of the network.
        optimizer: Variables of the optimizer.
        best: Weights of the best epoch; empty without early stopping.
    """

    epochs: int
    weights: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]
    best: list[NDArray[Any]]

    def restore(self, model: keras.Model) -> None:
        """Load the state into a network that was compiled for the stage of this checkpoint."""
        model.set_weights(self.weights)
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(model.optimizer.variables, self.optimizer, strict=True):
            variable.assign(value)


class RunFolder:
    """Files of one training, new or resumed. Each file is replaced atomically.

    Args:
        path: The folder; created if missing.
        recipe: Settings of the training.
        splits: Its data.
        parent_models: Models that it depends on; see `Run.parent_models`.

    Raises:
        RecipeError: The folder holds a run with other settings, data or models.
    """

    def __init__(
        self, path: Path, recipe: Recipe, splits: Splits, parent_models: Sequence[str]
    ) -> None:
        self.path = path
        self._checkpoint = path / "checkpoint.npz"
        self._trained = path / TRAINED_FILE
        self._metrics = path / "metrics.csv"
        path.mkdir(parents=True, exist_ok=True)
        recipe_file, data_file = path / "recipe.toml", path / "data.txt"
        if recipe_file.exists() and (old := load_recipe(recipe_file)).sha256 != recipe.sha256:
            raise RecipeError(
                f"`folder` must be new or hold a run of the same recipe. Received {path}, which "
                f"holds another: {_differences(old, recipe)}. Give another folder, or delete "
                "this one."
            )
        description = _describe_data(splits, recipe.fit, parent_models)
        if data_file.exists() and data_file.read_text(encoding="utf-8") != description:
            raise RecipeError(
                "`folder` must be new or hold a run on the same data, with the same teachers and "
                f"initial weights. Received {path}, whose run was trained on others. Give another "
                "folder, or delete this one."
            )
        for file, text in ((recipe_file, recipe.to_toml()), (data_file, description)):
            with atomic_file(file) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")

    def load_finished(self, model: keras.Model) -> History | None:
        """Load the weights of a finished run into a network; None if the run is not finished."""
        if not self._trained.exists():
            return None
        try:
            model.load_weights(self._trained)
        except Exception as error:  # Keras and zipfile raise nearly anything
            raise RecipeError(
                f"`folder` must hold the trained network of this recipe. Received {self._trained}: "
                f"{error}. Give another folder, or delete that file to train again."
            ) from error
        return read_metrics(self._metrics)

    def load_checkpoint(self) -> tuple[History, Checkpoint | None]:
        """Load the history and the checkpoint of an unfinished run.

        After a kill between the writing of the two files, the last row of metrics is dropped.
        """
        if not self._checkpoint.exists():
            return [], None
        arrays: dict[str, list[NDArray[Any]]] = {"weights": [], "optimizer": [], "best": []}
        try:
            stored = read_arrays(self._checkpoint)
            epochs = int(stored["epochs"])
        except (DamagedFileError, KeyError, TypeError, ValueError) as error:
            raise RecipeError(
                f"`folder` must hold a checkpoint that can be read. Received {self._checkpoint}: "
                f"{error}. Delete that file to train from the beginning."
            ) from error
        for name, array in stored.items():  # in the order in which they were written
            key, _, _ = name.partition("_")
            if key in arrays:
                arrays[key].append(array)
        checkpoint = Checkpoint(epochs, **arrays)
        return read_metrics(self._metrics)[: checkpoint.epochs], checkpoint

    def save(self, state: Checkpoint, history: History) -> None:
        """Write metrics and checkpoint after an epoch."""
        write_metrics(self._metrics, history)
        arrays = {
            f"{item.name}_{i}": array
            for item in fields(state)
            if item.name != "epochs"
            for i, array in enumerate(getattr(state, item.name))
        }
        with atomic_file(self._checkpoint) as temporary:
            np.savez(temporary, epochs=state.epochs, **arrays)

    def finish(self, model: keras.Model, history: History) -> None:
        """Write curves and the trained network, and remove the checkpoint."""
        draw_curves(history, self.path / "curves.png")
        with atomic_file(self._trained) as temporary:
            model.save(temporary)
        self._checkpoint.unlink(missing_ok=True)


def is_finished(run: Path) -> bool:
    """Whether the training of a run folder is finished."""
    return (run / TRAINED_FILE).is_file()


def read_metrics(path: Path) -> History:
    """Rows of a `metrics.csv`, one per epoch.

    Raises:
        RecipeError: There is no such file, or it is damaged or empty.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
        if not rows:
            raise ValueError("it holds no epoch")
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise RecipeError(
            f"`folder` must hold the metrics of each epoch. Received {path}: {error}. "
            "Delete the folder of that run, or train it again."
        ) from error
    return rows


def write_metrics(path: Path, history: History) -> None:
    """Write a `metrics.csv`."""
    with (
        atomic_file(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, list(history[-1]))
        writer.writeheader()
        writer.writerows(history)


def val_loss_of(row: Mapping[str, float]) -> float:
    """Validation loss of an epoch; infinite if it is missing or not finite."""
    loss = row.get("val_loss", math.inf)
    return loss if math.isfinite(loss) else math.inf


def kept_epoch(history: Sequence[Mapping[str, float]], patience: int) -> Mapping[str, float]:
    """The epoch whose weights a run keeps: the best with early stopping, else the last."""
    return min(history, key=val_loss_of) if patience else history[-1]


def draw_curves(
    history: History, path: Path, metrics: Sequence[str] = ("loss", "accuracy")
) -> None:
    """Plot training and validation metrics over the epochs.

    Args:
        history: One row per epoch, the first with all metrics.
        path: PNG file to write.
        metrics: Names without the prefix ``val_``; one panel each.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * len(metrics), 3.5), layout="constrained")
    panels = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axes, key in zip(panels, metrics, strict=True):
        for name, title in ((key, "training"), (f"val_{key}", "validation")):
            if history and name in history[0]:
                epochs = [row["epoch"] for row in history]
                axes.plot(epochs, [row[name] for row in history], label=title)
        axes.set(xlabel="epoch", ylabel=key)
        axes.grid(alpha=0.3)
        axes.legend()
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


def _differences(old: Recipe, new: Recipe) -> str:
    before, now = differing_settings([old, new])
    names = dict.fromkeys([*before, *now]) or {"fit.seed": None}
    return ", ".join(
        f"{name} is {before.get(name, old.fit.seed)!r} there and "
        f"{now.get(name, new.fit.seed)!r} here"
        for name in names
    )


def _describe_data(splits: Splits, settings: FitSettings, parent_models: Sequence[str]) -> str:
    validation = [splits.validation] if settings.patience else []  # it decides when to stop
    lines = [", ".join(splits.train.labels)]
    for dataset in (splits.train, *validation):
        lines += [" × ".join(map(str, dataset.images.shape)), _checksum(dataset)]
    return "\n".join([*lines, *parent_models, ""])


def _checksum(dataset: Dataset) -> str:
    checksum = hashlib.sha256(dataset.images.tobytes())
    checksum.update(dataset.targets.tobytes())
    return checksum.hexdigest()
