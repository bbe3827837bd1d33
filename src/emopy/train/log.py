"""The run folder and what is kept in it.

- ``recipe.toml``: every setting spelled out
- ``metrics.csv``: one row per epoch
- ``curves.png``: loss and accuracy
- ``checkpoint.keras``: weights and optimiser after the last full epoch; gone when done
- ``model.keras``: the trained network
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import keras

from emopy.errors import RecipeError
from emopy.train.recipe import Recipe, load_recipe

History = list[dict[str, float]]


class RunFolder:
    """Files of one training, new or to go on; each is written aside, then renamed."""

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self.path = path
        self._checkpoint = path / "checkpoint.keras"
        self._trained = path / "model.keras"
        path.mkdir(parents=True, exist_ok=True)
        written = path / "recipe.toml"
        if written.exists() and load_recipe(written).sha256 != recipe.sha256:
            raise RecipeError(
                f"`folder` must be new or hold a run of the same recipe. Received {path}, which "
                "holds another. Give another folder, or delete this one."
            )
        _replace_text(written, recipe.to_toml())

    def resume(self, model: keras.Model, steps_per_epoch: int) -> History:
        """Bring a fresh network to where the run was left; the history up to there.

        Weights and optimiser are copied into the network that the recipe built, because a
        saved optimiser forgets which weights it must not decay. Its step count says how many
        epochs they have seen: a kill between the two files of an epoch leaves at most one
        row of metrics too many.
        """
        kept = self._trained if self._trained.exists() else self._checkpoint
        if not kept.exists():
            return []
        stored = keras.saving.load_model(kept)
        model.set_weights(stored.get_weights())
        model.optimizer.build(model.trainable_variables)
        for mine, theirs in zip(model.optimizer.variables, stored.optimizer.variables, strict=True):
            mine.assign(theirs)
        epochs = int(model.optimizer.iterations) // steps_per_epoch
        with (self.path / "metrics.csv").open(newline="", encoding="utf-8") as stream:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(stream)]
        return rows[:epochs]

    def save(self, model: keras.Model, history: History) -> None:
        """Keep the state after an epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(history[-1]))
        writer.writeheader()
        writer.writerows(history)
        _replace_text(self.path / "metrics.csv", text.getvalue())
        self._replace_model(model, self._checkpoint)

    def finish(self, model: keras.Model, history: History) -> None:
        """Keep the trained network and draw the curves; the checkpoint goes."""
        self._replace_model(model, self._trained)
        self._checkpoint.unlink(missing_ok=True)
        draw_curves(history, self.path / "curves.png")

    def _replace_model(self, model: keras.Model, path: Path) -> None:
        partial = self.path / f"partial-{path.name}"
        model.save(partial)
        partial.replace(path)


class RunLog(keras.callbacks.Callback):
    """Collects one record per epoch and keeps the run folder current."""

    def __init__(self, folder: RunFolder | None, history: History) -> None:
        super().__init__()
        self._folder = folder
        self.history: History = list(history)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record an epoch; Keras calls it after validation."""
        figures = {key: float(value) for key, value in (logs or {}).items()}
        self.history.append({"epoch": epoch + 1, **figures})
        if self._folder:
            self._folder.save(self.model, self.history)


def draw_curves(history: History, path: Path) -> None:
    """Draw loss and accuracy over the epochs as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, key in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
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


def _replace_text(path: Path, text: str) -> None:
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
