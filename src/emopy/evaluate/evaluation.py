"""`evaluate` measures a model folder on a dataset; `record` writes the metrics into its card."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import DataError, LabelError, ModelError, nearest
from emopy.escaping import one_line
from emopy.evaluate.groups import group_names
from emopy.evaluate.report import Report, make_report
from emopy.labels import canonical, select_labels
from emopy.models import (
    ModelCard,
    ModelFolder,
    Prior,
    is_bundled,
    load_model,
    prior_shift,
    softmax,
    update_card,
)


def evaluate(
    model: str | Path,
    dataset: Dataset,
    *,
    labels: str | tuple[str, ...] | list[str] | None = None,
    groups: Sequence[object] | NDArray[Any] | None = None,
    prior: Prior = "training",
    views: int = 1,
    threads: int = 1,
) -> Report:
    """Measure a model on labeled faces, with the preprocessing and ONNX file that `FERModel` uses.

    The true label of a soft target is its most probable one. Where the data have fewer labels
    than the model, it predicts among those only, as `FERModel` does with ``labels``.

    Args:
        model: Name of a model, or a model folder.
        dataset: Faces that were not used for training or calibration.
        labels: Evaluate on these labels only; ``"standard"`` for the seven standard emotions. The
            report has them as they are given here.
        groups: (n,) group of each sample of `dataset`, such as ``"adult"``: each group is also
            measured separately, with intervals. See `emopy.evaluate.read_groups`.
        prior: Expected label frequencies: ``"training"``, ``"tempered"``, ``"uniform"`` or a
            frequency for each label; see `FERModel`.
        views: 1, or 2 for the mean of each face and its mirror image; see `FERModel`.
        threads: CPU threads for the model.

    Returns:
        The metrics; `str` formats them as tables, `html_report` as a page.

    Raises:
        LabelError: The data have labels that the model does not know.
        DataError: No faces, or not one group per sample.
        InputError: Clips for a model of still images, or the reverse; an invalid prior, or bad
            `views`.
        ModelError: The model cannot be used.
    """
    folder = load_model(model, threads=threads)
    selected = dataset if labels is None else dataset.only(labels)
    shown = selected.labels if labels is None else select_labels(labels, dataset.labels).labels
    names = None if groups is None else group_names(groups, len(dataset))
    if names is not None and labels is not None:  # the samples that `only` keeps
        names = names[np.isin(np.array(dataset.labels)[dataset.truth], selected.labels)]
    logits = compute_logits(folder, selected, views=views)
    temperature = folder.card.temperature
    report = make_report(
        softmax(logits / temperature + label_shift(folder.card, selected.labels, prior)),
        selected.truth,
        shown,
        temperature=temperature,
        groups=names,
        targets=selected.targets,
        prior=prior,
    )
    return replace(report, views=views)


def record(
    model_folder: str | Path,
    data_name: str,
    report: Report,
    *,
    seeds: Mapping[str, Sequence[float]] | None = None,
    corruptions: Mapping[str, float] | None = None,
) -> None:
    """Write the metrics of a report into the model's card.

    Args:
        model_folder: Folder of your own model.
        data_name: Key in the card's metrics, such as ``"FER+ validation, majority rule"``; an
            entry of that name is replaced.
        report: What `evaluate` returned.
        seeds: Metrics of the same training with several seeds, this model's first: metric → one
            value per seed.
        corruptions: Accuracy on corrupted images of the same faces: corruption → 0–1.

    Raises:
        ModelError: The folder is read-only or not a model, or `seeds` or `corruptions` hold what
            a card must not.
        DataError: `data_name` is empty or holds characters that are not printable.
    """
    folder = check_recordable(model_folder, data_name)
    entry = report.to_dict()
    if seeds:
        entry["seeds"] = {metric: list(values) for metric, values in seeds.items()}
    if corruptions:
        entry["corruptions"] = dict(corruptions)
    update_card(folder, lambda card: card.changed(metrics={**card.metrics, data_name: entry}))


def check_recordable(model_folder: str | Path, data_name: str) -> Path:
    """Refuse before an evaluation what `record` would refuse after it; return the folder.

    Raises:
        ModelError: The folder is read-only or not a model.
        DataError: `data_name` is empty or holds characters that are not printable.
    """
    if not data_name.strip() or one_line(data_name) != data_name:
        raise DataError(
            f"`data_name` must be a name of printable characters. Received {data_name!a}. "
            "Type for example: my-data"
        )
    return load_writable_model(model_folder).path


def load_writable_model(model_folder: str | Path, *, threads: int = 1) -> ModelFolder:
    """Load a model whose card may be changed.

    Raises:
        ModelError: The folder is read-only, bundled or not a model.
    """
    folder = load_model(model_folder, threads=threads)
    if is_bundled(folder.path):
        raise ModelError(
            f"`model_folder` must be a model of your own. Received {folder.path}, which comes with "
            "EmoPy. Copy the folder and give the copy."
        )
    marked_read_only = not folder.path.stat().st_mode & stat.S_IWUSR  # also refused to root
    if marked_read_only or not os.access(folder.path, os.W_OK):
        raise ModelError(
            f"`model_folder` must be a folder that you may write to. Received {folder.path}, "
            "which is read-only. Copy the folder and give the copy."
        )
    return folder


def compute_logits(folder: ModelFolder, dataset: Dataset, *, views: int = 1) -> NDArray[np.float32]:
    """Run a model on every face: (n, k) logits in the order of ``dataset.labels``.

    Raises:
        LabelError: The data have labels that the model does not know.
        DataError: No faces.
    """
    columns = label_columns(folder.card, dataset.labels)
    if not len(dataset):
        raise DataError("`dataset` must hold faces to evaluate on. Received none.")
    return folder.logits(dataset.images, views=views)[:, columns]


def label_shift(card: ModelCard, labels: tuple[str, ...], prior: Prior) -> NDArray[np.float64]:
    """What a prior adds to the calibrated logits: (k,) in the order of `labels` or their aliases.

    Raises:
        InputError: An invalid prior.
        ModelError: The card does not state the label frequencies in training.
    """
    spelled = [card.labels[column] for column in label_columns(card, labels)]
    return prior_shift(card, spelled, prior)


def label_columns(card: ModelCard, labels: tuple[str, ...]) -> list[int]:
    """Index of each label among the model's."""
    columns = {canonical(label): i for i, label in enumerate(card.labels)}
    for label in labels:
        if canonical(label) not in columns:
            raise LabelError(
                f"`dataset` must have labels that the model {card.name} knows. Received {label!r}. "
                f"{nearest(label, columns)} Remove its samples."
            )
    return [columns[canonical(label)] for label in labels]
