"""From a trained network to the model folder that ships."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError
from emopy.media import read_image
from emopy.models import InputSpec, ModelCard, OnnxSession, to_pixels, to_tensor, write_model_folder
from emopy.samples import sample_images
from emopy.train.convert import to_onnx
from emopy.train.fit import Run
from emopy.train.recipe import CardSettings

TOLERANCE = 1e-4
"""Largest accepted difference between Keras' logits and those of the exported file.

Where logits are above 1, it is a share of the largest: their last digits are rounding errors.
"""


SMALL_BYTES = 20_000_000
"""A trainable network up to this size goes into the model folder unasked."""

_CHOICES = ("small", "always", "never")


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
    """Write a trained network as a model folder, which `emopy.FERModel` opens.

    The file is accepted only when its logits agree with those of Keras within 1e-4 on real
    crops. The folder holds no face of the training data: its golden crops are composites.

    Args:
        trained: Result of `emopy.train.fit`; or a Keras network, whose labels and input are then
            given here.
        path: Folder to make; a folder that is there already is replaced.
        labels: Names of the outputs, in order; for a Keras network only.
        spec: What it learnt to see, `DataGenerator.spec` for one; for a Keras network only.
        label_prior: Proportion of each label among the training faces, which
            ``FERModel(prior=...)`` divides out; for a Keras network only.
        name: Name on the card; that of the recipe, or of the Keras network, by default.
        trainable: Whether the folder also holds the Keras network, ``network.keras``, which others
            can learn on from: ``"small"``, if it has no more than 20 MB and no layer that only
            your own code can load; ``"always"``; or ``"never"``.

    Returns:
        The folder.

    Raises:
        ModelError: The network cannot be converted, the file disagrees with it, or it does not
            fit labels and spec.
        InputError: Another word for `trainable`; labels or spec missing, or given with a run.
    """
    if trainable not in _CHOICES:
        raise InputError(
            f"`trainable` must be one of {', '.join(_CHOICES)}. Received {trainable!r}."
        )
    if isinstance(trained, Run):
        if any(given is not None for given in (labels, spec, label_prior)):
            raise InputError(
                "`labels`, `spec` and `label_prior` must be left out for a run, which knows them. "
                "Type: export(run, path), or give run.model in place of run."
            )
        product = _of_run(trained)
    else:
        product = _of_network(trained, labels, spec, label_prior or {})
    return _write(product, Path(path), name or product.name, trainable)


@dataclass(frozen=True, slots=True, eq=False)
class _Product:
    """A trained network and what its card and its checks need.

    Attributes:
        model: The Keras network, returning logits.
        labels: Names of its outputs.
        spec: What it wants to see.
        crops: (n, …) uint8 on which Keras and the exported file must agree.
        name: Name on the card, unless another is given.
        training: What the card says about its making.
        words: The card's words.
    """

    model: keras.Model
    labels: tuple[str, ...]
    spec: InputSpec
    crops: NDArray[np.uint8]
    name: str
    training: Mapping[str, Any]
    words: CardSettings = field(default_factory=CardSettings)

    def logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, k), computed by Keras."""
        return _keras_logits(self.model, crops, self.spec)


def _of_run(run: Run) -> _Product:
    training = {
        "network": run.recipe.net.name,
        "parameters": run.model.count_params(),
        "epochs": len(run.history),
        "seed": run.recipe.fit.seed,
        "recipe_sha256": run.recipe.sha256,
        "label_prior": _rounded(run.label_prior),
    }
    if run.parent_models:
        training["parent_models"] = list(run.parent_models)
    recipe = run.recipe
    return _Product(
        run.model, run.labels, run.spec, run.crops, recipe.name, training, words=recipe.card
    )


def _of_network(
    model: keras.Model,
    labels: Sequence[str] | None,
    spec: InputSpec | None,
    label_prior: Mapping[str, float],
) -> _Product:
    if not isinstance(model, keras.Model):
        raise InputError(
            "`trained` must be what `fit` returned, or a Keras network. "
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
    product = _Product(model, tuple(labels), spec, crops, model.name, training)
    answers = product.logits(crops)
    if (answers >= 0).all() and np.allclose(answers.sum(axis=1), 1, atol=1e-3):
        raise ModelError(
            f"The network {model.name!r} must return logits. Received probabilities: leave out "
            "the softmax of its last layer, and train with "
            "keras.losses.CategoricalCrossentropy(from_logits=True)."
        )
    return product


def _rounded(label_prior: Mapping[str, float]) -> dict[str, float]:
    return {label: round(float(prior), 5) for label, prior in label_prior.items()}


def _write(product: _Product, path: Path, name: str, trainable: str) -> Path:
    weights = to_onnx(product.model)
    _check_agreement(product, weights)
    golden = golden_crops(product.spec)
    words = product.words
    card = ModelCard(
        name=name,
        version=words.version,
        labels=product.labels,
        input=product.spec,
        data=words.data,
        licence=words.licence,
        intended_use=words.intended_use,
        out_of_scope_use=words.out_of_scope_use,
        limits=words.limits,
        training=product.training,
    )
    with tempfile.TemporaryDirectory() as folder:
        return write_model_folder(
            path,
            card=card,
            weights=weights,
            golden_crops=golden,
            golden_logits=product.logits(golden),
            network=_network_file(product, Path(folder) / "network.keras", trainable),
        )


def _network_file(product: _Product, file: Path, wish: str) -> Path | None:
    """Write the network without its optimiser, and prove that it can be read back safely."""
    model, crops = product.model, product.crops[:8]
    too_large = 4 * model.count_params() > SMALL_BYTES
    if wish == "never" or (wish == "small" and too_large):
        return None
    try:
        twin = type(model).from_config(model.get_config())
        twin.set_weights(model.get_weights())
        twin.save(file)
        loaded = keras.saving.load_model(file, compile=False, safe_mode=True)
        found = _keras_logits(loaded, crops, product.spec)
        difference = _difference(found, product.logits(crops))
    except (TypeError, ValueError, NotImplementedError) as error:
        if wish == "small":
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


def golden_crops(spec: InputSpec) -> NDArray[np.uint8]:
    """The packaged composites in the shape a network wants, to check a folder with anywhere.

    Returns:
        (n, H, W, C) uint8, or (n, T, H, W, C) for a temporal network.
    """
    still = InputSpec(spec.height, spec.width, spec.channels)
    images = [read_image(path) for path in sample_images().values()]
    crops = to_pixels(images, still)
    if spec.frames == 1:
        return crops
    order = np.arange(len(crops))[:, None] + np.arange(spec.frames)
    return crops[order % len(crops)]


def _check_agreement(product: _Product, weights: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        file.write_bytes(weights)
        shipped = OnnxSession(file).run(to_tensor(product.crops, product.spec))
    difference = _difference(shipped, product.logits(product.crops))
    if not difference <= TOLERANCE:
        raise ModelError(
            f"The exported file must agree with Keras within {TOLERANCE} on real crops. "
            f"Received a difference of {difference:.2g}. Replace the layer that ONNX computes "
            "differently, and export again."
        )


def _difference(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def _keras_logits(
    model: keras.Model, crops: NDArray[np.uint8], spec: InputSpec
) -> NDArray[np.float32]:
    return keras.ops.convert_to_numpy(model(to_tensor(crops, spec), training=False))
