"""Write model folders and replace their cards: whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.errors import ModelError
from emopy.files import atomic_file, atomic_folder, is_file_of_file_manager, sha256_of
from emopy.locks import folder_lock
from emopy.models.card import (
    CARD_FILE,
    GOLDEN_FILE,
    MODEL_FILES,
    NETWORK_FILE,
    README_FILE,
    WEIGHTS_FILE,
    ModelCard,
    card_from_json,
)
from emopy.models.readme import readme_from_card
from emopy.models.store import Golden, check_model_folder, read_card


def write_model_folder(
    path: str | Path,
    *,
    card: ModelCard,
    weights: bytes,
    golden_crops: NDArray[np.uint8],
    golden_logits: NDArray[np.float32],
    network: Path | None = None,
) -> Path:
    """Write a model folder and check it like `check_model_folder` before it appears.

    Args:
        path: The folder to write; an older model folder is replaced.
        card: The card; its `files` are filled in here.
        weights: Content of the ONNX file.
        golden_crops: (n, H, W, C) or (n, T, H, W, C) uint8 of the input size, n ≥ 1.
        golden_logits: (n, k) float32, the logits of these crops.
        network: Keras file to copy beside the weights, for further training: the same network,
            or the first of an ensemble.

    Returns:
        The path.

    Raises:
        ModelError: Card, weights and golden logits do not belong together, or `path` holds
            something else.
    """
    path = Path(path)
    _check_replaceable(path)
    golden = Golden(golden_crops, golden_logits)
    with atomic_folder(path, replace=True) as folder:
        (folder / WEIGHTS_FILE).write_bytes(weights)
        np.savez_compressed(folder / GOLDEN_FILE, crops=golden.crops, logits=golden.logits)
        if network is not None:
            shutil.copyfile(network, folder / NETWORK_FILE)
        names = [name for name in MODEL_FILES if (folder / name).is_file()]
        _write_card(folder, card.changed(files={name: sha256_of(folder / name) for name in names}))
        try:
            check_model_folder(folder)
        except ModelError as error:  # names the folder as it was asked for
            raise ModelError(str(error).replace(str(folder), str(path))) from error
    return path


def update_card(path: str | Path, change: Callable[[ModelCard], ModelCard]) -> None:
    """Replace the card of a model folder and the README generated from it.

    Processes that do so at the same time wait for each other, so that no change is lost.

    Args:
        path: The folder.
        change: Called with the card of the folder, returns the new one; labels, input, output,
            precision and files must be the same.

    Raises:
        ModelError: Not a model folder, the card of another model, or a card that could not be
            read again. The folder is left as it was.
    """
    path = Path(path)
    with folder_lock(path):
        old = read_card(path)
        card = change(old)
        for name in ("labels", "input", "output", "precision", "files"):
            if getattr(card, name) != getattr(old, name):
                raise ModelError(
                    f"`change` must keep the `{name}` of {path}. Received {getattr(card, name)!r}. "
                    "Write a new folder with write_model_folder for another model."
                )
        card_from_json(card.to_json(), path / CARD_FILE)
        _write_card(path, card)


def _write_card(folder: Path, card: ModelCard) -> None:
    for name, text in ((CARD_FILE, card.to_json()), (README_FILE, readme_from_card(card))):
        with atomic_file(folder / name) as file:
            file.write_text(text, encoding="utf-8", newline="\n")


def _check_replaceable(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    names = [item.name for item in path.iterdir()] if path.is_dir() else [path.name]
    others = [
        name for name in names if name not in MODEL_FILES and not is_file_of_file_manager(name)
    ]
    if others:
        raise ModelError(
            f"`path` must be new, or a model folder to replace. Received {path}, which holds "
            f"{others[0]!r}. Choose another path."
        )
