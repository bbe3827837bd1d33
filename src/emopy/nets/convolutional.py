"""Two convolutional networks for stills: a plain one and a regularized one."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers, regularizers

from emopy.nets.registry import register_net


@register_net
def ConvolutionalNN(  # noqa: N802 - class-like, as keras.applications.ResNet50
    input_shape: tuple[int, ...],
    classes: int,
    *,
    filters: int = 24,
    kernel_size: int | Sequence[int] = 3,
    activation: str = "relu",
    dense: int = 128,
) -> keras.Model:
    """Build a plain network: two blocks of convolutions and pooling, then a dense layer.

    30 million multiply-adds for a gray crop of 48 × 48 pixels.

    Args:
        input_shape: (H, W, C) of one crop.
        classes: Number of labels k.
        filters: Channels of the first two convolutions; the next two have twice as many.
        kernel_size: Side of each kernel, or its rows and columns, in pixels.
        activation: Non-linearity after each convolution.
        dense: Units of the hidden dense layer.

    Returns:
        A Keras model from (n, H, W, C) to logits (n, k).

    Source:
        LeCun et al. 1998, doi:10.1109/5.726791.
    """
    crops = keras.Input(input_shape)
    x = crops
    for width in (filters, 2 * filters):
        x = layers.Conv2D(width, kernel_size, padding="same", activation=activation)(x)
        x = layers.Conv2D(width, kernel_size, padding="same", activation=activation)(x)
        x = layers.MaxPooling2D()(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dense(dense, activation=activation)(layers.Flatten()(x))
    return keras.Model(crops, layers.Dense(classes, name="logits")(x), name="ConvolutionalNN")


@register_net
def ConvolutionalNNDropout(  # noqa: N802
    input_shape: tuple[int, ...],
    classes: int,
    *,
    filters: int = 20,
    kernel_size: int | Sequence[int] = 3,
    activation: str = "relu",
    dropout: float = 0.3,
    l2: float = 1e-4,
) -> keras.Model:
    """Build a regularized network: dropout, batch normalization and L2 regularization.

    Three stages of two convolutions; each stage halves the resolution and doubles the
    channels. 33 million multiply-adds for a gray crop of 48 × 48 pixels.

    Args:
        input_shape: (H, W, C) of one crop.
        classes: Number of labels k.
        filters: Channels of the first stage.
        kernel_size: Side of each kernel, or its rows and columns, in pixels.
        activation: Non-linearity after each normalization.
        dropout: Dropout rate after each stage, 0–1.
        l2: L2 regularization factor of the kernels.

    Returns:
        A Keras model from (n, H, W, C) to logits (n, k).

    Source:
        Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html (dropout);
        Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167 (batch normalization).
    """
    crops = keras.Input(input_shape)
    x = crops
    for width in (filters, 2 * filters, 4 * filters):
        for _ in range(2):
            x = layers.Conv2D(
                width,
                kernel_size,
                padding="same",
                use_bias=False,
                kernel_regularizer=regularizers.L2(l2),
            )(x)
            x = layers.Activation(activation)(layers.BatchNormalization(momentum=0.97)(x))
        x = layers.Dropout(dropout)(layers.MaxPooling2D()(x))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(
        crops, layers.Dense(classes, name="logits")(x), name="ConvolutionalNNDropout"
    )
