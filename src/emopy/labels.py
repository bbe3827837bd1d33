"""Names of facial expressions: the eight emotions, their aliases, and subsets of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def select_labels(
    target_emotions: str | Iterable[str], available: Sequence[str]
) -> tuple[str, ...]:
    """Turn a user's wish into labels that a model knows, in the user's order.

    Args:
        target_emotions: Two or more labels or aliases; ``"all"`` for every label the model
            has; ``"standard"`` for the seven standard emotions (every label, where the model
            was trained on labels of its own).
        available: The model's labels.

    Returns:
        The chosen labels, spelled as in `available`.

    Raises:
        LabelError: Unknown, repeated or fewer than two labels.

    Example:
        >>> select_labels(["calm", "anger"], ALL_EMOTIONS)
        ('neutral', 'anger')
    """
    if isinstance(target_emotions, str):
        return _named_subset(target_emotions, available)
    spelling = {canonical(label): label for label in available}
    aliases = (alias for alias, label in ALIASES.items() if label in spelling)
    chosen: dict[str, str] = {}
    for wish in target_emotions:
        word = canonical(wish)
        if word not in spelling:
            raise LabelError(
                f"`target_emotions` must be labels that the model knows. Received {str(wish)!r}. "
                + nearest(word, [*spelling, *aliases])
            )
        if spelling[word] in chosen:
            raise LabelError(
                f"`target_emotions` must name each emotion once. Received {word!r} twice, as "
                f"{chosen[spelling[word]]!r} and {str(wish)!r}. Leave one out."
            )
        chosen[spelling[word]] = str(wish)
    if len(chosen) < 2:
        raise LabelError(
            f"`target_emotions` must hold two or more labels. Received {list(chosen)}. "
            f"Type for example: ['{available[0]}', '{available[1]}']"
        )
    return tuple(chosen)


def _named_subset(name: str, available: Sequence[str]) -> tuple[str, ...]:
    word = name.strip().lower()
    if word == "all":
        return tuple(available)
    if word == "standard":
        standard = tuple(label for label in available if label in STANDARD_EMOTIONS)
        return standard if len(standard) == len(STANDARD_EMOTIONS) else tuple(available)
    raise LabelError(
        f"`target_emotions` must be a list of labels, 'standard' or 'all'. Received {name!r}. "
        f"Type for example: ['{available[0]}', '{available[1]}']"
    )
