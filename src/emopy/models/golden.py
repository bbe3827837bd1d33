"""Golden answers: a few crops with the logits they must give, kept beside the weights.

A folder that has been copied, converted or run on other hardware proves with them that it still
says what it said when it was exported.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from emopy.errors import ModelError
from emopy.models.card import ModelCard


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Crops and their expected logits.

    Attributes:
        crops: (n, H, W, C) or (n, T, H, W, C) uint8, of the network's own size, n ≥ 1.
        logits: (n, k) float32, finite.
    """

    crops: NDArray[np.uint8]
    logits: NDArray[np.float32]

    def __post_init__(self) -> None:
        crops, logits = self.crops, self.logits
        if crops.dtype != np.uint8 or crops.ndim not in (4, 5) or not len(crops):
            raise ModelError(
                "golden `crops` must be uint8 (n, H, W, C) or (n, T, H, W, C), n 1 or more. "
                f"Received {crops.dtype} of shape {crops.shape}."
            )
        if logits.dtype != np.float32 or logits.ndim != 2 or len(logits) != len(crops):
            raise ModelError(
                f"golden `logits` must be float32 of shape ({len(crops)}, number of labels). "
                f"Received {logits.dtype} of shape {logits.shape}."
            )
        if not np.isfinite(logits).all():
            raise ModelError("golden `logits` must be finite. Received NaN or infinity.")

    def check_fits(self, card: ModelCard, source: str | Path) -> None:
        """Refuse golden answers of another network.

        Raises:
            ModelError: Crops of another size or another number of labels than the card's.
        """
        if self.crops.shape[1:] != card.input.shape:
            raise ModelError(
                f"{source} must hold crops of shape {card.input.shape}, as the card says. "
                f"Received {self.crops.shape[1:]}. Export the model again."
            )
        if self.logits.shape[1] != len(card.labels):
            raise ModelError(
                f"{source} must hold {len(card.labels)} logits per crop, one per label of the "
                f"card. Received {self.logits.shape[1]}. Export the model again."
            )


def read_golden(path: Path) -> Golden:
    """Read golden answers. Holds no pickled objects.

    Raises:
        ModelError: Missing, damaged, or not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Golden(
                cast("NDArray[np.uint8]", stored["crops"]),
                cast("NDArray[np.float32]", stored["logits"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} must be a .npz file with `crops` and `logits`. Received: {error}. "
            "Export the model again."
        ) from error


def write_golden(path: Path, golden: Golden) -> None:
    """Write golden answers."""
    np.savez_compressed(path, crops=golden.crops, logits=golden.logits)
