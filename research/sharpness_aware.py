"""`emopy train` with sharpness-aware minimization, for the table of docs/training.md.

    python -m research.sharpness_aware emopy-base --set ... --out ...

Takes the options of `emopy train`. Keras has no backend-independent gradients, so this needs
TensorFlow and is not a setting of recipes.
"""

from __future__ import annotations

import sys
from typing import Any

import keras
import tensorflow as tf

from emopy.cli.main import main
from emopy.nets import get_net, register_net

RADIUS = 0.05
"""L2 norm of the step towards a higher loss before the gradient is taken (rho)."""


class SharpnessAware(keras.Model):
    """A model that follows the gradient at the highest loss nearby.

    Source: Foret et al. 2021, https://arxiv.org/abs/2010.01412, algorithm 1.
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        """Run one training step."""
        crops, targets = data
        weights = [weight.value for weight in self.trainable_variables]
        _, gradients = self._gradients(crops, targets, weights)
        scale = RADIUS / (tf.linalg.global_norm(gradients) + 1e-12)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.assign_add(scale * gradient)
        logits, worst = self._gradients(crops, targets, weights)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.assign_sub(scale * gradient)
        self.optimizer.apply_gradients(zip(worst, self.trainable_variables, strict=True))
        return self.compute_metrics(crops, targets, logits)

    def _gradients(self, crops: Any, targets: Any, weights: list[Any]) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            logits = self(crops, training=True)
            loss = self.compute_loss(crops, targets, logits)
        self._loss_tracker.update_state(loss)
        return logits, tape.gradient(loss, weights)


def SharpnessAwareNN(  # noqa: N802 - class-like, as the other networks
    input_shape: tuple[int, ...], classes: int, **settings: Any
) -> keras.Model:
    """`ResidualNN`, trained with sharpness-aware minimization."""
    plain = get_net("ResidualNN")(input_shape, classes, **settings)
    return SharpnessAware(plain.input, plain.output, name="SharpnessAwareNN")


if __name__ == "__main__":
    register_net(SharpnessAwareNN)
    sys.exit(main(["train", *sys.argv[1:], "--set", "net.name=SharpnessAwareNN"]))
