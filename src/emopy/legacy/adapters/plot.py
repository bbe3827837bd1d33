"""The old `PlotLosses`: an image of the loss, drawn anew after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from emopy.train.run_folder import draw_curves


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
        self.figure_path.parent.mkdir(parents=True, exist_ok=True)
        numbered = [{"epoch": epoch, **row} for epoch, row in enumerate(history, 1)]
        draw_curves(numbered, self.figure_path, ["loss"])
