"""`emopy data show`: an image of what a network will see while it learns."""

from __future__ import annotations

from pathlib import Path

import click

from emopy.cli.labelled import clips_option, open_labelled
from emopy.cli.options import ANY_PATH, FILE
from emopy.cli.quiet import quiet_import


@click.command()
@click.argument("path", type=ANY_PATH, metavar="DATA")
@clips_option
@click.option("--recipe", type=FILE, help="Change the faces as this recipe does.")
@click.option("--out", type=FILE, default=Path("sheet.png"), show_default=True,
              help="Image to write, .png or .jpg.")  # fmt: skip
@click.option("--rows", type=click.IntRange(min=1), default=8, show_default=True,
              help="Faces to show; the emotions take turns.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(min=0), default=8, show_default=True,
              help="Epochs to show.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="Change a setting of the recipe, for example augment.flip=0.")  # fmt: skip
def show(
    path: Path,
    clips: int | None,
    recipe: Path | None,
    out: Path,
    rows: int,
    epochs: int,
    settings: tuple[str, ...],
) -> int:
    """Draw faces as they are, and as training would change them.

    Without a recipe the faces are shown as they are. Exit code 1 means that some files or rows
    could not be read; they are listed, and the others are drawn.
    """
    from emopy.data import contact_sheet
    from emopy.present import save_image

    if recipe is None:
        if settings:
            raise click.UsageError("--set changes a recipe. Name it with --recipe.")
        faces, left_out = open_labelled(path, clips=clips)
        sheet = contact_sheet(faces, rows=rows, columns=0)
    else:
        with quiet_import():
            from emopy.train import load_recipe

        plan = load_recipe(recipe, settings)
        faces, left_out = open_labelled(path, clips=clips)
        sheet = contact_sheet(faces, plan.augment, rows=rows, columns=epochs, seed=plan.fit.seed)
    click.echo(f"emopy: drawn on {save_image(sheet, out)}", err=True)
    return 1 if left_out else 0
