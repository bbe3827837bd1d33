"""Names of facial expressions: the eight emotions, their aliases, codes, and subsets of them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from emopy.errors import LabelError, nearest


class Emotion(StrEnum):
    """The eight emotions of FER+ (Barsoum et al. 2016, https://arxiv.org/abs/1608.01041).

    A member is a plain string: ``Emotion.FEAR == "fear"``. The name says what a face
    *shows*, not what the person feels.
    """

    ANGER = "anger"
    CONTEMPT = "contempt"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPINESS = "happiness"
    NEUTRAL = "neutral"
    SADNESS = "sadness"
    SURPRISE = "surprise"


ALL_EMOTIONS: tuple[str, ...] = tuple(emotion.value for emotion in Emotion)
"""All eight, in alphabetical order: the order of every bundled model's outputs."""

STANDARD_EMOTIONS: tuple[str, ...] = tuple(name for name in ALL_EMOTIONS if name != "contempt")
"""The field's usual seven: all but contempt."""

ALIASES: dict[str, str] = {
    "angry": "anger",
    "calm": "neutral",
    "contemptuous": "contempt",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "happy": "happiness",
    "joy": "happiness",
    "neutrality": "neutral",
    "sad": "sadness",
    "surprised": "surprise",
}
"""Other words that people and data sets use, and the emotion each stands for."""

FER2013_LABELS: Mapping[str, str] = {
    "0": "anger",
    "1": "disgust",
    "2": "fear",
    "3": "happiness",
    "4": "sadness",
    "5": "surprise",
    "6": "neutral",
}
"""Labels of the codes in FER2013's column `emotion` (Goodfellow et al. 2013,
https://arxiv.org/abs/1307.0414)."""

_NUMBER = re.compile(
    r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE
)
_CODE = re.compile(r"(0|[1-9][0-9]*)(?:[.,]0*)?")
_MIN_SIMILARITY = 0.8
"""Proportion of letters in common from which a word may be a misspelt emotion."""

_OTHER_WORDS = frozenset({"angel", "content", "sand"})
"""Words that are no misspelt emotions, however similar."""

_ADDED_WORDS = frozenset({
    "copy", "emotion", "expression", "face", "faces", "final", "image", "images", "img", "label",
    "new", "old", "photo", "photos", "pic", "pics", "set",
    "test", "train", "training", "val", "validation",
})  # fmt: skip
"""Words that people add to the name of an emotion, as in ``angry_faces``."""


def composed(text: str) -> str:
    """Give the composed form (NFC) of a text: "é" as one character, not as "e" and an accent.

    macOS writes accents of file names separately; a keyboard writes them composed.

    Source:
        Unicode Standard Annex #15, https://www.unicode.org/reports/tr15/.
    """
    return unicodedata.normalize("NFC", text)


def canonical(label: str) -> str:
    """Give the standard spelling of a label: composed (NFC), lower case, aliases replaced.

    A label that is neither an emotion nor an alias (a user's own class) comes back stripped
    and in lower case.

    Example:
        >>> canonical(" Calm ")
        'neutral'
    """
    word = composed(composed(str(label)).strip().lower())
    return ALIASES.get(word, word)


def is_number(label: str) -> bool:
    """Return whether a label is written as a number of any kind: a code, not the name of a class.

    Example:
        >>> [is_number(text) for text in ("3", "3.0", "-1", "3e0", "02", "nan", "level 3")]
        [True, True, True, True, True, True, False]
    """
    return _NUMBER.fullmatch(label.strip()) is not None


def label_code(label: str) -> str:
    """Return the whole number that a label is written as, ``"3"`` for ``"3.0"``; else ``""``.

    Signs, exponents and leading zeros are not codes: ``"-1"``, ``"3e0"`` and ``"02"`` give ``""``.

    Example:
        >>> [label_code(text) for text in ("3", "3.0", "02")]
        ['3', '3', '']
    """
    match = _CODE.fullmatch(label.strip())
    return match[1] if match else ""


def probable_emotion(label: str) -> str | None:
    """Return the emotion that a label probably means although it is no spelling of one.

    Digits, signs and words such as "faces" around an emotion are ignored, and typing errors
    are accepted.

    Args:
        label: A label, such as ``"suprise"``, ``"angry_2"`` or ``"1_happy"``.

    Returns:
        The emotion; None if the label is a known spelling, or a class of its own.

    Example:
        >>> [probable_emotion(label) for label in ("suprise", "angry_2", "happy", "yawning")]
        ['surprise', 'anger', None, None]
    """
    word = canonical(label)
    known = (*ALL_EMOTIONS, *ALIASES)
    if word in ALL_EMOTIONS:
        return None
    parts = [part for part in re.split(r"[\W\d_]+", word) if part and part not in _ADDED_WORDS]
    if len(parts) != 1:
        return None
    alike = [name for name in known if name[0] == parts[0][0]]  # not "unhappy", not "gladness"
    close = difflib.get_close_matches(parts[0], alike, n=1, cutoff=_MIN_SIMILARITY)
    return canonical(close[0]) if close and parts[0] not in _OTHER_WORDS else None


@dataclass(frozen=True, slots=True)
class LabelSelection:
    """The labels that a user asked for, and where they are among the labels available.

    Attributes:
        labels: As the user typed them, composed (NFC) and without surrounding blanks: what
            results show.
        known: The same labels as they are spelled among the available ones.
        columns: Their positions among the available ones.
    """

    labels: tuple[str, ...]
    known: tuple[str, ...]
    columns: tuple[int, ...]


def select_labels(target_emotions: str | Iterable[str], available: Sequence[str]) -> LabelSelection:
    """Find the labels that a user asked for among those of a model or a data set.

    Args:
        target_emotions: Two or more labels or aliases; ``"all"`` for every available label;
            ``"standard"`` for the seven standard emotions (every label, where they are not all
            available).
        available: Labels of the model or the data set.

    Returns:
        The selection, in the user's order.

    Raises:
        LabelError: Unknown, repeated or fewer than two labels.

    Example:
        >>> select_labels(["calm", "anger"], ("anger", "fear", "neutral"))
        LabelSelection(labels=('calm', 'anger'), known=('neutral', 'anger'), columns=(2, 0))
    """
    if isinstance(target_emotions, str):
        return _named_subset(target_emotions, available)
    columns = {canonical(label): column for column, label in enumerate(available)}
    aliases = (alias for alias, label in ALIASES.items() if label in columns)
    chosen: dict[int, str] = {}
    for label in target_emotions:
        typed, name = composed(str(label)).strip(), canonical(label)
        if name not in columns:
            raise LabelError(
                f"`target_emotions` must be labels that the model knows. Received {typed!r}. "
                + nearest(name, [*columns, *aliases])
            )
        if columns[name] in chosen:
            raise LabelError(
                f"`target_emotions` must name each emotion once. Received {name!r} twice, as "
                f"{chosen[columns[name]]!r} and {typed!r}. Leave one out."
            )
        chosen[columns[name]] = typed
    if len(chosen) < 2:
        raise LabelError(
            "`target_emotions` must hold two or more labels. Received "
            f"{', '.join(chosen.values()) or 'none'}. "
            f"Type for example: `target_emotions={list(available[:2])}`"
        )
    known = tuple(available[column] for column in chosen)
    return LabelSelection(tuple(chosen.values()), known, tuple(chosen))


def _named_subset(name: str, available: Sequence[str]) -> LabelSelection:
    word = name.strip().lower()
    if word not in {"all", "standard"}:
        raise LabelError(
            f"`target_emotions` must be a list of labels, 'standard' or 'all'. Received {name!r}. "
            f"Type for example: `target_emotions={list(available[:2])}`"
        )
    labels = tuple(available)
    if word == "standard" and set(STANDARD_EMOTIONS) <= set(map(canonical, available)):
        labels = tuple(label for label in available if canonical(label) in STANDARD_EMOTIONS)
    return LabelSelection(labels, labels, tuple(available.index(label) for label in labels))


def split_labels(text: str) -> str | list[str]:
    """Return labels that stand in one text with commas between them.

    Returns:
        The labels; ``"standard"`` and ``"all"`` stay words.

    Example:
        >>> split_labels("calm, anger"), split_labels("all")
        (['calm', 'anger'], 'all')
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    is_subset = len(words) == 1 and words[0].lower() in ("standard", "all")
    return words[0].lower() if is_subset else words
