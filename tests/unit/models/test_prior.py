import numpy as np
import pytest

from emopy.errors import InputError, ModelError
from emopy.models import InputSpec, ModelCard, prior_shift, softmax

LABELS = ("anger", "fear", "neutral")
SHARES = {"anger": 0.1, "fear": 0.2, "neutral": 0.7}
CARD = ModelCard("m", "1", LABELS, InputSpec(8, 8), training={"label_prior": SHARES})
LOGITS = np.array([[0.3, -1.0, 2.0], [5.0, 4.0, 4.5]])


def test_the_training_prior_changes_nothing_even_where_the_card_knows_no_shares():
    bare = CARD.changed(training={})
    assert prior_shift(bare, LABELS, "training").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "prior, expected",
    [
        ("uniform", np.array([1, 1, 1]) / 3),
        ("tempered", np.power(list(SHARES.values()), 2 / 3)),
        ({"anger": 5, "fear": 1, "neutral": 4}, np.array([0.5, 0.1, 0.4])),
        ({"angry": 0.5, "afraid": 0.1, "calm": 0.4, "surprise": 9}, np.array([0.5, 0.1, 0.4])),
    ],
)
def test_another_prior_is_bayes_rule(prior, expected):
    shifted = softmax(LOGITS + prior_shift(CARD, LABELS, prior))
    weighted = softmax(LOGITS) * expected / np.array(list(SHARES.values()))
    assert shifted == pytest.approx(weighted / weighted.sum(axis=1, keepdims=True), rel=1e-5)


def test_some_of_the_labels_are_reweighted_as_all_of_them_are():
    whole = softmax(LOGITS + prior_shift(CARD, LABELS, "uniform"))[:, [2, 0]]
    some = softmax(LOGITS[:, [2, 0]] + prior_shift(CARD, ("neutral", "anger"), "uniform"))
    assert some == pytest.approx(whole / whole.sum(axis=1, keepdims=True), rel=1e-5)


def test_shares_equal_to_those_of_the_training_change_nothing():
    same = softmax(LOGITS + prior_shift(CARD, LABELS, SHARES))
    assert same == pytest.approx(softmax(LOGITS), rel=1e-6)


def test_an_emotion_with_a_share_of_nothing_is_never_answered():
    never = prior_shift(CARD, LABELS, {"anger": 0, "fear": 1, "neutral": 1})
    assert softmax(LOGITS + never)[:, 0].tolist() == [0, 0]


@pytest.mark.parametrize(
    "prior, reason",
    [
        ("uniforn", "Did you mean 'uniform'"),
        ({"anger": 1, "fear": 1}, "none for neutral"),
        ({"anger": 1, "fear": 1, "neutrl": 1}, "'neutrl'. Did you mean 'neutral'"),
        ({"anger": -1, "fear": 1, "neutral": 1}, "shares of 0 or more"),
        ({"anger": 0, "fear": 0, "neutral": 0}, "not all 0"),
        ({"anger": float("nan"), "fear": 1, "neutral": 1}, "shares of 0 or more"),
    ],
)
def test_a_prior_that_makes_no_sense_is_refused(prior, reason):
    with pytest.raises(InputError, match=reason):
        prior_shift(CARD, LABELS, prior)


@pytest.mark.parametrize("shares", [{}, {"anger": 0.5, "fear": 0.5}, SHARES | {"fear": 0}])
def test_a_card_without_the_training_shares_allows_the_training_prior_only(shares):
    lacking = CARD.changed(training={"label_prior": shares})
    with pytest.raises(ModelError, match="must be 'training' for the model m"):
        prior_shift(lacking, LABELS, "uniform")
    assert prior_shift(lacking, LABELS, "tempered").tolist() == [0, 0, 0]
