"""What lies in a model folder: the card is read, the other parts are held against it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from emopy.errors import ModelError, ModelNotFoundError
from emopy.files import sha256_of
from emopy.models.card import (
    CARD_FILE,
    GOLDEN_FILE,
    NETWORK_FILE,
    README_FILE,
    WEIGHTS_FILE,
    ModelCard,
    card_from_json,
)
from emopy.models.find import find_model, which_folder

NEEDED = (WEIGHTS_FILE, GOLDEN_FILE)
"""Parts that every card lists with their checksum."""

PARTS = (CARD_FILE, *NEEDED, NETWORK_FILE, README_FILE)
"""All that a model folder may hold."""


def find_keras_model(model: str | Path) -> tuple[ModelCard, Path]:
    """Find the trainable network of a model, to learn on from.

    Args:
        model: Path of a model folder, or the name of a model.

    Returns:
        The card, and the Keras file with its checksum verified.

    Raises:
        ModelNotFoundError: No such model, or its folder was written without a trainable network.
        ModelError: The file was changed or damaged.
    """
    path = find_model(model)
    card = read_card(path)
    if NETWORK_FILE not in card.files:
        raise ModelNotFoundError(
            f"`model` must hold a trainable network, {NETWORK_FILE}. Received {path}, which "
            'holds none. Export it with export(run, path, trainable="always").'
        )
    check_files(path, card, (NETWORK_FILE,))
    return card, path / NETWORK_FILE


def read_card(path: Path) -> ModelCard:
    """Read the card of a model folder.

    Raises:
        ModelError: No card there, or not a valid one.
    """
    file = path / CARD_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"A model folder must hold {CARD_FILE}. Received {path}: {error.strerror}. "
            + which_folder(path)
        ) from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{file} must be UTF-8 text. Received: {error}.") from error
    card = card_from_json(text, file)
    listed = set(card.files)
    if not set(NEEDED) <= listed <= {*NEEDED, NETWORK_FILE}:
        raise ModelError(
            f"{file}, `files` must list {' and '.join(NEEDED)}, and may list {NETWORK_FILE}. "
            f"Received {', '.join(card.files) or 'nothing'}. Export the model again."
        )
    return card


def check_files(path: Path, card: ModelCard, names: Iterable[str]) -> None:
    """Check that files of a model folder are those of its card.

    Raises:
        ModelError: A file is missing, or its checksum is another.
    """
    for name in names:
        file, expected = path / name, card.files[name]
        if not file.is_file():
            raise ModelError(
                f"{path} must hold {name}. Received a folder without it. "
                "Fetch or export the model again."
            )
        if (received := sha256_of(file)) != expected:
            raise ModelError(
                f"{file} must have the SHA-256 of the card, {expected}. Received {received}: it "
                "was changed or damaged. Fetch or export the model again."
            )
