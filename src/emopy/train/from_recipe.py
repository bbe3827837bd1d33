"""A recipe file → trained run → model folder, in one call."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from emopy.data import Dataset, Parts, open_data
from emopy.errors import RecipeError
from emopy.train.export import export
from emopy.train.fit import Run, fit_recipe
from emopy.train.recipe import DataSettings, load_recipe


def train_recipe(
    recipe: str | Path, *, settings: Iterable[str] = (), out: str | Path | None = None
) -> Run:
    """Train what a recipe file says and export the network to ``<run folder>/model``.

    Args:
        recipe: TOML file.
        settings: Changes such as ``"fit.epochs=3"``.
        out: Run folder; ``runs/<name>-seed<seed>`` by default. An unfinished run in it goes on.

    Returns:
        The run; ``run.folder / "model"`` is the model folder.

    Raises:
        RecipeError: Unknown key, bad value, or no training data named.
        DataError: The data cannot be read.
    """
    plan = load_recipe(recipe, settings)
    folder = Path(out) if out else Path("runs") / f"{plan.name}-seed{plan.fit.seed}"
    run = fit_recipe(plan, _open_parts(plan.data), folder=folder)
    export(run, folder / "model")
    return run


def _open_parts(data: DataSettings) -> Parts:
    if not data.train:
        raise RecipeError(
            "`data.train` must name a .npz file or a folder of faces. Received nothing. "
            "Type for example: --set data.train=faces/"
        )
    if data.validation:
        return Parts.of(_open(data.train, data), _open(data.validation, data))
    return _open(data.train, data).split(validation=0.1, calibration=0.0, test=0.0, seed=0)


def _open(path: str, data: DataSettings) -> Dataset:
    dataset = open_data(path)
    return dataset.only(data.emotions) if data.emotions else dataset
