"""Run the same inputs with each engine and as an array of jobs, and compare the merged tables.

    python -m tests.fuzz.batch_engines --images 5000 --videos 20

Every ninth image is damaged. The tables must be equal byte for byte.
"""

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from tests.batch_inputs import write_clip, write_images
from tests.fuzz.batch_kills import WORKERS, Run

JOBS = 3
"""Jobs of the array."""

FRAMES = 20
"""Frames of a video."""


def merged_tables(folder: Path, images: int, videos: int) -> tuple[dict[str, bytes], list[str]]:
    """Return the merged table of each engine and of an array of jobs, and what went wrong.

    Args:
        folder: A new folder for everything.
        images: Number of images, 50 or more, so that each job has a damaged one.
        videos: Number of videos.
    """
    source = write_images(folder / "source", images, damaged_every=9)
    for number in range(videos):
        write_clip(source / f"video-{number:02}.mp4", frames=FRAMES)
    words = ["--shard-size", str(max(5, images // 30))]
    array = [("--shard", f"{job}/{JOBS}") for job in range(1, JOBS + 1)]
    starts = {**{engine: [()] for engine in WORKERS}, "array": array}
    tables, faults = {}, []
    for name, drivers in starts.items():
        run = Run(source, folder / name, name if name in WORKERS else "local", words)
        for more in drivers:
            run.start(*more)
        tables[name] = run.table()
        faults += [f"{name}: {fault}" for fault in run.faults]
    return tables, faults


def main() -> int:
    """Run from the shell. Returns 1 if two tables differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--videos", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        tables, faults = merged_tables(Path(name) / "runs", options.images, options.videos)
    for name, table in tables.items():
        print(f"{hashlib.sha256(table).hexdigest()}  {name}, {len(table):,} bytes")
    if len(set(tables.values())) > 1:
        faults.append("the tables differ")
    print(f"{options.images} images, {options.videos} videos, {len(faults)} faults", *faults,
          sep="\n  ")  # fmt: skip
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
