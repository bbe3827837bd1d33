"""Measure what carries over to faces of other collections: one change at a time, short trainings.

    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus
    python -m research.elsewhere FOLDER [--only TEXT]

FOLDER holds the collections `rafdb`, `ck48` and `jaffe`, each with one folder per emotion. Their
faces are evaluated only: training, temperature and prior never come from them. Each training is a
run folder under `runs/elsewhere`; rerun the command to resume. docs/training.md gets the table.
`--only` trains the changes whose name contains a text, and those without results; the others keep
theirs.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from emopy.data import Dataset, load_dataset
from emopy.evaluate import calibrate, evaluate
from emopy.tables import markdown_table
from emopy.train import FitSettings
from emopy.train.targets import training_prior
from research import (
    FERPLUS,
    ROOT,
    mean_and_spread,
    options_of,
    read_results,
    run_module,
    slug,
    write_results,
)
from research.flagship import COLLECTIONS, reports_elsewhere

RUNS = "runs/elsewhere"
SHARPNESS, SPLIT = "local/elsewhere/sharpness.npz", "local/elsewhere/split.npz"
RECIPE = "emopy-base"
SHORT = (
    *("fit.epochs=12", "fit.ema=0.99", "fit.learning_rate=4e-3", "fit.teacher=[]"),
    f"data.train={FERPLUS}/train.npz",
    "net.settings={widths=[32,64,128],blocks=[1,2,2],squeeze=0.0,dropout=0.1,stem_stride=2}",
)
"""Settings of all trainings: without teachers, a network that is fast to train."""


@dataclass(frozen=True)
class Change:
    """One change of the recipe of `emopy-base`: values of `--set`, and a training per seed."""

    settings: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)


CHANGES = {
    "baseline": Change(seeds=(0, 1, 2)),
    "softer and sharper originals": Change((f"data.train={SHARPNESS}",)),
    "more occlusion: patches in 60 %": Change(("augment.erase=0.6",)),
    "zoom up to 30 %": Change(("augment.zoom=0.3",)),
    "faces without a clear majority twice": Change((f"data.train={SPLIT}",)),
    "votes softened": Change(("fit.target_sharpening=0.7",)),
    "class-balanced sampling 0.5": Change(("fit.class_balanced_sampling=0.5",)),
    "24 epochs, widths 24, 48, 96": Change(
        ("fit.epochs=24", "fit.ema=0.995", "net.settings.widths=[24,48,96]")
    ),
}


def with_other_sharpness(faces: Dataset) -> Dataset:
    """A third of the faces softened, a third sharpened (unsharp mask), a third as they are."""
    rng, images = np.random.default_rng(0), faces.images.copy()
    for image, kind, sigma in zip(
        images, rng.integers(3, size=len(images)), rng.uniform(0.6, 1.4, len(images)), strict=True
    ):
        soft = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma)).reshape(image.shape)
        if kind == 0:
            image[:] = soft
        elif kind == 1:
            sharp = image + 1.5 * (image.astype(np.float32) - soft)
            image[:] = np.clip(np.rint(sharp), 0, 255)
    return replace(faces, images=images)


def with_split_votes_twice(faces: Dataset) -> Dataset:
    """The faces, and once more those whose most frequent label has at most six of ten votes."""
    split = np.flatnonzero(faces.targets.max(axis=1) <= 0.6)
    return faces.take(np.concatenate([np.arange(len(faces)), split]))


def prepare(faces: Dataset) -> None:
    """Write the changed training faces."""
    for file, change in ((SHARPNESS, with_other_sharpness), (SPLIT, with_split_votes_twice)):
        if not (ROOT / file).is_file():
            (ROOT / file).parent.mkdir(parents=True, exist_ok=True)
            change(faces).save(ROOT / file)


def train(name: str, seed: int) -> Path:
    """Train one run, if it is not done yet; return its model folder."""
    folder = f"{RUNS}/{slug(name)}-seed{seed}"
    settings = (*SHORT, *CHANGES[name].settings, f"fit.seed={seed}")
    run_module("research.torch_training", RECIPE, *options_of(settings), "--out", folder)
    return ROOT / folder / "model"


def metrics_of(model: Path, folder: Path, prior: dict[str, float]) -> dict[str, float]:
    """Log loss on the faces for calibration, and metrics on the other collections.

    Every model is calibrated for the same prior, that of the unchanged training faces: sampling
    changes the prior of a training, not that of the faces.
    """
    faces = load_dataset(ROOT / FERPLUS / "calibration.npz")
    calibrate(model, faces, prior=prior)
    found = {"log loss": evaluate(model, faces, prior=prior).log_loss}
    for part, report in reports_elsewhere(model, folder).items():
        found[f"{COLLECTIONS[part]}, accuracy, uniform prior"] = report.accuracy
    for part, report in reports_elsewhere(model, folder, prior="tempered").items():
        found[f"{COLLECTIONS[part]}, ECE"] = report.ece
        found[f"{COLLECTIONS[part]}, accuracy at 80 % coverage"] = report.accuracy_at_coverage[0.8]
    return found


def table(results: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: a row per change; several seeds as mean ± standard deviation."""
    metrics = list(results["baseline"][0])
    rows = [
        [name, *(mean_and_spread([run[metric] for run in runs]) for metric in metrics)]
        for name, runs in results.items()
    ]
    return markdown_table(["change", *metrics], rows)


def main() -> None:
    """Train what is not trained yet, evaluate all of it, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT")
    options = parser.parse_args()
    faces = load_dataset(ROOT / FERPLUS / "train.npz")
    prepare(faces)
    frequencies = training_prior(faces, FitSettings(), None)
    prior = dict(zip(faces.labels, map(float, frequencies), strict=True))
    known = read_results("elsewhere")
    results: dict[str, list[dict[str, float]]] = {}
    for name, change in CHANGES.items():
        if options.only not in name and name in known:
            results[name] = known[name]
            continue
        results[name] = []
        for seed in change.seeds:
            found = metrics_of(train(name, seed), options.folder, prior)
            results[name].append(found)
            print(name, seed, found, flush=True)
    write_results("elsewhere", results, "training.md", table(results))


if __name__ == "__main__":
    main()
