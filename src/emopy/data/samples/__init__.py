"""Sample data inside the package: pictures, stills, clips and scenes of composite faces.

Each is the average of at least thirty aligned faces, so it is nobody's portrait.
``scripts/make_composites.py`` makes the pictures, ``scripts/make_samples.py`` the stills and
clips; ``docs/data.md`` says how.
"""

from __future__ import annotations

from emopy.data.samples.composites import sample_pictures
from emopy.data.samples.crops import (
    CLIP_FRAMES,
    sample_clip_parts,
    sample_clips,
    sample_parts,
    sample_stills,
)
from emopy.data.samples.folders import write_samples
from emopy.data.samples.scenes import Actor, Seen, scene

__all__ = [
    "CLIP_FRAMES",
    "Actor",
    "Seen",
    "sample_clip_parts",
    "sample_clips",
    "sample_parts",
    "sample_pictures",
    "sample_stills",
    "scene",
    "write_samples",
]
