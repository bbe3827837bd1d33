"""`emopy train`: train a model from a recipe."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.inputs import report_skipped
from emopy.cli.options import FOLDER
from emopy.cli.streams import ProgressStream, echo, echo_path, print_text
from emopy.cli.terminal import quiet_import
from emopy.errors import naming

if TYPE_CHECKING:
    from emopy.data import SkippedSample

RECIPE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A recipe that exists: checked before the slow import."""


@click.command()
@click.argument("recipe", type=RECIPE, required=False)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="Replace a setting of the recipe, such as fit.epochs=3. May be "
              "repeated.")  # fmt: skip
@click.option("--out", type=FOLDER, help="Folder of the run.  [default: runs/NAME-seedSEED]")
@click.option("--compare", type=FOLDER, metavar="RUNS",
              help="Do not train: rank the runs in this folder, mean ± standard deviation over "
              "seeds.")  # fmt: skip
def train(
    recipe: Path | None, settings: tuple[str, ...], out: Path | None, compare: Path | None
) -> int:
    """Train a model from a recipe.

    RECIPE is a TOML file. The model folder is model/ in the folder of the run; its path is
    printed on stdout. Rerun the command to resume a run that was interrupted: the result is the
    same as without the interruption. Exit code 1 means that some files or rows could not be read;
    they are listed, and the others are used. Needs the extra train.
    """
    if (recipe is None) == (compare is None):
        raise click.UsageError("Type either a recipe, or --compare and a folder of runs.")
    if compare and (settings or out):
        raise click.UsageError("--compare does not train: leave out --set and --out.")
    with quiet_import():
        from emopy.train import compare_runs, leaderboard, train_recipe
    if recipe is None:
        with naming(folder="--compare"):
            print_text(leaderboard(compare_runs(compare or Path())))
        return 0
    skipped: list[SkippedSample] = []

    def report(skipped_sample: SkippedSample) -> None:
        report_skipped(skipped_sample)  # before the training, not after it
        skipped.append(skipped_sample)

    with contextlib.redirect_stdout(ProgressStream()):  # progress of Keras; stdout is for the path
        try:
            with naming(folder="--out"):
                run = train_recipe(recipe, settings=list(settings), out=out, on_skipped=report)
        except KeyboardInterrupt:
            echo("\nemopy: rerun the command to resume.", err=True)
            raise
    if run.reopened:
        echo(
            f"emopy: {run.folder} is trained already. To train again, name another --out.", err=True
        )
    print_text(str(run.summary), err=True)
    if run.folder is not None:
        echo_path(run.folder / "model")
    return 1 if skipped else 0
