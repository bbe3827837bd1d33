"""`Report`: what a model is worth on some data, for a person, a program and the model card."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emopy.evaluate import metrics
from emopy.evaluate.groups import GroupFigures, group_figures, groups_table
from emopy.evaluate.predictions import Predictions
from emopy.labels import STANDARD_EMOTIONS, canonical
from emopy.models import Prior

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Shares of the faces, the surest ones, whose accuracy is noted."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Figures of one model on one set of faces. Each is explained in `emopy.evaluate.metrics`.

    Attributes:
        labels: Names of the k labels that were judged.
        samples: Number of faces.
        accuracy: 0–1.
        balanced_accuracy: 0–1, mean recall of the labels that occur.
        macro_f1: 0–1, mean F1 over `macro_labels`.
        macro_labels: The seven standard emotions where all of them were judged, else `labels`.
        macro_recall: 0–1, mean recall over `macro_labels`.
        coverage: Share of the faces answered, the surest first → accuracy on them, both 0–1.
        confidence: The same shares → confidence of the least sure answer among them, 0–1: the
            `min_confidence` of `FERModel` that answers about that share.
        ece: Expected calibration error in 15 bins, 0–1.
        brier: Brier score, 0–2.
        log_loss: Nats.
        kl: Kullback-Leibler divergence from the targets to the probabilities, nats; None where
            the targets are not soft.
        per_class: Precision, recall, F1 and support of each label.
        confusion: (k, k) counts: a row per true label, a column per guessed label.
        temperature: The model's temperature while it was judged.
        prior: How often each emotion was expected; see `FERModel`.
        judgement: What the model said about each face; not in `as_dict`.
        groups: Figures of each group of people, where groups were given.
    """

    labels: tuple[str, ...]
    samples: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    macro_labels: tuple[str, ...]
    macro_recall: float
    coverage: Mapping[float, float]
    confidence: Mapping[float, float]
    ece: float
    brier: float
    log_loss: float
    kl: float | None
    per_class: metrics.PerClass
    confusion: NDArray[np.intp]
    temperature: float
    prior: Prior
    judgement: Predictions
    groups: tuple[GroupFigures, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON and for the card; undefined ones (no such face) are None."""
        return {
            "samples": self.samples,
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": _defined(self.macro_f1),
            "macro_labels": list(self.macro_labels),
            "macro_recall": _defined(self.macro_recall),
            "accuracy_at_coverage": {str(share): value for share, value in self.coverage.items()},
            "confidence_at_coverage": {
                str(share): value for share, value in self.confidence.items()
            },
            "ece": self.ece,
            "brier": self.brier,
            "log_loss": self.log_loss,
            "kl_divergence": self.kl,
            "recall": self._by_label(self.per_class.recall),
            "precision": self._by_label(self.per_class.precision),
            "f1": self._by_label(self.per_class.f1),
            "support": {
                label: int(count)
                for label, count in zip(self.labels, self.per_class.support, strict=True)
            },
            "labels": list(self.labels),
            "confusion_matrix": self.confusion.tolist(),
            "temperature": self.temperature,
            "prior": self.prior if isinstance(self.prior, str) else dict(self.prior),
            "groups": {group.name: group.as_dict() for group in self.groups},
        }

    def _by_label(self, values: NDArray[np.float64]) -> dict[str, float | None]:
        return {
            label: _defined(float(value)) for label, value in zip(self.labels, values, strict=True)
        }

    def __str__(self) -> str:
        averaged = f"over {len(self.macro_labels)} labels" + (
            ", contempt left out" if self._without_contempt() else ""
        )
        head = [
            f"faces              {self.samples:>8,}",
            f"accuracy           {self.accuracy:>8.2%}",
            f"balanced accuracy  {self.balanced_accuracy:>8.2%}",
            f"macro F1           {_share(self.macro_f1):>8}  {averaged}",
            f"macro recall       {_share(self.macro_recall):>8}  {averaged}",
            f"accuracy at 80 %   {self.coverage[0.8]:>8.2%}  of the faces, the surest ones",
            f"calibration error  {self.ece:>8.2%}  temperature {self.temperature:.3f}",
            f"Brier score        {self.brier:>8.4f}",
            f"log loss           {self.log_loss:>8.4f}",
        ]
        if self.kl is not None:
            head.append(f"KL divergence      {self.kl:>8.4f}  nats, from the votes")
        if self.prior != "training":
            head.append(f"prior              {_prior_text(self.prior):>8}")
        groups = ["", *groups_table(self.groups)] if self.groups else []
        return "\n".join([*head, "", *self._class_table(), "", *self._confusion_table(), *groups])

    def _without_contempt(self) -> bool:
        left_out = set(self.labels) - set(self.macro_labels)
        return {canonical(label) for label in left_out} == {"contempt"}

    def _class_table(self) -> list[str]:
        width = max(len("label"), *map(len, self.labels))
        lines = [f"{'label':<{width}}  precision   recall       F1    faces"]
        table = self.per_class
        for i, label in enumerate(self.labels):
            lines.append(
                f"{label:<{width}}  {_share(table.precision[i]):>9}"
                f"  {_share(table.recall[i]):>7}  {_share(table.f1[i]):>7}"
                f"  {table.support[i]:>7,}"
            )
        return lines

    def _confusion_table(self) -> list[str]:
        corner = "true \\ guessed"
        width = max(len(corner), *map(len, self.labels))
        heads = [label[:6] for label in self.labels]
        lines = [corner.ljust(width + 2) + "  ".join(f"{head:>6}" for head in heads)]
        lines += [
            f"{label:<{width}}  " + "  ".join(f"{count:>6,}" for count in row)
            for label, row in zip(self.labels, self.confusion, strict=True)
        ]
        return lines


def make_report(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.intp],
    labels: tuple[str, ...],
    *,
    temperature: float = 1.0,
    groups: Sequence[object] | NDArray[Any] | None = None,
    targets: NDArray[np.floating] | None = None,
    prior: Prior = "training",
) -> Report:
    """Measure probabilities that were computed before.

    Args:
        probabilities: (n, k), each row sums to 1.
        truth: (n,) column of the true label.
        labels: Names of the k columns.
        temperature: What the logits were divided by; only noted.
        groups: (n,) group of each face, to measure each group apart.
        targets: (n, k) soft targets, such as shares of votes, to be compared with.
        prior: How often each emotion was expected; only noted.

    Raises:
        DataError: No faces, or not one group per face.
    """
    standard = tuple(label for label in labels if canonical(label) in STANDARD_EMOTIONS)
    averaged = standard if len(standard) == len(STANDARD_EMOTIONS) else labels
    columns = [labels.index(label) for label in averaged]
    by_class = metrics.per_class(probabilities, truth)
    judgement = Predictions(probabilities, truth)
    curve = judgement.coverage()
    rows = {share: max(1, round(share * len(truth))) - 1 for share in COVERAGES}
    return Report(
        labels=labels,
        samples=len(truth),
        accuracy=metrics.accuracy(probabilities, truth),
        balanced_accuracy=metrics.balanced_accuracy(probabilities, truth),
        macro_f1=metrics.macro_f1(probabilities, truth, columns=columns),
        macro_labels=averaged,
        macro_recall=float(metrics.mean_of_defined(by_class.recall[columns])),
        coverage={share: float(curve.accuracy[row]) for share, row in rows.items()},
        confidence={share: float(curve.confidence[row]) for share, row in rows.items()},
        ece=metrics.expected_calibration_error(probabilities, truth),
        brier=metrics.brier(probabilities, truth),
        log_loss=metrics.log_loss(probabilities, truth),
        kl=metrics.kl_divergence(targets, probabilities)
        if targets is not None and np.any(targets.max(axis=1) < 1)
        else None,
        per_class=by_class,
        confusion=metrics.confusion_matrix(probabilities, truth),
        temperature=temperature,
        prior=prior,
        judgement=judgement,
        groups=()
        if groups is None
        else group_figures(probabilities, truth, groups, columns=columns),
    )


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value


def _prior_text(prior: Prior) -> str:
    if isinstance(prior, str):
        return prior
    return ", ".join(f"{label} {share:g}" for label, share in prior.items())


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1%}"
