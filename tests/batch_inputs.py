"""Generated inputs of batch runs, and a detector that ends its process at some of them."""

import hashlib
import io
import tarfile
from pathlib import Path

import cv2
import numpy as np

from emopy.present import VideoSink
from emopy.types import ImageResult

CRASH_HEIGHT, ERROR_HEIGHT, SLOW_HEIGHT = 41, 42, 43
"""Heights of images at which the detector ``fragile`` ends its process, raises, takes its time."""

QUICK = {"detector": "full-image", "shard_size": 5}
"""Options for a quick run over face crops."""

FRAGILE = f"""
import os
import time
from emopy.faces.detectors import FullImage


class Fragile(FullImage):
    def __call__(self, image):
        if image.shape[0] == {CRASH_HEIGHT}:
            os._exit(1)
        if image.shape[0] == {ERROR_HEIGHT}:
            raise RuntimeError("no part of EmoPy expects this")
        if image.shape[0] == {SLOW_HEIGHT}:
            time.sleep(0.1)
        return super().__call__(image)
"""


def encoded(seed: int, height: int = 48) -> bytes:
    """An image of noise, 48 pixels wide, as PNG."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, 48, 3), np.uint8)
    return cv2.imencode(".png", noise)[1].tobytes()


def write_images(
    folder: Path,
    count: int,
    *,
    damaged_every: int | None = None,
    heights: dict[int, int] | None = None,
) -> Path:
    """Write images ``0000.png`` …; some of them are damaged, some of another height."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        content = encoded(number, (heights or {}).get(number, 48))
        if damaged_every and number % damaged_every == damaged_every - 1:
            content = content[:100]
        (folder / f"{number:04}.png").write_bytes(content)
    return folder


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    """Write a tar file."""
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_clip(path: Path, *, frames: int = 4) -> Path:
    """Write a clip of noise, two frames per second."""
    seed = int(hashlib.sha256(path.name.encode()).hexdigest()[:8], 16)
    image = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)
    with VideoSink(path, size=(64, 64)) as sink:
        for number in range(frames):
            time_s = number / 2
            sink.write(np.roll(image, number, axis=1), ImageResult("", (64, 64), (), time_s))
    return path


def install_fragile(folder: Path) -> Path:
    """Write a package with the detector ``fragile``, for `sys.path`."""
    folder.mkdir()
    (folder / "emopy_fragile.py").write_text(FRAGILE)
    info = folder / "emopy_fragile-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: emopy-fragile\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[emopy.detectors]\nfragile = emopy_fragile:Fragile\n")
    return folder


def rows_by_source(table: Path | bytes) -> dict[str, list[dict]]:
    """Rows of a Parquet table, by the last part of their source."""
    import pyarrow.parquet as parquet

    found: dict[str, list[dict]] = {}
    source = io.BytesIO(table) if isinstance(table, bytes) else table
    for row in parquet.read_table(source).to_pylist():
        found.setdefault(row["source"].rpartition("/")[2], []).append(row)
    return found
