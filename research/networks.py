"""Measure the original's accuracy tables with our networks on the FER+ faces.

    python -m research.networks local/ferplus

Each training is kept in `results/networks.json` as soon as it ends; rerun the command to
resume. docs/networks.md gets the tables.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from emopy.data import Dataset, Splits, load_dataset
from emopy.data.augment import Augmentation
from emopy.models import to_tensor
from emopy.tables import markdown_table
from emopy.train import FitSettings, Run, fit
from research import read_results, write_results

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
CLIP_NETS = ("ConvolutionalLstmNN", "TimeDelayConvNN")
NETS = ("ConvolutionalNN", "ConvolutionalNNDropout", *CLIP_NETS, "TransferLearningNN")
ONE_FOR_ALL = "ConvolutionalNN"
ONE_FOR_ALL_KEY = f"{ONE_FOR_ALL} | one for all subsets"
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
"""Strongly regularized networks, which need more epochs."""

WITH_DISGUST = (SUBSETS[4], SUBSETS[6])
"""Pairs with one rare class, which need more epochs."""

COMMON = tuple(subset for subset in SUBSETS if subset not in WITH_DISGUST)

TASKS = (
    *(Task(net, THREE, 5000, 8) for net in NETS),
    *(Task(net, subset, 2000, 10) for subset in COMMON for net in SUBSET_NETS),
    *(Task(net, SEVEN, 5000, 25 if net in SLOW_NETS else 12) for net in NETS),
    *(Task(net, subset, 0, 30) for subset in WITH_DISGUST for net in SUBSET_NETS),
    *(Task(net, SEVEN, 0, 5) for net in NETS),
    *(Task(net, THREE, 0, 3) for net in NETS),
)


def measure(task: Task, train: Dataset, validation: Dataset) -> dict[str, float]:
    """Train one network and evaluate it on the validation faces of its emotions."""
    train, validation = train.only(task.emotions), validation.only(task.emotions)
    if task.faces and len(train) > task.faces:
        train = train.take(np.random.default_rng(0).permutation(len(train))[: task.faces])
    if task.net in CLIP_NETS:
        train, validation = _as_clips(train), _as_clips(validation)
    started = time.perf_counter()
    run = _fit(task.net, train, validation, task.epochs)
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
    """Train one network on seven emotions; evaluate it among the emotions of each subset."""
    train, validation = train.only(SEVEN), validation.only(SEVEN)
    run = _fit(ONE_FOR_ALL, train, validation, 15)
    logits = run.model.predict(to_tensor(validation.images, run.spec), verbose=0)
    found: dict[str, float] = {}
    for emotions in (SEVEN, THREE, *SUBSETS):
        columns = [run.labels.index(emotion) for emotion in emotions]
        rows = np.isin(validation.truth, columns)
        predicted = np.array(columns)[logits[rows][:, columns].argmax(axis=1)]
        found[",".join(emotions)] = round(float(np.mean(predicted == validation.truth[rows])), 4)
    return found


def _fit(net: str, train: Dataset, validation: Dataset, epochs: int) -> Run:
    rate = 1e-3 if net == "TransferLearningNN" else 2e-3
    settings = FitSettings(
        epochs=epochs, batch_size=64, learning_rate=rate, weight_decay=0.01, ema=0.98
    )
    return fit(net, Splits.of(train, validation), settings=settings, augmentation=AUGMENTATION)


def _as_clips(data: Dataset) -> Dataset:
    """Each image as a clip of equal frames."""
    return replace(data, images=np.repeat(data.images[:, None], CLIP_FRAMES, axis=1))


def tables(results: dict[str, dict[str, float]], validation: Dataset) -> str:
    """The tables of docs/networks.md, with what has been measured so far."""
    sections = {
        "Seven emotions": (SEVEN,),
        "Fear, happiness and neutral": (THREE,),
        "The subsets of the original's write-up": SUBSETS,
    }
    texts: list[str] = []
    for title, subsets in sections.items():
        tasks = [task for task in TASKS if task.emotions in subsets and task.key in results]
        texts.append(f"## {title}\n\n{_table(tasks, results, validation)}")
    if ONE_FOR_ALL_KEY in results:
        texts.append(one_for_all_section(results[ONE_FOR_ALL_KEY], validation))
    return "\n\n".join(texts)


def one_for_all_section(accuracies: dict[str, float], validation: Dataset) -> str:
    """Accuracy of one network on each subset."""
    measured = [(emotions, accuracies[",".join(emotions)]) for emotions in (SEVEN, THREE, *SUBSETS)]
    rows = [
        [_name(emotions), _bold(found), *_references(ONE_FOR_ALL, emotions, validation)]
        for emotions, found in measured
    ]
    return (
        f"## One {ONE_FOR_ALL} for all\n\nLike `FERModel`: one network, trained once on all seven "
        "emotions (15 epochs), predicts among those of the subset.\n\n"
        + markdown_table(["emotions", "**validation**", *REFERENCES], rows)
    )


def _table(tasks: list[Task], results: dict[str, dict[str, float]], validation: Dataset) -> str:
    header = ["network", "emotions", "faces × epochs", "**validation** (training)"]
    rows = [
        [
            task.net,
            _name(task.emotions),
            f"{found['training_faces']:,} × {found['epochs']}",
            f"{_bold(found['validation_accuracy'])} ({found['training_accuracy']:.3f})",
            *_references(task.net, task.emotions, validation),
        ]
        for task, found in ((task, results[task.key]) for task in tasks)
    ]
    return markdown_table([*header, *REFERENCES], rows, align="llrrrr")


REFERENCES = ("original", "majority class")


def _references(net: str, emotions: tuple[str, ...], validation: Dataset) -> list[str]:
    """Accuracy that the original published, and that of always predicting the majority class."""
    published = ORIGINAL.get((net, emotions))
    faces = validation.only(emotions)
    majority = max(faces.counts().values()) / len(faces)
    return [f"{published:.3f}" if published else "–", f"{majority:.3f}"]


def _name(emotions: tuple[str, ...]) -> str:
    return "seven" if emotions == SEVEN else ", ".join(emotions)


def _bold(accuracy: float) -> str:
    return f"**{accuracy:.3f}**"


def main() -> None:
    """Measure what is not measured yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train.npz and validation.npz")
    folder = parser.parse_args().data
    train, validation = (load_dataset(folder / f"{split}.npz") for split in ("train", "validation"))
    results = read_results("networks")
    measurements = {task.key: partial(measure, task) for task in TASKS}
    for key, run in {**measurements, ONE_FOR_ALL_KEY: measure_one_for_all}.items():
        if key in results:
            continue
        results[key] = run(train, validation)
        write_results("networks", results, "networks.md", tables(results, validation))
        print(key, results[key], flush=True)


if __name__ == "__main__":
    main()
