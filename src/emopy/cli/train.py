"""`emopy train`: a recipe becomes a model folder."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.labelled import tell
from emopy.cli.options import FOLDER
from emopy.cli.quiet import quiet_import

if TYPE_CHECKING:
    from emopy.data import SkippedSample

RECIPE = click.Path(exists=True, dir_okay=False, path_type=Path)  # told before the slow import


@click.command()
@click.argument("recipe", type=RECIPE, required=False)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Replace one setting of the recipe, such as fit.epochs=3. May be repeated.",
)
@click.option("--out", type=FOLDER, help="Folder of the run.  [default: runs/NAME-seedSEED]")
@click.option(
    "--compare",
    type=FOLDER,
    metavar="RUNS",
    help="Train nothing: rank the runs in this folder, mean ± deviation over seeds.",
)
def train(
    recipe: Path | None, settings: tuple[str, ...], out: Path | None, compare: Path | None
) -> int:
    """Train the network that RECIPE, a TOML file, describes.

    The model folder is written to model/ in the folder of the run, and its path to stdout. A
    training that was stopped goes on where it was when the same line is typed again, and ends
    as it would have without the interruption. Exit code 1 means that some files or rows could
    not be read; they are listed, and the others are learnt. Needs the extra train.
    """
    if (recipe is None) == (compare is None):
        raise click.UsageError("Type either a recipe, or --compare and a folder of runs.")
    if compare and (settings or out):
        raise click.UsageError("--compare trains nothing: leave --set and --out out.")
    with quiet_import():
        from emopy.train import compare_runs, leaderboard, train_recipe
    if recipe is None:
        click.echo(leaderboard(compare_runs(compare or Path())))
        return 0
    left_out: list[SkippedSample] = []

    def note(skipped_sample: SkippedSample) -> None:
        tell(skipped_sample)  # before the long work, not after it
        left_out.append(skipped_sample)

    with contextlib.redirect_stdout(sys.stderr):  # Keras' progress; stdout is for the path
        try:
            run = train_recipe(recipe, settings=list(settings), out=out, on_skipped=note)
        except KeyboardInterrupt:
            click.echo("\nemopy: type the same line again to go on.", err=True)
            raise
    if run.reopened:
        click.echo(
            f"emopy: {run.folder} was trained already. To train anew, name another --out.", err=True
        )
    click.echo(run.summary, err=True)
    if run.folder is not None:
        click.echo(run.folder / "model")
    return 1 if left_out else 0
