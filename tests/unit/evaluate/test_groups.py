import re
import unicodedata
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emopy.data import SkippedSample
from emopy.errors import DataError
from emopy.escaping import quote_csv_text
from emopy.evaluate import evaluate, group_metrics, make_report, metrics, read_groups
from emopy.evaluate.groups import GROUP_METRICS, MIN_GROUP_SAMPLES
from emopy.labels import ALL_EMOTIONS


def predicted(n, *, accuracy, seed):
    """Probabilities in three labels that are correct with a given probability."""
    rng = np.random.default_rng(seed)
    y_true = rng.integers(3, size=n)
    y_pred = np.where(rng.random(n) < accuracy, y_true, (y_true + 1) % 3)
    return np.full((n, 3), 0.1) + 0.7 * np.eye(3)[y_pred], y_true


def test_each_group_is_measured_on_its_own_samples():
    proba, y_true = predicted(300, accuracy=0.7, seed=0)
    groups = np.array(["old", "young", "young"] * 100)
    old, young = group_metrics(proba, y_true, groups)
    assert (old.name, old.samples, young.name, young.samples) == ("old", 100, "young", 200)
    for group in (old, young):
        own = proba[groups == group.name], y_true[groups == group.name]
        assert group.accuracy.value == pytest.approx(metrics.accuracy(*own))
        assert group.balanced_accuracy.value == pytest.approx(metrics.balanced_accuracy(*own))
        assert group.macro_f1.value == pytest.approx(metrics.macro_f1(*own))
        assert group.ece.value == pytest.approx(metrics.expected_calibration_error(*own))


def test_the_interval_covers_the_true_accuracy_about_as_often_as_it_says():
    accuracy, trials = 0.7, 200
    covered = 0
    for seed in range(trials):
        proba, y_true = predicted(150, accuracy=accuracy, seed=seed)
        (group,) = group_metrics(proba, y_true, ["a"] * 150, resamples=300, seed=seed)
        covered += group.accuracy.low <= accuracy <= group.accuracy.high
    assert 0.90 <= covered / trials <= 0.99


def test_the_interval_of_accuracy_has_the_width_of_theory():
    proba, y_true = predicted(400, accuracy=0.7, seed=3)
    (group,) = group_metrics(proba, y_true, ["a"] * 400, resamples=4000)
    accuracy = group.accuracy.value
    expected = 2 * 1.96 * np.sqrt(accuracy * (1 - accuracy) / 400)
    assert group.accuracy.high - group.accuracy.low == pytest.approx(expected, rel=0.08)


def test_every_interval_contains_the_measured_value():
    # Confidence equals accuracy here, so every resample raises the expected calibration error.
    proba, y_true = np.tile([0.75, 0.25], (40, 1)), np.array([0, 0, 0, 1] * 10)
    (group,) = group_metrics(proba, y_true, ["a"] * 40)
    assert group.ece.value == pytest.approx(0)
    for metric in GROUP_METRICS:
        interval = getattr(group, metric)
        assert interval.low <= interval.value <= interval.high


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others():
    proba, y_true = predicted(60, accuracy=0.6, seed=1)
    groups = ["a", "b"] * 30
    first, again, other = (
        [group.to_dict() for group in group_metrics(proba, y_true, groups, seed=seed)]
        for seed in (4, 4, 5)
    )
    assert first == again != other


def test_intervals_of_a_group_do_not_depend_on_the_other_groups():
    proba, y_true = predicted(60, accuracy=0.6, seed=1)
    names = np.array(["a", "b"] * 30)
    (_, among_others), (alone,) = (
        group_metrics(proba[rows], y_true[rows], names[rows])
        for rows in (np.full(60, True), names == "b")
    )
    assert among_others == alone


def test_a_group_below_the_limit_is_marked():
    proba, y_true = predicted(60, accuracy=0.6, seed=1)
    few = MIN_GROUP_SAMPLES - 1
    large, small = group_metrics(proba, y_true, ["a"] * (60 - few) + ["b"] * few)
    assert not large.too_small
    assert small.too_small
    assert small.to_dict()["too_small"] is True


def test_a_sample_without_a_group_counts_as_unknown_and_comes_last():
    proba, y_true = predicted(8, accuracy=1, seed=1)
    groups = [None, "", " zebra ", float("nan"), "unknown", 40, pd.NA, "nan"]
    found = group_metrics(proba, y_true, groups)
    assert [(group.name, group.samples) for group in found] == [
        ("40", 1), ("nan", 1), ("zebra", 1), ("unknown", 5),
    ]  # fmt: skip


def test_a_metric_that_is_undefined_in_a_group_is_none():
    (group,) = group_metrics(np.eye(3)[[0, 1]], np.array([0, 1]), ["a", "a"], columns=[2])
    assert group.to_dict()["macro_f1"] == {"value": None, "low": None, "high": None}
    assert str(group.macro_f1) == "–"


@pytest.mark.parametrize("groups", [["a"], np.full((2, 1), "a"), "ab", []])
def test_groups_that_do_not_match_the_samples_are_refused(groups):
    with pytest.raises(DataError, match=r"shape \(2,\): one group for each sample"):
        group_metrics(np.eye(2), np.array([0, 1]), groups)


def test_no_resample_is_refused():
    with pytest.raises(DataError, match="`resamples`"):
        group_metrics(np.eye(2), np.array([0, 1]), ["a", "a"], resamples=0)


def test_macro_f1_of_a_group_averages_the_labels_of_the_report():
    proba = np.eye(8)[[0, 1, 2]]
    report = make_report(proba, np.array([0, 0, 2]), ALL_EMOTIONS, groups=["a"] * 3)
    assert report.groups[0].macro_f1.value == pytest.approx(report.macro_f1)


def test_groups_are_in_the_json_and_in_the_text(model_folder, faces):
    groups = np.where(np.arange(80) < 60, "long hair", "short hair")
    report = evaluate(model_folder, faces, groups=groups)
    values = report.to_dict()["groups"]
    assert list(values) == ["long hair", "short hair"]
    assert values["long hair"]["accuracy"]["value"] == 0.75
    text = str(report)
    assert re.search(r"^long hair +60 +75\.0% +\d+–\d+ ", text, re.MULTILINE)
    assert re.search(r"^short hair \* +20 +", text, re.MULTILINE)
    assert "* fewer than 30 samples: too few for a conclusion" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_without_groups_the_text_does_not_mention_them(model_folder, faces):
    report = evaluate(model_folder, faces)
    assert report.to_dict()["groups"] == {}
    assert "group" not in str(report)


def test_groups_follow_the_samples_when_only_some_labels_are_evaluated(model_folder, faces):
    by_label = np.array(faces.labels)[faces.truth]
    report = evaluate(model_folder, faces, labels=["joy", "anger"], groups=by_label)
    assert [(group.name, group.samples) for group in report.groups] == [
        ("anger", 20), ("happiness", 20),
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"shape \(80,\)"):
        evaluate(model_folder, faces, labels=["joy", "anger"], groups=by_label[:40])


def groups_file(tmp_path, text, *, encoding="utf-8"):
    path = tmp_path / "groups.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def three(faces):
    return faces.take([0, 1, 2])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_are_matched_by_source_in_any_order(tmp_path, three, delimiter):
    rows = ["group,source", "b,row 2", "a,row 0", ",row 1"]
    path = groups_file(tmp_path, "\n".join(rows).replace(",", delimiter))
    assert read_groups(path, three).tolist() == ["a", "", "b"]


@pytest.mark.parametrize(
    "title",
    ["source", "origin", "filename", "File Name", "path", "file", "FILE_PATH", "image", "img"],
)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_column_of_names_under_any_usual_title_is_matched_and_never_taken_by_row(
    tmp_path, three, title, order
):
    rows = [(title, "group"), ("row 2", "b"), ("./row 0", "a"), ("row 1", "c")]
    text = "\n".join(",".join(row[i] for i in order) for row in rows)
    assert read_groups(groups_file(tmp_path, text), three).tolist() == ["a", "c", "b"]


@pytest.mark.parametrize("header", ["name,group", "source,group,age", "file,path,group", "group,"])
def test_a_column_that_is_not_known_is_refused(tmp_path, three, header):
    rows = "\n".join(",".join([f"row {i}"] * (header.count(",") + 1)) for i in range(3))
    with pytest.raises(DataError, match=r"leave out others: source,group"):
        read_groups(groups_file(tmp_path, f"{header}\n{rows}\n"), three)


def test_a_name_that_is_not_among_the_samples_is_refused(tmp_path, three):
    path = groups_file(tmp_path, "source,group\nrow 0,a\nrow 1,a\nrow 2,a\nrow 77,b\n")
    with pytest.raises(DataError, match=r"1 of 4 names are not among them, the first 'row 77'"):
        read_groups(path, three)


def test_the_name_of_a_file_that_could_not_be_loaded_may_stay(tmp_path, three):
    skipped = (SkippedSample("faces/anger/bad.png", "broken"), SkippedSample("a.csv", "x", line=7))
    text = "source,group\nrow 0,a\nrow 1,a\nrow 2,a\nanger/bad.png,b\na.csv:7,b\n"
    data = replace(three, skipped=skipped)
    assert read_groups(groups_file(tmp_path, text), data).tolist() == ["a", "a", "a"]


def test_names_that_are_not_utf_8_are_written_as_in_tables_of_results(tmp_path, three):
    data = replace(three, sources=np.array(["a/caf\udce9.png", "b", "c"]))
    path = groups_file(tmp_path, "source,group\na/caf\\udce9.png,x\nb,y\nc,z\n")
    assert read_groups(path, data).tolist() == ["x", "y", "z"]


def test_names_and_groups_are_compared_in_composed_letters(tmp_path, three):
    def nfd(text):
        return unicodedata.normalize("NFD", text)

    data = replace(three, sources=np.array(["colère/1", nfd("colère/2"), "joie/3"]))
    rows = [f"{nfd('colère/1')},Mädchen", f"colère/2,{nfd('Mädchen')}", "joie\\3,x"]
    path = groups_file(tmp_path, "\n".join(["source,group", *rows]))
    assert read_groups(path, data).tolist() == ["Mädchen", "Mädchen", "x"]
    found = group_metrics(np.eye(2), np.array([0, 1]), ["Mädchen", nfd("Mädchen")])
    assert [group.samples for group in found] == [2]


def test_without_sources_the_order_of_the_data_counts(tmp_path, three):
    path = groups_file(tmp_path, "\ufeff Group \r\na\r\n\r\n b\r\na\r\n")
    groups = read_groups(path, three)
    assert groups.tolist() == ["a", "b", "a"]
    assert groups.dtype.kind == "U"


def test_another_number_of_rows_without_sources_is_refused(tmp_path, three):
    with pytest.raises(DataError, match=r"each of the 3 samples.*Received 2 rows"):
        read_groups(groups_file(tmp_path, "group\na\nb\n"), three)


def test_a_sample_without_a_row_is_named(tmp_path, three):
    with pytest.raises(DataError, match=r"where 2 of 3 are missing, the first 'row 1'"):
        read_groups(groups_file(tmp_path, "source,group\nrow 0,a\n"), three)


def test_two_groups_for_one_sample_are_refused(tmp_path, three):
    with pytest.raises(DataError, match="has both 'a' and 'b'"):
        read_groups(groups_file(tmp_path, "source,group\nrow 0,a\nrow 0,b\n"), three)


def test_a_file_that_names_no_group_column_is_refused(tmp_path, three):
    with pytest.raises(DataError, match=r"columns source, gruop"):
        read_groups(groups_file(tmp_path, "source,gruop\nrow 0,a\n"), three)
    with pytest.raises(DataError, match="empty file"):
        read_groups(groups_file(tmp_path, ""), three)


def test_a_row_of_another_length_is_named(tmp_path, three):
    with pytest.raises(DataError, match=r"2 columns in each row. Received 1 in line 4"):
        read_groups(groups_file(tmp_path, "source,group\n\nrow 0,a\nrow 1\n"), three)


def test_files_that_cannot_be_read_are_named(tmp_path, three):
    with pytest.raises(DataError, match=r"nowhere.csv: No such file"):
        read_groups(tmp_path / "nowhere.csv", three)
    with pytest.raises(DataError, match="UTF-8"):
        read_groups(groups_file(tmp_path, "group\nMädchen\n", encoding="latin-1"), three)


def test_duplicate_sources_in_the_data_use_the_same_row(tmp_path, three):
    twice = three.take([0, 0])
    path = groups_file(tmp_path, "source,group\nrow 0,a\nrow 0,a\n")
    assert np.array_equal(read_groups(path, twice), ["a", "a"])


def test_sources_that_were_quoted_for_spreadsheets_are_matched(tmp_path, three):
    risky = replace(three, sources=np.array(["=1.png", "-2.png", "'@3.png"]))
    rows = [f"{quote_csv_text(str(source))},a" for source in risky.sources]
    path = groups_file(tmp_path, "\n".join(["source,group", *rows]))
    assert read_groups(path, risky).tolist() == ["a"] * 3
