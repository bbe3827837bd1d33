"""`emopy train`: train a model from a recipe."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emopy.cli.inputs import report_skipped
from emopy.cli.options import FOLDER
from emopy.cli.terminal import (
    ProgressStream,
    echo,
    echo_path,
    print_error,
    print_text,
    quiet_import,
)
from emopy.errors import RecipeError, naming
from emopy.recipes import find_recipe, list_recipes

if TYPE_CHECKING:
    from emopy.data import SkippedSample


@click.command()
@click.argument("recipe", required=False)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="Replace a setting of the recipe, such as fit.epochs=3. May be "
              "repeated.")  # fmt: skip
@click.option("--out", type=FOLDER, help="Folder of the run.  [default: runs/NAME-seedSEED]")
@click.option("--list", "list_only", is_flag=True,
              help="Do not train: list the packaged recipes.")  # fmt: skip
@click.option("--compare", type=FOLDER, metavar="RUNS",
              help="Do not train: rank the runs in this folder, mean ± standard deviation over "
              "seeds.")  # fmt: skip
def train(
    recipe: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    compare: Path | None,
    *,
    list_only: bool,
) -> int:
    """Train a model from a recipe.

    RECIPE is one of `emopy train --list`, or a TOML file. The model folder is model/ in the
    folder of the run; its path is printed on stdout. Rerun the command to resume a run that was
    interrupted: the result is the same as without the interruption. Exit code 1 means that some
    files or rows could not be read; they are listed, and the others are used. Needs the extra
    train.
    """
    if (recipe is not None) + (compare is not None) + list_only != 1:
        raise click.UsageError(
            "Type either a recipe, or --list, or --compare and a folder of runs."
        )
    if recipe is None and (settings or out):
        does = "--list does" if list_only else "--compare does"
        raise click.UsageError(f"{does} not train: leave out --set and --out.")
    if list_only:
        print_text(_recipe_list())
        return 0
    if recipe is not None:
        with naming(recipe="RECIPE"):
            find_recipe(recipe)  # before the slow import
    with quiet_import():
        from emopy.train import train_recipe
    if recipe is None:
        return _print_leaderboard(compare or Path())
    skipped: list[SkippedSample] = []

    def report(skipped_sample: SkippedSample) -> None:
        report_skipped(skipped_sample)  # before the training, not after it
        skipped.append(skipped_sample)

    with contextlib.redirect_stdout(ProgressStream()):  # progress of Keras; stdout is for the path
        try:
            with naming(folder="--out"):
                run = train_recipe(recipe, settings=list(settings), out=out, on_skipped=report)
        except KeyboardInterrupt:
            echo("", err=True)  # ends the line of progress
            raise KeyboardInterrupt("To resume, rerun the same command.") from None
    if run.reopened:
        echo(
            f"emopy: {run.folder} is trained already. To train again, name another --out.", err=True
        )
    print_text(str(run.summary), err=True)
    if run.folder is not None:
        echo_path(run.folder / "model")
    return 1 if skipped else 0


def _print_leaderboard(folder: Path) -> int:
    """Rank the runs in a folder; return 1 if some cannot be read, which are listed."""
    from emopy.train import compare_runs, leaderboard

    bad: list[RecipeError] = []
    with naming(folder="--compare"):
        entries = compare_runs(folder, on_bad=bad.append)
    for error in bad:
        print_error(error)
    print_text(leaderboard(entries))
    return 1 if bad else 0


def _recipe_list() -> str:
    """One line for each packaged recipe: its name and what it is for."""
    recipes = list_recipes()
    width = max(map(len, recipes))
    return "\n".join(f"{name:<{width}}  {purpose}" for name, purpose in recipes.items())
