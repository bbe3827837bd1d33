"""Export of a trained network as a model folder with an ONNX file.

TensorFlow converts all networks of EmoPy to ONNX, 3-D convolutions and recurrent layers included.
A network trained with another Keras backend is saved as ``.keras`` and converted in a subprocess:
``python -m emopy.train.export network.keras model.onnx``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError
from emopy.models import InputSpec, ModelCard, OnnxSession, to_tensor, write_model_folder
from emopy.models.onnx_names import shorten_names
from emopy.samples import sample_crops
from emopy.train.recipe import CardSettings
from emopy.train.run_folder import Run

TOLERANCE = 1e-4
"""Largest accepted difference between the logits of Keras and of the exported file.

If logits exceed 1, it is relative to the largest one.
"""

MAX_NETWORK_BYTES = 20_000_000
"""Largest Keras network that is added to a model folder by default."""

_TRAINABLE = ("small", "always", "never")


@overload
def export(
    trained: Run, path: str | Path, *, name: str | None = None, trainable: str = "small"
) -> Path: ...


@overload
def export(
    trained: keras.Model,
    path: str | Path,
    *,
    labels: Sequence[str],
    spec: InputSpec,
    label_prior: Mapping[str, float] | None = None,
    name: str | None = None,
    trainable: str = "small",
) -> Path: ...


def export(
    trained: Run | keras.Model,
    path: str | Path,
    *,
    labels: Sequence[str] | None = None,
    spec: InputSpec | None = None,
    label_prior: Mapping[str, float] | None = None,
    name: str | None = None,
    trainable: str = "small",
) -> Path:
    """Write a trained network as a model folder for `emopy.FERModel`.

    The ONNX file is accepted only if its logits agree with those of Keras within 1e-4 on real
    images. The folder contains no training image: its golden crops are composites.

    Args:
        trained: Result of `emopy.train.fit`; or a Keras network that was trained otherwise, whose
            labels and input are given here.
        path: Folder to write; an existing model folder is replaced.
        labels: Names of the outputs, in order; for a Keras network only.
        spec: Its input, such as `DataGenerator.spec`; for a Keras network only.
        label_prior: Proportion of each label in the training data, which
            ``FERModel(prior=...)`` compensates; for a Keras network only.
        name: Name on the card; by default that of the recipe or of the Keras network.
        trainable: Whether to add the Keras network, ``network.keras``, for fine-tuning:
            ``"small"``: if it has at most 20 MB and no custom layers; ``"always"``; ``"never"``.

    Returns:
        The folder.

    Raises:
        ModelError: The network cannot be converted, the file disagrees with it, or it does not
            match `labels` and `spec`.
        InputError: Unknown value of `trainable`; labels or spec missing, or given with a run.
    """
    if trainable not in _TRAINABLE:
        raise InputError(
            f"`trainable` must be one of {', '.join(_TRAINABLE)}. Received {trainable!r}."
        )
    if isinstance(trained, Run):
        if any(given is not None for given in (labels, spec, label_prior)):
            raise InputError(
                "`labels`, `spec` and `label_prior` must be left out for a run, which has them. "
                "Type: export(run, path), or give run.model in place of run."
            )
        source = _from_run(trained)
    else:
        source = _from_network(trained, labels, spec, label_prior or {})
    return _write(source, Path(path), name or source.name, trainable)


def to_onnx(model: keras.Model) -> bytes:
    """Convert a network to ONNX.

    Args:
        model: Any network with one input and one output.

    Returns:
        The content of an ONNX file with a dynamic batch size. Two exports of one network give
        the same content, unless it has recurrent layers.

    Raises:
        ModelError: The network cannot be converted; the reason is given.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "model.onnx"
        if keras.backend.backend() == "tensorflow":
            _convert(model, target)
        else:
            saved = Path(folder) / "model.keras"
            model.save(saved)
            _convert_in_subprocess(saved, target)
        shorten_names(target)
        return target.read_bytes()


def golden_crops(spec: InputSpec) -> NDArray[np.uint8]:
    """The packaged composites in the input size of a network.

    Returns:
        (n, H, W, C) uint8, or (n, T, H, W, C) for a network for clips.
    """
    crops = sample_crops(spec)
    if spec.frames == 1:
        return crops
    order = np.arange(len(crops))[:, None] + np.arange(spec.frames)
    return crops[order % len(crops)]


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A trained network with the contents of its card.

    Attributes:
        model: The Keras network, returning logits.
        labels: Names of its outputs.
        spec: Its input.
        crops: (n, …) uint8 on which Keras and the exported file must agree.
        name: Default name on the card.
        training: Training details for the card.
        texts: Texts for the card.
    """

    model: keras.Model
    labels: tuple[str, ...]
    spec: InputSpec
    crops: NDArray[np.uint8]
    name: str
    training: Mapping[str, Any]
    texts: CardSettings = field(default_factory=CardSettings)

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, k), computed by Keras."""
        return _keras_logits(self.model, crops, self.spec)


def _from_run(run: Run) -> _Source:
    recipe = run.recipe
    training = {
        "network": recipe.net.name,
        "parameters": run.model.count_params(),
        "epochs": len(run.history),
        "seed": recipe.fit.seed,
        "recipe_sha256": recipe.sha256,
        "label_prior": _rounded(run.label_prior),
    }
    if run.parent_models:
        training["parent_models"] = list(run.parent_models)
    return _Source(run.model, run.labels, run.spec, run.crops, recipe.name, training, recipe.card)


def _from_network(
    model: keras.Model,
    labels: Sequence[str] | None,
    spec: InputSpec | None,
    label_prior: Mapping[str, float],
) -> _Source:
    if not isinstance(model, keras.Model):
        raise InputError(
            "`trained` must be the result of `fit`, or a Keras network. "
            f"Received {type(model).__name__}."
        )
    if labels is None or isinstance(labels, str) or spec is None:
        raise InputError(
            "`labels` and `spec` must be given with a Keras network. Received "
            f"labels={labels!r} and spec={spec!r}. "
            'Type for example: export(model, path, labels=["anger", "fear"], spec=generator.spec)'
        )
    if label_prior and set(label_prior) != set(labels):
        raise InputError(
            f"`label_prior` must name every label once: {', '.join(labels)}. "
            f"Received {', '.join(label_prior)}."
        )
    shapes = (None, *spec.shape), (None, len(labels))
    if (model.input_shape, model.output_shape) != shapes:
        raise ModelError(
            f"The network {model.name!r} must take {shapes[0]}, as `spec` says, and return "
            f"{shapes[1]}, one logit per label. Received one from {model.input_shape} to "
            f"{model.output_shape}."
        )
    training: dict[str, Any] = {"network": model.name, "parameters": model.count_params()}
    if label_prior:
        training["label_prior"] = _rounded({label: label_prior[label] for label in labels})
    crops = golden_crops(spec)
    source = _Source(model, tuple(labels), spec, crops, model.name, training)
    logits = source.logits(crops)
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        raise ModelError(
            f"The network {model.name!r} must return logits. Received probabilities: leave out "
            "the softmax of its last layer, and train with "
            "keras.losses.CategoricalCrossentropy(from_logits=True)."
        )
    return source


def _rounded(label_prior: Mapping[str, float]) -> dict[str, float]:
    return {label: round(float(prior), 5) for label, prior in label_prior.items()}


def _write(source: _Source, path: Path, name: str, trainable: str) -> Path:
    weights = to_onnx(source.model)
    _check_agreement(source, weights)
    golden, texts = golden_crops(source.spec), source.texts
    card = ModelCard(
        name=name,
        version=texts.version,
        labels=source.labels,
        input=source.spec,
        data=texts.data,
        licence=texts.licence,
        intended_use=texts.intended_use,
        out_of_scope_use=texts.out_of_scope_use,
        limits=texts.limits,
        training=source.training,
    )
    with tempfile.TemporaryDirectory() as folder:
        return write_model_folder(
            path,
            card=card,
            weights=weights,
            golden_crops=golden,
            golden_logits=source.logits(golden),
            network=_network_file(source, Path(folder) / "network.keras", trainable),
        )


def _network_file(source: _Source, file: Path, trainable: str) -> Path | None:
    """Write the network without its optimizer and check that it loads in Keras' safe mode."""
    model, crops = source.model, source.crops[:8]
    too_large = 4 * model.count_params() > MAX_NETWORK_BYTES
    if trainable == "never" or (trainable == "small" and too_large):
        return None
    try:
        copy = type(model).from_config(model.get_config())
        copy.set_weights(model.get_weights())
        copy.save(file)
        loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
        found = _keras_logits(loaded, crops, source.spec)
        difference = _difference(found, source.logits(crops))
    except (TypeError, ValueError, NotImplementedError) as error:
        if trainable == "small":
            return None
        raise ModelError(
            f"The network {model.name!r} must be made of layers that Keras can load without "
            f'your code. Received: {error}. Export it with trainable="never".'
        ) from error
    if not difference <= TOLERANCE:
        raise ModelError(
            f"The saved network must agree with the trained one within {TOLERANCE}. Received a "
            f"difference of {difference:.2g}."
        )
    return file


def _check_agreement(source: _Source, weights: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        file.write_bytes(weights)
        exported = OnnxSession(file).run(to_tensor(source.crops, source.spec))
    difference = _difference(exported, source.logits(source.crops))
    if not difference <= TOLERANCE:
        raise ModelError(
            f"The exported file must agree with Keras within {TOLERANCE} on real crops. "
            f"Received a difference of {difference:.2g}. Replace the layer that ONNX computes "
            "differently, and export again."
        )


def _difference(logits: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.abs(logits - expected).max() / max(1.0, np.abs(expected).max()))


def _keras_logits(
    model: keras.Model, crops: NDArray[np.uint8], spec: InputSpec
) -> NDArray[np.float32]:
    return keras.ops.convert_to_numpy(model(to_tensor(crops, spec), training=False))


def _convert(network: keras.Model, target: Path) -> None:
    # Without training=False some layers, such as Resizing, switch to training mode together with
    # the layers after them: dropout and batch statistics would be exported.
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


def _convert_in_subprocess(saved: Path, target: Path) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "emopy.train.export", str(saved), str(target)],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if completed.returncode or not target.exists():
        reason = (completed.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"The network cannot be written as ONNX through TensorFlow: {reason}")


if __name__ == "__main__":
    _convert(keras.saving.load_model(sys.argv[1], compile=False), Path(sys.argv[2]))
