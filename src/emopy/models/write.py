"""Writing model folders: whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from emopy.errors import ModelError
from emopy.files import sha256_of
from emopy.models.card import (
    CARD_FILE,
    GOLDEN_FILE,
    NETWORK_FILE,
    README_FILE,
    WEIGHTS_FILE,
    ModelCard,
)
from emopy.models.files import PARTS, read_card
from emopy.models.golden import Golden, write_golden
from emopy.models.readme import readme_from_card
from emopy.models.store import check_model_folder


def write_model_folder(
    path: str | Path,
    *,
    card: ModelCard,
    weights: bytes,
    golden_crops: NDArray[np.uint8],
    golden_logits: NDArray[np.float32],
    network: Path | None = None,
) -> Path:
    """Write a model folder, whole or not at all.

    Everything goes into a temporary folder beside the wanted one, is checked there as at load,
    golden answers included, and only then gets its name. An older model folder is replaced.

    Args:
        path: The folder to make.
        card: The card; its `files` are filled in here.
        weights: Content of the ONNX file.
        golden_crops: (n, H, W, C) or (n, T, H, W, C) uint8 of the network's size, n ≥ 1.
        golden_logits: (n, k) float32 that the network must give for them.
        network: Keras file to learn on from, to be copied beside it: the same network, or the
            first of those that answer together.

    Returns:
        The path.

    Raises:
        ModelError: The parts do not belong together, or something else lies at `path`.
    """
    path = Path(path)
    _check_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid4().hex}.partial")
    partial.mkdir()
    try:
        (partial / WEIGHTS_FILE).write_bytes(weights)
        write_golden(partial / GOLDEN_FILE, Golden(golden_crops, golden_logits))
        if network is not None:
            shutil.copyfile(network, partial / NETWORK_FILE)
        files = sorted(partial.iterdir(), key=lambda file: PARTS.index(file.name))
        card = card.changed(files={file.name: sha256_of(file) for file in files})
        _write_card(partial, card)
        check_model_folder(partial)
        _replace_folder(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path


def update_card(path: str | Path, card: ModelCard) -> None:
    """Replace the card of a model folder and the README made from it.

    Args:
        path: The folder.
        card: The new card, for the same network: temperature, metrics and words may differ.

    Raises:
        ModelError: Not a model folder, or the card of another network.
    """
    path = Path(path)
    old = read_card(path)
    for name in ("labels", "input", "output", "precision", "files"):
        if getattr(card, name) != getattr(old, name):
            raise ModelError(
                f"`card` must keep the `{name}` of {path}. Received {getattr(card, name)!r}. "
                "Write a new folder with write_model_folder for another network."
            )
    _write_card(path, card)


def _write_card(folder: Path, card: ModelCard) -> None:
    for name, text in ((CARD_FILE, card.to_json()), (README_FILE, readme_from_card(card))):
        partial = folder / f".{name}.{uuid4().hex}.partial"
        try:
            partial.write_text(text, encoding="utf-8", newline="\n")
            os.replace(partial, folder / name)  # noqa: PTH105 - says what it does
        finally:
            partial.unlink(missing_ok=True)


def _check_replaceable(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    strangers = (
        [item.name for item in path.iterdir() if item.name not in PARTS]
        if (path.is_dir())
        else [path.name]
    )
    if strangers:
        raise ModelError(
            f"`path` must be new, or a model folder to replace. Received {path}, which holds "
            f"{strangers[0]!r}. Give another path."
        )


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        new.rename(path)
        return
    old = path.with_name(f".{path.name}.{uuid4().hex}.old")
    path.rename(old)
    new.rename(path)
    shutil.rmtree(old, ignore_errors=True)
