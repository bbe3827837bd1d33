"""Stages of a training: a frozen backbone first, then its top released; most have one stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from emopy.nets.layer_roles import backbone_of, unfreeze_backbone
from emopy.train.recipe import FitSettings
from emopy.train.targets import logit_shift


@dataclass(frozen=True, slots=True)
class Stage:
    """Some epochs with one optimiser.

    Attributes:
        start: Epochs of the training before it.
        end: Epochs of the training when it is over.
        rate: Peak of its learning rate.
        released: Share of the backbone's layers that learn.
    """

    start: int
    end: int
    rate: float
    released: float


def plan_stages(model: keras.Model, how: FitSettings) -> tuple[Stage, ...]:
    """Divide the epochs: two stages for a network with a backbone, one for all others."""
    if backbone_of(model) is None:
        return (Stage(0, how.epochs, how.learning_rate, 1.0),)
    frozen = max(1, round(how.head_epochs_fraction * how.epochs)) if how.head_epochs_fraction else 0
    stages = (
        Stage(0, frozen, how.learning_rate, 0.0),
        Stage(frozen, how.epochs, how.learning_rate * how.finetune_lr_ratio, how.unfreeze_fraction),
    )
    return tuple(stage for stage in stages if stage.start < stage.end)


@keras.saving.register_keras_serializable("emopy")
class AdjustedCrossentropy(keras.losses.CategoricalCrossentropy):
    """Cross-entropy of logits to which a fixed number per label is added first.

    Args:
        shift: (k,) what is added; see `emopy.train.targets.logit_shift`.
        label_smoothing: Share of each target spread over all labels.
        settings: What Keras itself keeps of a loss in a file.
    """

    def __init__(
        self, shift: Sequence[float], *, label_smoothing: float = 0.0, **settings: Any
    ) -> None:
        super().__init__(
            **{"name": "adjusted_crossentropy"} | settings,
            from_logits=True,
            label_smoothing=label_smoothing,
        )
        self.shift = [float(value) for value in shift]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each sample; Keras calls it."""
        return super().call(y_true, y_pred + keras.ops.convert_to_tensor(self.shift, y_pred.dtype))

    def get_config(self) -> dict[str, Any]:
        """What a file needs to make it again; Keras calls it."""
        config = {"shift": self.shift, "label_smoothing": self.label_smoothing}
        return {"name": self.name, "reduction": self.reduction, **config}


def begin_stage(
    model: keras.Model,
    stage: Stage,
    how: FitSettings,
    steps_per_epoch: int,
    shares: NDArray[np.floating] | None = None,
) -> None:
    """Freeze or release what the stage says, and give the network a fresh optimiser.

    Args:
        model: The network.
        stage: The stage that begins.
        how: How the network learns.
        steps_per_epoch: Batches in an epoch.
        shares: (k,) of the labels as they are met, for `FitSettings.logit_adjustment`.
    """
    unfreeze_backbone(model, stage.released)
    steps = steps_per_epoch * (stage.end - stage.start)
    warmup = round(how.warmup * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else stage.rate,
        max(1, steps - warmup),
        alpha=how.min_lr_ratio,
        warmup_target=stage.rate if warmup else None,
        warmup_steps=warmup,
    )
    # An average over more than a fifth of the steps would still hold the untrained weights.
    longest = 1 - 5 / max(steps, 10)
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=how.weight_decay,
        use_ema=how.ema > 0,
        ema_momentum=min(how.ema, longest) if how.ema else 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    model.compile(optimizer, _loss(how, shares), metrics=["accuracy"])


def _loss(how: FitSettings, shares: NDArray[np.floating] | None) -> keras.losses.Loss:
    if shares is None or not how.logit_adjustment:
        return keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=how.label_smoothing
        )
    shift = logit_shift(shares, how.logit_adjustment)
    return AdjustedCrossentropy(shift.tolist(), label_smoothing=how.label_smoothing)


def end_stage(model: keras.Model, how: FitSettings) -> None:
    """Put the average of the weights in their place, as Keras does at the end of its `fit`.

    For a stage that was over when a training was resumed.
    """
    if how.ema:
        model.optimizer.finalize_variable_values(model.trainable_variables)


@contextmanager
def numbers(precision: str) -> Iterator[None]:
    """Within it, networks are built for this precision; see `FitSettings.precision`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
