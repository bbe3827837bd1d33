"""Sample data inside the package: images, stills, clips and scenes of composite faces.

Each is the average of at least thirty aligned faces, so it shows no real person.
``scripts/make_composites.py`` makes the images, ``scripts/make_samples.py`` the stills and
clips; ``docs/data.md`` explains how.
"""

from __future__ import annotations

from emopy.samples.crops import (
    CLIP_FRAMES,
    sample_clip_splits,
    sample_clips,
    sample_crops,
    sample_images,
    sample_splits,
    sample_stills,
)
from emopy.samples.folders import write_samples
from emopy.samples.scenes import Actor, SceneFace, scene

__all__ = [
    "CLIP_FRAMES",
    "Actor",
    "SceneFace",
    "sample_clip_splits",
    "sample_clips",
    "sample_crops",
    "sample_images",
    "sample_splits",
    "sample_stills",
    "scene",
    "write_samples",
]
