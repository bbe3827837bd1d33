"""Read FER+ from packed sheets of faces and write the same files as `emopy data prepare`.

The folder holds ``labels.csv`` (one row per face: index, sheet, tile_row, tile_column, split,
fer2013_row, the ten votes) and ``faces-<sheet>.png``: gray tiles of 48 × 48 pixels.

    python scripts/prepare_ferplus_sheets.py FOLDER OUT [--calibration 2500] [--unknown spread]
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image

from emopy.data.ferplus import SIDE_PX, VotedFaces
from emopy.data.prepare import prepare_ferplus
from emopy.data.votes import VOTE_COLUMNS
from emopy.errors import DataError

USAGE_OF_SPLIT = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}


def read_sheets(folder: Path) -> VotedFaces:
    """Cut the sheets into faces and read their votes.

    Args:
        folder: Where ``labels.csv`` and the sheets are.

    Returns:
        The faces in the order of ``labels.csv``.

    Raises:
        DataError: The folder holds no such files, or a tile lies outside its sheet.
    """
    labels = folder / "labels.csv"
    if not labels.is_file():
        raise DataError(f"`folder` must hold labels.csv. Received {folder}, without it.")
    with labels.open(newline="", encoding="utf-8") as stream:
        records = list(csv.DictReader(stream))
    tiles = {number: _tiles(folder, number) for number in {row["sheet"] for row in records}}
    images = np.empty((len(records), SIDE_PX, SIDE_PX, 1), dtype=np.uint8)
    for i, row in enumerate(records):
        place = int(row["tile_row"]), int(row["tile_column"])
        try:
            images[i, :, :, 0] = tiles[row["sheet"]][place]
        except IndexError as error:
            raise DataError(f"{labels}, line {i + 2}: no tile {place} in its sheet.") from error
    return VotedFaces(
        images,
        np.array([[row[name] for name in VOTE_COLUMNS] for row in records], dtype=np.float32),
        np.array([USAGE_OF_SPLIT[row["split"]] for row in records], dtype="<U11"),
        np.array([row["fer2013_row"] for row in records], dtype=np.int64),
    )


def _tiles(folder: Path, number: str) -> np.ndarray:
    """(rows, columns, 48, 48) uint8 view of a sheet."""
    sheet = np.asarray(Image.open(folder / f"faces-{number}.png").convert("L"))
    rows, columns = sheet.shape[0] // SIDE_PX, sheet.shape[1] // SIDE_PX
    return sheet.reshape(rows, SIDE_PX, columns, SIDE_PX).swapaxes(1, 2)


def main() -> None:
    """Parse, pack, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
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
