"""`emopy models`: list, show, check, fetch, quantize and ensemble models."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.inputs import open_labelled_for
from emopy.cli.options import ANY_PATH, FOLDER, text_or_json_option
from emopy.cli.terminal import CommandGroup, in_shell_words, quiet_import
from emopy.errors import EmoPyError, naming


@click.group(cls=CommandGroup)
def models() -> None:
    """List, show, check, fetch, quantize and ensemble models.

    MODEL is a name from `emopy models list`, or a model folder.
    """


@models.command("list")
def list_names() -> None:
    """List the installed models; * marks the default."""
    from emopy.models import DEFAULT_MODEL, list_models

    names = list_models()
    for name in names:
        click.echo(f"{name} *" if name == DEFAULT_MODEL else name)
    if not names:
        click.echo("emopy: no model is installed. Type: emopy train RECIPE", err=True)


@models.command()
@click.argument("model", required=False)
@text_or_json_option
def show(model: str | None, format: str) -> None:
    """Show a model card: labels, data, metrics, licence, limits."""
    from emopy.models import DEFAULT_MODEL, load_model, readme_from_card

    card = load_model(model or DEFAULT_MODEL).card
    click.echo(card.to_json() if format == "json" else readme_from_card(card), nl=False)


@models.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
def check(models: tuple[str, ...]) -> int:
    """Check models against their checksums and golden outputs.

    Without MODEL all installed models are checked. Exit code 1 means that one has failed.
    """
    from emopy.models import check_model_folder, list_models

    failed = 0
    for name in models or list_models():
        try:
            difference = check_model_folder(name)
        except EmoPyError as error:
            failed += 1
            click.echo(f"{name}: {in_shell_words(error)}", err=True)
        else:
            click.echo(f"{name}: good, golden outputs within {difference:.1e}")
    return 1 if failed else 0


@models.command()
@click.argument("name")
@click.option(
    "--url", metavar="URL", help="Another address of the same file; its checksum must be the same."
)
@click.option("--folder", type=FOLDER, help="Folder for the file.  [default: EMOPY_HOME]")
def fetch(name: str, url: str | None, folder: Path | None) -> None:
    """Download a model or detector, and verify its checksum."""
    from emopy.models import fetch as download

    click.echo(f"emopy: fetching {name}", err=True)
    click.echo(download(name, url=url, folder=folder))


@models.command()
@click.argument("model")
@click.argument("dataset", type=ANY_PATH, metavar="DATA")
@click.option("--out", type=FOLDER, required=True, help="Model folder to write.")
@click.option("--name", help="Name on the card.  [default: that of MODEL]")
def quantize(model: str, dataset: Path, out: Path, name: str | None) -> int:
    """Convert a model to int8: a quarter of the size, and faster.

    MODEL is a model's name or folder. The range of each layer is measured on DATA, labelled faces
    as for `emopy evaluate`: give faces that MODEL was trained on. Evaluate the new model before you
    use it. Exit code 1 means that some files or rows could not be read; the others are used. Needs
    the extra train.
    """
    from emopy.models import find_model

    with quiet_import():
        from emopy.train import quantize as to_int8

    faces = open_labelled_for(model, dataset)
    with naming(path="--out"):
        click.echo(to_int8(find_model(model), faces, out, name=name))
    return 1 if faces.skipped else 0


@models.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL MODEL...")
@click.option("--out", type=FOLDER, required=True, help="Model folder to write.")
@click.option("--name", help="Name on the card.  [default: that of the first]")
def ensemble(models: tuple[str, ...], out: Path, name: str | None) -> None:
    """Combine models into an ensemble that averages their logits.

    An ensemble is usually more accurate than each of its models, and takes as long as all of them.
    The models need the same labels and input: training runs that differ in their seed, for
    example. Calibrate and evaluate the ensemble before you use it. Needs the extra train.
    """
    with quiet_import():
        from emopy.train import ensemble as average_logits

    with naming(path="--out"):
        click.echo(average_logits(models, out, name=name))
