"""Properties for any data: splits never leak, metrics stay in range."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emopy.data import Dataset, check, majority_targets, split, vote_targets
from emopy.errors import DataError
from emopy.evaluate import (
    accuracy,
    brier_score,
    expected_calibration_error,
    fit_temperature,
    log_loss,
    make_report,
)

few = settings(max_examples=60)


@st.composite
def datasets(draw):
    n = draw(st.integers(1, 60))
    y_true = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    subject_ids = draw(
        st.lists(st.sampled_from(["", "", "a", "b", "c", "d"]), min_size=n, max_size=n)
    )
    # Few different images, so that duplicates are frequent.
    image = np.array(draw(st.lists(st.integers(0, 80), min_size=n, max_size=n)))
    images = np.zeros((n, 8, 8, 1), np.uint8)
    images[:, 0, 0, 0] = image + 1
    return Dataset(
        images,
        np.eye(4, dtype=np.float32)[y_true],
        ("anger", "fear", "joy", "calm"),
        np.array(subject_ids),
        np.array([str(i) for i in range(n)]),
    )


@st.composite
def predictions(draw):
    n, k = draw(st.integers(1, 50)), draw(st.integers(2, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = rng.normal(size=(n, k)) * draw(st.floats(0, 20))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return logits, powers / powers.sum(axis=1, keepdims=True), rng.integers(0, k, n)


@few
@given(datasets(), st.integers(0, 5), st.sampled_from([(0.1, 0.1, 0.1), (0.3, 0, 0.2), (0, 0, 0)]))
def test_a_split_loses_nothing_and_leaks_nothing(data, seed, fractions):
    sizes = dict(zip(("validation", "calibration", "test"), fractions, strict=True))
    try:
        splits = split(data, **sizes, seed=seed)
    except DataError:
        # Refused only when there are too few groups to fill every split.
        assume(False)
    together = sorted(int(row) for _, dataset in splits.items() for row in dataset.sources)
    assert together == list(range(len(data)))
    assert not {found.kind for found in check(splits).findings} & {"leak", "subject"}
    for name, fraction in sizes.items():
        assert (len(getattr(splits, name)) > 0) == (fraction > 0)


@few
@given(predictions())
def test_metrics_stay_in_range(predicted):
    _, proba, y_true = predicted
    assert 0 <= accuracy(proba, y_true) <= 1
    assert 0 <= expected_calibration_error(proba, y_true) <= 1
    assert 0 <= brier_score(proba, y_true) <= 2 + 1e-9
    assert log_loss(proba, y_true) >= 0


@few
@given(predictions(), st.integers(1, 20))
def test_expected_calibration_error_matches_its_definition_bin_by_bin(predicted, bins):
    _, proba, y_true = predicted
    confidence, correct = proba.max(axis=1), proba.argmax(axis=1) == y_true
    expected = 0.0
    for i in range(bins):
        inside = (confidence * bins > i) & (confidence * bins <= i + 1)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    found = expected_calibration_error(proba, y_true, bins=bins)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@few
@given(predictions())
def test_the_order_of_samples_changes_no_metric(predicted):
    _, proba, y_true = predicted
    labels = tuple(f"label {i}" for i in range(proba.shape[1]))
    one = make_report(proba, y_true, labels).to_dict()
    other = make_report(proba[::-1], y_true[::-1], labels).to_dict()
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "ece", "brier", "log_loss"):
        np.testing.assert_allclose(one[name], other[name], atol=1e-9)
    assert one["confusion_matrix"] == other["confusion_matrix"]


@few
@given(predictions())
def test_no_temperature_of_a_grid_is_better_than_the_one_found(predicted):
    logits, _, y_true = predicted
    targets = np.eye(logits.shape[1])[y_true]

    def loss(t):
        scaled = logits / t
        scaled -= scaled.max(axis=1, keepdims=True)
        return np.mean(np.log(np.exp(scaled).sum(axis=1)) - (targets * scaled).sum(axis=1))

    best = loss(fit_temperature(logits, targets))
    assert all(best <= loss(t) + 1e-6 for t in np.geomspace(0.06, 19, 40))


@few
@given(st.lists(st.lists(st.integers(0, 10), min_size=10, max_size=10), min_size=1, max_size=20))
def test_vote_rules_give_rows_that_sum_to_one_exactly_where_they_keep(votes):
    for rule in (majority_targets, vote_targets):
        targets, keep = rule(np.array(votes))
        np.testing.assert_allclose(targets.sum(axis=1), keep, atol=1e-6)
