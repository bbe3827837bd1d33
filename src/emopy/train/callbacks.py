"""Keras callbacks: seeds per epoch, best weights, early stopping and the run folder."""

from __future__ import annotations

import math
import sys
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.train.recipe import FitSettings
from emopy.train.run_folder import Checkpoint, History, RunFolder, val_loss_of


class EpochSeeds(keras.callbacks.Callback):
    """Seeds dropout and other random layers at the start of each epoch.

    Keras does not store the state of random layers in a checkpoint.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Set the state of every random layer from (seed, epoch); called by Keras."""
        states = (v for v in self.model.variables if v.path.endswith("seed_generator_state"))
        rng = np.random.default_rng((self._seed, epoch))
        for state in states:
            state.assign(rng.integers(0, 2**32, state.shape, dtype=np.uint32))


class BestWeights(keras.callbacks.Callback):
    """Keeps the weights with the lowest validation loss.

    It must come before `keras.callbacks.SwapEMAWeights`: at the end of a validation the validated
    weights are then still in the model.
    """

    def __init__(self, history: History, checkpoint: Checkpoint | None) -> None:
        super().__init__()
        self._loss = min(map(val_loss_of, history), default=math.inf)
        self.weights: list[NDArray[Any]] = checkpoint.best if checkpoint else []

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Compare with the lowest loss so far; called by Keras after each validation."""
        loss = float((logs or {}).get("loss", math.inf))
        if loss < self._loss:
            self._loss, self.weights = loss, self.model.get_weights()


class RunLog(keras.callbacks.Callback):
    """Appends a row per epoch to the history, writes checkpoints, and ends the stage.

    Args:
        history: Rows of earlier epochs; extended in place.
        folder: Run folder, if any.
        best: The best weights so far; None without early stopping.
        patience: Epochs without a lower validation loss after which training stops; 0: never.
        epochs: Epochs of the stage, as a range: it ends after the last of them, and `patience`
            counts from the first.
    """

    def __init__(
        self,
        history: History,
        *,
        folder: RunFolder | None,
        best: BestWeights | None,
        patience: int,
        epochs: range,
    ) -> None:
        super().__init__()
        self._history = history
        self._folder = folder
        self._best = best
        self._patience = patience
        self._epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the epoch; called by Keras after validation."""
        metrics = {key: float(value) for key, value in (logs or {}).items()}
        self._history.append({"epoch": epoch + 1, **metrics})
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
        """Whether all epochs are done, or the validation loss has not improved for `patience`.

        It depends on the history alone, so that a resumed training stops at the same epoch.
        """
        done, first = len(self._history), self._epochs.start
        if done >= self._epochs.stop:
            return True
        if not self._patience or done <= first:
            return False
        losses = [val_loss_of(row) for row in self._history]
        best = losses.index(min(losses)) + 1
        return done - max(best, first) >= self._patience


def make_callbacks(
    settings: FitSettings, best: BestWeights | None, log: RunLog, folder: RunFolder | None
) -> list[keras.callbacks.Callback]:
    """All callbacks of a stage, in the order in which Keras must call them."""
    callbacks: list[keras.callbacks.Callback] = [best] if best else []
    if settings.ema:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    callbacks += [EpochSeeds(settings.seed), log]
    if settings.log == "tensorboard" and folder:
        callbacks.append(
            keras.callbacks.TensorBoard(folder.path / "tensorboard", write_graph=False)
        )
    return callbacks


def keras_verbosity() -> int:
    """1 (progress bar) in a terminal or notebook, 2 (a line per epoch) in a file or pipe."""
    return 1 if sys.stdout.isatty() or "ipykernel" in sys.modules else 2
