"""Measure and calibrate a model folder: metrics, groups, reports."""

from emopy.evaluate.calibration import calibrate, fit_temperature
from emopy.evaluate.evaluation import evaluate, record
from emopy.evaluate.groups import GroupMetrics, Interval, group_metrics, read_groups
from emopy.evaluate.html_report import html_report
from emopy.evaluate.metrics import (
    accuracy,
    accuracy_at_coverage,
    balanced_accuracy,
    brier_score,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    macro_f1,
    per_class,
)
from emopy.evaluate.predictions import CoverageCurve, Predictions, ReliabilityDiagram
from emopy.evaluate.report import Report, make_report

__all__ = [
    "CoverageCurve",
    "GroupMetrics",
    "Interval",
    "Predictions",
    "ReliabilityDiagram",
    "Report",
    "accuracy",
    "accuracy_at_coverage",
    "balanced_accuracy",
    "brier_score",
    "calibrate",
    "confusion_matrix",
    "evaluate",
    "expected_calibration_error",
    "fit_temperature",
    "group_metrics",
    "html_report",
    "log_loss",
    "macro_f1",
    "make_report",
    "per_class",
    "read_groups",
    "record",
]
