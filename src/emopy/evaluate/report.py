"""`Report`: every metric of a model on a dataset, as text, JSON and card entry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.evaluate import metrics
from emopy.evaluate.groups import GROUP_METRICS, MIN_GROUP_SAMPLES, GroupMetrics, group_metrics
from emopy.evaluate.predictions import Predictions
from emopy.labels import STANDARD_EMOTIONS, canonical
from emopy.models import Prior
from emopy.tables import text_table

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Coverages at which a report holds the selective accuracy."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Metrics of one model on one dataset. `emopy.evaluate.metrics` defines each.

    Attributes:
        labels: Names of the k labels.
        samples: Number of samples.
        accuracy: 0–1.
        balanced_accuracy: 0–1, mean recall of the labels that occur (macro recall).
        macro_f1: 0–1, mean F1 over `macro_labels`.
        macro_labels: The seven standard emotions where `labels` has all of them, else `labels`.
        macro_recall: 0–1, balanced accuracy over `macro_labels`. It differs from
            `balanced_accuracy` only where other labels occur.
        accuracy_at_coverage: Coverage → accuracy on the most confident predictions, both 0–1.
        confidence_at_coverage: Coverage → lowest confidence among those predictions, 0–1: the
            `min_confidence` of `FERModel` for about that coverage.
        ece: Expected calibration error in 15 bins, 0–1.
        brier: Brier score, 0–2.
        log_loss: Nats.
        kl_divergence: Kullback-Leibler divergence from the targets to the probabilities, nats;
            None where the targets are one-hot.
        per_class: Precision, recall, F1 and support of each label.
        confusion_matrix: (k, k) counts: a row per true label, a column per predicted label.
        temperature: Temperature of the model.
        prior: Expected label frequencies; see `FERModel`.
        predictions: Probabilities and true labels; not in `to_dict`.
        groups: Metrics of each group, where groups were given.
        views: 2 for the mean of each face and its mirror image, else 1.
    """

    labels: tuple[str, ...]
    samples: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    macro_labels: tuple[str, ...]
    macro_recall: float
    accuracy_at_coverage: Mapping[float, float]
    confidence_at_coverage: Mapping[float, float]
    ece: float
    brier: float
    log_loss: float
    kl_divergence: float | None
    per_class: metrics.PerClass
    confusion_matrix: NDArray[np.intp]
    temperature: float
    prior: Prior
    predictions: Predictions
    groups: tuple[GroupMetrics, ...] = ()
    views: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON and the model card; None where undefined."""
        return {
            "samples": self.samples,
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": _none_if_nan(self.macro_f1),
            "macro_labels": list(self.macro_labels),
            "macro_recall": _none_if_nan(self.macro_recall),
            "accuracy_at_coverage": {str(at): v for at, v in self.accuracy_at_coverage.items()},
            "confidence_at_coverage": {str(at): v for at, v in self.confidence_at_coverage.items()},
            "ece": self.ece,
            "brier": self.brier,
            "log_loss": self.log_loss,
            "kl_divergence": self.kl_divergence,
            "recall": self._by_label(self.per_class.recall),
            "precision": self._by_label(self.per_class.precision),
            "f1": self._by_label(self.per_class.f1),
            "support": dict(zip(self.labels, self.per_class.support.tolist(), strict=True)),
            "labels": list(self.labels),
            "confusion_matrix": self.confusion_matrix.tolist(),
            "temperature": self.temperature,
            "prior": self.prior
            if isinstance(self.prior, str)
            else {label: float(p) for label, p in self.prior.items()},
            "views": self.views,
            "groups": {group.name: group.to_dict() for group in self.groups},
        }

    def _by_label(self, values: NDArray[np.float64]) -> dict[str, float | None]:
        return dict(zip(self.labels, map(_none_if_nan, values.tolist()), strict=True))

    def __str__(self) -> str:
        tables = [self._metrics_table(), self._class_table(), self._confusion_table()]
        return "\n\n".join(tables + ([_groups_table(self.groups)] if self.groups else []))

    def _metrics_table(self) -> str:
        averaged = f"over {len(self.macro_labels)} labels"
        excluded = set(self.labels) - set(self.macro_labels)
        if [canonical(label) for label in excluded] == ["contempt"]:
            averaged += ", without contempt"
        occurring = [
            label for label, n in zip(self.labels, self.per_class.support, strict=True) if n
        ]
        more = bool(excluded & set(occurring))
        rows = [
            ("samples", f"{self.samples:,}", ""),
            ("accuracy", f"{self.accuracy:.2%}", ""),
            ("balanced accuracy", f"{self.balanced_accuracy:.2%}", f"over {len(occurring)} labels"),
            *[("balanced accuracy", percent(self.macro_recall, 2), averaged)] * more,
            ("macro F1", percent(self.macro_f1), averaged),
            ("selective accuracy", f"{self.accuracy_at_coverage[0.8]:.2%}", "at 80 % coverage"),
            ("ECE", f"{self.ece:.2%}", f"temperature {self.temperature:.3f}"),
            ("Brier score", f"{self.brier:.4f}", ""),
            ("log loss", f"{self.log_loss:.4f}", ""),
        ]
        if self.kl_divergence is not None:
            rows.append(("KL divergence", f"{self.kl_divergence:.4f}", "nats, from soft targets"))
        rows.append(("prior", _prior_text(self.prior), ""))
        if self.views > 1:
            rows.append(("views", str(self.views), "each face and its mirror image"))
        return text_table(rows[0], rows[1:], "lrl")

    def _class_table(self) -> str:
        table = self.per_class
        rows = [
            [label, *map(percent, values), f"{support:,}"]
            for label, *values, support in zip(
                self.labels, table.precision, table.recall, table.f1, table.support, strict=True
            )
        ]
        return text_table(["label", "precision", "recall", "F1", "samples"], rows)

    def _confusion_table(self) -> str:
        header = ["true \\ predicted", *self.labels]
        rows = zip(self.labels, self.confusion_matrix, strict=True)
        return text_table(header, [[label, *(f"{n:,}" for n in row)] for label, row in rows])


def make_report(
    proba: NDArray[np.float32],
    y_true: NDArray[np.intp],
    labels: tuple[str, ...],
    *,
    temperature: float = 1.0,
    groups: Sequence[object] | NDArray[Any] | None = None,
    targets: NDArray[np.floating] | None = None,
    prior: Prior = "training",
) -> Report:
    """Measure given probabilities.

    Args:
        proba: (n, k), each row sums to 1.
        y_true: (n,) index of the true label.
        labels: Names of the k columns.
        temperature: What the logits were divided by; only stored.
        groups: (n,) group of each sample; each group is measured separately.
        targets: (n, k) soft targets, such as proportions of votes, for the KL divergence.
        prior: Expected label frequencies; only stored.

    Raises:
        DataError: No samples, or not one group per sample.
    """
    standard = tuple(label for label in labels if canonical(label) in STANDARD_EMOTIONS)
    averaged = standard if len(standard) == len(STANDARD_EMOTIONS) else labels
    columns = [labels.index(label) for label in averaged]
    by_class = metrics.per_class(proba, y_true)
    predictions = Predictions(proba, y_true)
    curve = predictions.coverage_curve()
    rows = {coverage: curve.row_at(coverage) for coverage in COVERAGES}
    soft_targets = None if targets is None or not np.any(targets.max(axis=1) < 1) else targets
    return Report(
        labels=labels,
        samples=len(y_true),
        accuracy=metrics.accuracy(proba, y_true),
        balanced_accuracy=metrics.balanced_accuracy(proba, y_true),
        macro_f1=metrics.macro_f1(proba, y_true, columns=columns),
        macro_labels=averaged,
        macro_recall=float(metrics.mean_of_defined(by_class.recall[columns])),
        accuracy_at_coverage={at: float(curve.accuracy[row]) for at, row in rows.items()},
        confidence_at_coverage={at: float(curve.confidence[row]) for at, row in rows.items()},
        ece=metrics.expected_calibration_error(proba, y_true),
        brier=metrics.brier_score(proba, y_true),
        log_loss=metrics.log_loss(proba, y_true),
        kl_divergence=None if soft_targets is None else metrics.kl_divergence(soft_targets, proba),
        per_class=by_class,
        confusion_matrix=metrics.confusion_matrix(proba, y_true),
        temperature=temperature,
        prior=prior,
        predictions=predictions,
        groups=() if groups is None else group_metrics(proba, y_true, groups, columns=columns),
    )


def percent(value: float, digits: int = 1) -> str:
    """A proportion as a percentage with some decimals; a dash where undefined."""
    return "–" if math.isnan(value) else f"{value:.{digits}%}"


def _groups_table(groups: Sequence[GroupMetrics]) -> str:
    rows: list[list[str]] = []
    for group in groups:
        name = group.name[:24] + " *" * group.too_small
        metrics_of = [str(getattr(group, metric)) for metric in GROUP_METRICS]
        rows.append([name, f"{group.samples:,}", *metrics_of])
    table = text_table(["group", "samples", *GROUP_METRICS.values()], rows, "lrllll")
    notes = ["Each metric with its 95 % interval; overlapping intervals show no clear difference."]
    if any(group.too_small for group in groups):
        notes.append(f"* fewer than {MIN_GROUP_SAMPLES} samples: too few for a conclusion")
    return "\n".join([table, *notes])


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value


def _prior_text(prior: Prior) -> str:
    if isinstance(prior, str):
        return prior
    return ", ".join(f"{label} {frequency:g}" for label, frequency in prior.items())
