"""Emotions in the old words: "neutral" was "calm", and a map gave each its number."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager

from emopy.errors import DataError, LabelError
from emopy.labels import canonical

EMOTION_INDEX = {
    "anger": 0,
    "disgust": 1,
    "fear": 2,
    "happiness": 3,
    "sadness": 4,
    "surprise": 5,
    "calm": 6,
}
"""The seven emotions and their old numbers."""


def index_map(labels: Sequence[str], words: Iterable[str]) -> dict[str, int]:
    """Number labels in their order, each in the word that the user has for it.

    Example:
        >>> index_map(("anger", "neutral"), ["calm", "anger"])
        {'anger': 0, 'calm': 1}
    """
    written = {canonical(word): word for word in words}
    return {written.get(label, label): column for column, label in enumerate(labels)}


def labels_of(emotion_map: Mapping[str, int]) -> tuple[str, ...]:
    """Today's labels in the order of a map's numbers.

    Raises:
        LabelError: The numbers are not 0, 1, 2 …, or two words stand for one emotion.

    Example:
        >>> labels_of({"calm": 1, "anger": 0})
        ('anger', 'neutral')
    """
    words = sorted(emotion_map, key=lambda word: emotion_map[word])
    labels = tuple(canonical(word) for word in words)
    numbers = [emotion_map[word] for word in words]
    if len(set(labels)) < max(2, len(words)) or numbers != list(range(len(words))):
        raise LabelError(
            "`emotion_map` must number two or more emotions from 0. "
            f"Received {dict(emotion_map)}. Type for example: {{'anger': 0, 'calm': 1}}"
        )
    return labels


@contextmanager
def old_argument_names() -> Generator[None]:
    """Errors inside name the old argument ``time_delay``, which is ``num_frames`` elsewhere.

    Raises:
        DataError: The same error, with the old name.
    """
    try:
        yield
    except DataError as error:
        message = str(error).replace("num_frames", "time_delay")
        raise DataError(message.replace("Num_frames", "Time_delay")) from error
