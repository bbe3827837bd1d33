"""The trainable network in a model folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras

from emopy.errors import ModelError
from emopy.models import ModelCard, find_keras_model

UNREADABLE = (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile)
"""What Keras raises for a file that is none of its own, or damaged."""


def load_keras_model(model: str | Path) -> tuple[ModelCard, keras.Model]:
    """Open the trainable network of a model, which runs no code from its file.

    Args:
        model: Path of a model folder, or the name of a model.

    Returns:
        The card, and the network without its optimiser.

    Raises:
        ModelNotFoundError: No such model, or its folder was written without a trainable network.
        ModelError: The file cannot be read.
    """
    card, file = find_keras_model(model)
    try:
        return card, keras.saving.load_model(file, compile=False, safe_mode=True)
    except UNREADABLE as error:
        raise ModelError(f"The network of {model} cannot be read: {error}") from error
