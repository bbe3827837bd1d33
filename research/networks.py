"""The original's accuracy tables, measured again with our networks on the FER+ faces.

    python -m research.networks local/ferplus

Each training is kept in `results/networks.json` as soon as it ends, and skipped when the command
is typed again; docs/networks.md gets the tables.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.report import write_between
from emopy.data import Dataset, Splits, load_dataset
from emopy.data.augment import Augmentation
from emopy.models import to_tensor
from emopy.train import FitSettings, fit

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "networks.json"
PAGE = HERE.parent / "docs" / "networks.md"
MARKS = "<!-- tables -->", "<!-- /tables -->"

SEVEN = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
THREE = ("fear", "happiness", "neutral")
SUBSETS = (
    ("anger", "fear", "surprise", "neutral"),
    ("disgust", "happiness", "surprise"),
    ("anger", "happiness", "neutral"),
    ("anger", "fear", "surprise"),
    ("anger", "disgust"),
    ("anger", "fear"),
    ("disgust", "surprise"),
)
NETS = (
    "ConvolutionalNN",
    "ConvolutionalNNDropout",
    "ConvolutionalLstmNN",
    "TimeDelayConvNN",
    "TransferLearningNN",
)
ONE_FOR_ALL = "ConvolutionalNN"
ONE_FOR_ALL_KEY = f"{ONE_FOR_ALL} | one for all subsets"
CLIP_NETS = ("ConvolutionalLstmNN", "TimeDelayConvNN")
CLIP_FRAMES = 2
SUBSET_NETS = ("TransferLearningNN", "ConvolutionalNN", "ConvolutionalLstmNN")

ORIGINAL: dict[tuple[str, tuple[str, ...]], float] = {
    ("ConvolutionalNNDropout", SEVEN): 0.6536,
    ("ConvolutionalLstmNN", SEVEN): 0.4751,
    ("ConvolutionalLstmNN", THREE): 0.6267,
    ("TransferLearningNN", SEVEN): 0.2933,
    ("TransferLearningNN", THREE): 0.4840,
}
"""Validation accuracy that the original published, by network and emotions."""
_PUBLISHED = (
    (0.495, 0.564, 0.513),
    (0.788, 0.905, 0.707),
    (0.515, 0.722, 0.665),
    (0.591, 0.650, 0.352),
    (0.909, 0.940, 0.912),
    (0.638, 0.703, 0.557),
    (0.902, 0.962, 0.881),
)
ORIGINAL |= {
    (net, subset): figure
    for subset, figures in zip(SUBSETS, _PUBLISHED, strict=True)
    for net, figure in zip(SUBSET_NETS, figures, strict=True)
}

AUGMENTATION = Augmentation(rotation_deg=10, shift=0.06, zoom=0.1, flip=0.5)


@dataclass(frozen=True)
class Task:
    """One training: which network, on which emotions, with at most how many faces."""

    net: str
    emotions: tuple[str, ...]
    faces: int
    epochs: int

    @property
    def key(self) -> str:
        """Name under which the result is kept."""
        return f"{self.net} | {','.join(self.emotions)} | {self.faces or 'all'}"


SLOW_NETS = ("ConvolutionalNNDropout", "TimeDelayConvNN")
"""Much regularised or averaged: they need more steps before they begin to learn."""

WITH_DISGUST = (SUBSETS[4], SUBSETS[6])
"""Pairs with one rare class: a network first learns to answer the other, and then more."""

TASKS = (
    *(Task(net, THREE, 5000, 8) for net in NETS),
    *(Task(net, subset, 2000, 10) for subset in SUBSETS[:4] for net in SUBSET_NETS),
    *(Task(net, subset, 2000, 10) for subset in SUBSETS[5:6] for net in SUBSET_NETS),
    *(Task(net, SEVEN, 5000, 25 if net in SLOW_NETS else 12) for net in NETS),
    *(Task(net, subset, 0, 30) for subset in WITH_DISGUST for net in SUBSET_NETS),
    *(Task(net, SEVEN, 0, 5) for net in NETS),
    *(Task(net, THREE, 0, 3) for net in NETS),
)


def measure(task: Task, train: Dataset, validation: Dataset) -> dict[str, float]:
    """Train one network and judge it on the validation faces of its emotions."""
    train, validation = train.only(task.emotions), validation.only(task.emotions)
    if task.faces and len(train) > task.faces:
        train = train.take(np.random.default_rng(0).permutation(len(train))[: task.faces])
    if task.net in CLIP_NETS:
        train, validation = _as_clips(train), _as_clips(validation)
    rate = 1e-3 if task.net == "TransferLearningNN" else 2e-3
    settings = FitSettings(
        epochs=task.epochs, batch_size=64, learning_rate=rate, weight_decay=0.01, ema=0.98
    )
    started = time.perf_counter()
    run = fit(task.net, Splits.of(train, validation), settings=settings, augmentation=AUGMENTATION)
    last = run.history[-1]
    return {
        "training_faces": len(train),
        "validation_faces": len(validation),
        "epochs": task.epochs,
        "training_accuracy": round(last["accuracy"], 4),
        "validation_accuracy": round(last["val_accuracy"], 4),
        "minutes": round((time.perf_counter() - started) / 60, 1),
    }


def measure_one_for_all(train: Dataset, validation: Dataset) -> dict[str, float]:
    """Train one network on seven emotions and let it choose among the emotions of each subset."""
    train, validation = train.only(SEVEN), validation.only(SEVEN)
    settings = FitSettings(
        epochs=15, batch_size=64, learning_rate=2e-3, weight_decay=0.01, ema=0.98
    )
    run = fit(
        ONE_FOR_ALL, Splits.of(train, validation), settings=settings, augmentation=AUGMENTATION
    )
    logits = run.model.predict(to_tensor(validation.images, run.spec), verbose=0)
    found: dict[str, float] = {}
    for emotions in (SEVEN, THREE, *SUBSETS):
        columns = [run.labels.index(emotion) for emotion in emotions]
        rows = np.isin(validation.truth, columns)
        guess = np.array(columns)[logits[rows][:, columns].argmax(axis=1)]
        found[",".join(emotions)] = round(float(np.mean(guess == validation.truth[rows])), 4)
    return found


def _as_clips(data: Dataset) -> Dataset:
    """Each still as a clip of a motionless face."""
    clips = np.repeat(data.images[:, None], CLIP_FRAMES, axis=1)
    return Dataset(clips, data.targets, data.labels, data.people, data.origin)


def tables(results: dict[str, dict[str, float]], validation: Dataset) -> str:
    """The tables of docs/networks.md, with what has been measured so far."""
    splits = [
        _table(
            "Seven emotions",
            [task for task in TASKS if task.emotions == SEVEN],
            results,
            validation,
        ),
        _table(
            "Fear, happiness and neutral",
            [t for t in TASKS if t.emotions == THREE],
            results,
            validation,
        ),
        _table(
            "The subsets of the original's write-up",
            [task for task in TASKS if task.emotions in SUBSETS],
            results,
            validation,
        ),
    ]
    if ONE_FOR_ALL_KEY in results:
        splits.append(one_for_all_table(results[ONE_FOR_ALL_KEY], validation))
    return "\n\n".join(splits)


def one_for_all_table(found: dict[str, float], validation: Dataset) -> str:
    """What one network answers for each subset."""
    lines = [
        f"## One {ONE_FOR_ALL} for all",
        "",
        "As `FERModel` works: one network, trained once on all seven emotions (15 epochs), chooses "
        "among those that are asked for.",
        "",
        "| emotions | **validation** | original | commonest |",
        "|---|---:|---:|---:|",
    ]
    for emotions in (SEVEN, THREE, *SUBSETS):
        faces = validation.only(emotions)
        commonest = max(faces.counts().values()) / len(faces)
        published = ORIGINAL.get((ONE_FOR_ALL, emotions))
        lines.append(
            f"| {'seven' if emotions == SEVEN else ', '.join(emotions)} | "
            f"**{found[','.join(emotions)]:.3f}** | {f'{published:.3f}' if published else '–'} | "
            f"{commonest:.3f} |"
        )
    return "\n".join(lines)


def _table(
    title: str, tasks: list[Task], results: dict[str, dict[str, float]], validation: Dataset
) -> str:
    lines = [
        f"## {title}",
        "",
        "| network | emotions | training faces | epochs | training | **validation** | original | "
        "commonest |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for task in tasks:
        if found := results.get(task.key):
            published = ORIGINAL.get((task.net, task.emotions))
            faces = validation.only(task.emotions)
            commonest = max(faces.counts().values()) / len(faces)
            emotions = "seven" if task.emotions == SEVEN else ", ".join(task.emotions)
            lines.append(
                f"| {task.net} | {emotions} | {found['training_faces']:,} | {found['epochs']} | "
                f"{found['training_accuracy']:.3f} | **{found['validation_accuracy']:.3f}** | "
                f"{f'{published:.3f}' if published else '–'} | {commonest:.3f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure what is not measured yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train.npz and validation.npz")
    folder = parser.parse_args().data
    train, validation = (load_dataset(folder / f"{part}.npz") for part in ("train", "validation"))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    measurements = {task.key: partial(measure, task) for task in TASKS}
    for key, run in {**measurements, ONE_FOR_ALL_KEY: measure_one_for_all}.items():
        if key in results:
            continue
        results[key] = run(train, validation)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        write_between(PAGE, MARKS, tables(results, validation))
        print(key, results[key], flush=True)


if __name__ == "__main__":
    main()
