"""Measure where eyes, nose and mouth lie in the training faces of FER2013.

    python -m research.framing FACES.npz --landmarks OUT.npz

`FACES.npz` holds ``images`` (n, 48, 48[, 1]) uint8. Each face is enlarged and padded, because the
detector needs surroundings; the landmarks it finds are brought back to the 48 × 48 crop and
given relative to its side. The medians are the constants of ``emopy.faces.alignment``; the
figures are in ``docs/decisions/0002-framing.md``. `OUT.npz` keeps every face's landmarks
for `make_composites.py`; rows of faces that were not found hold NaN.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emopy.faces.mtcnn import MTCNN
from emopy.tables import markdown_table

ENLARGE = 4
PADDING = 0.5
MIN_FACE_SIZE = 0.5
THRESHOLDS = (0.6, 0.7, 0.7)
"""Scores of the three stages; the last is lower than usual, as every image shows a face."""

NAMES = (
    *("left eye", "right eye", "nose tip", "left mouth corner", "right mouth corner"),
    *("box, left and top", "box, right and bottom"),
)


def find_points(crop: NDArray[np.uint8], detector: MTCNN) -> NDArray[np.float32] | None:
    """Find five landmarks and the box (left top, right bottom) in a tight gray face crop (H, W).

    Returns (7, 2) x and y as fractions of the crop's width and height; None without a face.
    """
    height, width = crop.shape
    large = cv2.resize(crop, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_CUBIC)
    pad = round(PADDING * ENLARGE * max(height, width))
    padded = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    faces = detector(np.repeat(padded[:, :, None], 3, axis=2).astype(np.uint8))
    if not faces or faces[0].landmarks is None:
        return None
    box = faces[0].box
    corners = [[box.left, box.top], [box.right, box.bottom]]
    points = np.concatenate([faces[0].landmarks, np.array(corners, dtype=np.float32)])
    return ((points - pad) / (ENLARGE * np.array([width, height]))).astype(np.float32)


def measure(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Points of every face: (n, 7, 2) fractions of the crop, NaN where none was found."""
    crops = images.reshape(len(images), *images.shape[1:3])
    min_face_size = round(MIN_FACE_SIZE * ENLARGE * max(crops.shape[1:]))
    detector = MTCNN(min_face_size=min_face_size, thresholds=THRESHOLDS)
    points = np.full((len(crops), len(NAMES), 2), np.nan, dtype=np.float32)
    for row, crop in enumerate(crops):
        found = find_points(crop, detector)
        if found is not None:
            points[row] = found
        if row % 5000 == 0:
            print(f"{row} of {len(crops)}", file=sys.stderr)
    return points


def report(points: NDArray[np.float32]) -> str:
    """Proportion found, medians and spread as a Markdown table."""
    found = points[~np.isnan(points[:, 0, 0])]
    median = np.median(found, axis=0)
    # The median distance from the median, scaled to equal the standard deviation of a normal.
    spread = 1.4826 * np.median(np.abs(found - median), axis=0)
    rows = [
        [name, f"{x:.4f}", f"{y:.4f}", f"{sx:.3f}", f"{sy:.3f}"]
        for name, (x, y), (sx, sy) in zip(NAMES, median, spread, strict=True)
    ]
    eyes = found[:, 1] - found[:, 0]
    tilt = np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0]))
    low, high = np.percentile(tilt, [5, 95])
    return (
        f"{len(found)} of {len(points)} faces found ({len(found) / len(points):.1%}).\n\n"
        f"{markdown_table(['point', 'x', 'y', 'spread of x', 'spread of y'], rows)}\n\n"
        f"Tilt of the eyes, 5th to 95th percentile: {low:.1f}° to {high:.1f}°."
    )


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("faces", type=Path, help=".npz file with `images`")
    parser.add_argument("--landmarks", type=Path, help="where to keep every face's landmarks")
    options = parser.parse_args()
    with np.load(options.faces, allow_pickle=False) as archive:
        points = measure(archive["images"])
    print(report(points))
    if options.landmarks:
        np.savez_compressed(options.landmarks, landmarks=points[:, :5])


if __name__ == "__main__":
    main()
