"""`emopy train` with sharpness-aware minimisation, for the table of docs/training.md.

    python -m research.sharpness_aware recipes/emopy-base.toml --set ... --out ...

Takes what `emopy train` takes. Keras has no gradients that are the same for all its backends, so
this needs TensorFlow; that is why it is no setting of a recipe.
"""

from __future__ import annotations

import sys
from typing import Any

import keras
import tensorflow as tf

from emopy.cli.main import main
from emopy.nets import get_net, register_net

RADIUS = 0.05
"""How far the weights are moved towards a higher loss before the gradient is taken."""


class SharpnessAware(keras.Model):
    """A network whose step goes by the gradient at the worst place near by.

    Source: Foret et al. 2021, https://arxiv.org/abs/2010.01412, algorithm 1.
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step; Keras calls it."""
        crops, targets = data
        weights = [weight.value for weight in self.trainable_variables]
        _, slopes = self._slopes(crops, targets, weights)
        scale = RADIUS / (tf.linalg.global_norm(slopes) + 1e-12)
        for weight, slope in zip(weights, slopes, strict=True):
            weight.assign_add(scale * slope)
        answers, worst = self._slopes(crops, targets, weights)
        for weight, slope in zip(weights, slopes, strict=True):
            weight.assign_sub(scale * slope)
        self.optimizer.apply_gradients(zip(worst, self.trainable_variables, strict=True))
        return self.compute_metrics(crops, targets, answers)

    def _slopes(self, crops: Any, targets: Any, weights: list[Any]) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            answers = self(crops, training=True)
            loss = self.compute_loss(crops, targets, answers)
        self._loss_tracker.update_state(loss)
        return answers, tape.gradient(loss, weights)


@register_net
def SharpnessAwareNN(  # noqa: N802 - class-like, as the other networks
    input_shape: tuple[int, ...], classes: int, **settings: Any
) -> keras.Model:
    """`ResidualNN` that learns so."""
    plain = get_net("ResidualNN")(input_shape, classes, **settings)
    return SharpnessAware(plain.input, plain.output, name="SharpnessAwareNN")


if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:], "--set", "net.name=SharpnessAwareNN"]))
