"""Model folders: found by name, checked from end to end at load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.errors import ModelError
from emopy.models.card import GOLDEN_FILE, WEIGHTS_FILE, ModelCard
from emopy.models.files import NEEDED, check_files, read_card
from emopy.models.find import find_model
from emopy.models.golden import read_golden
from emopy.models.preprocessing import Crops, checked, to_tensor
from emopy.models.session import OnnxSession

GOLDEN_TOLERANCE = {"float32": 1e-3, "int8": 0.2}
"""Largest difference of a logit that other hardware may cause, by the card's precision. A value
that is rounded to the next of 256 steps moves every later one."""

BATCH_SIZE = 64
"""Crops per run of a network: enough to keep it busy, little enough to stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class ModelFolder:
    """A model whose card, weights and golden answers have been checked against each other.

    Attributes:
        path: The folder.
        card: What its card says.
        session: Its network, ready to run.
    """

    path: Path
    card: ModelCard
    session: OnnxSession

    def logits(self, crops: Crops, *, batch_size: int = BATCH_SIZE) -> NDArray[np.float32]:
        """Compute the logits of face crops, some at a time so that memory stays flat.

        Args:
            crops: As `to_tensor` takes them.
            batch_size: Crops per run of the network.

        Returns:
            (n, k) float32, one column per label of the card; not yet divided by the temperature.

        Raises:
            InputError: Crops of a wrong type or shape.
            ModelError: The network gave NaN or infinity.
        """
        crops = checked(crops, self.card.input)
        # Without crops one empty batch runs, so that a wrong kind of array is still refused.
        parts = [
            self.session.run(to_tensor(crops[start : start + batch_size], self.card.input))
            for start in range(0, max(len(crops), 1), batch_size)
        ]
        logits = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if not np.isfinite(logits).all():
            raise ModelError(
                f"The network of {self.path} must give finite logits. Received NaN or infinity. "
                "Fetch or export the model again."
            )
        return logits


def load_model(
    model: str | Path, *, threads: int = 1, providers: Sequence[str] | None = None
) -> ModelFolder:
    """Find a model and check everything about it.

    The card must be valid, the weights and the golden answers present with the checksums of the
    card, the network's input and outputs those of the card, the golden answers of the right form.
    The trainable network, where there is one, is left alone: prediction has no use for it.

    Args:
        model: Path of a model folder, or the name of a model.
        threads: CPU threads that one run may use.
        providers: Where to run, see `emopy.models.session.PROVIDERS`; None takes what is there.

    Returns:
        The model, ready to run.

    Raises:
        ModelNotFoundError: Neither a folder nor a known name.
        ModelError: The folder is damaged, or its parts do not belong together.
    """
    return _load(find_model(model), threads=threads, providers=providers)


def check_model_folder(path: str | Path) -> float:
    """Check every file of a model folder, and that its network still gives the golden answers.

    Args:
        path: The folder, or the name of a model.

    Returns:
        Largest difference between a logit and its golden answer, within `GOLDEN_TOLERANCE`.

    Raises:
        ModelError: Anything that `load_model` refuses, or other answers.
    """
    folder = load_model(path)
    check_files(folder.path, folder.card, folder.card.files)
    golden = read_golden(folder.path / GOLDEN_FILE)
    difference = float(np.abs(folder.logits(golden.crops) - golden.logits).max())
    tolerance = GOLDEN_TOLERANCE[folder.card.precision]
    if difference > tolerance:
        raise ModelError(
            f"{folder.path} must give its golden answers within {tolerance}. Received "
            f"logits that differ by {difference:.3g}: the weights are not those that were "
            "exported. Export or fetch the model again."
        )
    return difference


def _load(path: Path, *, threads: int, providers: Sequence[str] | None) -> ModelFolder:
    card = read_card(path)
    check_files(path, card, NEEDED)
    read_golden(path / GOLDEN_FILE).check_fits(card, path / GOLDEN_FILE)
    session = OnnxSession(path / WEIGHTS_FILE, threads=threads, providers=providers)
    _check_graph(session, card)
    return ModelFolder(path, card, session)


def _check_graph(session: OnnxSession, card: ModelCard) -> None:
    if session.input_shape != card.input.shape:
        raise ModelError(
            f"{session.path} must take samples of shape {card.input.shape}, as the card says. "
            f"Received a graph for {session.input_shape}: card and weights do not belong "
            "together. Export the model again."
        )
    if session.outputs != len(card.labels):
        raise ModelError(
            f"{session.path} must have {len(card.labels)} outputs, one per label of the card "
            f"({', '.join(card.labels)}). Received a graph with {session.outputs}: card and "
            "weights do not belong together. Export the model again."
        )
