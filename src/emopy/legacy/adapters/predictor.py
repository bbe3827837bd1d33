"""The old `FERModel`: one image, one emotion, printed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import emopy
from emopy.faces.detectors import Detector, get_detector, largest_first
from emopy.labels import STANDARD_EMOTIONS, canonical, select_labels
from emopy.legacy.adapters.words import EMOTION_INDEX
from emopy.types import Box, Face, ImageResult, RGBImage


class FERModel:
    """Reads the largest face of an image; where none is found, the image is the face.

    Args:
        target_emotions: Two or more of the seven emotions, in any order; "calm" is answered as
            "calm".
        verbose: Say also what is judged, and the dominant emotion.

    Attributes:
        emotion_index_map: The seven emotions and their old numbers.
        emotion_map: The wanted emotions, numbered in the order in which they are printed.
        model: The `emopy.FERModel` that does the work.

    Raises:
        LabelError: Unknown or fewer than two emotions.
    """

    POSSIBLE_EMOTIONS: ClassVar[list[str]] = [
        *("anger", "fear", "calm", "sadness", "happiness", "surprise", "disgust")
    ]

    def __init__(self, target_emotions: Iterable[str], verbose: bool = False) -> None:
        self.target_emotions = target_emotions
        self.verbose = verbose
        self.emotion_index_map = dict(EMOTION_INDEX)
        self.emotion_map = {word: i for i, word in enumerate(_old_words(target_emotions))}
        self.model = emopy.FERModel(self.emotion_map, detector=_find_one_face())
        self.target_dimensions = (self.model.card.input.height, self.model.card.input.width)
        self.channels = self.model.card.input.channels
        if verbose:
            wanted = ", ".join(self.emotion_map)
            print(f"FERModel of {self.model.card.name}, for the target emotions {wanted}")

    def predict(self, image_file: str | os.PathLike[str]) -> str:
        """Print a line for each emotion of an image file.

        Returns:
            The dominant emotion.

        Raises:
            InputError: The image cannot be read.
        """
        return self._tell(self.model.predict(image_file))

    def predict_from_ndarray(self, image_array: NDArray[Any]) -> str:
        """Print a line for each emotion of an image in an array.

        Args:
            image_array: (H, W) gray or (H, W, 3) blue first, as OpenCV has it; uint8.

        Returns:
            The dominant emotion.

        Raises:
            InputError: Not such an array.
        """
        image = np.asarray(image_array)
        if image.ndim == 3 and image.shape[2] >= 3:
            image = image[:, :, [2, 1, 0]]
        return self._tell(self.model.predict(image))

    def _tell(self, result: ImageResult) -> str:
        face = result.faces[0]
        words = list(self.emotion_map)
        shares = dict(zip(words, face.prediction.probabilities, strict=True))
        dominant = words[int(np.argmax(face.prediction.probabilities))]
        if self.verbose:
            print(_described(face.box, result.size))
        for word, share in shares.items():
            print(f"{word}: {100 * share:.1f}%")
        if self.verbose:
            print(f"Dominant emotion: {dominant}\n")
        return dominant


def _old_words(target_emotions: Iterable[str]) -> list[str]:
    """The wanted emotions in the order of the old numbers; to name one twice does no harm."""
    if not isinstance(target_emotions, str):
        target_emotions = dict.fromkeys(canonical(word) for word in target_emotions)
    wanted = select_labels(target_emotions, STANDARD_EMOTIONS).known
    return [word for word in EMOTION_INDEX if canonical(word) in wanted]


def _find_one_face() -> Detector:
    """A detector that gives the largest face, or the whole image as one."""
    find, whole = get_detector("mtcnn"), get_detector("full-image")

    def one_face(image: RGBImage) -> tuple[Face, ...]:
        return largest_first(find(image) or whole(image))[:1]

    return one_face


def _described(box: Box, size: tuple[int, int]) -> str:
    if (box.width, box.height) == size:
        return "No face found: the whole image is judged."
    return (
        f"The face at ({box.left:.0f}, {box.top:.0f}), "
        f"{box.width:.0f} × {box.height:.0f} pixels, is judged."
    )
