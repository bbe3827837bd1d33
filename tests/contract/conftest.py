"""A small trained model, as backbone for transfer learning."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def own_folder(tmp_path_factory):
    from emopy.data import Dataset, Splits
    from emopy.train import FitSettings, export, fit

    faces = Dataset(
        np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), np.uint8),
        np.eye(2, dtype=np.float32)[np.arange(8) % 2],
        ("anger", "fear"),
        np.full(8, ""),
        np.array([f"made-up:{i}" for i in range(8)]),
    )
    small = {"widths": [8, 16], "blocks": [1, 1]}
    run = fit("ResidualNN", Splits.of(faces), settings=FitSettings(epochs=1), net_settings=small)
    return export(run, tmp_path_factory.mktemp("models") / "own", name="own")
