"""Model folders: found by name, checked from end to end at load, written in one go."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from emopy.errors import ModelError
from emopy.models.card import (
    CARD_FILE,
    GOLDEN_FILE,
    README_FILE,
    WEIGHTS_FILE,
    ModelCard,
    card_from_json,
)
from emopy.models.fetch import checksum
from emopy.models.find import DEFAULT_MODEL, find_model, list_models
from emopy.models.golden import Golden, read_golden, write_golden
from emopy.models.preprocess import Crops, checked, to_tensor
from emopy.models.readme import readme_from_card
from emopy.models.session import OnnxSession

__all__ = [
    "BATCH_SIZE",
    "DEFAULT_MODEL",
    "GOLDEN_TOLERANCE",
    "ModelFolder",
    "check_model_folder",
    "find_model",
    "list_models",
    "load_model",
    "update_card",
    "write_model_folder",
]

GOLDEN_TOLERANCE = 1e-3
"""Largest difference of a logit that other hardware may cause."""

BATCH_SIZE = 64
"""Crops per run of a network: enough to keep it busy, little enough to stay in the cache."""

_HASHED = (WEIGHTS_FILE, GOLDEN_FILE)
_PARTS = (CARD_FILE, *_HASHED, README_FILE)


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

    The card must be valid, each file present with the checksum of the card, the network's input
    and outputs those of the card, the golden answers of the right form.

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
    """Check a model folder, and that its network still gives the golden answers.

    Args:
        path: The folder, or the name of a model.

    Returns:
        Largest difference between a logit and its golden answer; at most `GOLDEN_TOLERANCE`.

    Raises:
        ModelError: Anything that `load_model` refuses, or other answers.
    """
    folder = load_model(path)
    golden = read_golden(folder.path / GOLDEN_FILE)
    difference = float(np.abs(folder.logits(golden.crops) - golden.logits).max())
    if difference > GOLDEN_TOLERANCE:
        raise ModelError(
            f"{folder.path} must give its golden answers within {GOLDEN_TOLERANCE}. Received "
            f"logits that differ by {difference:.3g}: the weights are not those that were "
            "exported. Export or fetch the model again."
        )
    return difference


def write_model_folder(
    path: str | Path,
    *,
    card: ModelCard,
    weights: bytes,
    golden_crops: NDArray[np.uint8],
    golden_logits: NDArray[np.float32],
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
        card = card.changed(files={name: checksum(partial / name) for name in _HASHED})
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
    old = _read_card(path)
    for name in ("labels", "input", "output", "files"):
        if getattr(card, name) != getattr(old, name):
            raise ModelError(
                f"`card` must keep the `{name}` of {path}. Received {getattr(card, name)!r}. "
                "Write a new folder with write_model_folder for another network."
            )
    _write_card(path, card)


def _load(path: Path, *, threads: int, providers: Sequence[str] | None) -> ModelFolder:
    card = _read_card(path)
    _check_files(path, card)
    read_golden(path / GOLDEN_FILE).check_fits(card, path / GOLDEN_FILE)
    session = OnnxSession(path / WEIGHTS_FILE, threads=threads, providers=providers)
    _check_graph(session, card)
    return ModelFolder(path, card, session)


def _read_card(path: Path) -> ModelCard:
    file = path / CARD_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"A model folder must hold {CARD_FILE}. Received {path}: {error.strerror}. "
            "Give a folder that `emopy train` wrote, or the name of a model."
        ) from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{file} must be UTF-8 text. Received: {error}.") from error
    return card_from_json(text, file)


def _check_files(path: Path, card: ModelCard) -> None:
    if set(card.files) != set(_HASHED):
        raise ModelError(
            f"{path / CARD_FILE}, `files` must list {' and '.join(_HASHED)}. "
            f"Received {', '.join(card.files) or 'nothing'}. Export the model again."
        )
    for name, expected in card.files.items():
        file = path / name
        if not file.is_file():
            raise ModelError(
                f"{path} must hold {name}. Received a folder without it. "
                "Fetch or export the model again."
            )
        if (received := checksum(file)) != expected:
            raise ModelError(
                f"{file} must have the SHA-256 of the card, {expected}. Received {received}: it "
                "was changed or damaged. Fetch or export the model again."
            )


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
        [item.name for item in path.iterdir() if item.name not in _PARTS]
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
