"""The bundled models, from the prepared faces to their cards: one command.

    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus
    python -m research.flagship [emopy-base] [emopy-tiny] [--seeds 3] [--bundle]

Trains what is not trained yet (hours; it can be stopped and started again), joins, calibrates and
shrinks it, judges every model on the faces of `valid`, and writes figures, spread over the seeds
and accuracy under corruptions into the card of the one that is delivered.
docs/training.md gets the table and the image. `--bundle` puts the delivered model into the
package; type `make docs` after it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.inference import one_crop
from benchmarks.report import write_between
from benchmarks.timing import alternate, ratios
from emopy.data import load_dataset
from emopy.evaluate import evaluate, record
from emopy.evaluate.metrics import expected_calibration_error
from emopy.models import load_model, write_model_folder
from emopy.models.card import NETWORK_FILE, WEIGHTS_FILE
from emopy.models.store import read_golden
from research import ROOT
from research.corruptions import CORRUPTIONS, corrupted

PAGE = ROOT / "docs" / "training.md"
IMAGE = ROOT / "docs" / "pictures" / "reliability.png"
RESULTS = Path(__file__).parent / "results" / "flagship.json"
BUNDLED = ROOT / "src" / "emopy" / "models" / "bundled"
MARKS = "<!-- flagship -->", "<!-- /flagship -->"
DATA = "local/ferplus"
MEASURED_ON = "FER+ valid, official majority rule"


@dataclass(frozen=True)
class Flagship:
    """A bundled model.

    Attributes:
        recipe: How it is trained.
        runs: Its run folders, but for the seed at their end.
        members: Networks that answer together; their seeds follow each other.
        trainable: Whether the network to learn on from goes into the package too.
        delivered: Which of the finished models goes into the package: the first, unless another
            one is clearly better on the faces for calibration.
        targets: The least of each figure that is wanted, or the most of those in `LOW`.
    """

    recipe: str
    runs: str
    members: int
    trainable: bool
    delivered: int
    targets: Mapping[str, float]


MODELS = {
    "emopy-base": Flagship(
        "recipes/emopy-base.toml",
        "runs/base-s",
        members=2,
        trainable=True,
        delivered=0,
        targets={
            "accuracy": 0.885,
            "macro F1": 0.80,
            "expected calibration error": 0.015,
            "accuracy at 80 % coverage": 0.95,
            "macro recall, uniform prior": 0.78,
            "MB": 5.0,
        },
    ),
    "emopy-tiny": Flagship(
        "recipes/emopy-tiny.toml",
        "runs/tiny-s",
        members=1,
        trainable=False,
        delivered=1,
        targets={
            "accuracy": 0.865,
            "macro F1": 0.75,
            "expected calibration error": 0.02,
            "accuracy at 80 % coverage": 0.93,
            "macro recall, uniform prior": 0.74,
            "MB": 0.5,
        },
    ),
}
MOST_LOST = 0.005
CHANCE = "calibration error by chance"
AT_WHAT_COST = "accuracy, uniform prior"
TIME = "time"
LOW = ("expected calibration error", "MB")
SINGLE, JOINED, DELIVERED = "one network, 32-bit", "two joined, 32-bit", "as delivered, 8-bit"

Results = dict[str, dict[str, list[dict[str, float]]]]


def emopy(line: str) -> None:
    """Type a command."""
    print(f"emopy {line}", flush=True)
    subprocess.run([sys.executable, "-m", "emopy", *line.split()], check=True, cwd=ROOT)


def make(name: str, seeds: int) -> dict[str, list[Path]]:
    """Train, join, calibrate and shrink; trainings that are done take no time.

    Returns:
        The model folders of each form, by the words that the table has for it.
    """
    how = MODELS[name]
    if seeds < how.members:
        raise SystemExit(f"{name} joins {how.members} networks: --seeds {how.members} or more")
    for seed in range(seeds):
        emopy(f"train {how.recipe} --set fit.seed={seed} --out {how.runs}{seed}")
    made = {SINGLE: [f"{how.runs}{seed}/model" for seed in range(seeds)]}
    if how.members > 1:
        # Each network is in several groups: the spread is a little too small.
        starts = range(seeds) if seeds > how.members else range(1)
        groups = [[(start + i) % seeds for i in range(how.members)] for start in starts]
        made[JOINED] = []
        for group in groups:
            made[JOINED].append(f"runs/joined/{name}-{'-'.join(map(str, group))}")
            members = " ".join(made[SINGLE][seed] for seed in group)
            emopy(f"models ensemble {members} --out {made[JOINED][-1]} --name {name}")
    made[DELIVERED] = []
    for place, model in enumerate(made[JOINED if how.members > 1 else SINGLE]):
        made[DELIVERED].append(f"runs/small/{name}-{place}")
        emopy(f"models quantize {model} {DATA}/train.npz --out {made[DELIVERED][-1]}")
    for model in chain(*made.values()):
        emopy(f"calibrate {model} {DATA}/calibration.npz")
    return {words: [ROOT / model for model in models] for words, models in made.items()}


def check_integers(made: dict[str, list[Path]]) -> None:
    """Refuse 8-bit models that lose more than half a point of accuracy."""
    faces = load_dataset(ROOT / DATA / "calibration.npz")
    for before, after in zip(made.get(JOINED, made[SINGLE]), made[DELIVERED], strict=True):
        lost = evaluate(before, faces).accuracy - evaluate(after, faces).accuracy
        if lost > MOST_LOST:
            raise SystemExit(f"{after} loses {100 * lost:.1f} points of accuracy: not delivered")


def judge(model: Path) -> dict[str, float]:
    """The figures that have targets, on the faces of `valid`."""
    faces = load_dataset(ROOT / DATA / "validation.npz")
    learnt = evaluate(model, faces)
    even = evaluate(model, faces, prior="uniform")
    return {
        "accuracy": learnt.accuracy,
        "macro F1": learnt.macro_f1,
        "expected calibration error": learnt.ece,
        "accuracy at 80 % coverage": learnt.accuracy_at_coverage[0.8],
        "macro recall, uniform prior": even.macro_recall,
        AT_WHAT_COST: even.accuracy,
        CHANCE: chance_error(learnt.predictions.proba),
        "MB": (model / WEIGHTS_FILE).stat().st_size / 1e6,
    }


def chance_error(probabilities: NDArray[np.float32], draws: int = 20) -> float:
    """Calibration error that would be measured if the probabilities were exactly right."""
    rng, rising = np.random.default_rng(0), probabilities.astype(np.float64).cumsum(axis=1)
    truths = [(rng.random((len(rising), 1)) > rising[:, :-1]).sum(axis=1) for _ in range(draws)]
    errors = [expected_calibration_error(probabilities, truth) for truth in truths]
    return statistics.fmean(errors)


def relative_times(made: Mapping[str, list[Path]]) -> dict[str, float]:
    """How long each form takes for one crop on one thread, as a share of the delivered one."""
    sides = {words: one_crop(models[0]) for words, models in made.items()}
    alternate(sides, 2)  # the first runs set up memory
    values = alternate(sides, 20)
    return {words: ratios(taken, values[DELIVERED]).median for words, taken in values.items()}


def write_card(model: Path, seeds: list[dict[str, float]]) -> None:
    """Write figures, spread (this model's first) and accuracy under corruptions into a card."""
    faces = load_dataset(ROOT / DATA / "validation.npz")
    corruptions = {
        name: evaluate(model, corrupted(faces, change)).accuracy
        for name, change in CORRUPTIONS.items()
    }
    measured = [figure for figure in seeds[0] if figure not in ("MB", TIME, CHANCE)]
    spread = {figure: [found[figure] for found in seeds] for figure in measured}
    spread = spread if len(seeds) > 1 else None
    record(model, MEASURED_ON, evaluate(model, faces), seeds=spread, corruptions=corruptions)
    for prior in ("tempered", "uniform"):
        report = evaluate(model, faces, prior=prior)
        record(model, f"{MEASURED_ON}, {prior} prior", report)
    report = evaluate(model, faces, labels="standard", prior="tempered")
    record(model, f"{MEASURED_ON}, seven emotions, tempered prior", report)


def table(results: Results) -> str:
    """Markdown: mean ± spread of each form of each model, and the targets."""
    *rates, size = next(iter(MODELS.values())).targets
    figures = [*rates, AT_WHAT_COST, size, TIME]
    lines = [
        f"| model | trainings | {' | '.join(figures)} |",
        "|---|---:|" + "---:|" * len(figures),
    ]
    for name, forms in results.items():
        for form, seeds in forms.items():
            cells = [_cell(figure, [s[figure] for s in seeds if figure in s]) for figure in figures]
            lines.append(f"| {name}, {form} | {len(seeds)} | {' | '.join(cells)} |")
        delivered = forms[DELIVERED]
        wanted = [_target(name, figure, delivered) for figure in figures]
        lines.append(f"| target | | {' | '.join(wanted)} |")
    chance = ", ".join(
        f"{name} {statistics.fmean(s[CHANCE] for s in forms[DELIVERED]):.3f}"
        for name, forms in results.items()
        if CHANCE in forms[DELIVERED][0]
    )
    lines += [
        "",
        "Time: one crop, one thread, as a multiple of what the delivered form of the same model "
        "takes; [performance.md](performance.md) has it beside `fer`'s. On so few faces even "
        "exactly right probabilities would be measured with a calibration error, on average "
        f"{chance}.",
    ]
    return "\n".join(lines)


def _cell(figure: str, values: list[float]) -> str:
    if not values:
        return "–"
    mean = statistics.fmean(values)
    if figure in ("MB", TIME):
        return f"{mean:.2f}"
    if len(values) < 2:
        return f"{mean:.3f}"
    return f"{mean:.3f} ± {statistics.stdev(values):.3f}"


def _target(name: str, figure: str, seeds: list[dict[str, float]]) -> str:
    if figure not in MODELS[name].targets:
        return ""
    wanted, found = MODELS[name].targets[figure], statistics.fmean(s[figure] for s in seeds)
    met = found <= wanted if figure in LOW else found >= wanted
    return f"{'≤' if figure in LOW else '≥'} {wanted:g}, {'met' if met else 'missed'}"


def draw_reliability(models: Mapping[str, Path]) -> None:
    """One panel per model: how often answers of each confidence are right."""
    from matplotlib.figure import Figure

    faces = load_dataset(ROOT / DATA / "validation.npz")
    figure = Figure(figsize=(4.2 * len(models), 4), layout="constrained")
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for axes, (name, model) in zip(panels, models.items(), strict=True):
        report = evaluate(model, faces)
        found = report.predictions.reliability_diagram()
        known = found.samples > 0
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        sizes = 4 + 200 * found.samples[known] / found.samples.max()
        axes.scatter(found.confidence[known], found.accuracy[known], s=sizes, color="#2a6f97")
        title = f"{name}: calibration error {100 * report.ece:.1f} %"
        axes.set(title=title, xlabel="confidence: what it says", ylabel="share that is right")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
        axes.grid(alpha=0.3)
    figure.savefig(IMAGE, dpi=110)


def bundle(name: str, model: Path) -> None:
    """Put a model into the package."""
    golden = read_golden(model)
    write_model_folder(
        BUNDLED / name,
        card=load_model(model).card,
        weights=(model / WEIGHTS_FILE).read_bytes(),
        golden_crops=golden.crops,
        golden_logits=golden.logits,
        network=model / NETWORK_FILE if MODELS[name].trainable else None,
    )


def main() -> None:
    """Make, judge and write down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bundle", action="store_true")
    options = parser.parse_args()
    results: Results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in options.models:
        made = make(name, options.seeds)
        check_integers(made)
        times = relative_times(made)
        results[name] = {
            words: [{**judge(model), TIME: times[words]} for model in models]
            for words, models in made.items()
        }
        place = min(MODELS[name].delivered, len(made[DELIVERED]) - 1)
        delivered, judged = made[DELIVERED][place], results[name][DELIVERED]
        write_card(delivered, [judged[place], *judged[:place], *judged[place + 1 :]])
        if options.bundle:
            bundle(name, delivered)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        write_between(PAGE, MARKS, table(results))
    small = ROOT / "runs" / "small"
    delivered = {name: small / f"{name}-{how.delivered}" for name, how in MODELS.items()}
    draw_reliability({name: model for name, model in delivered.items() if model.exists()})


if __name__ == "__main__":
    main()
