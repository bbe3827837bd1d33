"""Small made-up data that a network can learn within seconds."""

import numpy as np
import pytest

from emopy.data import Dataset, Parts


def stripes(n: int, seed: int) -> Dataset:
    """Three classes: horizontal, vertical or no stripes, under noise."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, n)
    wave = 60 * np.sign(np.sin(np.arange(16) * np.pi / 2 + 0.1))
    patterns = np.stack(
        [np.tile(wave[:, None], (1, 16)), np.tile(wave, (16, 1)), np.zeros((16, 16))]
    )
    images = 128 + patterns[kinds] + rng.normal(0, 20, (n, 16, 16))
    return Dataset(
        np.clip(images, 0, 255).astype(np.uint8)[..., None],
        np.eye(3, dtype=np.float32)[kinds],
        ("anger", "fear", "neutral"),
        np.full(n, ""),
        np.array([f"made-up:{i}" for i in range(n)]),
    )


@pytest.fixture(scope="session")
def parts() -> Parts:
    return Parts.of(stripes(192, 0), stripes(96, 1), stripes(96, 2))
