import numpy as np
import pytest

from emopy.data import majority_targets, spread_vote_targets, vote_targets
from emopy.errors import DataError
from emopy.labels import ALL_EMOTIONS


def winner(votes):
    targets, keep = majority_targets(np.array([votes]))
    return ALL_EMOTIONS[targets[0].argmax()] if keep[0] else None


def test_the_winner_has_more_than_half_of_the_votes(votes_for):
    assert winner(votes_for(fear=6, surprise=4)) == "fear"


def test_columns_are_brought_into_alphabetical_order(votes_for):
    for emotion in ALL_EMOTIONS:
        assert winner(votes_for(**{emotion: 10})) == emotion


def test_exactly_half_is_not_a_majority(votes_for):
    assert winner(votes_for(fear=5, surprise=5)) is None
    assert winner(votes_for(fear=4, surprise=2, anger=2)) is None


def test_single_votes_are_dropped_before_counting(votes_for):
    # 5 of 10 is no majority; 5 of the 9 that are left without the single vote is.
    assert winner(votes_for(fear=5, surprise=4, anger=1)) == "fear"


def test_unknown_and_not_a_face_never_win(votes_for):
    assert winner(votes_for(unknown=7, fear=3)) is None
    assert winner(votes_for(NF=10)) is None


def test_a_face_with_single_votes_only_is_refused(votes_for):
    row = votes_for(fear=1, anger=1, neutral=1)
    assert winner(row) is None
    assert not vote_targets(np.array([row]))[1][0]


def test_soft_targets_are_proportions_of_what_is_left_for_emotions(votes_for):
    targets, keep = vote_targets(np.array([votes_for(fear=4, surprise=2, anger=1, unknown=3)]))
    assert keep[0]
    assert dict(zip(ALL_EMOTIONS, targets[0].tolist(), strict=True)) == {
        **dict.fromkeys(ALL_EMOTIONS, 0.0),
        "fear": pytest.approx(2 / 3),
        "surprise": pytest.approx(1 / 3),
    }


def test_soft_targets_need_more_than_half_of_the_votes_for_emotions(votes_for):
    rows = [votes_for(fear=3, anger=2, NF=5), votes_for(fear=4, anger=2, NF=4)]
    targets, keep = vote_targets(np.array(rows))
    assert keep.tolist() == [False, True]
    assert targets.sum(axis=1).tolist() == [0, 1]


def test_unknown_votes_can_be_spread_uniformly(votes_for):
    rows = [
        votes_for(fear=4, NF=4, unknown=2),
        votes_for(fear=5, anger=5, surprise=1),
        votes_for(fear=2, unknown=8),
        votes_for(fear=1, unknown=9),
    ]
    targets, keep = spread_vote_targets(np.array(rows))
    assert keep.tolist() == [True, True, True, False]
    fear, anger = ALL_EMOTIONS.index("fear"), ALL_EMOTIONS.index("anger")
    assert targets[0, fear] == pytest.approx(0.4 + 0.6 / 8)
    assert targets[0, anger] == pytest.approx(0.6 / 8)
    np.testing.assert_array_equal(targets[1], vote_targets(np.array(rows))[0][1])
    np.testing.assert_allclose(targets.sum(axis=1), [1, 1, 1, 0], rtol=1e-6)


def test_whatever_has_a_majority_has_soft_targets_with_the_same_winner():
    votes = np.random.default_rng(0).multinomial(10, np.full(10, 0.1) ** 2 / 0.1, size=2000)
    votes[:, 3] += np.random.default_rng(1).integers(0, 9, 2000)
    hard, keep_hard = majority_targets(votes)
    soft, keep_soft = vote_targets(votes)
    assert keep_hard.any()
    assert not (keep_hard & ~keep_soft).any()
    np.testing.assert_array_equal(hard[keep_hard].argmax(1), soft[keep_hard].argmax(1))
    assert (hard[keep_hard].sum(axis=1) == 1).all()


@pytest.mark.parametrize("rule", [majority_targets, vote_targets, spread_vote_targets])
def test_votes_of_another_shape_or_kind_are_refused(rule):
    with pytest.raises(DataError, match=r"shape \(n, 10\).*Received shape \(3, 8\)"):
        rule(np.zeros((3, 8)))
    with pytest.raises(DataError, match="numbers ≥ 0"):
        rule(np.full((1, 10), -1))
    with pytest.raises(DataError, match="numbers ≥ 0"):
        rule(np.full((1, 10), np.nan))
