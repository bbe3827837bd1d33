import json

import numpy as np
import pytest

from emopy.evaluate import make_report
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS


def report_over(labels, y_true, y_pred):
    proba = np.full((len(y_pred), len(labels)), 0.1 / (len(labels) - 1), np.float32)
    proba[range(len(y_pred)), y_pred] = 0.9
    return make_report(proba, np.array(y_true), labels, temperature=1.5)


def test_a_report_becomes_json_with_none_for_what_is_undefined():
    values = report_over(("anger", "fear", "joy"), [0, 1, 1], [0, 1, 0]).to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["samples"] == 3
    assert values["accuracy"] == pytest.approx(2 / 3)
    assert values["recall"] == {"anger": 1.0, "fear": 0.5, "joy": None}
    assert values["precision"] == {"anger": 0.5, "fear": 1.0, "joy": None}
    assert values["support"] == {"anger": 1, "fear": 2, "joy": 0}
    assert values["confusion_matrix"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert values["temperature"] == 1.5


def test_the_confidence_at_a_coverage_keeps_that_proportion():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet((1, 1, 1), 200).astype(np.float32)
    report = make_report(proba, rng.integers(0, 3, 200), ("anger", "fear", "joy"))
    highest = proba.max(axis=1)
    for coverage, confidence in report.confidence_at_coverage.items():
        assert np.mean(highest >= confidence) == pytest.approx(coverage)
    assert report.to_dict()["confidence_at_coverage"]["0.8"] == report.confidence_at_coverage[0.8]


def test_macro_f1_of_all_eight_labels_is_without_contempt():
    contempt, fear = ALL_EMOTIONS.index("contempt"), ALL_EMOTIONS.index("fear")
    report = report_over(ALL_EMOTIONS, [fear, contempt], [fear, 0])
    assert report.macro_labels == STANDARD_EMOTIONS
    assert report.macro_f1 == pytest.approx((1 + 0) / 2)  # fear correct, anger predicted wrongly
    assert "over 7 labels, without contempt" in str(report)


def test_macro_f1_of_all_eight_aliases_is_without_contempt():
    typed = ("calm", "Contempt", "happy", "anger", "fear", "sad", "disgust", "surprise")
    report = report_over(typed, [0, 1], [0, 2])
    assert report.macro_labels == tuple(label for label in typed if label != "Contempt")
    assert "over 7 labels, without contempt" in str(report)


def rows_named(report, name):
    return [
        line.split(name)[1].split() for line in str(report).splitlines() if line.startswith(name)
    ]


def test_balanced_accuracy_is_shown_once_unless_two_sets_of_labels_differ():
    few = report_over(("anger", "fear"), [0, 1], [0, 1])
    assert rows_named(few, "balanced accuracy") == [["100.00%", "over", "2", "labels"]]
    assert "macro recall" not in str(few)
    contempt, fear = ALL_EMOTIONS.index("contempt"), ALL_EMOTIONS.index("fear")
    without = report_over(ALL_EMOTIONS, [fear, 0], [fear, 0])
    assert len(rows_named(without, "balanced accuracy")) == 1
    both = report_over(ALL_EMOTIONS, [fear, contempt], [fear, 0])
    assert [row[0] for row in rows_named(both, "balanced accuracy")] == ["50.00%", "100.00%"]
    assert "without contempt" in str(both)


def test_labels_are_never_cut_in_the_confusion_table():
    labels = (*STANDARD_EMOTIONS, "a-label-of-many-letters")
    text = str(report_over(labels, [0, 1], [0, 1]))
    header = next(line for line in text.splitlines() if line.startswith("true"))
    assert header.split()[-len(labels) :] == list(labels)


def test_macro_f1_takes_all_labels_of_a_subset():
    assert report_over(("fear", "anger"), [0], [0]).macro_labels == ("fear", "anger")


def test_the_text_is_a_readable_table():
    text = str(report_over(("anger", "fear", "joy"), [0, 1, 1], [0, 1, 0]))
    lines = text.splitlines()
    assert lines[0].split() == ["samples", "3"]
    assert lines[1].split() == ["accuracy", "66.67%"]
    assert next(line for line in lines if line.startswith("fear ")).split() == [
        "fear", "100.0%", "50.0%", "66.7%", "2",
    ]  # fmt: skip
    assert next(line for line in lines if line.startswith("joy ")).split()[1:3] == ["–", "–"]
    assert lines[-1].split() == ["joy", "0", "0", "0"]
    assert all(line == line.rstrip() and len(line) <= 80 for line in lines)
