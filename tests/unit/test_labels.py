import pytest

from emopy.errors import LabelError
from emopy.labels import (
    ALIASES,
    ALL_EMOTIONS,
    STANDARD_EMOTIONS,
    Emotion,
    canonical,
    select_labels,
)


def test_an_emotion_is_a_plain_string():
    assert Emotion.FEAR == "fear"
    assert f"{Emotion.FEAR}" == "fear"


def test_the_standard_emotions_are_all_but_contempt():
    assert set(ALL_EMOTIONS) - set(STANDARD_EMOTIONS) == {"contempt"}
    assert list(ALL_EMOTIONS) == sorted(ALL_EMOTIONS)


@pytest.mark.parametrize("alias", ALIASES)
def test_every_alias_stands_for_an_emotion(alias):
    assert canonical(alias.upper()) in ALL_EMOTIONS


def test_an_own_label_is_only_stripped_and_lowered():
    assert canonical("  Boredom ") == "boredom"


def test_labels_come_in_the_users_order_and_the_models_spelling():
    assert select_labels(["calm", "ANGRY"], ALL_EMOTIONS) == ("neutral", "anger")
    assert select_labels(["yes", "no"], ["No", "Yes"]) == ("Yes", "No")


def test_words_for_whole_sets():
    assert select_labels("all", ALL_EMOTIONS) == ALL_EMOTIONS
    assert select_labels(" Standard ", ALL_EMOTIONS) == STANDARD_EMOTIONS
    assert select_labels("standard", ["yes", "no"]) == ("yes", "no")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (["sadnes", "anger"], "Did you mean 'sadness'"),
        (["anger"], "two or more"),
        ([], "two or more"),
        (["calm", "neutral", "fear"], "twice, as 'calm' and 'neutral'"),
        ("anger", "a list of labels, 'standard' or 'all'"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_with_what_to_type(wish, message):
    with pytest.raises(LabelError, match=message):
        select_labels(wish, ALL_EMOTIONS)


def test_aliases_of_labels_that_are_not_there_are_not_offered():
    with pytest.raises(LabelError) as refusal:
        select_labels(["calm", "anger"], ["anger", "fear"])
    assert "neutral" not in str(refusal.value).partition("Known:")[2]
