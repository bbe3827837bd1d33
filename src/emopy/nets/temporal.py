"""Two networks for clips: the label is that of the last frame."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from emopy.errors import RecipeError
from emopy.nets.registry import register_net


@register_net
def ConvolutionalLstmNN(  # noqa: N802 - class-like, as keras.applications.ResNet50
    input_shape: tuple[int, ...],
    classes: int,
    *,
    filters: int = 16,
    kernel_size: int | Sequence[int] = 3,
    activation: str = "tanh",
    dropout: float = 0.2,
) -> keras.Model:
    """Build a convolutional LSTM network.

    A strided convolution reduces each frame; two convolutional LSTM layers run through the clip,
    and the last state is classified. 20 million multiply-adds for each
    gray frame of 48 × 48 pixels.

    Args:
        input_shape: (T, H, W, C) of one clip.
        classes: Number of labels k.
        filters: Channels of the first recurrent layer; the second has twice as many.
        kernel_size: Side of each kernel, or its rows and columns, in pixels.
        activation: Activation of the LSTM cells.
        dropout: Dropout rate of the pooled features, 0–1.

    Returns:
        A Keras model from (n, T, H, W, C) to logits (n, k).

    Raises:
        RecipeError: The input is not a clip.

    Source:
        Shi et al. 2015, https://arxiv.org/abs/1506.04214.
    """
    _check_clip(input_shape, "ConvolutionalLstmNN")
    clip = keras.Input(input_shape)
    x = layers.TimeDistributed(
        layers.Conv2D(filters, kernel_size, strides=2, padding="same", activation="relu")
    )(clip)
    x = layers.TimeDistributed(layers.BatchNormalization(momentum=0.97))(x)
    recurrent = {"kernel_size": kernel_size, "activation": activation, "padding": "same"}
    x = layers.ConvLSTM2D(filters, return_sequences=True, **recurrent)(x)
    x = layers.TimeDistributed(layers.MaxPooling2D())(x)
    x = layers.ConvLSTM2D(2 * filters, **recurrent)(x)
    x = layers.BatchNormalization(momentum=0.97)(x)
    x = layers.Conv2D(4 * filters, kernel_size, strides=2, padding="same", activation="relu")(x)
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    return keras.Model(clip, layers.Dense(classes, name="logits")(x), name="ConvolutionalLstmNN")


@register_net
def TimeDelayConvNN(  # noqa: N802
    input_shape: tuple[int, ...],
    classes: int,
    *,
    filters: int = 16,
    kernel_size: int | Sequence[int] = (3, 3, 3),
    activation: str = "relu",
    dropout: float = 0.3,
    grid: int = 1,
) -> keras.Model:
    """Build a network of 3D convolutions over neighboring frames.

    After three of them, one more convolution covers the whole clip. 17 million
    multiply-adds for each gray frame of 48 × 48 pixels.

    Args:
        input_shape: (T, H, W, C) of one clip.
        classes: Number of labels k.
        filters: Channels of the first stage; each further stage has twice as many.
        kernel_size: Side of each kernel, or its frames, rows and columns.
        activation: Non-linearity after each normalization.
        dropout: Dropout rate of the pooled features, 0–1.
        grid: Rows and columns of the final average pooling. 1 is global pooling, without
            positions; 3 keeps the position of features, which trains faster on few clips because
            aligned faces have the mouth in one place.

    Returns:
        A Keras model from (n, T, H, W, C) to logits (n, k).

    Raises:
        RecipeError: The input is not a clip, or the grid is finer than the last feature map.

    Source:
        Tran et al. 2015, https://arxiv.org/abs/1412.0767; the idea of feeding delayed frames
        is that of Meng et al. 2015, doi:10.1109/TCYB.2015.2418092.
    """
    _check_clip(input_shape, "TimeDelayConvNN")
    clip = keras.Input(input_shape)
    x = clip
    for width in (filters, 2 * filters, 4 * filters):
        # Full resolution would take most of the time: the first stage is strided.
        stride = (1, 2, 2) if width == filters else 1
        x = layers.Conv3D(width, kernel_size, strides=stride, padding="same", use_bias=False)(x)
        x = layers.Activation(activation)(layers.BatchNormalization(momentum=0.97)(x))
        x = x if width == filters else layers.MaxPooling3D((1, 2, 2))(x)
    x = layers.Conv3D(4 * filters, (input_shape[0], 1, 1), activation=activation)(x)
    x = layers.Dropout(dropout)(_pool(x, grid))
    return keras.Model(clip, layers.Dense(classes, name="logits")(x), name="TimeDelayConvNN")


def _check_clip(input_shape: tuple[int, ...], net: str) -> None:
    if len(input_shape) != 4:
        raise RecipeError(
            f"{net} must be given clips (T, H, W, C). Received samples of shape {input_shape}. "
            "Load folders of frames with DirectoryDataLoader(num_frames=...)."
        )


def _pool(features: keras.KerasTensor, grid: int) -> keras.KerasTensor:
    """(n, T, h, w, c) → (n, cells · T · c), the average of each cell of the grid."""
    if grid == 1:
        return layers.GlobalAveragePooling3D()(features)
    height, width = features.shape[2:4]
    if not 1 <= grid <= min(height, width):
        raise RecipeError(
            f"`grid` must be 1 to {min(height, width)} for this size of clip. Received {grid}. "
            "Type for example grid = 1."
        )
    cell = (1, -(-height // grid), -(-width // grid))
    return layers.Flatten()(layers.AveragePooling3D(cell, padding="same")(features))
