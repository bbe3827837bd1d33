"""A small residual network for gray crops of 48 × 48 pixels, that of the bundled models."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from emopy.nets.registry import register_net


@register_net
def ResidualNN(  # noqa: N802, PLR0913 - class-like, as keras.applications.ResNet50
    input_shape: tuple[int, ...],
    classes: int,
    *,
    widths: Sequence[int] = (32, 64, 128),
    blocks: Sequence[int] = (1, 2, 2),
    squeeze: float = 0.25,
    dropout: float = 0.2,
    antialias: bool = False,
    stem_stride: int = 1,
) -> keras.Model:
    """Build a small residual network: 0.70 M parameters, 49 M multiply-adds at 48 × 48 gray.

    One convolution, the stem, then one stage per width. Every stage halves the resolution; the
    first one does not where the stem has done so. Down-sampling shortcuts average before they
    project (He et al. 2019, "Bag of Tricks", ResNet-D). The first network of `emopy-base` has the
    default settings. Its second network and `emopy-tiny` have `stem_stride=2` and `squeeze=0.0`,
    which together take less than half of the time in int8 on CPUs with VNNI.

    Args:
        input_shape: (H, W, C) of one crop.
        classes: Number of labels k.
        widths: Channels of each stage.
        blocks: Residual blocks of each stage.
        squeeze: Width of the squeeze-and-excitation bottleneck as a fraction of the channels; 0:
            no squeeze-and-excitation.
        dropout: Dropout rate of the pooled features, 0–1.
        antialias: Halve the resolution by 2 × 2 average pooling instead of strided convolution
            (after Zhang 2019, https://arxiv.org/abs/1904.11486).
        stem_stride: 1: the stem is 3 × 3 and keeps the full resolution; 2: it is 5 × 5 and halves
            it, which takes about half of the time.

    Returns:
        A Keras model from (n, H, W, C) to logits (n, k).

    Source:
        He et al. 2016, https://arxiv.org/abs/1512.03385; Hu et al. 2018,
        https://arxiv.org/abs/1709.01507.
    """
    crops = keras.Input(input_shape)
    x = _conv_norm(crops, widths[0], kernel=3 if stem_stride == 1 else 5, stride=stem_stride)
    x = layers.ReLU()(x)
    for stage, (width, depth) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(depth):
            halves = block == 0 and not (stage == 0 and stem_stride > 1)
            stride = 2 if halves else 1
            x = _residual_block(x, width, stride=stride, squeeze=squeeze, antialias=antialias)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    return keras.Model(crops, layers.Dense(classes, name="logits")(x), name="ResidualNN")


def _residual_block(
    x: keras.KerasTensor, width: int, *, stride: int, squeeze: float, antialias: bool
) -> keras.KerasTensor:
    shortcut = x
    if stride > 1:
        shortcut = layers.AveragePooling2D(stride, padding="same")(shortcut)
    if shortcut.shape[-1] != width:
        shortcut = _conv_norm(shortcut, width, kernel=1)
    x = layers.ReLU()(_conv_norm(x, width, kernel=3, stride=1 if antialias else stride))
    if antialias and stride > 1:
        x = layers.AveragePooling2D(stride, padding="same")(x)
    x = _conv_norm(x, width, kernel=3)
    x = _squeeze_excite(x, squeeze) if squeeze > 0 else x
    return layers.ReLU()(layers.Add()([x, shortcut]))


def _conv_norm(
    x: keras.KerasTensor, width: int, *, kernel: int, stride: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(
        width,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    return layers.BatchNormalization(momentum=0.97)(x)


def _squeeze_excite(x: keras.KerasTensor, ratio: float) -> keras.KerasTensor:
    width = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(max(8, int(width * ratio)), 1, activation="relu")(gate)
    gate = layers.Conv2D(width, 1, activation="sigmoid")(gate)
    return layers.Multiply()([x, gate])
