"""`emopy models`: list, show, check, fetch, quantize and ensemble models."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.inputs import open_labeled_for
from emopy.cli.options import ANY_PATH, FOLDER, max_pixels_option, text_or_json_option
from emopy.cli.terminal import (
    CommandGroup,
    echo,
    echo_path,
    error_text,
    print_error,
    print_text,
    quiet_import,
    text_width,
)
from emopy.errors import ModelError, ModelNotFoundError, naming
from emopy.escaping import one_line
from emopy.tables import text_table

if TYPE_CHECKING:  # numpy would slow down `emopy --help`
    from emopy.models import ModelFolder

HEADER = ("model", "MB", "labels", "accuracy", "ECE", "parameters", "faces/s")
"""Columns of `emopy models list`."""

METRICS = ("accuracy", "ece")
"""Keys on the card of the metrics among them, in this order."""

MEASURED_FACES, MEASURED_S = 8, 0.2
"""Faces in a batch, and seconds, with which the speed of a model is measured."""

MISSING = "–"
"""Cell of what the card does not say."""


@click.group(cls=CommandGroup)
def models() -> None:
    """List, show, check, fetch, quantize and ensemble models.

    MODEL is a name from `emopy models list`, or a model folder.
    """


@models.command("list")
def list_names() -> None:
    """List the installed models; * marks the default.

    MB is the size of the weights. Accuracy and expected calibration error (ECE) are those of the
    last evaluation on the card, which is named below. Faces/s is measured now, on one CPU thread of
    this computer, without the detection of faces.
    """
    from emopy.models import DEFAULT_MODEL, list_models

    rows: list[list[str]] = []
    evaluated: list[str] = []
    unreadable: list[str] = []
    for name in list_models():
        shown = one_line(name)
        marked = f"{shown} *" if name == DEFAULT_MODEL else shown
        try:
            cells, data = _row(name)
        except ModelError:
            cells, data = [MISSING] * (len(HEADER) - 1), ""
            unreadable.append(shown)
        rows.append([marked, *cells])
        evaluated += [f"{shown}: {data}"] if data else []
    if not rows:
        echo("emopy: no model is installed. Type: emopy train RECIPE", err=True)
        return
    notes = ["", "Evaluated on:", *(f"  {line}" for line in evaluated)] if evaluated else []
    print_text("\n".join([text_table(HEADER, rows), *notes]))
    if unreadable:
        names = ", ".join(unreadable)
        echo(f"emopy: cannot be read: {names}. For the reasons type: emopy models check", err=True)


def _row(name: str) -> tuple[list[str], str]:
    """Cells of a model after its name, and what the metrics among them were measured on.

    Raises:
        ModelError: One of its files is missing or damaged.
    """
    from emopy.models import load_model
    from emopy.models.card import WEIGHTS_FILE

    folder = load_model(name, providers=["cpu"])
    card, size = folder.card, (folder.path / WEIGHTS_FILE).stat().st_size
    data, metrics = list(card.metrics.items())[-1] if card.metrics else ("", {})
    parameters, samples = card.training.get("parameters"), metrics.get("samples")
    cells = [
        f"{size / 1e6:.1f}",
        str(len(card.labels)),
        *(MISSING if metrics.get(key) is None else f"{metrics[key]:.1%}" for key in METRICS),
        f"{parameters / 1e6:.2f} M" if isinstance(parameters, int) else MISSING,
        f"{float(f'{_faces_per_second(folder):.2g}'):,.0f}",
    ]
    faces = f" ({samples:,} faces)" if samples else ""
    return cells, f"{data}{faces}" if data else ""


def _faces_per_second(folder: ModelFolder) -> float:
    """Faces that a model predicts per second: the fastest of the batches within `MEASURED_S`."""
    import numpy as np

    from emopy.models.store import read_golden

    crops = read_golden(folder.path).crops
    crops = np.resize(crops, (MEASURED_FACES, *crops.shape[1:]))
    begin, fastest = time.perf_counter(), math.inf
    while (start := time.perf_counter()) < begin + MEASURED_S or fastest == math.inf:
        folder.logits(crops)
        fastest = min(fastest, time.perf_counter() - start)
    return len(crops) / fastest


@models.command()
@click.argument("model", required=False)
@text_or_json_option
def show(model: str | None, format: str) -> None:
    """Show a model card: labels, data, metrics, license, limits."""
    from emopy.models import DEFAULT_MODEL, card_text, load_model

    card = load_model(model or DEFAULT_MODEL).card
    if format == "json":  # escaped: a card of any script reaches any stdout whole
        print_text(json.dumps(json.loads(card.to_json()), indent=2))
    else:
        print_text(card_text(card, width=text_width()).rstrip("\n"))


@models.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
def check(models: tuple[str, ...]) -> int:
    """Check models against their checksums and golden outputs.

    Without MODEL all installed models are checked. Exit code 1 means that one has failed, 2 that
    there is no model of a name.
    """
    from emopy.models import check_model_folder, list_models

    code = 0
    for name in models or list_models():
        try:
            difference = check_model_folder(name)
        except ModelNotFoundError as error:
            code = 2
            print_error(error)
        except Exception as error:  # noqa: BLE001 - whatever one folder does, the others are checked
            code = max(code, 1)
            echo(one_line(f"{name}: {error_text(error)}"), err=True)
        else:
            echo(one_line(f"{name}: good, golden outputs within {difference:.1e}"))
    return code


@models.command()
@click.argument("name")
@click.option(
    "--url", metavar="URL", help="Another address of the same file; its checksum must be the same."
)
@click.option("--folder", type=FOLDER, help="Folder for the file.  [default: "
              "EMOPY_HOME, or the folder emopy in the cache folder]")  # fmt: skip
def fetch(name: str, url: str | None, folder: Path | None) -> None:
    """Download a model or detector, and verify its checksum."""
    from emopy.models import fetch as download

    echo(f"emopy: fetching {name}", err=True)
    echo_path(download(name, url=url, folder=folder))


@models.command()
@click.argument("model")
@click.argument("dataset", type=ANY_PATH, metavar="DATA")
@click.option("--out", type=FOLDER, required=True, help="Model folder to write.")
@click.option("--name", help="Name on the card.  [default: that of MODEL]")
@max_pixels_option
def quantize(model: str, dataset: Path, out: Path, name: str | None, max_pixels: int | None) -> int:
    """Convert a model to int8: a quarter of the size, and faster.

    MODEL is a model's name or folder. The range of each layer is measured on DATA, labeled faces
    as for `emopy evaluate`: give faces that MODEL was trained on. Evaluate the new model before you
    use it. Exit code 1 means that some files or rows could not be read; the others are used. Needs
    the extra train.
    """
    from emopy.models import find_model

    with quiet_import():
        from emopy.train import quantize as to_int8

    faces = open_labeled_for(model, dataset, max_pixels=max_pixels)
    with naming(path="--out"):
        echo_path(to_int8(find_model(model), faces, out, name=name))
    return 1 if faces.skipped else 0


@models.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL MODEL...")
@click.option("--out", type=FOLDER, required=True, help="Model folder to write.")
@click.option("--name", help="Name on the card.  [default: that of the first]")
def ensemble(models: tuple[str, ...], out: Path, name: str | None) -> None:
    """Combine models into an ensemble that averages their logits.

    An ensemble is usually more accurate than each of its models, and takes as long as all of them.
    The models need the same labels and inputs of the same size: training runs that differ in their
    seed, for example. The scaling of pixels may differ. Calibrate and evaluate the ensemble before
    you use it. Needs the extra train.
    """
    with quiet_import():
        from emopy.train import ensemble as average_logits

    with naming(path="--out"):
        echo_path(average_logits(models, out, name=name))
