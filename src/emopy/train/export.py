"""From a trained run to the model folder that ships."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data.samples import sample_pictures
from emopy.errors import ModelError
from emopy.media import read_image
from emopy.models import InputSpec, ModelCard, OnnxSession, to_tensor, write_model_folder
from emopy.train.convert import to_onnx
from emopy.train.fit import Run

TOLERANCE = 1e-4
"""Largest accepted difference between Keras' logits and those of the exported file."""


def export(run: Run, path: str | Path, *, name: str | None = None) -> Path:
    """Write a trained network as a model folder, which `emopy.FERModel` opens.

    The file is accepted only when its logits agree with those of Keras within 1e-4 on real
    crops. The folder holds no face of the training data: its golden crops are composites.

    Args:
        run: What `emopy.train.fit` returned.
        path: Folder to make; a folder that is there already is replaced.
        name: Name on the card; the recipe's name by default.

    Returns:
        The folder.

    Raises:
        ModelError: The network cannot be converted, or the file disagrees with it.
    """
    weights = to_onnx(run.model)
    _check_agreement(run, weights)
    golden = golden_crops(run.spec)
    words = run.recipe.card
    card = ModelCard(
        name=name or run.recipe.name,
        version=words.version,
        labels=run.labels,
        input=run.spec,
        data=words.data,
        licence=words.licence,
        intended_use=words.intended_use,
        misuse=words.misuse,
        limits=words.limits,
        training={
            "net": run.recipe.net.name,
            "parameters": run.model.count_params(),
            "epochs": len(run.history),
            "seed": run.recipe.fit.seed,
            "recipe_sha256": run.recipe.sha256,
            "label_shares": {label: round(share, 5) for label, share in run.shares.items()},
        },
    )
    return write_model_folder(
        path,
        card=card,
        weights=weights,
        golden_crops=golden,
        golden_logits=_keras_logits(run.model, golden, run.spec),
    )


def golden_crops(spec: InputSpec) -> NDArray[np.uint8]:
    """The packaged composites in the shape a network wants, to check a folder with anywhere.

    Returns:
        (n, H, W, C) uint8, or (n, T, H, W, C) for a temporal network.
    """
    still = InputSpec(spec.height, spec.width, spec.channels, scale=1.0)
    pictures = [read_image(path) for path in sample_pictures().values()]
    crops = np.rint(to_tensor(pictures, still)).astype(np.uint8)
    if spec.frames == 1:
        return crops
    order = np.arange(len(crops))[:, None] + np.arange(spec.frames)
    return crops[order % len(crops)]


def _check_agreement(run: Run, weights: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        file.write_bytes(weights)
        shipped = OnnxSession(file).run(to_tensor(run.crops, run.spec))
    difference = float(np.abs(shipped - _keras_logits(run.model, run.crops, run.spec)).max())
    if not difference <= TOLERANCE:
        raise ModelError(
            f"The exported file must agree with Keras within {TOLERANCE} on real crops. "
            f"Received a difference of {difference:.2g}. Replace the layer that ONNX computes "
            "differently, and export again."
        )


def _keras_logits(
    model: keras.Model, crops: NDArray[np.uint8], spec: InputSpec
) -> NDArray[np.float32]:
    return keras.ops.convert_to_numpy(model(to_tensor(crops, spec), training=False))
