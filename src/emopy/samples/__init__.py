"""Sample data inside the package: images, stills, clips and scenes of composite faces.

Each is the average of at least thirty aligned faces, so it is nobody's portrait.
``scripts/make_composites.py`` makes the images, ``scripts/make_samples.py`` the stills and
clips; ``docs/data.md`` says how.
"""

from __future__ import annotations

from emopy.samples.composites import sample_images
from emopy.samples.crops import (
    CLIP_FRAMES,
    sample_clip_splits,
    sample_clips,
    sample_splits,
    sample_stills,
)
from emopy.samples.folders import write_samples
from emopy.samples.scenes import Actor, Seen, scene

__all__ = [
    "CLIP_FRAMES",
    "Actor",
    "Seen",
    "sample_clip_splits",
    "sample_clips",
    "sample_images",
    "sample_splits",
    "sample_stills",
    "scene",
    "write_samples",
]
