"""A small trained model for transfer learning."""

import numpy as np
import pytest

from emopy.data import Dataset, Splits
from emopy.train import FitSettings, export, fit


@pytest.fixture(scope="session")
def own_run():
    n, labels = 24, ("anger", "fear", "neutral")
    faces = Dataset(
        np.random.default_rng(0).integers(0, 256, (n, 16, 16, 1), np.uint8),
        np.eye(3, dtype=np.float32)[np.arange(n) % 3],
        labels,
        np.full(n, ""),
        np.array([f"made-up:{i}" for i in range(n)]),
    )
    small = {"widths": [8, 16], "blocks": [1, 1]}
    settings = FitSettings(epochs=2, batch_size=12)
    return fit("ResidualNN", Splits.of(faces, faces), settings=settings, net_settings=small)


@pytest.fixture(scope="session")
def own_folder(own_run, tmp_path_factory):
    return export(own_run, tmp_path_factory.mktemp("models") / "own", name="own")
