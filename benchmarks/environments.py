"""Two virtual environments beside `.venv`: EmoPy as a user installs it, and `fer`."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.report import CannotMeasureError

ROOT = Path(__file__).parents[1]
CORE, FER = ROOT / ".venv-core", ROOT / ".venv-fer"
_FER_LISTS = tuple(
    Path(__file__).parent / "requirements" / name for name in ("fer.txt", "fer-mtcnn.txt")
)


@cache
def core_environment() -> Path:
    """Install EmoPy without extras, as it is now; return the Python of that environment.

    Raises:
        CannotMeasureError: pip failed.
    """
    python = _python(CORE)
    _pip(python, str(ROOT))
    # Once more without dependencies: the version number stays, the code may not.
    _pip(python, "--force-reinstall", "--no-deps", str(ROOT))
    return python


@cache
def fer_environment() -> Path:
    """Install `fer` and what its detectors really import; return the Python of that environment.

    Without PyTorch for CPUs the environment is still good for the default detector.

    Raises:
        CannotMeasureError: pip failed.
    """
    wanted = "".join(file.read_text(encoding="utf-8") for file in _FER_LISTS)
    stamp = FER / "installed.txt"
    python = _python(FER)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    default, mtcnn = _FER_LISTS
    _pip(python, "--no-deps", "fer==25.10.3")
    _pip(python, "--requirement", str(default))
    try:
        # Without dependencies: theirs would bring CUDA builds and an older NumPy.
        _pip(python, "--no-deps", "--requirement", str(mtcnn))
    except CannotMeasureError as error:
        print(f"fer with MTCNN will be left out. {error}", file=sys.stderr)
        return python
    stamp.write_text(wanted, encoding="utf-8")
    return python


@cache
def fer_serve_environment() -> Path:
    """Add what `workers/fer_service.py` needs to that environment.

    Raises:
        CannotMeasureError: pip failed.
    """
    python = fer_environment()
    _pip(python, "--requirement", str(_FER_LISTS[0].with_name("fer-serve.txt")))
    return python


def clean_environment() -> dict[str, str]:
    """Environment variables for the sides: without the import path of this process."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


def _python(folder: Path) -> Path:
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return python


def _pip(python: Path, *arguments: str) -> None:
    print(f"{python.parts[-3]}: pip install {' '.join(arguments)}", file=sys.stderr)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--no-input", *arguments],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        said = " ".join(lines[-2:]) or done.stderr.strip()[-300:]
        raise CannotMeasureError(f"pip install {' '.join(arguments)} failed: {said}")
