"""Measure speed, memory and size: `python -m benchmarks`, or `--only NAME` for some of it."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import (
    batch,
    batch_scaling,
    footprint,
    inference,
    long_video,
    many_images,
    peers,
    serve,
    soak_serve,
    tracking,
    training,
    video,
    web,
    web_memory,
)
from benchmarks.environments import ROOT
from benchmarks.runner import Measurement, run

BENCHMARKS: dict[str, Measurement] = {
    "network": inference.measure_network,
    "faces": inference.measure_faces,
    "fer": peers.measure,
    "many": many_images.measure,
    "video": video.measure,
    "tracking": tracking.measure,
    "long-video": long_video.measure,
    "serve": serve.measure,
    "serve-soak": soak_serve.measure,
    "batch": batch.measure,
    "batch-scaling": batch_scaling.measure,
    "web": web.measure,
    "web-memory": web_memory.measure,
    "footprint": footprint.measure,
    "training": training.measure,
}

if __name__ == "__main__":
    sys.exit(
        run(
            BENCHMARKS,
            description="Measure EmoPy's speed, memory and size.",
            results=Path(__file__).parent / "results" / "performance.json",
            page=ROOT / "docs" / "performance.md",
            other_pages={
                **dict.fromkeys(("serve", "serve-soak"), ROOT / "docs" / "serve.md"),
                **dict.fromkeys(("batch", "batch-scaling"), ROOT / "docs" / "batch.md"),
                **dict.fromkeys(("web", "web-memory"), ROOT / "docs" / "browser.md"),
            },
        )
    )
