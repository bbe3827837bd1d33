"""Find networks: by name (built in, registered, entry point) or in a model folder."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import keras

from emopy.errors import ModelError, RecipeError, nearest
from emopy.models import ModelCard, find_keras_model

Net = Callable[..., keras.Model]
"""A function ``(input_shape, classes, **settings) -> keras.Model`` that returns logits."""

_REGISTRY: dict[str, Net] = {}
_ENTRY_POINTS = "emopy.nets"

UNREADABLE = (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile)
"""Errors of Keras for a file that is damaged or not a Keras file."""


def register_net(net: Net) -> Net:
    """Register a network under its own name; a decorator.

    Args:
        net: A function ``(input_shape, classes, *, settings) -> keras.Model``. The model takes
            a batch of `input_shape`, (H, W, C) or (T, H, W, C), and returns logits (n, classes).

    Returns:
        The same function.
    """
    _REGISTRY[net_name(net)] = net
    return net


def get_net(net: str | Net) -> Net:
    """Find a network by name; a function is returned as it is.

    Raises:
        RecipeError: No network of that name.
    """
    if callable(net):
        return net
    if net in _REGISTRY:
        return _REGISTRY[net]
    for entry in entry_points(group=_ENTRY_POINTS, name=net):
        return entry.load()
    raise RecipeError(f"`net` must name a network. Received {net!r}. {nearest(net, list_nets())}")


def list_nets() -> tuple[str, ...]:
    """Names of all networks that `get_net` finds, sorted."""
    return tuple(sorted({*_REGISTRY, *(entry.name for entry in entry_points(group=_ENTRY_POINTS))}))


def net_name(net: str | Net) -> str:
    """Name of a network; that of the wrapped function for `functools.partial`."""
    if isinstance(net, str):
        return net
    if isinstance(net, partial):
        return net_name(net.func)
    return getattr(net, "__name__", type(net).__name__)


def load_keras_model(model: str | Path) -> tuple[ModelCard, keras.Model]:
    """Load the trainable network of a model, without running code from its file.

    Args:
        model: Path of a model folder, or the name of a model.

    Returns:
        The card, and the network without its optimiser.

    Raises:
        ModelNotFoundError: No such model, or a model folder without a trainable network.
        ModelError: The file cannot be read.
    """
    card, file = find_keras_model(model)
    try:
        return card, keras.saving.load_model(file, compile=False, safe_mode=True)
    except UNREADABLE as error:
        raise ModelError(f"The network of {model} cannot be read: {error}") from error
