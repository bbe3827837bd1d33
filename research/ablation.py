"""What each ingredient of the training is worth: one change at a time, on a small network.

    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus
    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus-spread --unknown spread
    python -m research.fer2013_labels FOLDER
    python -m research.ablation

Each training is a run folder under `runs/experiments`, made by `emopy train` and not trained again
when the command is typed again. The teachers are those of `runs/base-s0` and `runs/base-s1`.
docs/training.md gets the table, with the settings of each run. All are judged on the faces for
calibration: those of `valid` stay unseen until a model is done.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.report import write_between
from emopy.data import Dataset, load_dataset
from emopy.evaluate import calibrate, evaluate
from emopy.models import load_model
from research import ROOT

RESULTS = Path(__file__).parent / "results" / "experiments.json"
PAGE = ROOT / "docs" / "training.md"
MARKS = "<!-- experiments -->", "<!-- /experiments -->"

RECIPE = "recipes/emopy-base.toml"
SMALL = ("net.settings.widths=[16, 32, 64]", "fit.epochs=10", "fit.ema=0.99")
"""What makes all of them short: a quarter of the network, a tenth of the epochs."""

RUNS = "runs/experiments"
FIGURES = ("accuracy", "log_loss", "even")


@dataclass(frozen=True)
class Experiment:
    """One change of the recipe.

    Attributes:
        name: What is changed, in words.
        settings: What `emopy train --set` is given.
        seeds: A training for each.
        script: What is run in place of `emopy train`; it takes the same.
        before: What Python must have run; what is there already is made in no time.
    """

    name: str
    settings: tuple[str, ...] = ()
    seeds: tuple[int, ...] = field(default=(0,))
    script: str = ""
    before: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """Name of its run folders, without the seed."""
        return "".join(c if c.isalnum() else "-" for c in self.name.lower()).strip("-")


def without(*names: str) -> tuple[str, ...]:
    """Settings that switch some of the random changes off."""
    return tuple(f"augment.{name}=0.0" for name in names)


ENSEMBLE = "[" + ", ".join(f'"runs/base-s{seed}/model"' for seed in (0, 1)) + "]"
WARM_UP = (
    "-m research.rotation_pretext local/ferplus/train.npz local/turned/train.npz",
    f"-m emopy train {RECIPE} --set data.train=local/turned/train.npz --set data.validation= "
    "--set net.settings.widths=[16,32,64] --set fit.epochs=5 --set fit.ema=0.99 "
    "--set augment.flip=0.0 "
    f"--out {RUNS}/turned",
)

EXPERIMENTS = (
    Experiment("as it is", seeds=(0, 1, 2)),
    # What is learnt
    Experiment("the leading vote only", ("fit.target_sharpening=30.0",)),
    Experiment("votes sharpened", ("fit.target_sharpening=2.0",)),
    Experiment("votes for no emotion as doubt", ("data.train=local/ferplus-spread/train.npz",)),
    Experiment("a fifth from FER2013's own labels", ("data.train=local/ferplus-own/train.npz",)),
    Experiment("class balance 0.5", ("fit.class_balanced_sampling=0.5",)),
    Experiment("logit adjustment 1", ("fit.logit_adjustment=1.0",)),
    Experiment("label smoothing 0.1", ("fit.label_smoothing=0.1",)),
    Experiment("mixup 0.2", ("fit.mixup=0.2",)),
    Experiment("cutmix 1", ("fit.cutmix=1.0",)),
    # Whom from
    Experiment(
        "self-distillation",
        (f'fit.teacher=["{RUNS}/as-it-is-seed0/model"]', "fit.teacher_weight=0.7"),
    ),
    Experiment(
        "taught by one large network",
        ('fit.teacher=["runs/base-s0/model"]', "fit.teacher_weight=0.7"),
    ),
    Experiment(
        "taught by two large networks", (f"fit.teacher={ENSEMBLE}", "fit.teacher_weight=0.7")
    ),
    Experiment(
        "self-supervised start: which way is up",
        (f"fit.init_from={RUNS}/turned/model",),
        before=WARM_UP,
    ),
    # Random changes
    Experiment("no flip", without("flip")),
    Experiment(
        "no turn, shift, zoom and shear", without("rotation_deg", "shift", "zoom", "shear_deg")
    ),
    Experiment("no change of light", without("brightness", "contrast", "gamma")),
    Experiment("no blur, small faces and JPEG", without("blur", "jpeg")),
    Experiment("no erasing", without("erase")),
    # How it is learnt
    Experiment("no average of the weights", ("fit.ema=0.0",)),
    Experiment("sharpness-aware minimisation", script="-m research.sharpness_aware"),
    Experiment("twice as long", ("fit.epochs=20",)),
    Experiment("no cosine: the rate stays", ("fit.min_lr_ratio=1.0",)),
    # The network
    Experiment("no squeeze-and-excitation", ("net.settings.squeeze=0.0",)),
    Experiment("averages where resolution is halved", ("net.settings.antialias=true",)),
    Experiment(
        "deeper and narrower", ("net.settings.widths=[12, 24, 48]", "net.settings.blocks=[2, 3, 3]")
    ),
)


def train(experiment: Experiment, seed: int) -> Path:
    """Train one run, if it is not done yet; its model folder."""
    folder = ROOT / RUNS / f"{experiment.slug}-seed{seed}"
    if (folder / "model").is_dir():
        return folder / "model"
    for line in experiment.before:
        subprocess.run([sys.executable, *line.split()], check=True, cwd=ROOT)
    script = experiment.script.split() or ["-m", "emopy", "train"]
    line = [sys.executable, *script, RECIPE, "--out", str(folder)]
    for setting in (*settings_of(experiment), f"fit.seed={seed}"):
        line += ["--set", setting]
    subprocess.run(line, check=True, cwd=ROOT)
    return folder / "model"


def judge(model: Path, faces: Dataset) -> dict[str, float]:
    """Figures on faces that the network did not learn, with the same prior for every network.

    Class balance, smoothing and the like change how frequent the emotions were in training;
    each network is asked for the frequencies of the recipe as it is. The temperature is found on
    the same faces, one number on 2,500: what is compared is how well the networks tell emotions
    apart, not how sure they are.
    """
    first = EXPERIMENTS[0]
    card = load_model(ROOT / RUNS / f"{first.slug}-seed{first.seeds[0]}" / "model").card
    shares: dict[str, float] = card.training["label_prior"]
    calibrate(model, faces, prior=shares)
    learnt, even = (evaluate(model, faces, prior=prior) for prior in (shares, "uniform"))
    return {"accuracy": learnt.accuracy, "log_loss": learnt.log_loss, "even": even.macro_recall}


def settings_of(experiment: Experiment) -> tuple[str, ...]:
    """What `--set` is given: the shortening and the change, which has the last word."""
    changed = {setting.partition("=")[0] for setting in experiment.settings}
    short = tuple(setting for setting in SMALL if setting.partition("=")[0] not in changed)
    return (*short, *experiment.settings)


def table(results: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: each experiment's figures and what it gains over the recipe as it is."""
    names = [experiment.name for experiment in EXPERIMENTS if experiment.name in results]
    base = {key: _mean(results[EXPERIMENTS[0].name], key) for key in FIGURES}
    lines = [
        "| change | accuracy | gain | log loss | gain | recall, uniform prior | gain | typed |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for experiment in EXPERIMENTS:
        if experiment.name not in names:
            continue
        runs = results[experiment.name]
        cells = [experiment.name + (f", {len(runs)} seeds" if len(runs) > 1 else "")]
        for key in FIGURES:
            mean = _mean(runs, key)
            spread = f" ± {statistics.stdev(r[key] for r in runs):.4f}" if len(runs) > 1 else ""
            gain = base[key] - mean if key == "log_loss" else mean - base[key]
            first = experiment is EXPERIMENTS[0]
            cells += [f"{mean:.4f}{spread}", "" if first else f"{gain:+.4f}"]
        lines.append(f"| {' | '.join(cells)} | {_typed(experiment)} |")
    return "\n".join(lines)


def _typed(experiment: Experiment) -> str:
    """What is typed for it beside what is typed for all."""
    typed = " ".join(f"--set {shlex.quote(setting)}" for setting in experiment.settings)
    splits = [f"`{typed}`" if typed else ""]
    splits += [
        f"`python {experiment.script}` in place of `emopy train`" if experiment.script else ""
    ]
    splits += [f"first: `python {line}`" for line in experiment.before]
    return "<br>".join(filter(None, splits))


def _mean(runs: list[dict[str, float]], key: str) -> float:
    return statistics.fmean(run[key] for run in runs)


def main() -> None:
    """Train what is not trained yet, judge all of it, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.parse_args()
    faces = load_dataset(ROOT / "local" / "ferplus" / "calibration.npz")
    results: dict[str, list[dict[str, float]]] = {}
    for experiment in EXPERIMENTS:
        for seed in experiment.seeds:
            figures = judge(train(experiment, seed), faces)
            results.setdefault(experiment.name, []).append(figures)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            print(experiment.name, seed, figures, flush=True)
            write_between(PAGE, MARKS, table(results))


if __name__ == "__main__":
    main()
