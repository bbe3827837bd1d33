"""What each ingredient of the training is worth: one change at a time, on a small network.

    python benchmarks/experiments.py local/ferplus

Each training is a run folder under `runs/experiments`, made by `emopy train` and skipped when the
command is typed again. docs/training.md gets the table, with the settings of each run. All are
judged on the faces for calibration: those of `valid` stay unseen until a model is done.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from emopy.data import Dataset, load_dataset
from emopy.evaluate import calibrate, evaluate

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "experiments.json"
PAGE = ROOT / "docs" / "training.md"
START, END = "<!-- experiments -->", "<!-- /experiments -->"

RECIPE = "recipes/emopy-base.toml"
SMALL = ("net.settings.widths=[16, 32, 64]", "fit.epochs=15", "fit.ema=0.99")
"""What makes all of them short: a quarter of the network, three eighths of the epochs."""

FIGURES = ("accuracy", "log_loss", "even")


@dataclass(frozen=True)
class Experiment:
    """One change of the recipe.

    Attributes:
        name: What is changed, in words.
        settings: What `emopy train --set` is given.
        seeds: A training for each.
    """

    name: str
    settings: tuple[str, ...] = ()
    seeds: tuple[int, ...] = field(default=(0,))

    @property
    def slug(self) -> str:
        """Name of its run folders, without the seed."""
        return "".join(c if c.isalnum() else "-" for c in self.name.lower()).strip("-")


GEOMETRY = ("rotation_deg", "shift", "zoom", "shear_deg")
LIGHT = ("brightness", "contrast", "gamma")

EXPERIMENTS = (
    Experiment("as it is", seeds=(0, 1, 2)),
    Experiment("no average of the weights", ("fit.ema=0.0",)),
    Experiment("no squeeze-and-excitation", ("net.settings.squeeze=0.0",)),
    Experiment("class balance 0.5", ("fit.balance=0.5",)),
    Experiment("logit adjustment 1", ("fit.logit_adjustment=1.0",)),
    Experiment("mixup 0.2", ("fit.mixup=0.2",)),
    Experiment("label smoothing 0.1", ("fit.label_smoothing=0.1",)),
    Experiment("taught by emopy-base", ('fit.teacher=["emopy-base"]', "fit.teacher_weight=0.7")),
    Experiment("no flip", ("augment.flip=0.0",)),
    Experiment("no geometry", tuple(f"augment.{name}=0.0" for name in GEOMETRY)),
    Experiment("no change of light", tuple(f"augment.{name}=0.0" for name in LIGHT)),
    Experiment("no erasing", ("augment.erase=0.0",)),
    Experiment("no blur and noise", ("augment.blur=0.0", "augment.noise=0.0")),
    Experiment("JPEG as well", ("augment.jpeg=0.2",)),
    Experiment("twice as long", ("fit.epochs=30",)),
    Experiment(
        "deeper and narrower", ("net.settings.widths=[12, 24, 48]", "net.settings.blocks=[2, 3, 3]")
    ),
)


def measure(experiment: Experiment, seed: int, data: Path, faces: Dataset) -> dict[str, float]:
    """Train one run and judge it on faces that it did not learn.

    The temperature is found on the same faces, one number on 2,500: what is compared is how
    well the networks tell emotions apart, not how sure they are.
    """
    folder = ROOT / "runs" / "experiments" / f"{experiment.slug}-seed{seed}"
    line = [sys.executable, "-m", "emopy", "train", RECIPE, "--out", str(folder)]
    for setting in (f"data.train={data}/train.npz", *settings_of(experiment), f"fit.seed={seed}"):
        line += ["--set", setting]
    subprocess.run(line, check=True, cwd=ROOT)
    calibrate(folder / "model", faces)
    learnt, even = (
        evaluate(folder / "model", faces, prior=prior) for prior in ("training", "uniform")
    )
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
        "| change | accuracy | gain | log loss | gain | recall, uniform prior | gain | settings |",
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
        changes = " ".join(f"`{setting}`" for setting in experiment.settings)
        lines.append(f"| {' | '.join(cells)} | {changes} |")
    return "\n".join(lines)


def _mean(runs: list[dict[str, float]], key: str) -> float:
    return statistics.fmean(run[key] for run in runs)


def main() -> None:
    """Measure what is not measured yet, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with train.npz and calibration.npz")
    data = parser.parse_args().data.resolve()
    faces = load_dataset(data / "calibration.npz")
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for experiment in EXPERIMENTS:
        for seed in experiment.seeds[len(results.get(experiment.name, [])) :]:
            figures = measure(experiment, seed, data, faces)
            results.setdefault(experiment.name, []).append(figures)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            print(experiment.name, seed, figures, flush=True)
            page = PAGE.read_text(encoding="utf-8")
            head, tail = page.split(START)[0], page.split(END)[1]
            PAGE.write_text(f"{head}{START}\n{table(results)}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
