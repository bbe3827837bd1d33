"""How faithful, stable and fast explanation maps are, and whether they follow the model.

    python -m research.explanations [--only faithfulness] [--data FACES.npz]

Needs `pip install -e '.[test,bench]'` and labeled faces. Writes results/explanations.json and
docs/explanations.md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from benchmarks.runner import Measurement, run
from emopy import FERModel
from emopy.data import load_dataset
from emopy.explain import explain_crop
from emopy.explain.masks import GRID, RISE_MASKS, make_masks, rise_masks
from emopy.explain.perturbation import log_odds, masked_log_odds, mean_falls, slopes
from emopy.models import OnnxSession, load_model, to_tensor, write_model_folder
from emopy.models.store import read_golden
from research import RESULTS, ROOT

FACES = 100
STABILITY_FACES = RANDOMIZED_FACES = 40
SHUFFLES = 4
STEPS = 16
BLUR_PX = 4.0
"""Standard deviation of the blurred face from which insertion starts, pixels."""

RESAMPLES = 2000
COUNTS = (RISE_MASKS // 2, RISE_MASKS, 2 * RISE_MASKS)
METHODS = (*(f"RISE, {count} masks" for count in COUNTS), "occlusion")
DEFAULT = METHODS[1]
CONTROL = "random patches"
TOP = 0.2
"""Proportion of the pixels that are compared between seeds."""

Crop = NDArray[np.uint8]
Array = NDArray[np.floating[Any]]


class Curves(NamedTuple):
    """Area under the curve of the probability while pixels are deleted or inserted, 0–1."""

    deletion: float
    insertion: float


# Maps


def explained(model: FERModel, crop: Crop, label: str, seed: int) -> dict[str, Array]:
    """Maps of one label: RISE with some and with all of its masks, and occlusion."""
    (prediction,) = model.predict_faces(crop[np.newaxis])
    column = prediction.labels.index(label)
    height, width = crop.shape[:2]
    masks = rise_masks(height, width, np.random.default_rng(seed), count=COUNTS[-1])
    scores = masked_log_odds(crop, masks, model.predict_faces)[:, column : column + 1]
    maps: dict[str, Array] = {
        name: slopes(masks[:count], scores[:count])[0]
        for name, count in zip(METHODS, COUNTS, strict=False)
    }
    masks = make_masks(height, width, method="occlusion", seed=seed)
    scores = masked_log_odds(crop, masks, model.predict_faces)
    falls = (log_odds(prediction.probabilities) - scores)[:, column : column + 1]
    maps["occlusion"] = mean_falls(masks, falls)[0]
    return maps


def controls(crop: Crop, another: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Maps that do not depend on the model, or not on this face."""
    height, width = crop.shape[:2]
    patches = cv2.resize(rng.random((GRID, GRID)), (width, height), interpolation=cv2.INTER_LINEAR)
    rows, columns = np.mgrid[:height, :width]
    center = -np.hypot(rows - (height - 1) / 2, columns - (width - 1) / 2)
    return {
        "RISE of another face": another,
        "distance to the center": center.astype(np.float64),
        CONTROL: np.asarray(patches, np.float64),
        "random pixels": rng.random((height, width)),
    }


# Faithfulness


def faithfulness(settings: Settings) -> Section:
    """Delete and insert the pixels in the order of each map."""
    model = FERModel(model=settings.model)
    found: dict[str, list[Curves]] = {}
    for crop, label, maps in _maps_of_faces(model, _crops(settings, FACES)):
        for name, each in maps.items():
            found.setdefault(name, []).append(_curves(model, crop, label, each))
    curves = {name: np.array(each) for name, each in found.items()}
    count = len(curves[CONTROL])
    ahead = curves[DEFAULT] - curves["occlusion"]
    return Section(
        title="Deletion and insertion",
        how=(
            "The pixels of a face are hidden in the order of a map, the highest first (deletion), "
            "or shown one after the other on a blurred face (insertion), in "
            f"{STEPS} steps. The area under the curve of the probability of the predicted emotion "
            "is small for deletion and large for insertion if a map is faithful (Petsiuk et al. "
            f"2018). {count} faces of FER+ `valid`, chosen by seed, each with all maps. Deleted "
            "pixels have the mean gray level of the training faces. The last columns are the mean "
            f"differences to {CONTROL}, face by face, with 95 % bootstrap intervals over the "
            "faces; positive is better than random."
        ),
        figures=(),
        header=("map", "deletion", "insertion", "deletion, better by", "insertion, better by"),
        rows=[_faithfulness_row(name, each, curves[CONTROL]) for name, each in curves.items()],
        notes=(
            f"Model: {model.card.name} {model.card.version}, as `FERModel()` predicts.",
            f"{DEFAULT}, against occlusion, face by face: deletion lower by "
            f"{_with_interval(-ahead[:, 0])}, insertion higher by {_with_interval(ahead[:, 1])}.",
            "Random patches are as smooth as the maps of RISE.",
        ),
    )


def _maps_of_faces(
    model: FERModel, crops: Sequence[Crop]
) -> Iterator[tuple[Crop, str, dict[str, Array]]]:
    """Each crop with its predicted label and its maps; another face is the one before."""
    another: Array | None = None
    for number, crop in enumerate([crops[-1], *crops]):
        label = _label(model, crop)
        maps = explained(model, crop, label, seed=number)
        if another is not None:
            rng = np.random.default_rng(number)
            yield crop, label, {**maps, **controls(crop, another, rng)}
        another = maps[DEFAULT]


def _curves(model: FERModel, crop: Crop, label: str, found: Array) -> Curves:
    spec = model.card.input
    order = np.argsort(-found, axis=None, kind="stable")
    rank = np.empty(found.size, np.intp)
    rank[order] = np.arange(found.size)
    first = (
        rank.reshape(*found.shape, 1) < np.linspace(0, found.size, STEPS + 1)[:, None, None, None]
    )
    blurred = cv2.GaussianBlur(crop, (0, 0), BLUR_PX).reshape(crop.shape)
    fill = np.uint8(round(spec.mean / spec.scale))
    areas = [
        _area(_probabilities(model, images, label))
        for images in (np.where(first, fill, crop), np.where(first, crop, blurred))
    ]
    return Curves(*areas)


def _area(curve: Array) -> float:
    """Area under a curve over 0–1, by the trapezoidal rule."""
    return float((curve[1:] + curve[:-1]).mean() / 2)


def _faithfulness_row(name: str, curves: Array, control: Array) -> tuple[str, ...]:
    deletion, insertion = curves.mean(axis=0)
    better = np.stack([control[:, 0] - curves[:, 0], curves[:, 1] - control[:, 1]])
    texts = ["–", "–"] if name == CONTROL else [_with_interval(each) for each in better]
    return (name, f"{deletion:.3f}", f"{insertion:.3f}", *texts)


# Stability


def stability(settings: Settings) -> Section:
    """Compare maps of the same face with other seeds."""
    model = FERModel(model=settings.model)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
    for crop in _crops(settings, STABILITY_FACES):
        label = _label(model, crop)
        one, other = (explained(model, crop, label, seed=seed) for seed in (0, 1))
        for name in METHODS:
            found[name].append(
                (_correlation(one[name], other[name]), _overlap(one[name], other[name]))
            )
    rows = [
        (name, *(_with_interval(column, signed=False) for column in np.array(each).T))
        for name, each in found.items()
    ]
    return Section(
        title="Stability over seeds",
        how=(
            f"Two maps of the same face, seeds 0 and 1, {len(found['occlusion'])} faces: their "
            f"correlation over the pixels, and how much of the {TOP:.0%} highest pixels they have "
            f"in common ({TOP:.0%} by accident). Means with 95 % bootstrap intervals."
        ),
        figures=(),
        header=("map", "correlation", f"highest {TOP:.0%} in common"),
        rows=rows,
        notes=("The seed of occlusion only shifts its grid of patches by less than a step.",),
    )


# Randomized networks


def randomization(settings: Settings) -> Section:
    """Compare the maps with those of networks whose weights are shuffled."""
    model = FERModel(model=settings.model)
    crops = _crops(settings, RANDOMIZED_FACES)
    faces = [
        (crop, label, _default_map(model, crop, label))
        for crop, label in ((crop, _label(model, crop)) for crop in crops)
    ]
    rows: list[tuple[str, str]] = []
    for name, only_last in (("last layer shuffled", True), ("all layers shuffled", False)):
        networks = [
            FERModel(
                model=shuffled_model(
                    settings.model, settings.scratch / f"{name} {seed}", seed, only_last=only_last
                )
            )
            for seed in range(SHUFFLES)
        ]
        correlations = [
            _correlation(original, _default_map(networks[number % SHUFFLES], crop, label))
            for number, (crop, label, original) in enumerate(faces)
        ]
        rows.append((name, _with_interval(np.array(correlations), signed=False)))
    return Section(
        title="Randomized networks",
        how=(
            "A map that shows the model must change with it (Adebayo et al. 2018). The weights "
            "of the last layer, or of every layer, are shuffled within their tensor, in "
            f"{SHUFFLES} ways that take turns. {len(crops)} faces, the same emotion and the same "
            "seed: correlation with the map of the trained model, mean with 95 % bootstrap "
            "interval. The section above has what two seeds of the trained model give."
        ),
        figures=(),
        header=("network", "correlation"),
        rows=rows,
    )


def shuffled_model(model: str | Path, folder: Path, seed: int, *, only_last: bool) -> Path:
    """Write a copy of a model whose weights are shuffled; biases and scales stay."""
    import onnx
    from onnx import numpy_helper

    source = load_model(model)
    graph = onnx.load(source.path / "model.onnx")
    rng = np.random.default_rng(seed)
    # Kernels of convolutions have four dimensions, the last layer of a classifier has two.
    least = 2 if only_last else 4
    for tensor in graph.graph.initializer:
        if len(tensor.dims) in (2, least):
            values = numpy_helper.to_array(tensor)
            mixed = rng.permutation(values.ravel()).reshape(values.shape)
            tensor.CopyFrom(numpy_helper.from_array(mixed, tensor.name))
    weights = graph.SerializeToString()
    loose = folder.with_suffix(".onnx")
    loose.write_bytes(weights)
    golden = read_golden(source.path)
    return write_model_folder(
        folder,
        card=replace(source.card, files={}),
        weights=weights,
        golden_crops=golden.crops,
        golden_logits=OnnxSession(loose).run(to_tensor(golden.crops, source.card.input)),
    )


# Speed


def speed(settings: Settings) -> Section:
    """Time an explanation beside a prediction of 64 crops, in turns."""
    model = FERModel(model=settings.model)
    crops = np.random.default_rng(0).integers(0, 256, (64, *model.card.input.shape), dtype=np.uint8)
    tasks: dict[str, Callable[[], object]] = {
        "rise": lambda: model.explain(crops[0, :, :, 0]),
        "occlusion": lambda: model.explain(crops[0, :, :, 0], method="occlusion"),
        "64 crops": lambda: model.predict_faces(crops),
    }
    clocks = {"time": time.perf_counter, "CPU time": time.process_time}
    found = {(name, clock): [] for name in tasks for clock in clocks}
    for _ in range(settings.turns(20) + 1):
        for name, task in tasks.items():
            before = {clock: read() for clock, read in clocks.items()}
            task()
            for clock, read in clocks.items():
                found[name, clock].append(read() - before[clock])
    times = {key: np.array(each[1:]) for key, each in found.items()}
    figures: list[Figure] = []
    for name in ("rise", "occlusion"):
        cpu = times[name, "CPU time"]
        figures += [
            _figure(f"{name}, one face, CPU time", cpu, "s", at_most=1.0),
            _figure(f"{name}, one face, time", times[name, "time"], "s"),
            _figure(
                f"{name}, CPU time ÷ that of 64 crops", cpu / times["64 crops", "CPU time"], "×"
            ),
        ]
    figures.append(_figure("64 crops, CPU time", 1000 * times["64 crops", "CPU time"], "ms"))
    return Section(
        title="Speed",
        how=(
            "`FERModel.explain` on one face crop in turns with `predict_faces` on 64 crops. The "
            "model runs in two threads, so that a CPU time of 1 s is half a second on two free "
            "cores. Ratios are taken turn by turn."
        ),
        figures=figures,
    )


def _figure(what: str, values: Array, unit: str, **target: float) -> Figure:
    low, value, high = np.quantile(values, (0, 0.5, 1))
    return Figure(what, float(value), unit, float(low), float(high), **target)


# Common to several studies


def _crops(settings: Settings, count: int) -> list[Crop]:
    if settings.data is None:
        raise CannotMeasureError("Labeled faces are needed: --data FACES.npz")
    faces = load_dataset(settings.data).images
    chosen = np.random.default_rng(0).permutation(len(faces))[: 4 if settings.quick else count]
    return [np.ascontiguousarray(faces[row]) for row in sorted(chosen.tolist())]


def _label(model: FERModel, crop: Crop) -> str:
    (prediction,) = model.predict_faces(crop[np.newaxis])
    return prediction.top(1)[0][0]


def _default_map(model: FERModel, crop: Crop, label: str) -> Array:
    (prediction,) = model.predict_faces(crop[np.newaxis])
    return explain_crop(crop, model.predict_faces, prediction)[0][label]


def _probabilities(model: FERModel, images: Crop, label: str) -> Array:
    column = model.labels.index(label)
    return np.array([each.probabilities[column] for each in model.predict_faces(images)])


def _correlation(one: Array, other: Array) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _overlap(one: Array, other: Array) -> float:
    high = [each > np.quantile(each, 1 - TOP) for each in (one, other)]
    return float((high[0] & high[1]).sum() / max(high[0].sum(), 1))


def _with_interval(values: Array, *, signed: bool = True) -> str:
    """The mean with its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    sign = "+" if signed else ""
    return f"{values.mean():{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


STUDIES: Mapping[str, Measurement] = {
    "speed": speed,
    "faithfulness": faithfulness,
    "stability": stability,
    "randomization": randomization,
}

if __name__ == "__main__":
    sys.exit(
        run(
            STUDIES,
            description="Evaluate explanation maps.",
            results=RESULTS / "explanations.json",
            page=ROOT / "docs" / "explanations.md",
        )
    )
