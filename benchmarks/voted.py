"""FER+ with its votes and FER2013's labels: from the two official files, or from packed sheets."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

from emopy.data.csv import FER2013_LABELS
from emopy.data.duplicates import content_hashes
from emopy.data.ferplus import VotedFaces, read_ferplus
from emopy.labels import canonical
from environments import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from prepare_ferplus_sheets import read_sheets

FILES = ("fer2013.csv", "fer2013new.csv")
SHEETS = "labels.csv"


def voted_faces(folder: Path) -> VotedFaces:
    """All faces of "Training" and "PublicTest" but those that are, equal, in "PrivateTest" too.

    Args:
        folder: Holds fer2013.csv and fer2013new.csv, or labels.csv and the sheets.

    Raises:
        DataError: It holds neither.
    """
    if (folder / SHEETS).is_file():
        return read_sheets(folder)
    faces = read_ferplus(*(folder / name for name in FILES))
    digests, unseen = content_hashes(faces.images), faces.usage == "PrivateTest"
    keep = ~np.isin(digests, digests[unseen])
    return VotedFaces(faces.images[keep], faces.votes[keep], faces.usage[keep], faces.rows[keep])


def own_labels(folder: Path) -> dict[str, str]:
    """Origin of a face, as `VotedFaces.dataset` gives it → FER2013's label, in EmoPy's spelling."""
    sheets = (folder / SHEETS).is_file()
    with (folder / (SHEETS if sheets else FILES[0])).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if sheets:
        return {f"fer2013:{row['fer2013_row']}": canonical(row["fer2013_label"]) for row in rows}
    return {f"fer2013:{i}": FER2013_LABELS[row["emotion"]] for i, row in enumerate(rows)}
