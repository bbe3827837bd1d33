"""The run folder and what is kept in it.

- ``recipe.toml``: every setting spelled out
- ``faces.txt``: labels, shape and checksum of what is learnt, and of the models it is learnt from
- ``metrics.csv``: one row per epoch
- ``curves.png``: loss and accuracy
- ``checkpoint.npz``: weights and optimiser after the last full epoch; gone when done
- ``model.keras``: the trained network
- ``tensorboard/``: events for TensorBoard, where asked for
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data import Dataset, Splits
from emopy.errors import RecipeError
from emopy.train.recipe import FitSettings, Recipe, differing_settings, load_recipe

History = list[dict[str, float]]

TRAINED = "model.keras"
"""What a run folder holds when the training is done."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Everything that a training needs to go on after a full epoch.

    Attributes:
        epochs: Epochs behind it.
        weights: The network's.
        optimizer: The optimiser's variables.
        best: Weights of the best epoch; empty without early stopping.
    """

    epochs: int
    weights: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]
    best: list[NDArray[Any]]

    def restore(self, model: keras.Model) -> None:
        """Bring a network, compiled for the stage of this checkpoint, to this state."""
        model.set_weights(self.weights)
        model.optimizer.build(model.trainable_variables)
        for mine, kept in zip(model.optimizer.variables, self.optimizer, strict=True):
            mine.assign(kept)


class RunFolder:
    """Files of one training, new or to go on; each is written aside, then renamed."""

    def __init__(self, path: Path, recipe: Recipe, splits: Splits, models: Sequence[str]) -> None:
        self.path = path
        self._checkpoint = path / "checkpoint.npz"
        self._trained = path / TRAINED
        self._metrics = path / "metrics.csv"
        path.mkdir(parents=True, exist_ok=True)
        written = path / "recipe.toml"
        if written.exists() and (old := load_recipe(written)).sha256 != recipe.sha256:
            there, here = differing_settings([old, recipe])
            names = dict.fromkeys([*there, *here]) or {"fit.seed": None}
            changes = ", ".join(
                f"{name} is {there.get(name, old.fit.seed)!r} there and "
                f"{here.get(name, recipe.fit.seed)!r} here"
                for name in names
            )
            raise RecipeError(
                f"`folder` must be new or hold a run of the same recipe. Received {path}, which "
                f"holds another: {changes}. Give another folder, or delete this one."
            )
        faces, learnt = path / "faces.txt", _describe(splits, recipe.fit, models)
        if faces.exists() and faces.read_text(encoding="utf-8") != learnt:
            raise RecipeError(
                "`folder` must be new or hold a run on the same faces, with the same teachers and "
                f"start. Received {path}, whose run learnt from others. Give another folder, or "
                "delete this one."
            )
        _replace_text(written, recipe.to_toml())
        _replace_text(faces, learnt)

    def open_trained(self, model: keras.Model) -> History | None:
        """Bring a network to the end of a finished run; None where the run is not finished."""
        if not self._trained.exists():
            return None
        model.load_weights(self._trained)
        return read_metrics(self._metrics)

    def read(self) -> tuple[History, Checkpoint | None]:
        """Where the run was left.

        A kill between the two files of an epoch leaves one row of metrics too many.
        """
        if not self._checkpoint.exists():
            return [], None
        with np.load(self._checkpoint, allow_pickle=False) as stored:
            splits: dict[str, list[NDArray[Any]]] = {"weights": [], "optimizer": [], "best": []}
            for name in stored.files:  # in the order they were written
                part, _, _ = name.partition("_")
                if part in splits:
                    splits[part].append(stored[name])
            kept = Checkpoint(int(stored["epochs"]), **splits)
        return read_metrics(self._metrics)[: kept.epochs], kept

    def save(self, state: Checkpoint, history: History) -> None:
        """Keep the state after an epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(history[-1]))
        writer.writeheader()
        writer.writerows(history)
        _replace_text(self._metrics, text.getvalue())
        arrays = {
            f"{part.name}_{i}": array
            for part in fields(state)
            if part.name != "epochs"
            for i, array in enumerate(getattr(state, part.name))
        }
        partial = self.path / f"partial-{self._checkpoint.name}"
        np.savez(partial, epochs=state.epochs, **arrays)
        partial.replace(self._checkpoint)

    def finish(self, model: keras.Model, history: History) -> None:
        """Keep the trained network and draw the curves; the checkpoint goes."""
        draw_curves(history, self.path / "curves.png")
        partial = self.path / f"partial-{self._trained.name}"
        model.save(partial)
        partial.replace(self._trained)
        self._checkpoint.unlink(missing_ok=True)


def is_finished(run: Path) -> bool:
    """Whether the training of a run folder is done."""
    return (run / TRAINED).is_file()


def read_metrics(path: Path) -> History:
    """The records of a `metrics.csv`, one per epoch."""
    with path.open(newline="", encoding="utf-8") as stream:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]


def loss_of(row: Mapping[str, float]) -> float:
    """Validation loss of an epoch; infinite where there is none that counts."""
    loss = row.get("val_loss", math.inf)
    return loss if math.isfinite(loss) else math.inf


def kept_epoch(history: Sequence[Mapping[str, float]], patience: int) -> Mapping[str, float]:
    """The epoch whose weights a run keeps: the best where it may stop early, else the last."""
    return min(history, key=loss_of) if patience else history[-1]


def draw_curves(
    history: History, path: Path, figures: Sequence[str] = ("loss", "accuracy")
) -> None:
    """Draw figures over the epochs as a PNG, those of the validation beside those of the training.

    Args:
        history: One record per epoch, the first with all figures.
        path: The image to write.
        figures: One panel each; that of the validation has the same name after "val_".
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * len(figures), 3.5), layout="constrained")
    panels = figure.subplots(1, len(figures), squeeze=False)[0]
    for axes, key in zip(panels, figures, strict=True):
        for name, title in ((key, "training"), (f"val_{key}", "validation")):
            if history and name in history[0]:
                epochs = [row["epoch"] for row in history]
                axes.plot(epochs, [row[name] for row in history], label=title)
        axes.set(xlabel="epoch", ylabel=key)
        axes.grid(alpha=0.3)
        axes.legend()
    partial = path.with_name(f"partial-{path.name}")
    figure.savefig(partial, dpi=120)
    partial.replace(path)


def _describe(splits: Splits, how: FitSettings, models: Sequence[str]) -> str:
    watched = [splits.validation] if how.patience else []  # what decides when it stops
    lines = [", ".join(splits.train.labels)]
    for faces in (splits.train, *watched):
        lines += [" × ".join(map(str, faces.images.shape)), _checksum(faces)]
    return "\n".join([*lines, *models, ""])


def _checksum(faces: Dataset) -> str:
    checksum = hashlib.sha256(faces.images.tobytes())
    checksum.update(faces.targets.tobytes())
    return checksum.hexdigest()


def _replace_text(path: Path, text: str) -> None:
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
