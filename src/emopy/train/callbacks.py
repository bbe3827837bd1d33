"""What watches a training: the log, the best weights, and when to stop."""

from __future__ import annotations

import math
import sys
from typing import Any

import keras
from numpy.typing import NDArray

from emopy.train.batches import EpochSeeds
from emopy.train.recipe import FitSettings
from emopy.train.run_folder import Checkpoint, History, RunFolder, loss_of


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights with the lowest validation loss.

    It must stand before `keras.callbacks.SwapEMAWeights`: the weights are copied while those
    that were judged are still in place.
    """

    def __init__(self, history: History, kept: Checkpoint | None) -> None:
        super().__init__()
        self._loss = min(map(loss_of, history), default=math.inf)
        self.weights: list[NDArray[Any]] = kept.best if kept else []

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Compare with the best so far; Keras calls it after each validation."""
        loss = float((logs or {}).get("loss", math.inf))
        if loss < self._loss:
            self._loss, self.weights = loss, self.model.get_weights()


class RunLog(keras.callbacks.Callback):
    """Adds one record per epoch to the history and keeps the run folder current.

    Args:
        history: The records so far; grows in place.
        folder: Where they are kept too; None for nowhere.
        best: Source of the best weights, None without early stopping.
        patience: Epochs without a better one after which learning stops; 0 for never.
        since: Epoch from which waiting counts.
    """

    def __init__(
        self,
        history: History,
        *,
        folder: RunFolder | None,
        best: BestWeights | None,
        patience: int,
        since: int,
    ) -> None:
        super().__init__()
        self._history = history
        self._folder = folder
        self._best = best
        self._patience = patience
        self._since = since

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record an epoch; Keras calls it after validation."""
        figures = {key: float(value) for key, value in (logs or {}).items()}
        self._history.append({"epoch": epoch + 1, **figures})
        if self._folder:
            state = Checkpoint(
                epochs=len(self._history),
                weights=self.model.get_weights(),
                optimizer=[
                    keras.ops.convert_to_numpy(item) for item in self.model.optimizer.variables
                ],
                best=self._best.weights if self._best else [],
            )
            self._folder.save(state, self._history)
        if self.is_over:
            self.model.stop_training = True

    @property
    def is_over(self) -> bool:
        """Whether learning stops here: no better validation loss for `patience` epochs.

        It follows from the history alone, so that a training that was killed stops where it
        would have stopped.
        """
        if not self._patience or len(self._history) <= self._since:
            return False
        losses = [loss_of(row) for row in self._history]
        best = losses.index(min(losses)) + 1
        return len(self._history) - max(best, self._since) >= self._patience


def watchers(
    how: FitSettings, best: BestWeights | None, log: RunLog, home: RunFolder | None
) -> list[keras.callbacks.Callback]:
    """All callbacks of a stage, in the order in which they must be called: see `BestWeights`."""
    callbacks: list[keras.callbacks.Callback] = [best] if best else []
    if how.ema:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    callbacks += [EpochSeeds(how.seed), log]
    if how.log == "tensorboard" and home:
        callbacks.append(keras.callbacks.TensorBoard(home.path / "tensorboard", write_graph=False))
    return callbacks


def verbosity() -> int:
    """Keras' moving bar on a terminal and in a notebook; a line per epoch in a file or pipe."""
    return 1 if sys.stdout.isatty() or "ipykernel" in sys.modules else 2
