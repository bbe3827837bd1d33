"""Train the networks that teach the bundled models, and measure them together.

    python -m research.teacher

Five networks, trained from scratch on the votes of FER+, in int8: two as one model, `emopy-base` 3.
As `fit.teacher` of a recipe the mean of the models' probabilities is the target; see
`research.torch_training`. `research/models/teacher` holds those that the bundled models were
distilled from. What is missing there is trained, in hours; rerun the command to resume.
docs/training.md gets the table.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emopy.data import Dataset, load_dataset
from emopy.evaluate import Report, fit_temperature, make_report
from emopy.evaluate.evaluation import compute_logits
from emopy.models import load_model, prior_shift, softmax
from emopy.tables import markdown_table
from research import FERPLUS, ROOT, options_of, run_module, write_results

FOLDER = Path("research/models/teacher")
RECIPE = "research/teacher.toml"

EARLIER = (
    "net.settings={widths=[32,64,128],blocks=[1,2,2],squeeze=0.25,dropout=0.2}",
    "fit.epochs=100",
)
"""The networks of version 3 of `emopy-base`."""

MEMBERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "base": ((*EARLIER, "fit.seed=0"), (*EARLIER, "fit.seed=1")),
    "wide": (("fit.seed=10",),),
    "deep": (
        (
            "net.settings.widths=[40,80,160]",
            "net.settings.blocks=[2,3,3]",
            "fit.epochs=60",
            "fit.seed=11",
        ),
    ),
    "wide-antialias": (("net.settings.antialias=true", "fit.epochs=40", "fit.seed=12"),),
}
"""Model → its networks: what differs from the recipe. Each model has the same weight."""


def make() -> list[Path]:
    """Train and quantize what is not there yet; return the model folders in int8."""
    folders: list[Path] = []
    for name, networks in MEMBERS.items():
        small = FOLDER / name
        if not (ROOT / small).is_dir():
            models = [_train(f"runs/teacher-{name}-{i}", each) for i, each in enumerate(networks)]
            whole = models[0]
            if len(models) > 1:
                whole = f"runs/ensembles/teacher-{name}"
                run_module("emopy", "models", "ensemble", *models, "--out", whole)
            run_module("emopy", "models", "quantize", whole, f"{FERPLUS}/train.npz", "--out", small)
        folders.append(ROOT / small)
    return folders


def _train(run: str, settings: tuple[str, ...]) -> str:
    run_module("research.torch_training", RECIPE, *options_of(settings), "--out", run)
    return f"{run}/model"


@cache
def probabilities(model: Path, part: str, views: int) -> NDArray[np.float32]:
    """(n, k) probabilities of one model for the faces of a part."""
    return softmax(compute_logits(load_model(model), _faces(part), views=views))


@cache
def _faces(part: str) -> Dataset:
    return load_dataset(ROOT / FERPLUS / f"{part}.npz")


def log_probabilities(models: list[Path], part: str, *, views: int) -> NDArray[np.float32]:
    """(n, k) logarithms of the mean probabilities, as a student is trained on them."""
    parts = [probabilities(model, part, views) for model in models]
    return np.log(np.mean(parts, axis=0, dtype=np.float32) + np.float32(1e-9))


def measure(models: list[Path], *, views: int, prior: str = "training") -> Report:
    """Metrics on the faces of `valid`, with a temperature from the faces for calibration."""
    calibration, valid = _faces("calibration"), _faces("validation")
    fitted = fit_temperature(
        log_probabilities(models, "calibration", views=views), calibration.targets
    )
    found = log_probabilities(models, "validation", views=views) / np.float32(fitted)
    found += prior_shift(load_model(models[0]).card, valid.labels, prior).astype(np.float32)
    return make_report(softmax(found), valid.truth, valid.labels, temperature=fitted)


def compare(study: str, sets: dict[str, list[Path]]) -> None:
    """Measure sets of models and write the table of a study: one row per set."""
    results: dict[str, dict[str, float]] = {}
    for name, members in sets.items():
        one, two = (measure(members, views=views) for views in (1, 2))
        uniform = measure(members, views=1, prior="uniform")
        results[name] = {
            "accuracy": one.accuracy,
            "balanced accuracy, uniform prior": uniform.macro_recall,
            "accuracy, two views": two.accuracy,
            "log loss, two views": two.log_loss,
            "ECE, two views": two.ece,
        }
    metrics = list(next(iter(results.values())))
    rows = [[name, *(f"{row[metric]:.3f}" for metric in metrics)] for name, row in results.items()]
    write_results(study, results, "training.md", markdown_table(["model", *metrics], rows))


def main() -> None:
    """Train, measure and write the page."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    models = make()
    compare("teacher", {m.name: [m] for m in models} | {"the teacher: all of them": models})


if __name__ == "__main__":
    main()
