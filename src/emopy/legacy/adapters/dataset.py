"""The old `Dataset`: arrays for training and for testing, and getters."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Samples = tuple[NDArray[Any], NDArray[Any]]


class Dataset:
    """Faces that are divided already.

    Args:
        train_images: (n, H, W, C), or (n, T, H, W, C) with `time_delay` T.
        test_images: (m, …) of the same kind.
        train_labels: (n, k) one-hot.
        test_labels: (m, k) one-hot.
        emotion_index_map: Column of each emotion in the labels.
        time_delay: Frames per clip; None for stills.
    """

    def __init__(
        self,
        train_images: NDArray[Any],
        test_images: NDArray[Any],
        train_labels: NDArray[Any],
        test_labels: NDArray[Any],
        emotion_index_map: dict[str, int],
        time_delay: int | None = None,
    ) -> None:
        self._train = (train_images, train_labels)
        self._test = (test_images, test_labels)
        self._emotion_index_map = emotion_index_map
        self._time_delay = time_delay

    def get_training_data(self) -> Samples:
        """Images and labels to learn from."""
        return self._train

    def get_test_data(self) -> Samples:
        """Images and labels to test with."""
        return self._test

    def get_emotion_index_map(self) -> dict[str, int]:
        """Column of each emotion in the labels."""
        return self._emotion_index_map

    def get_time_delay(self) -> int | None:
        """Frames per clip; None for stills."""
        return self._time_delay

    def num_train_images(self) -> int:
        """Samples to learn from."""
        return len(self._train[0])

    def num_test_images(self) -> int:
        """Samples to test with."""
        return len(self._test[0])

    def num_images(self) -> int:
        """All samples."""
        return self.num_train_images() + self.num_test_images()

    def print_data_details(self) -> None:
        """Print how many samples there are."""
        print("DATASET DETAILS")
        print(f"{self.num_images()} image samples")
        print(f"{self.num_train_images()} training samples")
        print(f"{self.num_test_images()} test samples")
