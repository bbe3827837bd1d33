"""Training stages: initial weights, frozen backbone, fine-tuning, optimizer and loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.errors import ModelNotFoundError, RecipeError
from emopy.labels import canonical
from emopy.models import InputSpec
from emopy.nets.registry import backbone_of, load_keras_model, unfreeze_backbone
from emopy.train.recipe import FitSettings
from emopy.train.targets import logit_offsets


@dataclass(frozen=True, slots=True)
class Stage:
    """Epochs with one optimizer.

    Attributes:
        start: Epochs before the stage.
        end: Epochs at its end, those before it included.
        learning_rate: Peak learning rate.
        unfrozen: Fraction of the backbone's layers that are trained.
    """

    start: int
    end: int
    learning_rate: float
    unfrozen: float


def plan_stages(model: keras.Model, settings: FitSettings) -> tuple[Stage, ...]:
    """Divide the epochs into two stages for a network with a backbone, else one."""
    if backbone_of(model) is None:
        return (Stage(0, settings.epochs, settings.learning_rate, 1.0),)
    fraction = settings.head_epochs_fraction
    head_epochs = max(1, round(fraction * settings.epochs)) if fraction else 0
    finetune_rate = settings.learning_rate * settings.finetune_lr_ratio
    stages = (
        Stage(0, head_epochs, settings.learning_rate, 0.0),
        Stage(head_epochs, settings.epochs, finetune_rate, settings.unfreeze_fraction),
    )
    return tuple(stage for stage in stages if stage.start < stage.end)


@keras.saving.register_keras_serializable("emopy")
class AdjustedCrossentropy(keras.losses.CategoricalCrossentropy):
    """Cross-entropy of logits plus a fixed offset per label.

    Args:
        offsets: (k,) offsets; see `emopy.train.targets.logit_offsets`.
        label_smoothing: Fraction of each target that is spread uniformly over all labels.
        settings: Arguments of `keras.losses.Loss`.
    """

    def __init__(
        self, offsets: Sequence[float], *, label_smoothing: float = 0.0, **settings: Any
    ) -> None:
        super().__init__(
            **{"name": "adjusted_crossentropy"} | settings,
            from_logits=True,
            label_smoothing=label_smoothing,
        )
        self.offsets = [float(value) for value in offsets]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each sample; called by Keras."""
        offsets = keras.ops.convert_to_tensor(self.offsets, y_pred.dtype)
        return super().call(y_true, y_pred + offsets)

    def get_config(self) -> dict[str, Any]:
        """Arguments to recreate the loss; called by Keras."""
        config = {"offsets": self.offsets, "label_smoothing": self.label_smoothing}
        return {"name": self.name, "reduction": self.reduction, **config}


def compile_stage(
    model: keras.Model,
    stage: Stage,
    settings: FitSettings,
    steps_per_epoch: int,
    prior: NDArray[np.floating] | None = None,
) -> None:
    """Freeze or unfreeze the backbone and compile the network with a new optimizer.

    Args:
        model: The network.
        stage: The stage that begins.
        settings: Hyperparameters.
        steps_per_epoch: Batches per epoch.
        prior: (k,) label prior of the training, for `FitSettings.logit_adjustment`.
    """
    unfreeze_backbone(model, stage.unfrozen)
    steps = steps_per_epoch * (stage.end - stage.start)
    warmup = round(settings.warmup * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else stage.learning_rate,
        max(1, steps - warmup),
        alpha=settings.min_lr_ratio,
        warmup_target=stage.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    # An average over more than a fifth of the steps would still contain the initial weights.
    max_momentum = 1 - 5 / max(steps, 10)
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=settings.weight_decay,
        use_ema=settings.ema > 0,
        ema_momentum=min(settings.ema, max_momentum) if settings.ema else 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    model.compile(optimizer, _loss(settings, prior), metrics=["accuracy"])
    _create_variables(model)


def _create_variables(model: keras.Model) -> None:
    """Create the variables of optimizer and metrics, so that the first step is traced once."""
    model.optimizer.build(model.trainable_variables)
    classes = np.zeros((1, *model.output_shape[1:]), np.float32)
    model.compute_metrics(None, classes, classes)
    model.reset_metrics()


def _loss(settings: FitSettings, prior: NDArray[np.floating] | None) -> keras.losses.Loss:
    smoothing = settings.label_smoothing
    if prior is None or not settings.logit_adjustment:
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    offsets = logit_offsets(prior, settings.logit_adjustment)
    return AdjustedCrossentropy(offsets.tolist(), label_smoothing=smoothing)


def finalize_stage(model: keras.Model, settings: FitSettings) -> None:
    """Copy the averaged weights into the model, as Keras does at the end of its `fit`.

    For a stage that was already over when the training was resumed.
    """
    if settings.ema:
        model.optimizer.finalize_variable_values(model.trainable_variables)


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Set the Keras dtype policy within a context; see `FitSettings.dtype_policy`."""
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous)


def init_weights_from(model: str, network: keras.Model, labels: Sequence[str]) -> InputSpec:
    """Copy the weights of a model into a new network, in place.

    Args:
        model: Name or folder of a model with a trainable network.
        network: The same network for `labels`. Rows of its last layer keep their random weights
            for labels that the model does not have.
        labels: Labels of the new network, in order.

    Returns:
        The input of the model, which the network has from now on too.

    Raises:
        RecipeError: No such model, one without a trainable network, or another network.
        ModelError: Its network cannot be loaded.
    """
    try:
        card, trained = load_keras_model(model)
    except ModelNotFoundError as error:
        text = error.worded(lambda code: "fit.init_from" if code == "model" else code)
        raise RecipeError(text) from error
    head, trained_head = (net.layers[-1].get_weights() for net in (network, trained))
    body, trained_body = (
        net.get_weights()[: len(net.get_weights()) - len(last)]
        for net, last in ((network, head), (trained, trained_head))
    )
    if (
        network.input_shape != trained.input_shape
        or _shapes(body) != _shapes(trained_body)
        or [array.shape[:-1] for array in head] != [array.shape[:-1] for array in trained_head]
    ):
        raise RecipeError(
            "`fit.init_from` must be a model of the same network with the same input size and "
            f"`net.settings`. Received {model!r}, whose layers have other shapes. To fine-tune "
            "another network, use the model as a backbone: see the recipe transfer."
        )
    known = {canonical(label): place for place, label in enumerate(card.labels)}
    for place, label in enumerate(map(canonical, labels)):
        if label in known:
            for new, old in zip(head, trained_head, strict=True):
                new[..., place] = old[..., known[label]]
    network.set_weights([*trained_body, *head])
    return card.input


def _shapes(weights: Sequence[NDArray[Any]]) -> list[tuple[int, ...]]:
    return [array.shape for array in weights]
