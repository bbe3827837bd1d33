import json

import numpy as np
import pytest

from emopy.evaluate import make_report
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS


def report_over(labels, truth, guess):
    probabilities = np.full((len(guess), len(labels)), 0.1 / (len(labels) - 1), np.float32)
    probabilities[range(len(guess)), guess] = 0.9
    return make_report(probabilities, np.array(truth), labels, temperature=1.5)


def test_a_report_becomes_json_with_none_for_what_is_undefined():
    figures = report_over(("anger", "fear", "joy"), [0, 1, 1], [0, 1, 0]).as_dict()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["samples"] == 3
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["recall"] == {"anger": 1.0, "fear": 0.5, "joy": None}
    assert figures["precision"] == {"anger": 0.5, "fear": 1.0, "joy": None}
    assert figures["support"] == {"anger": 1, "fear": 2, "joy": 0}
    assert figures["confusion_matrix"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert figures["temperature"] == 1.5


def test_the_confidence_to_ask_for_answers_the_share_that_is_told():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet((1, 1, 1), 200).astype(np.float32)
    report = make_report(probabilities, rng.integers(0, 3, 200), ("anger", "fear", "joy"))
    highest = probabilities.max(axis=1)
    for share, confidence in report.confidence.items():
        assert np.mean(highest >= confidence) == pytest.approx(share)
    assert report.as_dict()["confidence_at_coverage"]["0.8"] == report.confidence[0.8]


def test_macro_f1_leaves_contempt_out_when_all_eight_are_judged():
    contempt, fear = ALL_EMOTIONS.index("contempt"), ALL_EMOTIONS.index("fear")
    report = report_over(ALL_EMOTIONS, [fear, contempt], [fear, 0])
    assert report.macro_labels == STANDARD_EMOTIONS
    assert report.macro_f1 == pytest.approx((1 + 0) / 2)  # fear right, anger guessed wrongly
    assert "over 7 labels, contempt left out" in str(report)


def test_other_words_for_the_emotions_leave_contempt_out_too():
    typed = ("calm", "Contempt", "happy", "anger", "fear", "sad", "disgust", "surprise")
    report = report_over(typed, [0, 1], [0, 2])
    assert report.macro_labels == tuple(label for label in typed if label != "Contempt")
    assert "over 7 labels, contempt left out" in str(report)


def test_macro_f1_takes_all_labels_of_a_subset():
    assert report_over(("fear", "anger"), [0], [0]).macro_labels == ("fear", "anger")


def test_the_text_is_a_readable_table():
    text = str(report_over(("anger", "fear", "joy"), [0, 1, 1], [0, 1, 0]))
    lines = text.splitlines()
    assert lines[0].split() == ["faces", "3"]
    assert lines[1].split() == ["accuracy", "66.67%"]
    assert next(line for line in lines if line.startswith("fear ")).split() == [
        "fear", "100.0%", "50.0%", "66.7%", "2",
    ]  # fmt: skip
    assert next(line for line in lines if line.startswith("joy ")).split()[1:3] == ["–", "–"]
    assert lines[-1].split() == ["joy", "0", "0", "0"]
    assert all(line == line.rstrip() and len(line) <= 80 for line in lines)
