"""FER2013's own labels: as a task of their own, and beside the votes of FER+.

    python benchmarks/own_labels.py FOLDER

FOLDER holds the packed sheets of `scripts/pack_ferplus_sheets.py`, whose labels.csv has the column
fer2013_label; `local/ferplus` must be there. Writes

- local/fer2013/train.npz, calibration.npz: the faces of local/ferplus with FER2013's label
- local/fer2013/validation.npz: all faces of `valid` (PublicTest) with FER2013's label
- local/ferplus-own/train.npz: votes, with a fifth of each target from FER2013's label
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from emopy.data import Dataset, load_dataset
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS, canonical
from environments import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from pack_ferplus_sheets import read_sheets

SHARE = 0.2
"""Part of a target that FER2013's label has beside the votes."""


def own_labels(folder: Path) -> dict[str, str]:
    """Origin of a face, as `VotedFaces.dataset` gives it → FER2013's label, in EmoPy's spelling."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as stream:
        return {
            f"fer2013:{row['fer2013_row']}": canonical(row["fer2013_label"])
            for row in csv.DictReader(stream)
        }


def relabelled(faces: Dataset, named: dict[str, str]) -> Dataset:
    """The same faces with FER2013's labels, one-hot over the seven standard emotions."""
    places = [STANDARD_EMOTIONS.index(named[origin]) for origin in faces.origin]
    targets = np.eye(len(STANDARD_EMOTIONS), dtype=np.float32)[places]
    return replace(faces, targets=targets, labels=STANDARD_EMOTIONS)


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
    named, local = own_labels(folder), ROOT / "local"
    votes = {part: load_dataset(local / f"ferplus/{part}.npz") for part in ("train", "calibration")}
    voted = read_sheets(folder)
    shown = voted.usage == "PublicTest"
    valid = Dataset(
        voted.images[shown],
        np.eye(len(STANDARD_EMOTIONS), dtype=np.float32)[np.zeros(shown.sum(), np.intp)],
        STANDARD_EMOTIONS,
        np.full(shown.sum(), ""),
        np.array([f"fer2013:{row}" for row in voted.rows[shown]]),
    )
    for part, faces in {**votes, "validation": valid}.items():
        print(relabelled(faces, named).save(local / f"fer2013/{part}.npz"))
    print(beside_the_votes(votes["train"], named).save(local / "ferplus-own/train.npz"))


if __name__ == "__main__":
    main()
