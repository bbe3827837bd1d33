"""FER2013's own labels: as a task of their own, and beside the votes of FER+.

    python -m research.fer2013_labels FOLDER

FOLDER holds fer2013.csv and fer2013new.csv, or packed sheets; `local/ferplus` must be there. Writes

- local/fer2013/validation.npz: all faces of `valid` (PublicTest) with FER2013's label
- local/fer2013/calibration.npz: the faces of local/ferplus/calibration.npz with it
- local/fer2013/train.npz: all others of "Training" with it, but for versions of those faces
- local/ferplus-own/train.npz: votes, with a fifth of each target from FER2013's label
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from emopy.data import Dataset, load_dataset
from emopy.data.ferplus import VotedFaces
from emopy.data.near import difference_hashes, near_groups
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from research import ROOT
from research.ferplus import fer2013_labels, voted_faces

SHARE = 0.2
"""Part of a target that FER2013's label has beside the votes."""


def splits(faces: VotedFaces, named: dict[str, str], apart: Dataset) -> dict[str, Dataset]:
    """Every face with FER2013's label: no photograph is learnt that is judged or calibrated on.

    Args:
        faces: All faces, whatever was voted.
        named: FER2013's label of each origin.
        apart: The faces held out for calibration.

    Returns:
        The three parts, one-hot over the seven standard emotions.
    """
    origin = np.array([f"fer2013:{row}" for row in faces.rows])
    used = {
        "validation": faces.usage == "PublicTest",
        "calibration": np.isin(origin, apart.origin),
    }
    versions = near_groups(difference_hashes(faces.images))
    judged = versions[used["validation"] | used["calibration"]]
    used["train"] = (faces.usage == "Training") & ~np.isin(versions, judged)
    places = [STANDARD_EMOTIONS.index(named[face]) for face in origin]
    targets = np.eye(len(STANDARD_EMOTIONS), dtype=np.float32)[places]
    nobody = np.full(len(origin), "")
    return {
        part: Dataset(
            faces.images[rows], targets[rows], STANDARD_EMOTIONS, nobody[rows], origin[rows]
        )
        for part, rows in used.items()
    }


def beside_the_votes(faces: Dataset, named: dict[str, str]) -> Dataset:
    """The same faces; each target gives a part to FER2013's label."""
    own = np.eye(len(ALL_EMOTIONS), dtype=np.float32)[
        [ALL_EMOTIONS.index(named[origin]) for origin in faces.origin]
    ]
    return replace(faces, targets=(1 - SHARE) * faces.targets + np.float32(SHARE) * own)


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    voted, named, local = voted_faces(folder), fer2013_labels(folder), ROOT / "local"
    votes = {part: load_dataset(local / f"ferplus/{part}.npz") for part in ("train", "calibration")}
    for part, faces in splits(voted, named, votes["calibration"]).items():
        print(f"{len(faces):6,} faces   {faces.save(local / f'fer2013/{part}.npz')}")
    print(beside_the_votes(votes["train"], named).save(local / "ferplus-own/train.npz"))


if __name__ == "__main__":
    main()
