"""JUDGE: measure and calibrate the model folder that ships."""

from emopy.evaluate.calibration import calibrate, find_temperature
from emopy.evaluate.evaluation import evaluate, record
from emopy.evaluate.group_file import read_groups
from emopy.evaluate.groups import GroupFigures, Interval, group_figures
from emopy.evaluate.html import html_report
from emopy.evaluate.metrics import (
    accuracy,
    accuracy_at_coverage,
    balanced_accuracy,
    brier,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    macro_f1,
    per_class,
)
from emopy.evaluate.predictions import Coverage, Predictions, Reliability
from emopy.evaluate.report import Report, make_report

__all__ = [
    "Coverage",
    "GroupFigures",
    "Interval",
    "Predictions",
    "Reliability",
    "Report",
    "accuracy",
    "accuracy_at_coverage",
    "balanced_accuracy",
    "brier",
    "calibrate",
    "confusion_matrix",
    "evaluate",
    "expected_calibration_error",
    "find_temperature",
    "group_figures",
    "html_report",
    "log_loss",
    "macro_f1",
    "make_report",
    "per_class",
    "read_groups",
    "record",
]
