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
from emopy.legacy.data import EMOTION_INDEX
from emopy.types import Box, Face, ImageResult, RGBImage


class FERModel:
    """Predict the expression of the largest face; without a face, of the full image.

    Args:
        target_emotions: Two or more of the seven emotions, in any order; "calm" for neutral.
        verbose: Also print the face box and the dominant emotion.

    Attributes:
        emotion_index_map: The seven emotions and their old class indices.
        emotion_map: The target emotions and their indices, in the printed order.
        model: The `emopy.FERModel` that predicts.

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
        self.model = emopy.FERModel(self.emotion_map, detector=_largest_face_detector())
        self.target_dimensions = (self.model.card.input.height, self.model.card.input.width)
        self.channels = self.model.card.input.channels
        if verbose:
            wanted = ", ".join(self.emotion_map)
            print(f"FERModel of {self.model.card.name}, for the target emotions {wanted}")

    def predict(self, image_file: str | os.PathLike[str]) -> str:
        """Predict an image file and print the probability of each emotion.

        Returns:
            The dominant emotion.

        Raises:
            InputError: The image cannot be read.
        """
        return self._print(self.model.predict(image_file))

    def predict_from_ndarray(self, image_array: NDArray[Any]) -> str:
        """Predict an array and print the probability of each emotion.

        Args:
            image_array: (H, W) gray or (H, W, 3) BGR, uint8, as in OpenCV.

        Returns:
            The dominant emotion.

        Raises:
            InputError: An array of another shape or type.
        """
        image = np.asarray(image_array)
        if image.ndim == 3 and image.shape[2] >= 3:
            image = image[:, :, [2, 1, 0]]
        return self._print(self.model.predict(image))

    def _print(self, result: ImageResult) -> str:
        face = result.faces[0]
        probabilities = face.prediction.probabilities
        dominant = list(self.emotion_map)[int(np.argmax(probabilities))]
        if self.verbose:
            print(_box_text(face.box, result.size))
        for word, probability in zip(self.emotion_map, probabilities, strict=True):
            print(f"{word}: {100 * probability:.1f}%")
        if self.verbose:
            print(f"Dominant emotion: {dominant}\n")
        return dominant


def _old_words(target_emotions: Iterable[str]) -> list[str]:
    """The target emotions in the order of the old indices, without duplicates."""
    if not isinstance(target_emotions, str):
        target_emotions = dict.fromkeys(canonical(word) for word in target_emotions)
    selected = select_labels(target_emotions, STANDARD_EMOTIONS).known
    return [word for word in EMOTION_INDEX if canonical(word) in selected]


def _largest_face_detector() -> Detector:
    """A detector of the largest face, or of the full image if there is none."""
    find, full_image = get_detector("mtcnn"), get_detector("full-image")

    def largest_face(image: RGBImage) -> tuple[Face, ...]:
        return largest_first(find(image) or full_image(image))[:1]

    return largest_face


def _box_text(box: Box, size: tuple[int, int]) -> str:
    if (box.width, box.height) == size:
        return "No face found: predicting on the full image."
    return (
        f"The face at ({box.left:.0f}, {box.top:.0f}), "
        f"{box.width:.0f} × {box.height:.0f} pixels, is predicted."
    )
