import numpy as np
import pytest

from emopy.types import Prediction

LABELS = ("anger", "happiness", "neutral")


@pytest.fixture(scope="session")
def face():
    """A crop of 24 × 32 pixels without structure."""
    return np.random.default_rng(5).integers(0, 256, (24, 32, 1), dtype=np.uint8)


@pytest.fixture(scope="session")
def linear_predict():
    """linear_predict(weights) -> function from crops to predictions with logits linear in pixels.

    `weights` are (k, H, W), for pixels of 0 to 1; `labels` are k names.
    """

    def build(weights, labels=LABELS):
        def predict(crops):
            pixels = crops.reshape(len(crops), -1, *weights.shape[1:]).mean(axis=1) / 255
            logits = np.tensordot(pixels, weights, axes=([1, 2], [1, 2]))
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            rows = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
            return [Prediction(labels, row) for row in rows]

        return predict

    return build
