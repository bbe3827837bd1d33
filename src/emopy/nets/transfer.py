"""Transfer learning: a new head on a pretrained backbone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from emopy.errors import ModelError, ModelNotFoundError, RecipeError, nearest
from emopy.models import DEFAULT_MODEL, find_keras_model, list_models
from emopy.nets.registry import (
    BACKBONE,
    UNREADABLE,
    UNTRAINED_BACKBONE,
    freeze_backbone,
    leaf_layers,
    load_keras_model,
    pixels_input,
    register_net,
)

Weights = str | Path | None
"""``"default"``: pretrained; a file of weights; ``"random"`` or None: random weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Backbone:
    """A feature extractor and the preprocessing that it needs.

    Attributes:
        network: From (n, height, width, channels) to features (n, d); its name, one of
            `emopy.nets.registry`, says whether it is pretrained.
        shape: (height, width, channels) of its input.
        scale: Factor that pixels of 0 to 1 are multiplied by.
        offset: Added after scaling; one number, or one per channel.
        order: Channel order, "rgb" or "bgr".
    """

    network: keras.Model
    shape: tuple[int, int, int]
    scale: float
    offset: float | tuple[float, ...] = 0.0
    order: str = "rgb"


_Range = dict[str, Any]
"""The arguments of `Backbone` from `scale` on."""

_BYTES: _Range = {"scale": 255.0}
_SIGNED: _Range = {"scale": 2.0, "offset": -1.0}
_CAFFE: _Range = {"scale": 255.0, "offset": (-103.939, -116.779, -123.68), "order": "bgr"}
_EFFICIENTNET = tuple(deviation**-0.5 for deviation in (0.229, 0.224, 0.225))
"""Extra factor of each channel in EfficientNet B0 to B7, besides 1 / standard deviation."""

_FAMILIES: dict[str, tuple[str, int, _Range]] = {
    "xception": ("Xception", 71, _SIGNED),
    "vgg16": ("VGG16", 32, _CAFFE),
    "vgg19": ("VGG19", 32, _CAFFE),
    "resnet50": ("ResNet50", 32, _CAFFE),
    "inception_v3": ("InceptionV3", 75, _SIGNED),
    "inception_resnet_v2": ("InceptionResNetV2", 75, _SIGNED),
    **{f"efficientnet_b{i}": (f"EfficientNetB{i}", 32, _BYTES) for i in range(8)},
    **{f"efficientnet_v2_b{i}": (f"EfficientNetV2B{i}", 32, _BYTES) for i in range(4)},
    **{f"efficientnet_v2_{i.lower()}": (f"EfficientNetV2{i}", 32, _BYTES) for i in "SML"},
    "mobilenet": ("MobileNet", 32, _SIGNED),
    "mobilenet_v2": ("MobileNetV2", 32, _SIGNED),
    "mobilenet_v3_small": ("MobileNetV3Small", 32, _BYTES),
    "mobilenet_v3_large": ("MobileNetV3Large", 32, _BYTES),
}
"""Models of `keras.applications`: class, minimum side in pixels, input range."""


@register_net
def TransferLearningNN(  # noqa: N802 - class-like, as keras.applications.ResNet50
    input_shape: tuple[int, ...],
    classes: int,
    *,
    backbone: str | Path = DEFAULT_MODEL,
    weights: Weights = "default",
    size_px: int = 96,
    dense: int = 128,
    dropout: float = 0.3,
) -> keras.Model:
    """Build a network with a pretrained backbone and a new head.

    The network converts crops of any size and color to the input of the backbone.
    `emopy.train.fit` first trains the head
    alone, then the top of the backbone with it; see `FitSettings.head_epochs_fraction` and
    `FitSettings.unfreeze_fraction`.

    Args:
        input_shape: (H, W, C) of one crop.
        classes: Number of labels k.
        backbone: A bundled model; the folder of your own model; or a model of
            `keras.applications`: xception, vgg16, vgg19, resnet50, inception_v3,
            inception_resnet_v2, efficientnet_b0 … b7, efficientnet_v2_b0 … b3, s, m,
            l, mobilenet, mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large.
        weights: ``"default"``: those of the model, or of ImageNet, which Keras downloads once; a
            path: a file of weights; ``"random"`` or None: random weights, all layers
            trained from the start.
        size_px: Side in pixels that crops are resized to for a model of `keras.applications`.
        dense: Units of the hidden layer of the head; 0 for none.
        dropout: Dropout rate, 0–1.

    Returns:
        A Keras model from pixels of 0 to 1, (n, H, W, C), to logits (n, k).

    Raises:
        RecipeError: Clips as input, unknown backbone, missing file.
        ModelError: Weights that cannot be read or downloaded.

    Source:
        Yosinski et al. 2014, https://arxiv.org/abs/1411.1792.
    """
    if len(input_shape) != 3:
        raise RecipeError(
            "TransferLearningNN must be given stills (H, W, C). Received samples of shape "
            f"{input_shape}. Choose ConvolutionalLstmNN or TimeDelayConvNN for clips."
        )
    pretrained = get_backbone(backbone, weights=weights, size_px=size_px)
    crops = pixels_input(input_shape)
    x = pretrained.network(_adapt(crops, pretrained))
    x = layers.Dropout(dropout)(x)
    if dense:
        x = layers.Dropout(dropout)(layers.Dense(dense, activation="relu")(x))
    logits = layers.Dense(classes, name="logits")(x)
    model = keras.Model(crops, logits, name="TransferLearningNN")
    freeze_backbone(model)
    return model


def _adapt(crops: keras.KerasTensor, backbone: Backbone) -> keras.KerasTensor:
    """Convert pixels of 0 to 1 to the size, channels and range of the backbone."""
    height, width, channels = backbone.shape
    x = crops
    if x.shape[-1] > channels:
        x = keras.ops.image.rgb_to_grayscale(x)
    if x.shape[1:3] != (height, width):
        # Not layers.Resizing, which sets the layers after it to training mode.
        x = keras.ops.image.resize(x, (height, width))
    if x.shape[-1] < channels:
        x = layers.Concatenate()([x] * channels)
    elif backbone.order == "bgr":
        x = keras.ops.flip(x, axis=-1)
    return layers.Rescaling(backbone.scale, backbone.offset)(x)


def backbone_model(net: Callable[..., Any], settings: Mapping[str, Any]) -> str | Path | None:
    """Name or folder of the model of EmoPy whose weights a network starts from; None if none.

    Args:
        net: Function that builds the network.
        settings: Its settings.
    """
    if isinstance(net, partial):
        net, settings = net.func, {**net.keywords, **settings}
    if net is not TransferLearningNN or settings.get("weights", "default") != "default":
        return None
    name = settings.get("backbone", DEFAULT_MODEL)
    return None if name in _FAMILIES else name


def list_backbones() -> tuple[str, ...]:
    """Names of all backbones: models of EmoPy, then models of `keras.applications`."""
    return (*filter(_is_trainable, list_models()), *_FAMILIES)


def _is_trainable(model: str) -> bool:
    try:
        return bool(find_keras_model(model))
    except ModelError:  # no Keras file in the folder, or a damaged one
        return False


def get_backbone(name: str | Path, *, weights: Weights = "default", size_px: int = 96) -> Backbone:
    """Build a backbone.

    Args:
        name: Name or folder of a model of EmoPy with a trainable network, or a model of
            `keras.applications`, such as ``"mobilenet_v2"``.
        weights: ``"default"``: those of the model, or of ImageNet, which Keras downloads once; a
            path: a file of weights; ``"random"`` or None: random weights.
        size_px: Side in pixels that crops are resized to for a model of `keras.applications`.

    Raises:
        RecipeError: Unknown name, a backbone for clips, or a size below the minimum.
        ModelError: Weights that cannot be read, do not fit, or cannot be downloaded.
    """
    weights = None if weights == "random" else weights
    if weights is not None and weights != "default" and not Path(weights).is_file():
        raise RecipeError(
            f"`weights` must be 'default', 'random' or a file. Received {str(weights)!r}: no such "
            "file."
        )
    if name in _FAMILIES:
        return _keras_backbone(str(name), weights, size_px)
    return _emopy_backbone(name, weights)


def _emopy_backbone(name: str | Path, weights: Weights) -> Backbone:
    try:
        card, network = load_keras_model(name)
    except ModelNotFoundError as error:
        raise RecipeError(
            f"`backbone` must be a model with a trainable network, or a name. {error} "
            f"{nearest(str(name), list_backbones())}"
        ) from error
    spec = card.input
    if spec.frames > 1:
        raise RecipeError(
            f"`backbone` must take stills. Received {card.name!r}, which takes clips of "
            f"{spec.frames} frames."
        )
    if weights is None:
        network = keras.models.clone_model(network)
    elif weights != "default":
        try:
            network.load_weights(weights)
        except UNREADABLE as error:
            raise ModelError(f"{weights} must hold weights of {name}. Received: {error}") from error
    return Backbone(
        _named_backbone(network.inputs[0], _features(network), weights),
        (spec.height, spec.width, spec.channels),
        255 * spec.scale / spec.std,
        -spec.mean / spec.std,
    )


def _with_constant_normalization(
    network: keras.Model, factor: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> keras.Model:
    """Replace `keras.layers.Normalization` by `Rescaling` with the same constants.

    The conversion to ONNX would take the mean and variance of `Normalization` for inputs.

    Args:
        network: A model of `keras.applications`.
        factor: Factor of each channel after the normalization.
    """

    def fixed(layer: keras.Layer) -> keras.Layer:
        if not isinstance(layer, layers.Normalization):
            return layer
        mean, variance = (
            keras.ops.convert_to_numpy(value).ravel() for value in (layer.mean, layer.variance)
        )
        deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
        scale = np.asarray(factor) / deviation
        return layers.Rescaling(scale.tolist(), (-mean * scale).tolist(), name=layer.name)

    return keras.models.clone_model(network, clone_function=fixed)


def _named_backbone(
    crops: keras.KerasTensor, features: keras.KerasTensor, weights: Weights
) -> keras.Model:
    """The feature extractor under the name that says whether it is pretrained."""
    body = keras.Model(crops, features, name=UNTRAINED_BACKBONE if weights is None else BACKBONE)
    for layer in leaf_layers(body):  # a model may be saved with frozen layers
        layer.trainable = True
    return body


def _features(network: keras.Model) -> keras.KerasTensor:
    """The input of the last layer of a classifier, before any dropout."""
    *body, last = network.layers
    while body and isinstance(body[-1], layers.Dropout):
        last = body.pop()
    features = last.input
    return features if len(features.shape) == 2 else layers.GlobalAveragePooling2D()(features)


def _keras_backbone(name: str, weights: Weights, size_px: int) -> Backbone:
    attribute, smallest, expected = _FAMILIES[name]
    if size_px < smallest:
        raise RecipeError(f"`size_px` must be {smallest} or more for {name}. Received {size_px}.")
    shape = (size_px, size_px, 3)
    build = getattr(keras.applications, attribute)
    given = "imagenet" if weights == "default" else weights
    try:
        network = build(include_top=False, weights=given, input_shape=shape, pooling="avg")
    except UNREADABLE as error:
        raise ModelError(f"{weights} must hold weights of {name}. Received: {error}") from error
    except Exception as error:
        # Keras raises a bare Exception when a download fails.
        if "URL fetch failure" not in str(error):
            raise
        raise ModelError(
            f"The ImageNet weights of {name} must be downloaded once. Received: {error}. Connect "
            "to the Internet; or fetch that file elsewhere and give its path as `weights`; or type "
            'weights="random" for random weights, or backbone="emopy-base", which is packaged.'
        ) from error
    # Keras applies this factor to its own download only, but a file of ImageNet weights needs it.
    from_file = weights not in ("default", None) and attribute.startswith("EfficientNetB")
    network = _with_constant_normalization(network, _EFFICIENTNET if from_file else (1.0, 1.0, 1.0))
    body = _named_backbone(network.inputs[0], network.outputs[0], weights)
    return Backbone(body, shape, **expected)
