"""Write faces rotated by 0, 90, 180 and 270°: a self-supervised pretext task without labels.

    python -m research.rotation_pretext local/ferplus/train.npz local/rotated/train.npz

Source: Gidaris et al. 2018, https://arxiv.org/abs/1803.07728.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from emopy.data import Dataset, load_dataset

ROTATIONS = ("upright", "left", "upside-down", "right")


def rotated(faces: Dataset, seed: int = 0) -> Dataset:
    """Every face once, rotated by a random number of quarter turns, which is its label."""
    quarters = np.random.default_rng(seed).integers(0, 4, len(faces))
    images = [np.rot90(face, turn) for face, turn in zip(faces.images, quarters, strict=True)]
    targets = np.eye(4, dtype=np.float32)[quarters]
    return replace(faces, images=np.stack(images), targets=targets, labels=ROTATIONS)


if __name__ == "__main__":
    source, out = map(Path, sys.argv[1:])
    print(rotated(load_dataset(source)).save(out))
