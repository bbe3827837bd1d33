import unicodedata

import pytest

from emopy.errors import LabelError
from emopy.labels import (
    ALIASES,
    ALL_EMOTIONS,
    STANDARD_EMOTIONS,
    Emotion,
    canonical,
    probable_emotion,
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


def test_an_unknown_label_is_only_stripped_and_lowercased():
    assert canonical("  Boredom ") == "boredom"


@pytest.mark.parametrize("word", ["Überraschung", "colère", "felicità", "喜び", "행복", "İstek"])
def test_labels_are_compared_in_composed_letters(word):
    composed, decomposed = (unicodedata.normalize(form, word) for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert canonical(composed) == canonical(decomposed)
    for typed, known in ((composed, decomposed), (decomposed, composed)):
        selection = select_labels([typed, "joy"], ["happiness", known])
        assert selection.columns == (1, 0)
        assert selection.labels == (composed, "joy")


@pytest.mark.parametrize(
    ("label", "emotion"),
    [
        ("suprise", "surprise"),
        ("suprised", "surprise"),
        ("sadnes", "sadness"),
        ("angry_2", "anger"),
        ("1_happy", "happiness"),
        ("Fear (copy)", "fear"),
        ("neutral faces", "neutral"),
        ("03-disgust", "disgust"),
    ],
)
def test_a_misspelt_or_numbered_emotion_is_recognized(label, emotion):
    assert probable_emotion(label) == emotion


@pytest.mark.parametrize(
    "label",
    [
        *(*ALL_EMOTIONS, *ALIASES, "boredom", "yawning", "3", "test", ""),
        *("unhappy", "unafraid", "unsurprised", "gladness", "madness", "content", "angel", "sand"),
    ],
)
def test_known_spellings_and_other_classes_are_not_misspelt(label):
    assert probable_emotion(label.upper()) is None


def test_labels_are_kept_as_typed_and_found_among_those_of_the_model():
    selection = select_labels([" calm ", "ANGRY"], ALL_EMOTIONS)
    assert selection.labels == ("calm", "ANGRY")
    assert selection.known == ("neutral", "anger")
    assert [ALL_EMOTIONS[column] for column in selection.columns] == ["neutral", "anger"]
    selection = select_labels(["yes", "no"], ["No", "Yes"])
    assert (selection.labels, selection.known) == (("yes", "no"), ("Yes", "No"))
    assert selection.columns == (1, 0)


def test_an_emotion_is_kept_as_its_plain_word():
    labels = select_labels([Emotion.FEAR, Emotion.ANGER], ALL_EMOTIONS).labels
    assert labels == ("fear", "anger")
    assert {type(label) for label in labels} == {str}


OTHERS = tuple(emotion for emotion in STANDARD_EMOTIONS if emotion != "neutral")


@pytest.mark.parametrize(
    "name, available, expected",
    [
        ("all", ALL_EMOTIONS, ALL_EMOTIONS),
        (" Standard ", ALL_EMOTIONS, STANDARD_EMOTIONS),
        ("standard", ("yes", "no"), ("yes", "no")),
        ("standard", ("Calm", "contempt", *OTHERS), ("Calm", *OTHERS)),
    ],
)
def test_standard_and_all_give_the_labels_in_the_models_spelling(name, available, expected):
    selection = select_labels(name, available)
    assert selection.labels == selection.known == expected
    assert tuple(available[column] for column in selection.columns) == expected


@pytest.mark.parametrize(
    ("target_emotions", "message"),
    [
        (["sadnes", "anger"], "Did you mean 'sadness'"),
        (["anger"], "two or more"),
        ([], "two or more"),
        (["calm", "neutral", "fear"], "twice, as 'calm' and 'neutral'"),
        ("anger", "a list of labels, 'standard' or 'all'"),
    ],
)
def test_labels_that_cannot_be_selected_are_refused_with_what_to_type(target_emotions, message):
    with pytest.raises(LabelError, match=message):
        select_labels(target_emotions, ALL_EMOTIONS)


def test_aliases_of_labels_that_are_not_there_are_not_offered():
    with pytest.raises(LabelError) as refusal:
        select_labels(["calm", "anger"], ["anger", "fear"])
    assert "neutral" not in str(refusal.value).partition("Known:")[2]
