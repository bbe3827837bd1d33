"""Measure what each ingredient of the training is worth: one change at a time, a small network.

    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus
    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus-spread --unknown spread
    python -m research.fer2013_labels FOLDER
    python -m research.ablation

Each training is a run folder under `runs/ablation`, made by `emopy train`; rerun the command to
resume. The teachers are the two networks of `emopy-base` 3, in `runs/teacher-base-0` and
`runs/teacher-base-1`: `research.teacher` trains them where `research/models/teacher/base` is
missing. docs/training.md gets the table, with the settings of each run. All are evaluated on the
faces for calibration: those of `valid` stay unseen until a model is done.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
from dataclasses import dataclass
from pathlib import Path

from emopy.data import Dataset, load_dataset
from emopy.evaluate import calibrate, evaluate
from emopy.models import load_model
from emopy.tables import markdown_table
from research import FERPLUS, ROOT, options_of, run_module, slug, write_results

RECIPE = "research/ablation.toml"
RUNS = "runs/ablation"
TEACHER = "runs/teacher-base-{}"
METRICS = ("accuracy", "log_loss", "uniform_recall")


@dataclass(frozen=True)
class Experiment:
    """One change of the recipe.

    Attributes:
        name: The change, in words.
        settings: Values of `emopy train --set`.
        seeds: One training for each.
        script: Module to run in place of `emopy train`, with the same options.
        before: Commands to run first: a module and its arguments.
    """

    name: str
    settings: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    script: str = ""
    before: tuple[str, ...] = ()


def without(*names: str) -> tuple[str, ...]:
    """Settings that switch off some of the data augmentation."""
    return tuple(f"augment.{name}=0.0" for name in names)


def distilled_from(*runs: str) -> tuple[str, ...]:
    """Settings that train on the predictions of finished runs too."""
    teachers = ", ".join(f'"{run}/model"' for run in runs)
    return (f"fit.teacher=[{teachers}]", "fit.teacher_weight=0.7")


PRETRAINING = (
    "research.rotation_pretext local/ferplus/train.npz local/rotated/train.npz",
    f"emopy train {RECIPE} --set data.train=local/rotated/train.npz --set data.validation= "
    f"--set fit.epochs=5 --set augment.flip=0.0 --out {RUNS}/rotated",
)

EXPERIMENTS = (
    Experiment("baseline", seeds=(0, 1, 2)),
    # Targets
    Experiment("majority vote only (hard labels)", ("fit.target_sharpening=30.0",)),
    Experiment("votes sharpened", ("fit.target_sharpening=2.0",)),
    Experiment('"unknown" votes spread uniformly', ("data.train=local/ferplus-spread/train.npz",)),
    Experiment("a fifth from FER2013's labels", ("data.train=local/ferplus-fer2013/train.npz",)),
    Experiment("class-balanced sampling 0.5", ("fit.class_balanced_sampling=0.5",)),
    Experiment("logit adjustment 1", ("fit.logit_adjustment=1.0",)),
    Experiment("label smoothing 0.1", ("fit.label_smoothing=0.1",)),
    Experiment("mixup 0.2", ("fit.mixup=0.2",)),
    Experiment("cutmix 1", ("fit.cutmix=1.0",)),
    # Initialization and distillation
    Experiment("self-distillation", distilled_from(f"{RUNS}/baseline-seed0")),
    Experiment("distilled from one large network", distilled_from(TEACHER.format(0))),
    Experiment(
        "distilled from two large networks", distilled_from(TEACHER.format(0), TEACHER.format(1))
    ),
    Experiment(
        "self-supervised pretraining on rotations",
        (f"fit.init_from={RUNS}/rotated/model",),
        before=PRETRAINING,
    ),
    # Data augmentation
    Experiment("no flip", without("flip")),
    Experiment(
        "no rotation, shift, zoom and shear", without("rotation_deg", "shift", "zoom", "shear_deg")
    ),
    Experiment("no brightness, contrast and gamma", without("brightness", "contrast", "gamma")),
    Experiment("no blur and JPEG", without("blur", "jpeg")),
    Experiment("no erasing", without("erase")),
    # Optimization
    Experiment("no moving average of the weights", ("fit.ema=0.0",)),
    Experiment("sharpness-aware minimization", script="research.sharpness_aware"),
    Experiment("twice the epochs", ("fit.epochs=20",)),
    Experiment("constant learning rate", ("fit.min_lr_ratio=1.0",)),
    # Architecture
    Experiment("no squeeze-and-excitation", ("net.settings.squeeze=0.0",)),
    Experiment("anti-aliased downsampling", ("net.settings.antialias=true",)),
    Experiment(
        "deeper and narrower", ("net.settings.widths=[12, 24, 48]", "net.settings.blocks=[2, 3, 3]")
    ),
)


def train(experiment: Experiment, seed: int) -> Path:
    """Train one run, if it is not done yet; return its model folder."""
    folder = ROOT / RUNS / f"{slug(experiment.name)}-seed{seed}"
    if (folder / "model").is_dir():
        return folder / "model"
    for line in experiment.before:
        run_module(*line.split())
    script = experiment.script.split() or ["emopy", "train"]
    options = options_of((*experiment.settings, f"fit.seed={seed}"))
    run_module(*script, RECIPE, "--out", folder, *options)
    return folder / "model"


def metrics_of(model: Path, faces: Dataset) -> dict[str, float]:
    """Metrics on held-out faces, with the same prior for every model.

    Sampling, smoothing and the like change the class frequencies of a training; every model is
    evaluated with those of the baseline. The temperature is fitted on the same faces, one number
    on 2,500: what is compared is how well the models discriminate, not their calibration.
    """
    first = EXPERIMENTS[0]
    card = load_model(ROOT / RUNS / f"{slug(first.name)}-seed{first.seeds[0]}" / "model").card
    prior: dict[str, float] = card.training["label_prior"]
    calibrate(model, faces, prior=prior)
    training, uniform = (evaluate(model, faces, prior=name) for name in (prior, "uniform"))
    return {
        "accuracy": training.accuracy,
        "log_loss": training.log_loss,
        "uniform_recall": uniform.macro_recall,
    }


def table(results: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: each experiment's metrics and what it gains over the baseline."""
    base = {key: _mean(results[EXPERIMENTS[0].name], key) for key in METRICS}
    header = ["change", "accuracy", "log loss", "macro recall, uniform prior", "options"]
    rows: list[list[str]] = []
    for experiment in EXPERIMENTS:
        runs = results.get(experiment.name)
        if not runs:
            continue
        cells = [experiment.name + (f", {len(runs)} seeds" if len(runs) > 1 else "")]
        for key in METRICS:
            mean = _mean(runs, key)
            spread = f" ± {statistics.stdev(r[key] for r in runs):.4f}" if len(runs) > 1 else ""
            gain = base[key] - mean if key == "log_loss" else mean - base[key]
            beside = spread if experiment is EXPERIMENTS[0] else f" ({gain:+.4f})"
            cells.append(f"{mean:.4f}{beside}")
        rows.append([*cells, _options(experiment)])
    return markdown_table(header, rows, align="lrrrl")


def _options(experiment: Experiment) -> str:
    """Options beside those of all experiments."""
    options = " ".join(f"--set {shlex.quote(setting)}" for setting in experiment.settings)
    cells = [f"`{options}`"] if options else []
    if experiment.script:
        cells.append(f"`python -m {experiment.script}` in place of `emopy train`")
    return "<br>".join([*cells, *(f"first: `python -m {line}`" for line in experiment.before)])


def _mean(runs: list[dict[str, float]], key: str) -> float:
    return statistics.fmean(run[key] for run in runs)


def main() -> None:
    """Train what is not trained yet, evaluate all of it, and write the page."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    faces = load_dataset(ROOT / FERPLUS / "calibration.npz")
    results: dict[str, list[dict[str, float]]] = {}
    for experiment in EXPERIMENTS:
        for seed in experiment.seeds:
            figures = metrics_of(train(experiment, seed), faces)
            results.setdefault(experiment.name, []).append(figures)
            print(experiment.name, seed, figures, flush=True)
            write_results("ablation", results, "training.md", table(results))


if __name__ == "__main__":
    main()
