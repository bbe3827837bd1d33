"""`emopy models`: what is here, what a card says, whether it still answers as exported."""

from __future__ import annotations

import click

from emopy.cli.groups import NearestGroup
from emopy.cli.models_ensemble import ensemble
from emopy.cli.models_quantize import quantize
from emopy.cli.options import FOLDER, json_option
from emopy.errors import EmoPyError


@click.group(cls=NearestGroup)
def models() -> None:
    """List, show, check, fetch, shrink and join models.

    MODEL is a name from `emopy models list` or a model folder.
    """


models.add_command(quantize)
models.add_command(ensemble)


@models.command("list")
def list_names() -> None:
    """Name the models that are here; the default one bears a star."""
    from emopy.models import DEFAULT_MODEL, list_models

    names = list_models()
    for name in names:
        click.echo(f"{name} *" if name == DEFAULT_MODEL else name)
    if not names:
        click.echo("emopy: no model is installed. Type: emopy train RECIPE", err=True)


@models.command()
@click.argument("model", required=False)
@json_option
def show(model: str | None, output_format: str) -> None:
    """Say what a model's card says: labels, data, figures, rights, limits."""
    from emopy.models import DEFAULT_MODEL, load_model, readme_from_card

    card = load_model(model or DEFAULT_MODEL).card
    click.echo(card.to_json() if output_format == "json" else readme_from_card(card), nl=False)


@models.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
def check(names: tuple[str, ...]) -> int:
    """Check that models are whole and still give their golden answers; all of them by default.

    Exit code 1 means that one does not.
    """
    from emopy.models import check_model_folder, list_models

    bad = 0
    for name in names or list_models():
        try:
            difference = check_model_folder(name)
        except EmoPyError as error:
            bad += 1
            click.echo(f"{name}: {error}", err=True)
        else:
            click.echo(f"{name}: good, golden answers within {difference:.1e}")
    return 1 if bad else 0


@models.command()
@click.argument("name")
@click.option("--url", help="Another place to take the same file from; the checksum stays.")
@click.option("--folder", type=FOLDER, help="Where to put it.  [default: EMOPY_HOME]")
def fetch(name: str, url: str | None, folder: str | None) -> None:
    """Download a model or detector by name; kept only if its checksum is right."""
    from emopy.models import fetch as download

    click.echo(f"emopy: fetching {name}", err=True)
    click.echo(download(name, url=url, folder=folder))
