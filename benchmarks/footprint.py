"""Disk space of the installed core, and the time of `import emopy`."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from functools import partial
from pathlib import Path

from benchmarks.environments import CORE, clean_environment, core_environment
from benchmarks.report import Figure, Section, Settings
from benchmarks.timing import Spread, alternate

MAX_MB, MAX_IMPORT_S = 365, 0.3
_INSTALLERS = (
    *("pip", "setuptools", "wheel"),
    *("pkg_resources", "_distutils_hack", "distutils-precedence"),
)
_SNIPPETS = {
    "import emopy": "import emopy",
    "from emopy import FERModel": "from emopy import FERModel",
    "FERModel()": "from emopy import FERModel; FERModel(model={model!r})",
}
_CLOCK = "import time; t = time.perf_counter(); {work}; print(time.perf_counter() - t)"


def measure(settings: Settings) -> Section:
    """Install the core, add up its files, and time its import in fresh processes."""
    python = core_environment()
    sides = {
        name: partial(_seconds_inside, python, work.format(model=settings.model))
        for name, work in _SNIPPETS.items()
    }
    alternate(sides, 1)  # the first import reads from the disk
    targets = {"import emopy": MAX_IMPORT_S}
    figures = [
        Spread.of(values).figure(f"`{name}`", "s", at_most=targets.get(name))
        for name, values in alternate(sides, settings.turns(10)).items()
    ]
    site = next(CORE.glob("lib/python*/site-packages"), CORE / "Lib/site-packages")
    sizes = _packages(site)
    compiled = [folder for folder in site.rglob("__pycache__") if not _is_installer(folder, site)]
    total = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:6]
    return Section(
        title="Size and start-up",
        how=(
            "`pip install .` into an empty environment; the sizes of all files in its "
            "site-packages except those of pip and setuptools, in units of 10⁶ bytes. Times "
            f"are wall times in fresh processes, {settings.turns(10)} turns after one "
            "that does not count."
        ),
        figures=[
            *figures,
            Figure("installed core, sizes of its files", total, "MB", at_most=MAX_MB),
            Figure("the same in blocks of the disk, as `du` counts", _in_blocks(site), "MB"),
            Figure("including bytecode that pip compiles", sum(map(_size, compiled)), "MB"),
        ],
        header=("largest packages", "MB"),
        rows=[(name, round(size, 1)) for name, size in largest],
    )


def _seconds_inside(python: Path, work: str) -> float:
    """Seconds that a line takes in a fresh process, without the start of Python."""
    command = [str(python), "-c", _CLOCK.format(work=work)]
    environment = clean_environment()
    return float(subprocess.check_output(command, stderr=subprocess.PIPE, env=environment))


def _packages(site: Path) -> dict[str, float]:
    """MB of each entry of site-packages."""
    sizes: dict[str, float] = defaultdict(float)
    for entry in site.iterdir():
        if not _is_installer(entry, site):
            sizes[entry.name.split("-")[0].removesuffix(".libs")] += _size(entry)
    return sizes


def _is_installer(path: Path, site: Path) -> bool:
    return path.relative_to(site).parts[0].startswith(_INSTALLERS)


def _size(entry: Path) -> float:
    """MB of a file, or of all files below a folder."""
    files = entry.rglob("*") if entry.is_dir() else [entry]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def _in_blocks(site: Path) -> float:
    """MB that site-packages takes on the disk without the installers."""
    files = (file for file in site.rglob("*") if file.is_file() and not _is_installer(file, site))
    stats = map(Path.stat, files)  # Windows knows file sizes only
    return sum(getattr(stat, "st_blocks", -(-stat.st_size // 512)) * 512 for stat in stats) / 1e6
