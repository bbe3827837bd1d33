"""Sample data inside the package: pictures, stills and clips of composite faces.

Each is the average of at least thirty aligned faces, so it is nobody's portrait.
``scripts/make_composites.py`` makes the pictures, ``scripts/make_samples.py`` the stills and
clips; ``docs/data.md`` says how.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from emopy.data.samples.crops import (
    CLIP_FRAMES,
    sample_clip_parts,
    sample_clips,
    sample_parts,
    sample_stills,
)
from emopy.data.samples.folders import write_samples

__all__ = [
    "CLIP_FRAMES",
    "sample_clip_parts",
    "sample_clips",
    "sample_parts",
    "sample_pictures",
    "sample_stills",
    "write_samples",
]


def sample_pictures() -> dict[str, Path]:
    """The packaged pictures, by the emotion that the composite face shows.

    Each is large enough to find a face in, and the average of at least forty faces.

    Example:
        >>> "happiness" in sample_pictures()
        True
    """
    folder = Path(str(files("emopy.data.samples"))) / "pictures"
    return {path.stem: path for path in sorted(folder.glob("*.png"))}
