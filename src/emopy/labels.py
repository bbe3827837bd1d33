"""Names of facial expressions: the eight emotions, their aliases, and subsets of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def canonical(label: str) -> str:
    """Give the standard spelling of a label: lower case, aliases replaced.

    A label that is neither an emotion nor an alias (a user's own class) comes back stripped
    and in lower case.

    Example:
        >>> canonical(" Calm ")
        'neutral'
    """
    word = str(label).strip().lower()
    return ALIASES.get(word, word)


@dataclass(frozen=True, slots=True)
class LabelSelection:
    """The labels that a user asked for, and where they are among the labels available.

    Attributes:
        labels: As the user typed them, without surrounding blanks: what results show.
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
        typed, name = str(label).strip(), canonical(label)
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
    if word == "standard" and set(STANDARD_EMOTIONS) <= set(available):
        labels = tuple(label for label in available if label in STANDARD_EMOTIONS)
    return LabelSelection(labels, labels, tuple(available.index(label) for label in labels))
