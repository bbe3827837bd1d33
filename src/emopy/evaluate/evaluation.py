"""`evaluate`: judge the model folder that ships, not the network that was trained."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.data.dataset import Dataset
from emopy.errors import DataError, LabelError, ModelError, nearest
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
    threads: int = 1,
) -> Report:
    """Judge a model on labelled faces, exactly as `FERModel` would see them.

    Soft targets count as their dominant label. Where the data have fewer labels than the model,
    the model chooses among those only, as it does for a user who asked for them.

    Args:
        model: Name of a model, or a model folder.
        dataset: Faces that took no part in training or calibration.
        labels: Judge on these labels only; ``"standard"`` for the seven standard emotions. The
            report has them as they are given here.
        groups: (n,) group of each face of `dataset`, in its order, such as who is an adult: each
            group is then measured apart, with intervals. See `emopy.evaluate.read_groups`.
        prior: How often each emotion is expected: ``"training"``, ``"uniform"`` or a share for
            each; see `FERModel`.
        threads: CPU threads for the network.

    Returns:
        The figures; `str` of it is a table, `html_report` makes a page of it.

    Raises:
        LabelError: The data have labels that the model lacks.
        DataError: No faces, or not one group per face.
        InputError: Clips for a network of stills, or the reverse; or a bad prior.
        ModelError: The model cannot be used.
    """
    folder = load_model(model, threads=threads)
    chosen = dataset if labels is None else dataset.only(labels)
    shown = chosen.labels if labels is None else select_labels(labels, dataset.labels).labels
    names = None if groups is None else group_names(groups, len(dataset))
    if names is not None and labels is not None:  # the same faces that `only` keeps
        names = names[np.isin(np.array(dataset.labels)[dataset.truth], chosen.labels)]
    logits = compute_logits(folder, chosen)
    temperature = folder.card.temperature
    return make_report(
        softmax(logits / temperature + shift_for(folder.card, chosen.labels, prior)),
        chosen.truth,
        shown,
        temperature=temperature,
        groups=names,
        targets=chosen.targets,
        prior=prior,
    )


def record(
    model_folder: str | Path,
    data_name: str,
    report: Report,
    *,
    seeds: Mapping[str, Sequence[float]] | None = None,
    corruptions: Mapping[str, float] | None = None,
) -> None:
    """Write the figures of a report into the model's card, under the name of the data.

    Args:
        model_folder: Folder of your own model.
        data_name: Such as ``"FER+ validation, majority rule"``; replaces figures of that name.
        report: What `evaluate` found.
        seeds: Figures of the same training from several seeds, this model's first: name → one
            value per seed.
        corruptions: Accuracy on the same images under each corruption: name → 0–1.

    Raises:
        ModelError: The folder may not be written to, or is no model.
    """
    folder = writable(model_folder)
    found = report.as_dict()
    if seeds:
        found["seeds"] = {figure: list(values) for figure, values in seeds.items()}
    if corruptions:
        found["corruptions"] = dict(corruptions)
    metrics = {**folder.card.metrics, data_name: found}
    update_card(folder.path, folder.card.changed(metrics=metrics))


def writable(model_folder: str | Path, *, threads: int = 1) -> ModelFolder:
    """Load a model whose card may be changed.

    Raises:
        ModelError: The folder is read-only, or is no model.
    """
    folder = load_model(model_folder, threads=threads)
    if is_bundled(folder.path):
        raise ModelError(
            f"`model_folder` must be a model of your own. Received {folder.path}, which comes with "
            "EmoPy. Copy the folder and give the copy."
        )
    marked_read_only = not folder.path.stat().st_mode & stat.S_IWUSR  # the superuser's access too
    if marked_read_only or not os.access(folder.path, os.W_OK):
        raise ModelError(
            f"`model_folder` must be a folder that you may write to. Received {folder.path}, "
            "which is read-only. Copy the folder and give the copy."
        )
    return folder


def compute_logits(folder: ModelFolder, dataset: Dataset) -> NDArray[np.float32]:
    """Run a model on every face.

    Args:
        folder: A loaded model.
        dataset: Faces; every label must be one of the model's.

    Returns:
        (n, k) logits in the order of ``dataset.labels``.

    Raises:
        LabelError: The data have labels that the model lacks.
        DataError: No faces.
    """
    columns = _columns(folder.card, dataset.labels)
    if not len(dataset):
        raise DataError("`dataset` must hold faces to judge a model on. Received none.")
    return folder.logits(dataset.images)[:, columns]


def shift_for(card: ModelCard, labels: tuple[str, ...], prior: Prior) -> NDArray[np.float64]:
    """What a prior adds to the calibrated logits of data with these labels.

    Returns:
        (k,) in the order of `labels`, which may be spelled in any known way.

    Raises:
        InputError: A bad prior.
        ModelError: The card does not say how frequent the emotions were in training.
    """
    spelled = [card.labels[column] for column in _columns(card, labels)]
    return prior_shift(card, spelled, prior)


def _columns(card: ModelCard, labels: tuple[str, ...]) -> list[int]:
    places = {canonical(label): i for i, label in enumerate(card.labels)}
    for label in labels:
        if canonical(label) not in places:
            raise LabelError(
                f"`dataset` must have labels that the model {card.name} knows. "
                f"Received {label!r}. {nearest(label, places)} "
                "Keep the others with labels=[…], or Dataset.only."
            )
    return [places[canonical(label)] for label in labels]
