import re

import numpy as np
import pytest

from emopy.errors import DataError
from emopy.evaluate import evaluate, group_figures, make_report, metrics
from emopy.evaluate.groups import FIGURES, SMALLEST_GROUP
from emopy.labels import ALL_EMOTIONS


def judged(n, *, rightness, seed):
    """Probabilities in three labels whose guess is right with a given chance."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=n)
    guess = np.where(rng.random(n) < rightness, truth, (truth + 1) % 3)
    return np.full((n, 3), 0.1) + 0.7 * np.eye(3)[guess], truth


def test_each_group_is_measured_on_its_own_faces():
    probabilities, truth = judged(300, rightness=0.7, seed=0)
    groups = np.array(["old", "young", "young"] * 100)
    old, young = group_figures(probabilities, truth, groups)
    assert (old.name, old.samples, young.name, young.samples) == ("old", 100, "young", 200)
    for group in (old, young):
        part = probabilities[groups == group.name], truth[groups == group.name]
        assert group.accuracy.value == pytest.approx(metrics.accuracy(*part))
        assert group.balanced_accuracy.value == pytest.approx(metrics.balanced_accuracy(*part))
        assert group.macro_f1.value == pytest.approx(metrics.macro_f1(*part))
        assert group.ece.value == pytest.approx(metrics.expected_calibration_error(*part))


def test_the_interval_covers_the_true_accuracy_about_as_often_as_it_says():
    rightness, trials = 0.7, 200
    covered = 0
    for seed in range(trials):
        probabilities, truth = judged(150, rightness=rightness, seed=seed)
        (group,) = group_figures(probabilities, truth, ["a"] * 150, resamples=300, seed=seed)
        covered += group.accuracy.low <= rightness <= group.accuracy.high
    assert 0.90 <= covered / trials <= 0.99


def test_the_interval_of_accuracy_has_the_width_of_theory():
    probabilities, truth = judged(400, rightness=0.7, seed=3)
    (group,) = group_figures(probabilities, truth, ["a"] * 400, resamples=4000)
    share = group.accuracy.value
    expected = 2 * 1.96 * np.sqrt(share * (1 - share) / 400)
    assert group.accuracy.high - group.accuracy.low == pytest.approx(expected, rel=0.08)


def test_every_interval_holds_the_figure_that_was_measured():
    # Confidence equals accuracy here, so every resample raises the calibration error.
    probabilities, truth = np.tile([0.75, 0.25], (40, 1)), np.array([0, 0, 0, 1] * 10)
    (group,) = group_figures(probabilities, truth, ["a"] * 40)
    assert group.ece.value == pytest.approx(0)
    for figure in FIGURES:
        interval = getattr(group, figure)
        assert interval.low <= interval.value <= interval.high


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others():
    probabilities, truth = judged(60, rightness=0.6, seed=1)
    groups = ["a", "b"] * 30
    first, again, other = (
        [group.as_dict() for group in group_figures(probabilities, truth, groups, seed=seed)]
        for seed in (4, 4, 5)
    )
    assert first == again != other


def test_intervals_of_a_group_do_not_depend_on_the_other_groups():
    probabilities, truth = judged(60, rightness=0.6, seed=1)
    names = np.array(["a", "b"] * 30)
    (_, among_others), (alone,) = (
        group_figures(probabilities[rows], truth[rows], names[rows])
        for rows in (np.full(60, True), names == "b")
    )
    assert among_others == alone


def test_a_group_below_the_limit_is_marked():
    probabilities, truth = judged(60, rightness=0.6, seed=1)
    few = SMALLEST_GROUP - 1
    large, small = group_figures(probabilities, truth, ["a"] * (60 - few) + ["b"] * few)
    assert not large.too_small
    assert small.too_small
    assert small.as_dict()["too_small"] is True


def test_a_face_without_a_group_counts_as_unknown_and_comes_last():
    probabilities, truth = judged(6, rightness=1, seed=1)
    groups = [None, "", " zebra ", float("nan"), "unknown", 40]
    found = group_figures(probabilities, truth, groups)
    assert [(group.name, group.samples) for group in found] == [
        ("40", 1), ("zebra", 1), ("unknown", 4),
    ]  # fmt: skip


def test_a_figure_that_is_undefined_in_a_group_is_none():
    (group,) = group_figures(np.eye(3)[[0, 1]], np.array([0, 1]), ["a", "a"], columns=[2])
    assert group.as_dict()["macro_f1"] == {"value": None, "low": None, "high": None}
    assert str(group.macro_f1) == "–"


@pytest.mark.parametrize("groups", [["a"], np.full((2, 1), "a"), "ab", []])
def test_groups_that_do_not_match_the_faces_are_refused(groups):
    with pytest.raises(DataError, match=r"shape \(2,\): one group for each face"):
        group_figures(np.eye(2), np.array([0, 1]), groups)


def test_no_resample_is_refused():
    with pytest.raises(DataError, match="`resamples`"):
        group_figures(np.eye(2), np.array([0, 1]), ["a", "a"], resamples=0)


def test_macro_f1_of_a_group_leaves_contempt_out_as_the_report_does():
    probabilities = np.eye(8)[[0, 1, 2]]
    report = make_report(probabilities, np.array([0, 0, 2]), ALL_EMOTIONS, groups=["a"] * 3)
    assert report.groups[0].macro_f1.value == pytest.approx(report.macro_f1)


def test_groups_stand_in_the_json_and_in_the_text(model_folder, faces):
    groups = np.where(np.arange(80) < 60, "long hair", "short hair")
    report = evaluate(model_folder, faces, groups=groups)
    figures = report.as_dict()["groups"]
    assert list(figures) == ["long hair", "short hair"]
    assert figures["long hair"]["accuracy"]["value"] == 0.75
    text = str(report)
    assert re.search(r"^long hair +60 +75\.0% +\d+–\d+ ", text, re.MULTILINE)
    assert re.search(r"^short hair +20 \* ", text, re.MULTILINE)
    assert "* fewer than 30 faces: too few to tell" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_without_groups_the_text_says_nothing_of_them(model_folder, faces):
    report = evaluate(model_folder, faces)
    assert report.as_dict()["groups"] == {}
    assert "group" not in str(report)


def test_groups_follow_the_faces_when_only_some_labels_are_judged(model_folder, faces):
    by_label = np.array(faces.labels)[faces.truth]
    report = evaluate(model_folder, faces, labels=["joy", "anger"], groups=by_label)
    assert [(group.name, group.samples) for group in report.groups] == [
        ("anger", 20), ("happiness", 20),
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"shape \(80,\)"):
        evaluate(model_folder, faces, labels=["joy", "anger"], groups=by_label[:40])
