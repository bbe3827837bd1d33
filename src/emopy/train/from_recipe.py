"""A recipe file → trained run → model folder, in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from emopy.data import Dataset, SkippedSample, Splits, open_data, split
from emopy.errors import ModelError, RecipeError, naming
from emopy.models import load_model
from emopy.train.export import export
from emopy.train.fit import Run, fit_recipe
from emopy.train.recipe import DataSettings, load_recipe

OnProblem = Callable[[SkippedSample], None]


def train_recipe(
    recipe: str | Path,
    *,
    settings: Iterable[str] = (),
    out: str | Path | None = None,
    on_skipped: OnProblem | None = None,
) -> Run:
    """Train what a recipe file says and export the network to ``<run folder>/model``.

    The model folder of a finished run stays as it is, with its temperature and what was recorded
    on its card; delete it to have it exported again.

    Args:
        recipe: TOML file.
        settings: Changes such as ``"fit.epochs=3"``.
        out: Run folder; ``runs/<name>-seed<seed>`` by default. An unfinished run in it goes on.
        on_skipped: Called with each file or row that could not be read, before the training
            begins; the others are learnt.

    Returns:
        The run; ``run.folder / "model"`` is the model folder.

    Raises:
        RecipeError: Unknown key, bad value, or no training data named.
        DataError: The data cannot be read.
    """
    plan = load_recipe(recipe, settings)
    folder = Path(out) if out else Path("runs") / f"{plan.name}-seed{plan.fit.seed}"
    splits = _open_parts(plan.data, on_skipped)
    with naming(net="net.name", patience="fit.patience"):
        run = fit_recipe(plan, splits, folder=folder)
    if not (run.reopened and _is_model(folder / "model")):
        export(run, folder / "model")
    return run


def _is_model(folder: Path) -> bool:
    try:
        load_model(folder)
    except ModelError:
        return False
    return True


def _open_parts(data: DataSettings, on_skipped: OnProblem | None) -> Splits:
    if not data.train:
        raise RecipeError(
            "`data.train` must name a .npz file or a folder of faces. Received nothing. "
            "Type for example: `settings=['data.train=faces/']`"
        )
    if data.validation:
        with naming(path="data.validation", num_frames="data.num_frames"):
            validation = _open(data.validation, data, on_skipped)
        with naming(path="data.train", num_frames="data.num_frames"):
            return Splits.of(_open(data.train, data, on_skipped), validation)
    with naming(path="data.train", num_frames="data.num_frames"):
        faces = _open(data.train, data, on_skipped)
    return split(faces, validation=0.1, calibration=0.0, test=0.0, seed=0)


def _open(path: str, data: DataSettings, on_skipped: OnProblem | None) -> Dataset:
    dataset = open_data(
        path,
        num_frames=data.num_frames or None,
        size=(data.size_px, data.size_px),
        channels=data.channels,
    )
    if on_skipped is not None:
        for skipped_sample in dataset.skipped:
            on_skipped(skipped_sample)
    return dataset.only(data.emotions) if data.emotions else dataset
