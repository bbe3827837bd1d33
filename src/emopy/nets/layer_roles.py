"""What a network tells `fit` about itself: names of its parts, which a saved file keeps.

A network that says nothing gets standardised crops and learns all its weights from the start.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras
from keras import layers

PIXELS = "pixels"
"""Name of an input that takes pixels of 0 to 1 as they are, not standardised."""

BACKBONE = "backbone"
"""Name of a part that has learnt before: `fit` keeps it frozen at first."""

FRESH = "fresh_backbone"
"""Name of such a part whose weights are drawn at random: like a head, it learns from the start."""


def pixels_input(input_shape: tuple[int, ...]) -> keras.KerasTensor:
    """An input that takes pixels of 0 to 1, for a network that knows its own standardisation.

    Args:
        input_shape: (H, W, C) of one crop, or (T, H, W, C) of one clip.
    """
    return keras.Input(input_shape, name=PIXELS)


def wants_pixels(model: keras.Model) -> bool:
    """Whether a network takes pixels of 0 to 1 instead of standardised ones."""
    return model.inputs[0].name == PIXELS


def backbone_of(model: keras.Model) -> keras.Model | None:
    """The part of a network that has learnt before, or None: a fresh one is not meant."""
    return next((layer for layer in model.layers if layer.name == BACKBONE), None)


def freeze_backbone(model: keras.Model) -> None:
    """Let only the head learn; a network without a backbone is left as it is."""
    release_backbone(model, 0.0)


def release_backbone(model: keras.Model, share: float) -> None:
    """Let the top of the backbone learn along with the head.

    Batch normalisation stays frozen: its running figures were measured on far more faces than
    a small data set has.

    Args:
        model: A network; without a backbone it is left as it is.
        share: Share of the backbone's layers, counted from its output, 0–1.
    """
    backbone = backbone_of(model)
    if backbone is None:
        return
    parts = list(parts_of(backbone))
    first = len(parts) - math.ceil(share * len(parts))
    for i, part in enumerate(parts):
        part.trainable = i >= first and not isinstance(part, layers.BatchNormalization)


def parts_of(network: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a network in order, those of nested networks in their place.

    Each network is told to listen to its layers: what one layer is told does not reach all.
    """
    network.trainable = True
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from parts_of(layer)
        else:
            yield layer
