"""Write Dataset files with FER2013's own labels, alone and mixed with the votes of FER+.

    python -m research.fer2013_labels FOLDER

FOLDER holds fer2013.csv and fer2013new.csv, or packed sheets; `local/ferplus` must be there. Writes

- local/fer2013/validation.npz: all faces of `valid` (PublicTest)
- local/fer2013/calibration.npz: the faces of local/ferplus/calibration.npz
- local/fer2013/train.npz: all others of "Training", without near-duplicates of those faces
- local/ferplus-fer2013/train.npz: FER+ votes, with a fifth of each target from FER2013's label
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from emopy.data import Dataset, load_dataset
from emopy.data.duplicates import difference_hashes, near_groups
from emopy.data.ferplus import VotedFaces
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from research import ROOT
from research.ferplus import fer2013_labels, voted_faces

WEIGHT = 0.2
"""Weight of FER2013's label in a mixed target, 0–1; the votes have the rest."""


def splits(faces: VotedFaces, labels: dict[str, str], held_out: Dataset) -> dict[str, Dataset]:
    """Three splits with FER2013's labels, one-hot, without near-duplicates across splits."""
    sources = np.array([f"fer2013:{row}" for row in faces.rows])
    used = {
        "validation": faces.usage == "PublicTest",
        "calibration": np.isin(sources, held_out.sources),
    }
    groups = near_groups(difference_hashes(faces.images))
    evaluated = groups[used["validation"] | used["calibration"]]
    used["train"] = (faces.usage == "Training") & ~np.isin(groups, evaluated)
    columns = [STANDARD_EMOTIONS.index(labels[source]) for source in sources]
    targets = np.eye(len(STANDARD_EMOTIONS), dtype=np.float32)[columns]
    no_subjects = np.full(len(sources), "")
    return {
        split: Dataset(
            faces.images[rows], targets[rows], STANDARD_EMOTIONS, no_subjects[rows], sources[rows]
        )
        for split, rows in used.items()
    }


def mix_with_votes(faces: Dataset, labels: dict[str, str]) -> Dataset:
    """The same faces; each target is a weighted mean of the votes and FER2013's label."""
    one_hot = np.eye(len(ALL_EMOTIONS), dtype=np.float32)[
        [ALL_EMOTIONS.index(labels[source]) for source in faces.sources]
    ]
    return replace(faces, targets=(1 - WEIGHT) * faces.targets + np.float32(WEIGHT) * one_hot)


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    voted, labels, local = voted_faces(folder), fer2013_labels(folder), ROOT / "local"
    train, held_out = (
        load_dataset(local / f"ferplus/{name}.npz") for name in ("train", "calibration")
    )
    for split, faces in splits(voted, labels, held_out).items():
        print(f"{len(faces):6,} faces   {faces.save(local / f'fer2013/{split}.npz')}")
    print(mix_with_votes(train, labels).save(local / "ferplus-fer2013/train.npz"))


if __name__ == "__main__":
    main()
