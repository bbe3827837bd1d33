"""Keras network → ONNX bytes, through TensorFlow whatever backend trained it.

TensorFlow is the one backend that converts every network of EmoPy (convolutions in three
dimensions and recurrent ones included), so a network trained under another is saved as
``.keras`` and converted by a short-lived Python of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import keras
import numpy as np

from emopy.errors import ModelError


def to_onnx(model: keras.Model) -> bytes:
    """Convert a network.

    Args:
        model: Any network with one input and one output.

    Returns:
        The content of an ONNX file with free batch size.

    Raises:
        ModelError: The network cannot be converted; the reason is given.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.onnx"
        if keras.backend.backend() == "tensorflow":
            _write_onnx(model, target)
        else:
            saved = Path(folder) / "model.keras"
            model.save(saved)
            _convert_elsewhere(saved, target)
        return target.read_bytes()


def _write_onnx(network: keras.Model, target: Path) -> None:
    # Some layers, Resizing for one, switch to training unless told otherwise, and take those
    # behind them along: dropout and batch statistics would be written down.
    crops = keras.Input(network.input_shape[1:], name=network.inputs[0].name)
    model = keras.Model(crops, network(crops, training=False), name=network.name)
    model(np.zeros((1, *model.input_shape[1:]), np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.export(target, format="onnx", verbose=False)
        except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
            raise ModelError(
                f"The network {model.name!r} cannot be written as ONNX: {error}"
            ) from error


def _convert_elsewhere(saved: Path, target: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emopy.train.convert", str(saved), str(target)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not target.exists():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"The network cannot be written as ONNX through TensorFlow: {reason}")


if __name__ == "__main__":
    _write_onnx(keras.saving.load_model(sys.argv[1], compile=False), Path(sys.argv[2]))
