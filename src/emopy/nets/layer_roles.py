"""Layer names that tell `emopy.train.fit` how to train a network; saved files keep them.

A network without such names gets standardised crops and trains all its weights from the start.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras
from keras import layers

PIXELS = "pixels"
"""Name of an input of pixels of 0 to 1, not standardised."""

BACKBONE = "backbone"
"""Name of a pretrained submodel: `fit` freezes it at first."""

UNTRAINED_BACKBONE = "untrained_backbone"
"""Name of a submodel with random weights: it trains from the start, like a head."""


def pixels_input(input_shape: tuple[int, ...]) -> keras.KerasTensor:
    """An input of pixels of 0 to 1, for a network that standardises them itself.

    Args:
        input_shape: (H, W, C) of one crop, or (T, H, W, C) of one clip.
    """
    return keras.Input(input_shape, name=PIXELS)


def wants_pixels(model: keras.Model) -> bool:
    """Whether a network takes pixels of 0 to 1 instead of standardised ones."""
    return model.inputs[0].name == PIXELS


def backbone_of(model: keras.Model) -> keras.Model | None:
    """The pretrained backbone of a network, or None."""
    return next((layer for layer in model.layers if layer.name == BACKBONE), None)


def freeze_backbone(model: keras.Model) -> None:
    """Freeze the pretrained backbone of a network, if it has one."""
    unfreeze_backbone(model, 0.0)


def unfreeze_backbone(model: keras.Model, fraction: float) -> None:
    """Make the top layers of the pretrained backbone trainable, and freeze the others.

    Batch normalisation stays frozen: its statistics come from far more faces than a small data
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
