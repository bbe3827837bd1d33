"""Read FER+ from the two official files or from packed sheets of faces.

    python -m research.ferplus FOLDER OUT [--calibration 2500] [--unknown spread]

writes the same files as `emopy data prepare ferplus`, from a folder of packed sheets:
``labels.csv`` (one row per face: index, sheet, tile_row, tile_column, split, fer2013_row,
fer2013_label, the ten votes) and ``faces-<sheet>.png``, gray tiles of 48 × 48 pixels.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from emopy.data import FER2013_LABELS
from emopy.data.duplicates import content_hashes
from emopy.data.ferplus import SIDE_PX, VotedFaces, read_ferplus
from emopy.data.ferplus_splits import prepare_ferplus
from emopy.data.votes import VOTE_COLUMNS
from emopy.errors import DataError
from emopy.labels import canonical

FILES = ("fer2013.csv", "fer2013new.csv")
SHEETS = "labels.csv"
USAGE_OF_SPLIT = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}


def voted_faces(folder: Path) -> VotedFaces:
    """All faces of "Training" and "PublicTest" without exact duplicates of "PrivateTest".

    Args:
        folder: Holds fer2013.csv and fer2013new.csv, or labels.csv and the sheets.

    Raises:
        DataError: It holds neither.
    """
    if (folder / SHEETS).is_file():
        return read_sheets(folder)
    faces = read_ferplus(*(folder / name for name in FILES))
    hashes, private = content_hashes(faces.images), faces.usage == "PrivateTest"
    keep = ~np.isin(hashes, hashes[private])
    return VotedFaces(faces.images[keep], faces.votes[keep], faces.usage[keep], faces.rows[keep])


def fer2013_labels(folder: Path) -> dict[str, str]:
    """Source of a face, as in `VotedFaces.dataset` → its FER2013 label, in EmoPy's spelling."""
    if (sheets := folder / SHEETS).is_file():
        return {f"fer2013:{r['fer2013_row']}": canonical(r["fer2013_label"]) for r in _rows(sheets)}
    rows = enumerate(_rows(folder / FILES[0]))
    return {f"fer2013:{i}": FER2013_LABELS[row["emotion"]] for i, row in rows}


def read_sheets(folder: Path) -> VotedFaces:
    """Cut the sheets into faces and read their votes, in the order of ``labels.csv``.

    Raises:
        DataError: The folder holds no such files, or a tile lies outside its sheet.
    """
    labels = folder / SHEETS
    if not labels.is_file():
        raise DataError(f"`folder` must hold {SHEETS}. Received {folder}, without it.")
    records = _rows(labels)
    tiles = {number: _tiles(folder, number) for number in {row["sheet"] for row in records}}
    images = np.empty((len(records), SIDE_PX, SIDE_PX, 1), dtype=np.uint8)
    for i, row in enumerate(records):
        tile = int(row["tile_row"]), int(row["tile_column"])
        try:
            images[i, :, :, 0] = tiles[row["sheet"]][tile]
        except IndexError as error:
            raise DataError(f"{labels}, line {i + 2}: no tile {tile} in its sheet.") from error
    return VotedFaces(
        images,
        np.array([[row[name] for name in VOTE_COLUMNS] for row in records], dtype=np.float32),
        np.array([USAGE_OF_SPLIT[row["split"]] for row in records], dtype="<U11"),
        np.array([row["fer2013_row"] for row in records], dtype=np.int64),
    )


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _tiles(folder: Path, number: str) -> NDArray[np.uint8]:
    """(rows, columns, 48, 48) uint8 view of a sheet."""
    sheet = np.asarray(Image.open(folder / f"faces-{number}.png").convert("L"))
    rows, columns = sheet.shape[0] // SIDE_PX, sheet.shape[1] // SIDE_PX
    return sheet.reshape(rows, SIDE_PX, columns, SIDE_PX).swapaxes(1, 2)


def main() -> None:
    """Write the files of `emopy data prepare ferplus` from packed sheets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with labels.csv and faces-*.png")
    parser.add_argument("out", type=Path, help="folder that receives the .npz files")
    parser.add_argument("--calibration", type=int, default=2500, help="faces held out of train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--unknown", choices=("drop", "spread"), default="drop")
    options = vars(parser.parse_args())
    faces, out = read_sheets(options.pop("folder")), options.pop("out")
    print(prepare_ferplus(faces, out, **options))


if __name__ == "__main__":
    main()
