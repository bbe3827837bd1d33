"""Small made-up data that a network can learn within seconds."""

import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from emopy.data import Dataset, Splits
from emopy.train.run_folder import RunFolder


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
def splits() -> Splits:
    return Splits.of(stripes(192, 0), stripes(96, 1), stripes(96, 2))


class KilledError(BaseException):
    """In place of a kill from outside."""


@pytest.fixture
def killed_after(monkeypatch):
    """A context in which a training is killed as soon as it has kept so many epochs."""

    @contextmanager
    def context(epochs: int):
        save = RunFolder.save

        def save_and_stop(self, state, history):
            save(self, state, history)
            if state.epochs == epochs:
                raise KilledError

        with monkeypatch.context() as patch, pytest.raises(KilledError):  # noqa: PT012
            patch.setattr(RunFolder, "save", save_and_stop)
            yield

    return context


@pytest.fixture(scope="module")
def kept_after():
    """A context in which a training leaves a copy of its folder after every epoch.

    The copy in ``copies / "2"`` is the folder of a training that was killed after two epochs.
    """

    @contextmanager
    def context(copies):
        save = RunFolder.save

        def save_and_copy(self, state, history):
            save(self, state, history)
            shutil.copytree(self.path, copies / str(state.epochs))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RunFolder, "save", save_and_copy)
            yield

    return context
