"""The old `PlotLosses`: a picture of the loss, drawn anew after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras


class PlotLosses(keras.callbacks.Callback):
    """Draws training and validation loss while a network learns.

    Args:
        figure_dir: Folder; made if missing.
        figure_name: File in it.
        figure_path: The whole path instead.
    """

    def __init__(
        self,
        figure_dir: str = "output",
        figure_name: str = "loss_plot.png",
        figure_path: str | None = None,
    ) -> None:
        super().__init__()
        self.figure_path = Path(figure_path or Path(figure_dir) / figure_name)
        self._history: list[Mapping[str, float]] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Forget an earlier training; Keras calls it."""
        self._history = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Draw what is known so far; Keras calls it."""
        self._history.append(dict(logs or {}))
        self.draw(self._history)

    def draw(self, history: Sequence[Mapping[str, float]]) -> None:
        """Draw losses: one record per epoch with "loss", and "val_loss" if there is one."""
        from matplotlib.figure import Figure

        figure = Figure(layout="constrained")
        axes = figure.subplots()
        for key, title in (("loss", "training"), ("val_loss", "validation")):
            losses = [row[key] for row in history if key in row]
            if losses:
                axes.plot(range(1, len(losses) + 1), losses, label=title)
        axes.set(xlabel="epoch", ylabel="loss")
        axes.legend()
        self.figure_path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(self.figure_path, dpi=120)
