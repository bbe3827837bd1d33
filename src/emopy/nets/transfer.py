"""Transfer learning: a new head on a network that has learnt before."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from emopy.errors import RecipeError
from emopy.nets.backbones import Backbone, Weights, get_backbone
from emopy.nets.layer_roles import freeze_backbone, pixels_input
from emopy.nets.registry import register_net


@register_net
def TransferLearningNN(  # noqa: N802 - class-like, as keras.applications.ResNet50
    input_shape: tuple[int, ...],
    classes: int,
    *,
    backbone: str | Path = "emopy-base",
    weights: Weights = "default",
    size_px: int = 96,
    dense: int = 128,
    dropout: float = 0.3,
) -> keras.Model:
    """Build a network whose backbone has learnt before and whose head is new.

    Crops of any size and colour are brought to what the backbone wants inside the network, so
    that the exported file needs nothing beside it. `emopy.train.fit` first trains the head
    alone, then the top of the backbone with it; see `FitSettings.head_epochs_fraction` and
    `FitSettings.unfreeze_fraction`.

    Args:
        input_shape: (H, W, C) of one crop.
        classes: Number of labels k.
        backbone: A bundled model, by default the packaged expression network; the folder of your
            own model; or a network of `keras.applications`: xception, vgg16, vgg19, resnet50,
            inception_v3, inception_resnet_v2, efficientnet_b0 … b7, efficientnet_v2_b0 … b3, s, m,
            l, mobilenet, mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large.
        weights: ``"default"``: those of the model, or of ImageNet, which Keras downloads once; a
            path: this file; ``"random"`` or None: to start anew, all layers learning at once.
        size_px: Side that crops are enlarged to for a network of `keras.applications`.
        dense: Units of the hidden layer of the head; 0 for none.
        dropout: Share of features dropped while training, 0–1.

    Returns:
        A Keras model from pixels of 0 to 1, (n, H, W, C), to logits (n, k).

    Raises:
        RecipeError: Input that is no still, unknown backbone, missing file.
        ModelError: Weights that cannot be read or downloaded.

    Source:
        Yosinski et al. 2014, https://arxiv.org/abs/1411.1792.
    """
    if len(input_shape) != 3:
        raise RecipeError(
            "TransferLearningNN must be given stills (H, W, C). Received samples of shape "
            f"{input_shape}. Choose ConvolutionalLstmNN or TimeDelayConvNN for clips."
        )
    learnt = get_backbone(backbone, weights=weights, size_px=size_px)
    crops = pixels_input(input_shape)
    x = learnt.network(_adapt(crops, learnt))
    x = layers.Dropout(dropout)(x)
    if dense:
        x = layers.Dropout(dropout)(layers.Dense(dense, activation="relu")(x))
    logits = layers.Dense(classes, name="logits")(x)
    model = keras.Model(crops, logits, name="TransferLearningNN")
    freeze_backbone(model)
    return model


def _adapt(crops: keras.KerasTensor, backbone: Backbone) -> keras.KerasTensor:
    """Pixels of 0 to 1 → what the backbone wants: size, colours and range."""
    height, width, channels = backbone.shape
    x = crops
    if x.shape[-1] > channels:
        x = keras.ops.image.rgb_to_grayscale(x)
    if x.shape[1:3] != (height, width):
        # Not layers.Resizing: it switches all that follows to training unless told otherwise.
        x = keras.ops.image.resize(x, (height, width))
    if x.shape[-1] < channels:
        x = layers.Concatenate()([x] * channels)
    elif backbone.order == "bgr":
        x = keras.ops.flip(x, axis=-1)
    return layers.Rescaling(backbone.scale, backbone.offset)(x)
