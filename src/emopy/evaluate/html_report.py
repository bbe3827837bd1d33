"""`html_report`: a report as one self-contained page, from the template `report.html.j2`."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from emopy.data.dataset import Dataset
from emopy.errors import DataError
from emopy.escaping import escape_undecodable
from emopy.evaluate import charts
from emopy.evaluate.evaluation import label_columns, label_shift
from emopy.evaluate.groups import GROUP_METRICS, MIN_GROUP_SAMPLES, RESAMPLES, group_metrics
from emopy.evaluate.report import Report, percent
from emopy.explain import explain_crop
from emopy.explain.draw import MIN_LIMIT, overlay
from emopy.models import ModelCard, ModelFolder, softmax, to_pixels
from emopy.types import Prediction

MAX_ERRORS = 24
"""Maximum number of wrong predictions on the page."""

MAX_EXPLAINED = 12
"""Maximum number of them with an explanation map, which takes the time of some 250 predictions."""

THUMBNAIL_PX = 144
"""Longest side of a face on the page, pixels; larger faces are scaled down."""

_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5, 0.25)
_DARK, _MEDIUM = 0.72, 0.6
"""Proportions from which a confusion cell needs another text color than the page's."""


def html_report(
    report: Report,
    dataset: Dataset | None = None,
    *,
    card: ModelCard | None = None,
    data_name: str = "",
    model: ModelFolder | None = None,
) -> str:
    """Format a report as an HTML page: metrics explained, charts, the most confident errors.

    The page is one file. It loads nothing, runs no script, follows the reader's light or dark
    mode, fits a phone, and prints. The same report gives the same page.

    Args:
        report: What `evaluate` returned.
        dataset: The data that were given to `evaluate`. With them the page shows the most
            confident errors, so it then contains images of people.
        card: The model's card, for its name, limits and rights.
        data_name: Name of the data.
        model: The model that was evaluated. With it and the data the page shows explanation maps
            of the first errors, see `FERModel.explain`.

    Raises:
        DataError: `dataset` is not the data of the report.
        LabelError: `dataset` does not have all labels of the report.

    Source:
        Mitchell et al. 2019, "Model Cards for Model Reporting",
        https://doi.org/10.1145/3287560.3287596; HTML Living Standard,
        https://html.spec.whatwg.org.
    """
    predictions = report.predictions
    card = model.card if card is None and model is not None else card
    columns = [report.labels.index(label) for label in report.macro_labels]
    everyone = np.full(report.samples, "all faces")
    (overall,) = group_metrics(predictions.proba, predictions.y_true, everyone, columns=columns)
    groups = (overall, *report.groups)
    curve = predictions.coverage_curve()
    gap = 100 * (float(predictions.confidence.mean()) - report.accuracy)
    page = _environment().get_template("report.html.j2").render(
        report=report,
        model_name=f"{card.name} {card.version}" if card else "The model",
        data_name=data_name,
        card=card,
        overall=overall,
        groups=groups,
        majority=float(report.confusion_matrix.sum(axis=1).max() / report.samples),
        uniform_log_loss=float(np.log(len(report.labels))),
        excluded_labels=sorted(set(report.labels) - set(report.macro_labels)),
        extremes=_recall_extremes(report),
        most_confused=_most_confused(report),
        confusion_rows=_confusion_rows(report),
        mean_confidence=float(predictions.confidence.mean()),
        confidence_gap=gap,
        reliability=charts.reliability_bars(predictions.reliability_diagram()),
        coverage=charts.coverage_points(curve),
        coverage_rows=[
            (at, float(curve.accuracy[row]), float(curve.confidence[row]))
            for at in _COVERAGES
            for row in (curve.row_at(at),)
        ],
        half_accuracy=float(curve.accuracy[curve.row_at(0.5)]),
        interval_scale=charts.interval_scale(g.accuracy for g in groups if not g.too_small),
        errors=None if dataset is None else _errors(report, _matching(report, dataset), model),
        max_explained=MAX_EXPLAINED,
        error_count=int((~predictions.correct).sum()),
    )  # fmt: skip
    return escape_undecodable(page)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("emopy.evaluate", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["thousands"] = "{:,}".format
    environment.globals |= {
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "few_predictions": charts.FEW_PREDICTIONS,
        "group_metrics": GROUP_METRICS,
        "min_group_samples": MIN_GROUP_SAMPLES,
        "resamples": RESAMPLES,
    }
    return environment


def _matching(report: Report, dataset: Dataset) -> Dataset:
    """The samples of a dataset that the report is about."""
    same = dataset if dataset.labels == report.labels else dataset.only(report.labels)
    if not np.array_equal(same.truth, report.predictions.y_true):
        raise DataError(
            f"`dataset` must be the data of the report, {report.samples:,} faces. "
            f"Received {len(same):,} others. Give the dataset that was given to evaluate."
        )
    return same


def _recall_extremes(report: Report) -> list[tuple[str, float]]:
    """Labels of the highest and the lowest recall; empty if those with enough faces are equal."""
    enough = np.flatnonzero(report.per_class.support >= MIN_GROUP_SAMPLES)
    if len(enough) < 2:
        return []
    recall = report.per_class.recall
    rows = enough[np.argmax(recall[enough])], enough[np.argmin(recall[enough])]
    if recall[rows[0]] == recall[rows[1]]:
        return []
    return [(report.labels[row], float(recall[row])) for row in rows]


def _most_confused(report: Report) -> tuple[str, str, int, int] | None:
    """The most frequent confusion: (true label, predicted label, count, faces of the true label).

    Labels with too few faces are ignored. None where there is no error.
    """
    counts = report.confusion_matrix.astype(np.float64)
    np.fill_diagonal(counts, 0)
    total = report.confusion_matrix.sum(axis=1)
    enough = total[:, None] >= MIN_GROUP_SAMPLES
    proportions = np.where(enough, counts / np.maximum(total, 1)[:, None], 0)
    i, j = (int(place) for place in np.unravel_index(np.argmax(proportions), proportions.shape))
    if not proportions[i, j]:
        return None
    return report.labels[i], report.labels[j], int(report.confusion_matrix[i, j]), int(total[i])


def _confusion_rows(report: Report) -> list[dict[str, Any]]:
    """Rows of the confusion matrix with the proportion and the shade of each cell."""
    rows: list[dict[str, Any]] = []
    for i, counts in enumerate(report.confusion_matrix.tolist()):
        total = sum(counts)
        cells = [
            {
                "predicted": report.labels[j],
                "count": count,
                "percentage": f"{100 * count / total:.0f}",
                "shade": _shade(count / total),
                "correct": i == j,
            }
            for j, count in enumerate(counts if total else [])
        ]
        rows.append({"label": report.labels[i], "total": total, "cells": cells})
    return rows


def _shade(proportion: float) -> str:
    return "dark" if proportion >= _DARK else "medium" if proportion >= _MEDIUM else "light"


def _errors(report: Report, dataset: Dataset, model: ModelFolder | None) -> list[dict[str, Any]]:
    """The most confident errors: images, maps, labels, probabilities and sources."""
    predictions = report.predictions
    y_true, y_pred, proba = predictions.y_true, predictions.y_pred, predictions.proba
    rows = predictions.most_confident_errors(MAX_ERRORS)
    faces = [dataset.images[row] for row in rows]
    maps: list[str | None] = [None] * len(faces)
    if model is not None:
        labels = [report.labels[y_pred[row]] for row in rows[:MAX_EXPLAINED]]
        explained = zip(faces[:MAX_EXPLAINED], labels, strict=True)
        maps[: len(labels)] = [_map_uri(face, label, report, model) for face, label in explained]
    return [
        {
            "image": data_uri(face),
            "map": found,
            "true": report.labels[y_true[row]],
            "predicted": report.labels[y_pred[row]],
            "true_probability": float(proba[row, y_true[row]]),
            "confidence": float(proba[row, y_pred[row]]),
            "source": str(dataset.sources[row]),
        }
        for row, face, found in zip(rows, faces, maps, strict=True)
    ]


def _map_uri(face: NDArray[np.uint8], label: str, report: Report, model: ModelFolder) -> str:
    """What raises and lowers the predicted label, over the gray face, as `data_uri` does."""
    columns = label_columns(model.card, report.labels)
    shift = label_shift(model.card, report.labels, report.prior)

    def predict(crops: NDArray[np.uint8]) -> list[Prediction]:
        logits = model.logits(crops, views=report.views)[:, columns] / report.temperature
        return [Prediction(report.labels, row) for row in softmax(logits + shift)]

    (crop,) = to_pixels([face], model.card.input)
    (prediction,) = predict(crop[np.newaxis])
    found = explain_crop(crop, predict, prediction)[0][label]
    still = _still(face).convert("RGB")
    scale = THUMBNAIL_PX / max(still.size)
    size = max(1, round(still.width * scale)), max(1, round(still.height * scale))
    large = np.asarray(still.resize(size, Image.Resampling.BICUBIC))
    return data_uri(overlay(large, found, max(float(np.abs(found).max()), MIN_LIMIT)))


def data_uri(face: NDArray[np.uint8]) -> str:
    """A face as a PNG ``data:`` URI, scaled down to `THUMBNAIL_PX`.

    Args:
        face: (H, W, C) with C 1 (gray) or 3 (RGB); of a clip (T, H, W, C) the last frame is
            shown, which its label is about.

    Source:
        RFC 2397, https://www.rfc-editor.org/rfc/rfc2397.

    Example:
        >>> data_uri(np.zeros((8, 8, 1), np.uint8))[:22]
        'data:image/png;base64,'
    """
    image = _still(face)
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _still(face: NDArray[np.uint8]) -> Image.Image:
    """A face as an image, gray or RGB; of a clip the last frame."""
    still = face[-1] if face.ndim == 4 else face
    return Image.fromarray(still[:, :, 0] if still.shape[2] == 1 else still)
