"""Backbones by name: networks that have learnt before, without their last layer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from emopy.errors import ModelError, ModelNotFoundError, RecipeError, nearest
from emopy.models import find_keras_model, list_models
from emopy.nets.layer_roles import BACKBONE, FRESH, parts_of
from emopy.nets.load import UNREADABLE, load_keras_model

Weights = str | Path | None
"""``"default"``: as published; a file; ``"random"`` or None: to start anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Backbone:
    """A network that turns crops into features, and what it wants to see.

    Attributes:
        network: From (n, height, width, channels) to features (n, d); its name is one of
            `emopy.nets.layer_roles`, by which `fit` knows whether it has learnt before.
        shape: (height, width, channels) of its input.
        scale: Its input is pixels of 0 to 1 times this …
        offset: … plus this; one number, or one per channel.
        order: Order of the colours, "rgb" or "bgr".
    """

    network: keras.Model
    shape: tuple[int, int, int]
    scale: float
    offset: float | tuple[float, ...] = 0.0
    order: str = "rgb"


@dataclass(frozen=True, slots=True)
class _Range:
    scale: float
    offset: float | tuple[float, ...] = 0.0
    order: str = "rgb"


_BYTES = _Range(255.0)
_SIGNED = _Range(2.0, -1.0)
_EFFICIENTNET = tuple(deviation**-0.5 for deviation in (0.229, 0.224, 0.225))
"""What EfficientNet B0 to B7 multiply each channel by, besides dividing by its deviation."""

_CAFFE = _Range(255.0, (-103.939, -116.779, -123.68), "bgr")

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
"""Networks of `keras.applications`: name there, smallest side in pixels, range of their input."""


def list_backbones() -> tuple[str, ...]:
    """Names that `get_backbone` knows: models of EmoPy, then networks of `keras.applications`."""
    return (*filter(_is_trainable, list_models()), *_FAMILIES)


def _is_trainable(model: str) -> bool:
    try:
        return bool(find_keras_model(model))
    except ModelError:  # none in the folder, or a damaged one
        return False


def get_backbone(name: str | Path, *, weights: Weights = "default", size_px: int = 96) -> Backbone:
    """Build a backbone.

    Args:
        name: Name or folder of a model of EmoPy that holds its trainable network, or a network of
            `keras.applications`, such as ``"mobilenet_v2"``.
        weights: ``"default"`` takes the model's own, or those learnt on ImageNet, which Keras
            downloads once; a path takes a file of weights; ``"random"`` or None starts anew.
        size_px: Side that crops are enlarged to for a network of `keras.applications`.

    Raises:
        RecipeError: Unknown name, a backbone of clips, or a size below the network's smallest.
        ModelError: Weights that cannot be read, do not fit, or cannot be downloaded.
    """
    weights = None if weights == "random" else weights
    if weights is not None and weights != "default" and not Path(weights).is_file():
        raise RecipeError(
            f"`weights` must be 'default', 'random' or a file. Received {str(weights)!r}: no such "
            "file."
        )
    if name in _FAMILIES:
        return _application(str(name), weights, size_px)
    return _own(name, weights)


def _own(name: str | Path, weights: Weights) -> Backbone:
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
            f"`backbone` must read stills. Received {card.name!r}, which reads clips of "
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
        _marked(network.inputs[0], _features(network), weights),
        (spec.height, spec.width, spec.channels),
        255 * spec.scale / spec.std,
        -spec.mean / spec.std,
    )


def _with_fixed_ranges(
    network: keras.Model, factor: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> keras.Model:
    """The same layers, those that measure mean and variance replaced by the numbers they found.

    `keras.layers.Normalization` holds them where the way to ONNX takes them for inputs.

    Args:
        network: A network of `keras.applications`.
        factor: What each channel is multiplied by after that.
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


def _marked(crops: keras.KerasTensor, features: keras.KerasTensor, weights: Weights) -> keras.Model:
    """The body of a network under the name that tells whether it has learnt before."""
    body = keras.Model(crops, features, name=FRESH if weights is None else BACKBONE)
    for part in parts_of(body):  # a model may come with layers that were kept frozen
        part.trainable = True
    return body


def _features(network: keras.Model) -> keras.KerasTensor:
    """What the last layer of a classifier sees, before any dropout."""
    *body, last = network.layers
    while body and isinstance(body[-1], layers.Dropout):
        last = body.pop()
    features = last.input
    return features if len(features.shape) == 2 else layers.GlobalAveragePooling2D()(features)


def _application(name: str, weights: Weights, size_px: int) -> Backbone:
    attribute, smallest, wanted = _FAMILIES[name]
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
        # Keras raises nothing narrower when a download fails.
        if "URL fetch failure" not in str(error):
            raise
        raise ModelError(
            f"The ImageNet weights of {name} must be downloaded once. Received: {error}. Connect "
            "to the network; or fetch that file elsewhere and give its path as `weights`; or type "
            'weights="random" to start anew, or backbone="emopy-base", which is packaged.'
        ) from error
    # Keras adds this factor to its own download only, but a file of ImageNet weights needs it too.
    from_file = weights not in ("default", None) and attribute.startswith("EfficientNetB")
    network = _with_fixed_ranges(network, _EFFICIENTNET if from_file else (1.0, 1.0, 1.0))
    trunk = _marked(network.inputs[0], network.outputs[0], weights)
    return Backbone(trunk, shape, wanted.scale, wanted.offset, wanted.order)
