import numpy as np
import pytest

from emopy.errors import InputError, ModelError
from emopy.models import InputSpec, ModelCard, prior_shift, softmax
from emopy.models.prior import split_prior

LABELS = ("anger", "fear", "neutral")
LABEL_PRIOR = {"anger": 0.1, "fear": 0.2, "neutral": 0.7}
CARD = ModelCard("m", "1", LABELS, InputSpec(8, 8), training={"label_prior": LABEL_PRIOR})
LOGITS = np.array([[0.3, -1.0, 2.0], [5.0, 4.0, 4.5]])


def test_the_training_prior_changes_nothing_even_without_a_label_prior_on_the_card():
    bare = CARD.changed(training={})
    assert prior_shift(bare, LABELS, "training").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "prior, expected",
    [
        ("uniform", np.array([1, 1, 1]) / 3),
        ("tempered", np.power(list(LABEL_PRIOR.values()), 2 / 3)),
        ({"anger": 5, "fear": 1, "neutral": 4}, np.array([0.5, 0.1, 0.4])),
        ({"angry": 0.5, "afraid": 0.1, "calm": 0.4, "surprise": 9}, np.array([0.5, 0.1, 0.4])),
    ],
)
def test_another_prior_is_bayes_rule(prior, expected):
    shifted = softmax(LOGITS + prior_shift(CARD, LABELS, prior))
    weighted = softmax(LOGITS) * expected / np.array(list(LABEL_PRIOR.values()))
    assert shifted == pytest.approx(weighted / weighted.sum(axis=1, keepdims=True), rel=1e-5)


def test_a_subset_of_labels_is_reweighted_like_all_labels():
    whole = softmax(LOGITS + prior_shift(CARD, LABELS, "uniform"))[:, [2, 0]]
    some = softmax(LOGITS[:, [2, 0]] + prior_shift(CARD, ("neutral", "anger"), "uniform"))
    assert some == pytest.approx(whole / whole.sum(axis=1, keepdims=True), rel=1e-5)


def test_the_label_prior_of_the_training_changes_nothing():
    same = softmax(LOGITS + prior_shift(CARD, LABELS, LABEL_PRIOR))
    assert same == pytest.approx(softmax(LOGITS), rel=1e-6)


def test_the_scale_of_a_prior_does_not_matter():
    large = prior_shift(CARD, LABELS, dict.fromkeys(LABELS, 1e308))
    assert large == pytest.approx(prior_shift(CARD, LABELS, "uniform"))


def test_an_emotion_that_is_named_twice_in_one_text_is_refused():
    with pytest.raises(InputError, match="Received calm twice"):
        split_prior("calm=1, calm=5")


def test_an_emotion_with_prior_0_is_never_predicted():
    never = prior_shift(CARD, LABELS, {"anger": 0, "fear": 1, "neutral": 1})
    assert softmax(LOGITS + never)[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize(
    "prior, reason",
    [
        ("uniforn", "Did you mean 'uniform'"),
        ({"anger": 1, "fear": 1}, "none for neutral"),
        ({"anger": 1, "fear": 1, "neutrl": 1}, "'neutrl'. Did you mean 'neutral'"),
        ({"anger": -1, "fear": 1, "neutral": 1}, "probabilities of 0 or more"),
        ({"anger": 0, "fear": 0, "neutral": 0}, "not all 0"),
        ({"anger": 1, "angry": 1, "fear": 1, "neutral": 1}, "each emotion once"),
        ({"anger": float("nan"), "fear": 1, "neutral": 1}, "probabilities of 0 or more"),
        (None, "Received None"),
        ([0.5, 0.25, 0.25], "a probability for each emotion"),
        (np.ones(3), "a probability for each emotion"),
        ({"anger": None, "fear": 1, "neutral": 1}, "a number for each name"),
        ({"anger": "x", "fear": 1, "neutral": 1}, "a number for each name"),
        ({1: 1}, "known emotions. Received 1"),
    ],
)
def test_an_invalid_prior_is_refused(prior, reason):
    with pytest.raises(InputError, match=reason):
        prior_shift(CARD, LABELS, prior)


@pytest.mark.parametrize(
    "label_prior", [{}, {"anger": 0.5, "fear": 0.5}, LABEL_PRIOR | {"fear": 0}]
)
def test_a_card_without_a_label_prior_allows_the_training_prior_only(label_prior):
    incomplete = CARD.changed(training={"label_prior": label_prior})
    with pytest.raises(ModelError, match="must be 'training' for the model m"):
        prior_shift(incomplete, LABELS, "uniform")
    assert prior_shift(incomplete, LABELS, "tempered").tolist() == [0, 0, 0]
