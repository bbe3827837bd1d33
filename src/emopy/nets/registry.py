"""Networks by name or from a model folder, and the names of layers that `fit` looks for.

A network without such names gets standardized images and is trained as a whole.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import keras
from keras import layers

from emopy.errors import ModelError, RecipeError, nearest
from emopy.models import ModelCard, find_keras_model

Net = Callable[..., keras.Model]
"""A function ``(input_shape, classes, **settings) -> keras.Model`` that returns logits."""

PIXELS = "pixels"
"""Name of an input of pixels of 0 to 1, not standardized."""

BACKBONE = "backbone"
"""Name of a pretrained submodel: `fit` freezes it at first."""

UNTRAINED_BACKBONE = "untrained_backbone"
"""Name of a submodel with random weights: it trains from the start, like a head."""

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


def pixels_input(input_shape: tuple[int, ...]) -> keras.KerasTensor:
    """An input of pixels of 0 to 1, for a network that standardizes them itself.

    Args:
        input_shape: (H, W, C) of one crop, or (T, H, W, C) of one clip.
    """
    return keras.Input(input_shape, name=PIXELS)


def wants_pixels(model: keras.Model) -> bool:
    """Whether a network takes pixels of 0 to 1 instead of standardized ones."""
    return model.inputs[0].name == PIXELS


def backbone_of(model: keras.Model) -> keras.Model | None:
    """The pretrained backbone of a network, or None."""
    return next((layer for layer in model.layers if layer.name == BACKBONE), None)


def freeze_backbone(model: keras.Model) -> None:
    """Freeze the pretrained backbone of a network, if it has one."""
    unfreeze_backbone(model, 0.0)


def unfreeze_backbone(model: keras.Model, fraction: float) -> None:
    """Make the top layers of the pretrained backbone trainable, and freeze the others.

    Batch normalization stays frozen: its statistics come from far more faces than a small data
    set has.

    Args:
        model: A network; unchanged if it has no pretrained backbone.
        fraction: Fraction of the backbone's layers, counted from its output, 0–1.
    """
    backbone = backbone_of(model)
    if backbone is None:
        return
    leaves = list(leaf_layers(backbone))
    first = len(leaves) - math.ceil(fraction * len(leaves))
    for i, layer in enumerate(leaves):
        layer.trainable = i >= first and not isinstance(layer, layers.BatchNormalization)


def leaf_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a model in order, those of nested models in their place.

    Sets `trainable` of every nested model: Keras ignores a layer's own flag otherwise.
    """
    model.trainable = True
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaf_layers(layer)
        else:
            yield layer
