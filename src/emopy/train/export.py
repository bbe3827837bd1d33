"""From a trained run to the model folder that ships."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.data.samples import sample_pictures
from emopy.errors import InputError, ModelError
from emopy.media import read_image
from emopy.models import InputSpec, ModelCard, OnnxSession, to_pixels, to_tensor, write_model_folder
from emopy.train.convert import to_onnx
from emopy.train.fit import Run

TOLERANCE = 1e-4
"""Largest accepted difference between Keras' logits and those of the exported file."""


SMALL_BYTES = 20_000_000
"""A trainable network up to this size goes into the model folder unasked."""

_CHOICES = ("small", "always", "never")


def export(
    run: Run, path: str | Path, *, name: str | None = None, trainable: str = "small"
) -> Path:
    """Write a trained network as a model folder, which `emopy.FERModel` opens.

    The file is accepted only when its logits agree with those of Keras within 1e-4 on real
    crops. The folder holds no face of the training data: its golden crops are composites.

    Args:
        run: What `emopy.train.fit` returned.
        path: Folder to make; a folder that is there already is replaced.
        name: Name on the card; the recipe's name by default.
        trainable: Whether the folder also holds the Keras network, ``network.keras``, which others
            can learn on from: ``"small"``, if it has no more than 20 MB and no layer that only
            your own code can load; ``"always"``; or ``"never"``.

    Returns:
        The folder.

    Raises:
        ModelError: The network cannot be converted, or the file disagrees with it.
        InputError: Another word for `trainable`.
    """
    if trainable not in _CHOICES:
        raise InputError(
            f"`trainable` must be one of {', '.join(_CHOICES)}. Received {trainable!r}."
        )
    weights = to_onnx(run.model)
    _check_agreement(run, weights)
    golden = golden_crops(run.spec)
    with tempfile.TemporaryDirectory() as folder:
        return write_model_folder(
            path,
            card=_card(run, name or run.recipe.name),
            weights=weights,
            golden_crops=golden,
            golden_logits=_keras_logits(run.model, golden, run.spec),
            network=_network_file(run, Path(folder) / "network.keras", trainable),
        )


def _card(run: Run, name: str) -> ModelCard:
    words = run.recipe.card
    return ModelCard(
        name=name,
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


def _network_file(run: Run, file: Path, wish: str) -> Path | None:
    """Write the network without its optimiser, and prove that it can be read back safely."""
    too_large = 4 * run.model.count_params() > SMALL_BYTES
    if wish == "never" or (wish == "small" and too_large):
        return None
    try:
        twin = type(run.model).from_config(run.model.get_config())
        twin.set_weights(run.model.get_weights())
        twin.save(file)
        loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
        expected = _keras_logits(run.model, run.crops[:8], run.spec)
        difference = np.abs(_keras_logits(loaded, run.crops[:8], run.spec) - expected).max()
    except (TypeError, ValueError, NotImplementedError) as error:
        if wish == "small":
            return None
        raise ModelError(
            f"The network {run.model.name!r} must be made of layers that Keras can load without "
            f'your code. Received: {error}. Export it with trainable="never".'
        ) from error
    if not difference <= TOLERANCE:
        raise ModelError(
            f"The saved network must agree with the trained one within {TOLERANCE}. Received a "
            f"difference of {difference:.2g}."
        )
    return file


def golden_crops(spec: InputSpec) -> NDArray[np.uint8]:
    """The packaged composites in the shape a network wants, to check a folder with anywhere.

    Returns:
        (n, H, W, C) uint8, or (n, T, H, W, C) for a temporal network.
    """
    still = InputSpec(spec.height, spec.width, spec.channels)
    pictures = [read_image(path) for path in sample_pictures().values()]
    crops = to_pixels(pictures, still)
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
