"""ZCA whitening as the first layers of a network, so that learning and predicting share it."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from emopy.data import Dataset, Whitening
from emopy.errors import DataError
from emopy.models import to_tensor
from emopy.nets.layer_roles import wants_pixels
from emopy.train.fit import spec_for


def whiten_first(network: keras.Model, faces: Dataset) -> keras.Model:
    """Put fixed layers before a network that whiten what it sees.

    Args:
        network: From standardised crops (n, H, W, C), or clips, to logits.
        faces: What it is about to learn from; the whitening is fitted on them.

    Returns:
        A network of the same input and output that holds the given one, which learns with it.

    Raises:
        DataError: The network has learnt from faces that were not whitened, or the faces are too
            large for a matrix.
    """
    if wants_pixels(network):
        raise DataError(
            f"`zca_whitening` must be off for {network.name}: its backbone has learnt from faces "
            "that were not whitened. Type: config_augmentation(zca_whitening=False)"
        )
    map_ = Whitening.fit(to_tensor(faces.images, spec_for(faces)))
    shape = network.input_shape[1:]
    linear = layers.Dense(len(map_.mean), trainable=False, name="whitening")
    crops = keras.Input(shape)
    flat = layers.Reshape((*shape[:-3], len(map_.mean)))(crops)
    whitened = layers.Reshape(shape)(linear(flat))
    linear.set_weights([map_.matrix, -(map_.mean @ map_.matrix).astype(np.float32)])
    return keras.Model(crops, network(whitened), name=f"whitened_{network.name}")
