import stat

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from emopy.data import Dataset
from emopy.errors import DataError, InputError, LabelError, ModelError
from emopy.evaluate import evaluate, record
from emopy.evaluate.evaluation import load_writable_model
from emopy.models import load_model, softmax, update_card

LABELS = ("anger", "fear", "happiness", "neutral")


def relabelled(faces, labels):
    return Dataset(faces.images, faces.targets, labels, faces.subject_ids, faces.sources)


def test_the_model_folder_is_evaluated(model_folder, faces, logits):
    report = evaluate(model_folder, faces)
    assert report.samples == 80
    assert report.accuracy == accuracy_score(faces.truth, logits.argmax(axis=1)) == 0.75
    assert report.confusion_matrix.tolist() == [
        [15, 5, 0, 0], [0, 15, 5, 0], [0, 0, 15, 5], [5, 0, 0, 15],
    ]  # fmt: skip


def test_the_cards_temperature_is_used(model_folder, faces, logits):
    update_card(model_folder, lambda card: card.changed(temperature=3.0))
    report = evaluate(model_folder, faces)
    given = softmax(logits, 3.0)[np.arange(80), faces.truth]
    assert report.temperature == 3.0
    assert report.log_loss == pytest.approx(float(-np.log(given).mean()), rel=1e-5)


def test_two_views_of_mirrored_faces_give_the_same_metrics(model_folder, faces):
    mirrored = Dataset(
        faces.images[:, :, ::-1], faces.targets, faces.labels, faces.subject_ids, faces.sources
    )
    reports = [evaluate(model_folder, each, views=2).log_loss for each in (faces, mirrored)]
    assert reports[0] == pytest.approx(reports[1], rel=1e-6)
    assert reports[0] != pytest.approx(evaluate(model_folder, faces).log_loss, rel=1e-3)


@pytest.mark.parametrize("views", [1, 2])
def test_the_report_says_how_many_views_were_predicted(model_folder, faces, views):
    report = evaluate(model_folder, faces, views=views)
    assert report.to_dict()["views"] == views
    assert ("each face and its mirror image" in str(report)) is (views == 2)


def test_more_threads_give_the_same_metrics(model_folder, faces):
    one, two = (evaluate(model_folder, faces, threads=n).to_dict() for n in (1, 2))
    assert one == two


def test_data_with_fewer_labels_are_predicted_among_those_only(model_folder, faces, logits):
    some = faces.only(["happiness", "anger"])
    report = evaluate(model_folder, some)
    rows = np.isin(faces.truth, [0, 2])
    expected = softmax(logits[rows][:, [2, 0]])
    assert report.labels == ("happiness", "anger")
    assert report.accuracy == np.mean(expected.argmax(1) == some.truth)
    assert evaluate(model_folder, faces, labels=["happiness", "anger"]).accuracy == report.accuracy


def test_the_report_has_the_labels_as_they_were_requested(model_folder, faces):
    typed = evaluate(model_folder, faces, labels=["calm", "Happy"], groups=faces.sources)
    known = evaluate(model_folder, faces, labels=["neutral", "happiness"], groups=faces.sources)
    assert typed.labels == typed.macro_labels == ("calm", "Happy")
    assert typed.confusion_matrix.tolist() == known.confusion_matrix.tolist()
    assert [group.samples for group in typed.groups] == [group.samples for group in known.groups]


def test_aliases_in_the_data_are_understood(model_folder, faces):
    report = evaluate(model_folder, relabelled(faces, ("angry", "scared", "joy", "calm")))
    assert report.accuracy == 0.75


def test_a_label_that_the_model_does_not_know_is_refused(model_folder, faces):
    with pytest.raises(LabelError, match=r"model corners knows. Received 'happyness'"):
        evaluate(model_folder, relabelled(faces, ("anger", "fear", "happyness", "neutral")))


def test_no_faces_are_refused(model_folder, faces):
    with pytest.raises(DataError, match="must hold faces"):
        evaluate(model_folder, faces.take([]))


def test_clips_are_refused_by_a_model_of_still_images(model_folder, faces):
    clips = Dataset(
        faces.images[:, None], faces.targets, faces.labels, faces.subject_ids, faces.sources
    )
    with pytest.raises(InputError):
        evaluate(model_folder, clips)


def test_the_true_label_of_a_soft_target_is_its_most_probable_one(model_folder, faces):
    soft = Dataset(
        faces.images, 0.7 * faces.targets + 0.075, faces.labels, faces.subject_ids, faces.sources
    )
    found, expected = (evaluate(model_folder, data).to_dict() for data in (soft, faces))
    assert found.pop("kl_divergence") > 0
    assert expected.pop("kl_divergence") is None
    assert found == expected


def test_the_divergence_from_the_models_own_probabilities_is_zero(model_folder, faces, logits):
    own = Dataset(faces.images, softmax(logits), faces.labels, faces.subject_ids, faces.sources)
    assert evaluate(model_folder, own).kl_divergence == pytest.approx(0, abs=1e-6)


def test_another_prior_shifts_predictions_towards_the_expected_labels(model_folder, faces):
    frequencies = {"anger": 0.97, "fear": 0.01, "happiness": 0.01, "neutral": 0.01}
    update_card(model_folder, lambda card: card.changed(training={"label_prior": frequencies}))
    as_trained = evaluate(model_folder, faces)
    even = evaluate(model_folder, faces, prior="uniform")
    only_fear = evaluate(model_folder, faces, prior=dict.fromkeys(LABELS, 0) | {"fear": 1})
    assert as_trained.accuracy == evaluate(model_folder, faces, prior=frequencies).accuracy
    assert even.confusion_matrix[:, 0].sum() < as_trained.confusion_matrix[:, 0].sum()
    assert only_fear.confusion_matrix[:, 1].sum() == 80
    for report, prior in ((as_trained, "training"), (even, "uniform")):
        (row,) = (line.split() for line in str(report).splitlines() if line.startswith("prior"))
        assert row == ["prior", prior]
        assert report.to_dict()["prior"] == prior


def test_recorded_metrics_are_in_the_card_and_its_readme(model_folder, faces):
    report = evaluate(model_folder, faces)
    record(model_folder, "corner faces", report)
    record(model_folder, "other faces", report)
    metrics = load_model(model_folder).card.metrics
    assert list(metrics) == ["corner faces", "other faces"]
    assert metrics["corner faces"] == report.to_dict()
    readme = (model_folder / "README.md").read_text(encoding="utf-8")
    assert "corner faces" in readme
    assert "75.0%" in readme


def test_metrics_over_seeds_and_corruptions_are_recorded_too(model_folder, faces):
    report = evaluate(model_folder, faces)
    record(model_folder, "faces", report, seeds={"accuracy": (0.7, 0.8)}, corruptions={"dark": 0.6})
    extra = {"seeds": {"accuracy": [0.7, 0.8]}, "corruptions": {"dark": 0.6}}
    assert load_model(model_folder).card.metrics["faces"] == report.to_dict() | extra
    readme = (model_folder / "README.md").read_text(encoding="utf-8")
    assert "| accuracy | 0.700, 0.800 | 0.750 | 0.071 |" in readme


def test_a_read_only_folder_is_not_written_to(model_folder, faces):
    report = evaluate(model_folder, faces)
    mode = model_folder.stat().st_mode
    model_folder.chmod(mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        with pytest.raises(ModelError, match=r"read-only. Copy the folder"):
            record(model_folder, "corner faces", report)
    finally:
        model_folder.chmod(mode)
    assert not load_model(model_folder).card.metrics


def test_bundled_models_are_not_written_to():
    with pytest.raises(ModelError, match=r"comes with EmoPy\. Copy the folder"):
        load_writable_model("emopy-base")
