import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from emopy.cli.main import main
from emopy.data import Dataset
from emopy.errors import DataError, InputError
from emopy.evaluate import calibrate, evaluate, fit_temperature, record
from emopy.evaluate.calibration import MAX_TEMPERATURE, MIN_TEMPERATURE
from emopy.models import load_model, softmax, update_card


def drawn(true_temperature, n=20_000):
    """Logits, and labels drawn from their probabilities at a temperature."""
    rng = np.random.default_rng(1)
    logits = 3 * rng.normal(size=(n, 5))
    proba = softmax(logits, true_temperature)
    y_true = (proba.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=4)
    return logits, np.eye(5)[y_true]


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_the_labels_were_drawn_with_is_found(true_temperature):
    assert fit_temperature(*drawn(true_temperature)) == pytest.approx(true_temperature, rel=0.05)


def test_the_temperature_is_found_under_another_label_prior():
    rng = np.random.default_rng(1)
    logits, shift = 3 * rng.normal(size=(20_000, 3)), np.log([0.9, 0.09, 0.01])
    proba = softmax(logits / 1.6 + shift)
    assert fit_temperature(logits, proba, shift) == pytest.approx(1.6, rel=1e-3)
    assert fit_temperature(logits, proba) != pytest.approx(1.6, rel=0.05)


def test_the_result_agrees_with_scipys_search():
    logits, targets = drawn(1.7, n=500)

    def loss(t):
        return -np.sum(targets * np.log(softmax(logits.astype(np.float64), t)))

    expected = minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
    assert fit_temperature(logits, targets) == pytest.approx(expected, rel=1e-3)


def test_soft_targets_are_matched_exactly():
    logits = np.random.default_rng(2).normal(size=(200, 4)) * 4
    assert fit_temperature(logits, softmax(logits, 3.0)) == pytest.approx(3.0, rel=1e-3)


def test_the_search_stays_within_its_bounds():
    logits = np.eye(3)
    assert fit_temperature(logits, np.eye(3)) == pytest.approx(MIN_TEMPERATURE, rel=1e-3)
    assert fit_temperature(logits, np.eye(3)[[1, 2, 0]]) == pytest.approx(MAX_TEMPERATURE, rel=1e-3)


def test_huge_logits_do_not_overflow():
    logits = np.array([[5000.0, 0.0], [5000.0, 0.0]])
    assert np.isfinite(fit_temperature(logits, np.eye(2)))


def test_wrong_arguments_are_refused():
    with pytest.raises(DataError, match=r"\(2, 2\) and \(2, 3\)"):
        fit_temperature(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(DataError, match="finite"):
        fit_temperature(np.array([[np.nan, 0.0]]), np.array([[1.0, 0.0]]))
    with pytest.raises(DataError, match="a frequency above 0"):
        fit_temperature(np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.array([0.0, -np.inf]))


def test_calibration_corrects_an_overconfident_model_and_is_stored_in_the_card(model_folder, faces):
    before = evaluate(model_folder, faces)
    temperature = calibrate(model_folder, faces)
    after = evaluate(model_folder, faces)
    card = load_model(model_folder).card
    assert temperature > 1
    assert card.temperature == after.temperature == temperature
    assert after.accuracy == before.accuracy
    assert after.log_loss < before.log_loss
    assert after.ece < before.ece
    assert card.training["network"] == "corners"
    assert card.training["calibration"] == {
        "samples": 80,
        "temperature": temperature,
        "ece_before": pytest.approx(before.ece),
        "ece_after": pytest.approx(after.ece),
        "log_loss_before": pytest.approx(before.log_loss),
        "log_loss_after": pytest.approx(after.log_loss),
    }


def test_a_few_faces_without_errors_limit_the_confidence(model_folder, faces, logits):
    correct = faces.take(np.flatnonzero(logits.argmax(axis=1) == faces.truth))
    for few in (8, 40):
        some = correct.take(np.linspace(0, len(correct) - 1, few).astype(int))
        temperature = calibrate(model_folder, some)
        confidence = evaluate(model_folder, some).predictions.confidence.mean()
        assert temperature > 2 * MIN_TEMPERATURE
        assert 1 - 1.5 / few < confidence < 1 - 0.3 / few


def test_calibrating_twice_gives_the_same_temperature(model_folder, faces):
    assert calibrate(model_folder, faces) == calibrate(model_folder, faces)


def test_before_means_temperature_1_also_the_second_time(model_folder, faces):
    summaries = []
    for _ in range(2):
        calibrate(model_folder, faces)
        summaries.append(load_model(model_folder).card.training["calibration"])
    assert summaries[0] == summaries[1]
    assert summaries[0]["log_loss_before"] > summaries[0]["log_loss_after"]


def test_metrics_of_another_temperature_are_removed_from_the_card(model_folder, faces):
    record(model_folder, "corner faces", evaluate(model_folder, faces))
    calibrate(model_folder, faces)
    assert not load_model(model_folder).card.metrics
    record(model_folder, "corner faces", evaluate(model_folder, faces))
    calibrate(model_folder, faces)
    assert list(load_model(model_folder).card.metrics) == ["corner faces"]


def test_no_faces_are_refused_and_the_card_is_unchanged(model_folder, faces):
    with pytest.raises(DataError, match="must hold faces"):
        calibrate(model_folder, faces.take([]))
    assert load_model(model_folder).card.temperature == 1


def test_soft_targets_of_a_dataset_are_used(model_folder, faces, logits):
    soft = Dataset(
        faces.images, softmax(logits, 4.0), faces.labels, faces.subject_ids, faces.sources
    )
    assert calibrate(model_folder, soft) == pytest.approx(4.0, rel=1e-3)


def test_a_prior_of_0_is_refused(model_folder, faces):
    even = {"label_prior": dict.fromkeys(load_model(model_folder).card.labels, 0.25)}
    update_card(model_folder, lambda card: card.changed(training=even))
    prior = {**dict.fromkeys(faces.labels, 1.0), faces.labels[1]: 0.0}
    with pytest.raises(
        InputError, match=f"`prior` must be above 0.*Received 0 for {faces.labels[1]}"
    ):
        calibrate(model_folder, faces, prior=prior)


def test_faces_with_other_label_frequencies_are_calibrated_with_their_prior(
    model_folder, faces, logits, capsys
):
    even = {"label_prior": dict.fromkeys(load_model(model_folder).card.labels, 0.25)}
    update_card(model_folder, lambda card: card.changed(training=even))
    prior = dict(zip(faces.labels, (0.7, 0.1, 0.1, 0.1), strict=True))
    targets = softmax(logits / 4 + np.log(list(prior.values())))
    soft = Dataset(faces.images, targets, faces.labels, faces.subject_ids, faces.sources)
    assert calibrate(model_folder, soft, prior=prior) == pytest.approx(4.0, rel=1e-3)
    soft.save(model_folder.parent / "soft.npz")
    words = ["calibrate", str(model_folder), str(model_folder.parent / "soft.npz"), "--prior"]
    assert main([*words, ",".join(f"{k}={v}" for k, v in prior.items())]) == 0
    assert capsys.readouterr().out.startswith("temperature 4.0")
