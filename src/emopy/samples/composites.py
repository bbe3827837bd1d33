"""Sample images: one composite face for each emotion."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_images() -> dict[str, Path]:
    """The packaged images, by the emotion that the composite face shows.

    Each is large enough to find a face in, and the average of at least forty faces.

    Example:
        >>> "happiness" in sample_images()
        True
    """
    folder = Path(str(files("emopy.samples"))) / "images"
    return {path.stem: path for path in sorted(folder.glob("*.png"))}
