"""Sample pictures inside the package: one composite face per emotion.

Each is the average of at least forty aligned faces, so it is nobody's portrait.
``scripts/make_composites.py`` makes them.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def sample_pictures() -> dict[str, Path]:
    """The packaged pictures, by the emotion that the composite face shows.

    Example:
        >>> "happiness" in sample_pictures()
        True
    """
    folder = Path(str(files("emopy.data.samples"))) / "pictures"
    return {path.stem: path for path in sorted(folder.glob("*.png"))}
