"""Train, evaluate and document the bundled models, from the prepared faces to their cards.

    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus
    emopy data prepare ferplus fer2013.csv fer2013new.csv local/ferplus-spread --unknown spread
    python -m research.flagship [emopy-base] [emopy-tiny] [--seeds 3] [--torch]
        [--elsewhere FOLDER] [--before FOLDER] [--bundle]

Trains what is not trained yet (hours; rerun to resume; `--torch`: with `research.torch_training`),
builds ensembles, quantizes, calibrates and evaluates them, and writes metrics, spread over the
seeds and accuracy under corruptions into the card of the bundled one, and docs/training.md.
`--elsewhere` measures the models on other collections, for evaluation only: a folder with
`rafdb`, `ck48` and `jaffe`, each with one folder per emotion. `--before` is a folder with the
bundled models of the version before, whose time for a crop is the unit; without it, they are those
of the package. `--bundle` copies the models into the package; run `make docs` and
`python scripts/write_images.py` after it.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.inference import one_crop
from benchmarks.timing import alternate, ratios
from emopy.data import Dataset, load_dataset, open_data
from emopy.evaluate import Report, evaluate, record
from emopy.evaluate.metrics import expected_calibration_error
from emopy.models import load_model, update_card, write_model_folder
from emopy.models.card import NETWORK_FILE, WEIGHTS_FILE
from emopy.models.store import read_golden
from emopy.tables import markdown_table
from emopy.train.recipe import load_recipe
from research import (
    FERPLUS,
    ROOT,
    mean_and_spread,
    options_of,
    read_results,
    run_module,
    write_results,
)
from research.corruptions import CORRUPTIONS, corrupted

PACKAGE_MODELS = ROOT / "src" / "emopy" / "models" / "bundled"
MEASURED_ON = "FER+ valid, official majority rule"


@dataclass(frozen=True)
class Network:
    """A network of a bundled model: recipe, what differs from it, run folders without the seed.

    `form` names it in the table. `one_seed`: it is trained once, with seed 0, and is in every
    ensemble.
    """

    form: str
    recipe: str
    runs: str
    settings: tuple[str, ...] = ()
    one_seed: bool = False


@dataclass(frozen=True)
class Flagship:
    """A bundled model: its networks and its targets.

    The first network gives the texts of the card; an ensemble adds `data` to its training data.
    `trainable` is whether that network goes into the package too, as a Keras network. Targets are
    lowest values; highest ones for `LOWER_IS_BETTER`.
    """

    networks: tuple[Network, ...]
    trainable: bool
    targets: Mapping[str, float]
    data: str = ""


ACCURACY, TWO_VIEWS, MACRO_F1 = "accuracy", "accuracy, two views", "macro F1"
BALANCED = "balanced accuracy, uniform prior"
UNIFORM_ACCURACY = "accuracy, uniform prior"
ECE, ECE_AS_CALLED = "expected calibration error", "expected calibration error, as `FERModel()`"
ECE_OF_EXACT = "ECE of exact probabilities"
COVERED = "accuracy at 80 % coverage"
SIZE, TIME = "MB", "time of one crop, version before = 1"
COLLECTIONS = {"rafdb": "RAF-DB", "ck48": "CK+", "jaffe": "JAFFE"}
"""Folder → name of a collection for evaluation only."""
ELSEWHERE = {
    folder: f"{name}, uniform prior (evaluation only)" for folder, name in COLLECTIONS.items()
}
"""Folder → row of the table: the accuracy on a collection."""

METRICS = (
    *(ACCURACY, TWO_VIEWS, MACRO_F1, BALANCED, UNIFORM_ACCURACY, ECE, ECE_AS_CALLED, COVERED),
    *(*ELSEWHERE.values(), SIZE, TIME),
)
"""Rows of the table, in this order."""

FROM_VOTES = Network("from votes, float32", "emopy-base", "runs/base-votes-s", one_seed=True)
DISTILLED = Network(
    "distilled, float32",
    "emopy-tiny",
    "runs/base-s",
    ("net.settings.widths=[32,64,128]", "fit.weight_decay=0.02"),
)
TWO_NETWORKS = """The model is an ensemble of two networks, both trained from random weights: one \
on these votes, which is the first network of emopy-base 3; the other by knowledge distillation on \
the same faces and 129 more, with the votes left for "unknown" and "not a face" of every face \
spread evenly over the eight emotions. Each of its targets is 0.3 times the votes plus 0.7 times \
the mean prediction of a teacher for the augmented face and its mirror image. The teacher is five \
networks trained on votes for the same faces: the two of emopy-base 3, a wider one, a deeper one, \
and a wider one with anti-aliased downsampling."""

MODELS = {
    "emopy-base": Flagship(
        (FROM_VOTES, DISTILLED),
        trainable=True,
        data=TWO_NETWORKS,
        targets={
            ACCURACY: 0.883,
            TWO_VIEWS: 0.89,
            BALANCED: 0.86,
            ECE: 0.012,
            ECE_AS_CALLED: 0.018,
            COVERED: 0.955,
            ELSEWHERE["rafdb"]: 0.75,
            ELSEWHERE["ck48"]: 0.87,
            ELSEWHERE["jaffe"]: 0.52,
            SIZE: 3.0,
            TIME: 0.8,
        },
    ),
    "emopy-tiny": Flagship(
        (Network("one network, float32", "emopy-tiny", "runs/tiny-s"),),
        trainable=False,
        targets={
            ACCURACY: 0.865,
            TWO_VIEWS: 0.872,
            BALANCED: 0.82,
            ECE: 0.015,
            ECE_AS_CALLED: 0.02,
            COVERED: 0.94,
            ELSEWHERE["rafdb"]: 0.72,
            ELSEWHERE["ck48"]: 0.84,
            ELSEWHERE["jaffe"]: 0.48,
            SIZE: 0.5,
            TIME: 0.8,
        },
    ),
}
MAX_ACCURACY_LOSS = 0.003
"""Largest difference of accuracy that quantization may cost."""

LOWER_IS_BETTER = (ECE, ECE_AS_CALLED, SIZE, TIME)
ENSEMBLE, BUNDLED = "both, float32", "bundled, int8"

Results = dict[str, dict[str, list[dict[str, float]]]]


def make(name: str, seeds: int, *, torch: bool = False) -> dict[str, list[Path]]:
    """Train, build ensembles, quantize and calibrate; finished trainings are not repeated.

    Args:
        name: Key of `MODELS`.
        seeds: Trainings of each network.
        torch: Train them with `research.torch_training`.

    Returns: Name of a form in the table → its model folders.
    """
    networks, more = MODELS[name].networks, MODELS[name].data
    made = {each.form: train(each, seeds, torch=torch) for each in networks}
    singles = list(made.values())
    if len(networks) > 1:
        made[ENSEMBLE] = [f"runs/ensembles/{name}-{seed}" for seed in range(seeds)]
        for seed, out in enumerate(made[ENSEMBLE]):
            members = [models[min(seed, len(models) - 1)] for models in singles]
            run_module("emopy", "models", "ensemble", *members, "--out", out)
            update_card(ROOT / out, lambda card: card.changed(data=f"{card.data} {more}"))
    float_models = made.get(ENSEMBLE, singles[0])
    made[BUNDLED] = [f"runs/quantized/{name}-{number}" for number in range(seeds)]
    for model, out in zip(float_models, made[BUNDLED], strict=True):
        run_module("emopy", "models", "quantize", model, f"{FERPLUS}/train.npz", "--out", out)
    for model in chain(*made.values()):
        run_module("emopy", "calibrate", model, f"{FERPLUS}/calibration.npz")
    return {form: [ROOT / model for model in models] for form, models in made.items()}


def train(network: Network, seeds: int, *, torch: bool) -> list[str]:
    """Train a network with each seed, or with seed 0 only; return its model folders."""
    trainer = ("research.torch_training",) if torch else ("emopy", "train")
    runs = [f"{network.runs}{seed}" for seed in range(1 if network.one_seed else seeds)]
    for seed, run in enumerate(runs):
        settings = options_of((*network.settings, f"fit.seed={seed}"))
        run_module(*trainer, network.recipe, *settings, "--out", run)
    return [f"{run}/model" for run in runs]


def check_quantization(made: dict[str, list[Path]]) -> None:
    """Refuse int8 models that lose more than 0.3 points of accuracy."""
    faces = load_dataset(ROOT / FERPLUS / "calibration.npz")
    *_, float_models, bundled = made.values()
    for before, after in zip(float_models, bundled, strict=True):
        loss = evaluate(before, faces).accuracy - evaluate(after, faces).accuracy
        if loss > MAX_ACCURACY_LOSS:
            raise SystemExit(f"{after} loses {100 * loss:.1f} points of accuracy")


def metrics_of(model: Path, elsewhere: Path | None = None) -> dict[str, float]:
    """Metrics of a model on the faces of `valid`, and on those of other collections."""
    faces = load_dataset(ROOT / FERPLUS / "validation.npz")
    training = evaluate(model, faces)
    uniform = evaluate(model, faces, prior="uniform")
    found = {
        ACCURACY: training.accuracy,
        TWO_VIEWS: evaluate(model, faces, views=2).accuracy,
        MACRO_F1: training.macro_f1,
        BALANCED: uniform.macro_recall,
        UNIFORM_ACCURACY: uniform.accuracy,
        ECE: training.ece,
        ECE_AS_CALLED: evaluate(model, faces, labels="standard", prior="tempered").ece,
        COVERED: training.accuracy_at_coverage[0.8],
        ECE_OF_EXACT: ece_of_exact(training.predictions.proba),
        SIZE: (model / WEIGHTS_FILE).stat().st_size / 1e6,
    }
    for part, report in reports_elsewhere(model, elsewhere).items():
        found[ELSEWHERE[part]] = report.accuracy
    return found


def reports_elsewhere(
    model: Path, folder: Path | None, *, prior: str = "uniform"
) -> dict[str, Report]:
    """Reports on the collections in a folder, by part.

    The model predicts among the emotions of the collection: seven, on CK+ six without neutral.
    """
    if folder is None:
        return {}
    return {
        part: evaluate(model, _collection(folder / part), labels="standard", prior=prior)
        for part in COLLECTIONS
    }


@cache
def _collection(folder: Path) -> Dataset:
    return open_data(folder, size=(48, 48))


def ece_of_exact(probabilities: NDArray[np.float32], draws: int = 20) -> float:
    """Expected calibration error that so few faces give if the probabilities are exact."""
    rng, cumulative = np.random.default_rng(0), probabilities.astype(np.float64).cumsum(axis=1)
    drawn = (rng.random((len(cumulative), 1)) > cumulative[:, :-1] for _ in range(draws))
    return statistics.fmean(
        expected_calibration_error(probabilities, each.sum(axis=1)) for each in drawn
    )


def relative_times(made: Mapping[str, list[Path]], unit: Path) -> dict[str, float]:
    """Time of each form for one crop on one thread, as a multiple of that of another model."""
    sides = {"unit": one_crop(unit), **{form: one_crop(models[0]) for form, models in made.items()}}
    alternate(sides, 2)  # the first runs set up memory
    values = alternate(sides, 20)
    return {form: ratios(values[form], values["unit"]).median for form in made}


def write_card(model: Path, seeds: list[dict[str, float]], elsewhere: Path | None) -> None:
    """Write figures, spread (this model's first) and accuracy under corruptions into a card."""
    faces = load_dataset(ROOT / FERPLUS / "validation.npz")
    corruptions = {
        name: evaluate(model, corrupted(faces, change)).accuracy
        for name, change in CORRUPTIONS.items()
    }
    measured = [figure for figure in METRICS if figure in seeds[0] and figure not in (SIZE, TIME)]
    spread = {figure: [found[figure] for found in seeds] for figure in measured}
    spread = spread if len(seeds) > 1 else None
    # Collections first: `emopy models list` shows the last evaluation.
    for part, report in reports_elsewhere(model, elsewhere).items():
        record(model, f"{COLLECTIONS[part]}, for evaluation only, uniform prior", report)
    record(model, MEASURED_ON, evaluate(model, faces), seeds=spread, corruptions=corruptions)
    for prior in ("tempered", "uniform"):
        report = evaluate(model, faces, prior=prior)
        record(model, f"{MEASURED_ON}, {prior} prior", report)
    record(model, f"{MEASURED_ON}, two views", evaluate(model, faces, views=2))
    report = evaluate(model, faces, labels="standard", prior="tempered")
    record(model, f"{MEASURED_ON}, seven emotions, tempered prior", report)


def best_on_calibration(models: list[Path]) -> int:
    """Index of the model with the least log loss on the faces for calibration."""
    faces = load_dataset(ROOT / FERPLUS / "calibration.npz")
    return int(np.argmin([evaluate(model, faces).log_loss for model in models]))


def table(results: Results) -> str:
    """Markdown: a table per model, mean ± spread of each metric and form, and the targets."""
    texts: list[str] = []
    for name, forms in results.items():
        rows = [
            [metric, *(_cell(metric, s) for s in forms.values()), _target(name, metric, forms)]
            for metric in METRICS
            if metric in forms[BUNDLED][0]
        ]
        trainings = sum(len(s) for form, s in forms.items() if form not in (ENSEMBLE, BUNDLED))
        header = [f"`{name}`, {trainings} trainings", *forms, "target (bundled)"]
        texts.append(markdown_table(header, rows))
    exact = ", ".join(
        f"{name} {statistics.fmean(s[ECE_OF_EXACT] for s in forms[BUNDLED]):.3f}"
        for name, forms in results.items()
    )
    texts.append(
        "Time: one crop, one thread, as a multiple of what the bundled model of the version before "
        "takes; [performance.md](performance.md) compares it with `fer`. On so few faces even "
        f"exact probabilities have an expected calibration error, on average {exact}."
    )
    return "\n\n".join(texts)


def _cell(metric: str, seeds: list[dict[str, float]]) -> str:
    values = [found[metric] for found in seeds]
    if metric in (SIZE, TIME):
        return f"{statistics.fmean(values):.2f}"
    return mean_and_spread(values)


def _target(name: str, figure: str, forms: dict[str, list[dict[str, float]]]) -> str:
    wanted = MODELS[name].targets.get(figure)
    if wanted is None:
        return ""
    found, lower = statistics.fmean(s[figure] for s in forms[BUNDLED]), figure in LOWER_IS_BETTER
    met = found <= wanted if lower else found >= wanted
    return f"{'≤' if lower else '≥'} {wanted:g}, {'met' if met else 'missed'}"


def check_before(name: str, folder: Path) -> None:
    """Refuse a unit of time that is not an earlier version of the model."""
    version = load_recipe(MODELS[name].networks[0].recipe).card.version
    if load_model(folder / name).card.version == version:
        raise SystemExit(
            f"{folder / name} is version {version} too. Give --before a folder with the bundled "
            "models of the version before."
        )


def bundle(name: str, model: Path) -> None:
    """Copy a model into the package."""
    golden = read_golden(model)
    write_model_folder(
        PACKAGE_MODELS / name,
        card=load_model(model).card,
        weights=(model / WEIGHTS_FILE).read_bytes(),
        golden_crops=golden.crops,
        golden_logits=golden.logits,
        network=model / NETWORK_FILE if MODELS[name].trainable else None,
    )


def main() -> None:
    """Train, evaluate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", choices=MODELS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--torch", action="store_true")
    parser.add_argument("--elsewhere", type=Path, metavar="FOLDER")
    parser.add_argument("--before", type=Path, default=PACKAGE_MODELS, metavar="FOLDER")
    parser.add_argument("--bundle", action="store_true")
    options = parser.parse_args()
    models = options.models or list(MODELS)
    for name in models:
        check_before(name, options.before)
    if options.elsewhere and not all((options.elsewhere / part).is_dir() for part in COLLECTIONS):
        parser.error(f"--elsewhere must hold {', '.join(COLLECTIONS)}")
    results: Results = read_results("flagship")
    for name in models:
        made = make(name, options.seeds, torch=options.torch)
        check_quantization(made)
        times = relative_times(made, options.before / name)
        results[name] = {
            form: [{**metrics_of(model, options.elsewhere), TIME: times[form]} for model in models]
            for form, models in made.items()
        }
        chosen, measured = best_on_calibration(made[BUNDLED]), results[name][BUNDLED]
        model = made[BUNDLED][chosen]
        others = [*measured[:chosen], *measured[chosen + 1 :]]
        write_card(model, [measured[chosen], *others], options.elsewhere)
        if options.bundle:
            bundle(name, model)
        write_results("flagship", results, "training.md", table(results))


if __name__ == "__main__":
    main()
