import pytest

from emopy.errors import LabelError
from emopy.legacy.adapters.words import EMOTION_INDEX, index_map, labels_of


def test_the_seven_emotions_keep_their_old_numbers():
    assert list(EMOTION_INDEX.values()) == list(range(7))
    assert EMOTION_INDEX["calm"] == 6


def test_a_map_speaks_in_the_words_of_the_user():
    assert index_map(("happiness", "neutral"), ["calm", "happy"]) == {"happy": 0, "calm": 1}
    assert index_map(("anger", "neutral"), []) == {"anger": 0, "neutral": 1}


def test_labels_follow_the_numbers_of_a_map():
    assert labels_of({"surprise": 2, "calm": 1, "anger": 0}) == ("anger", "neutral", "surprise")


@pytest.mark.parametrize(
    "wrong", [{"anger": 0}, {"anger": 0, "fear": 2}, {"calm": 0, "neutral": 1}, {}]
)
def test_a_map_with_gaps_or_one_emotion_is_refused(wrong):
    with pytest.raises(LabelError, match="must number two or more emotions from 0"):
        labels_of(wrong)
