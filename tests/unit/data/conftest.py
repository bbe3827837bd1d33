"""Small datasets, and FER+ files, written for each test."""

import csv

import numpy as np
import pytest

from emopy.data import Dataset
from emopy.data.votes import VOTE_COLUMNS


def make_dataset(truth, *, labels=("anger", "fear", "joy"), subject_ids=None, seed=0, side=8):
    """One random image per entry of `truth`."""
    rng = np.random.default_rng(seed)
    n = len(truth)
    return Dataset(
        rng.integers(0, 256, (n, side, side, 1), dtype=np.uint8),
        np.eye(len(labels), dtype=np.float32)[np.asarray(truth, dtype=int)],
        labels,
        np.array(subject_ids if subject_ids is not None else [""] * n, dtype=np.str_),
        np.array([f"row {i}" for i in range(n)], dtype=np.str_),
    )


def votes_for(**given):
    """A row of ten votes: ``votes_for(fear=6, neutral=4)``."""
    return [given.get(name, 0) for name in VOTE_COLUMNS]


@pytest.fixture(name="make_dataset")
def make_dataset_fixture():
    return make_dataset


@pytest.fixture(name="votes_for")
def votes_for_fixture():
    return votes_for


@pytest.fixture
def write_ferplus(tmp_path):
    """Write the two official files from (usage, face number, votes) rows."""

    def write(rows, *, side=48):
        images, votes = tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv"
        with images.open("w", newline="") as one, votes.open("w", newline="") as two:
            faces, labels = csv.writer(one), csv.writer(two)
            faces.writerow(["emotion", "pixels", "Usage"])
            labels.writerow(["Usage", "Image name", *VOTE_COLUMNS])
            for usage, face, vote in rows:
                pixels = np.random.default_rng(face).integers(0, 256, side * side)
                faces.writerow([0, " ".join(map(str, pixels)), usage])
                labels.writerow([usage, f"fer{face:07}.png", *vote])
        return images, votes

    return write
