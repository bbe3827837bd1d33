"""`DataGenerator`: augmented batches from arrays, for a custom training loop.

`emopy.train.fit` makes the same batches itself. After a custom loop, pass `DataGenerator.spec` to
`emopy.train.export`, so that the model card has the same input size and standardization.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopy.data.augment import Augmentation
from emopy.data.dataset import Dataset, pixels_as_uint8
from emopy.data.whitening import Whitening
from emopy.errors import DataError
from emopy.models import InputSpec, to_tensor
from emopy.train.batches import Batch, TrainingBatches, input_spec_of
from emopy.train.recipe import FitSettings


class DataGenerator:
    """Endless augmented batches of images or clips, identical for the same seed.

    Images are augmented at their own size, then resized and standardized by `to_tensor` with the
    mean and standard deviation of the images given to `fit`. `prepare` does the same for
    validation images, without augmentation.

    Args:
        num_frames: Frames per clip; None for stills.
        seed: Random seed.

    Example:
        >>> faces = np.random.default_rng(0).integers(0, 256, (6, 48, 48, 1), np.uint8)
        >>> generator = DataGenerator()
        >>> generator.fit(faces, np.eye(2)[[0, 1, 0, 1, 0, 1]])
        >>> images, labels = generator.get_next_batch(batch_size=4)
        >>> images.shape, labels.shape
        ((4, 48, 48, 1), (4, 2))
    """

    def __init__(self, num_frames: int | None = None, *, seed: int = 0) -> None:
        self._seed = seed
        self.num_frames: int | None = None
        self._dataset: Dataset | None = None
        self._spec: InputSpec | None = None
        self._position: tuple[tuple[object, ...], TrainingBatches, int] | None = None
        self._whitenings: dict[tuple[int, ...], Whitening] = {}
        DataGenerator.config_augmentation(self, num_frames=num_frames)

    def config_augmentation(
        self,
        *,
        zca_whitening: bool = False,
        rotation_angle: float = 10,
        shift_range: float = 0.1,
        zoom_range: float = 0.1,
        horizontal_flip: bool = True,
        num_frames: int | None = None,
    ) -> None:
        """Configure the augmentation. All frames of a clip get the same one.

        These are also the defaults of a new generator. `use_augmentation` has more options.

        Args:
            zca_whitening: Apply ZCA whitening, for experiments. A model card cannot contain it:
                `spec` raises an error.
            rotation_angle: Maximum rotation to either side, degrees.
            shift_range: Maximum shift as a fraction of height and width.
            zoom_range: Maximum relative change of the scale.
            horizontal_flip: Flip half of the images.
            num_frames: Frames per clip; None keeps the current value.

        Raises:
            DataError: `num_frames` is not a whole number of 2 or more.
            RecipeError: A value out of range.
        """
        if num_frames is not None and (type(num_frames) is not int or num_frames < 2):
            raise DataError(
                "`num_frames` must be a whole number, 2 or more, or None for stills. "
                f"Received {num_frames!r}."
            )
        self.num_frames = num_frames or self.num_frames
        self._zca = zca_whitening
        self.use_augmentation(
            Augmentation(
                rotation_deg=rotation_angle,
                shift=shift_range,
                zoom=zoom_range,
                flip=0.5 if horizontal_flip else 0.0,
            )
        )

    def use_augmentation(self, augmentation: Augmentation) -> None:
        """Set the augmentation; ``Augmentation()`` for none."""
        self._augmentation = augmentation
        self._position = None

    def fit(self, images: ArrayLike, labels: ArrayLike) -> None:
        """Set the training data and measure its mean and standard deviation.

        Args:
            images: (n, H, W, 1 | 3) stills, or (n, T, H, W, 1 | 3) clips of `num_frames` frames;
                whole numbers 0–255.
            labels: (n, k), one row per sample: one-hot, or probabilities that sum to 1.

        Raises:
            DataError: Images or labels of another shape, or of different lengths.
        """
        pixels, targets = pixels_as_uint8(images), np.asarray(labels, np.float32)
        _check(pixels, targets, self.num_frames)
        unknown = np.full(len(pixels), "")
        names = tuple(f"label {column}" for column in range(targets.shape[1]))
        dataset = Dataset(pixels, targets, names, unknown, unknown)
        self._dataset, self._spec = dataset, input_spec_of(dataset)
        self._position = None
        self._whitenings = {}

    @property
    def spec(self) -> InputSpec:
        """Input of the network for its model card: size and standardization.

        Raises:
            DataError: `fit` was not called, or ZCA whitening is on.
        """
        _, spec = self._fitted()
        if self._zca:
            raise DataError(
                "`zca_whitening` must be off for a network that is exported: a model card cannot "
                "contain it. Use batch normalization in the network instead."
            )
        return spec

    def generate(
        self, target_dimensions: tuple[int, int] | None = None, batch_size: int = 10
    ) -> TrainingBatches:
        """Return batches for ``keras.Model.fit``, shuffled in each epoch.

        Args:
            target_dimensions: (height, width) in pixels to resize to; None: no resizing.
            batch_size: Samples per batch; the last of an epoch may be smaller.

        Returns:
            A ``keras.utils.PyDataset`` of (tensor, labels).

        Raises:
            DataError: `fit` was not called, or a number is out of range.
        """
        dataset, _ = self._fitted()
        if batch_size < 1:
            raise DataError(f"`batch_size` must be 1 or more. Received {batch_size}.")
        spec = self._sized(target_dimensions)
        return TrainingBatches(
            dataset,
            spec,
            self._augmentation,
            FitSettings(batch_size=batch_size, seed=self._seed),
            whitening=self._whitening(spec) if self._zca else None,
        )

    def get_next_batch(
        self, batch_size: int = 10, target_dimensions: tuple[int, int] | None = None
    ) -> Batch:
        """Return the next batch of an endless sequence of epochs; see `generate`.

        Returns:
            Tensor (m, H, W, C) or (m, T, H, W, C) float32, and labels (m, k); m is `batch_size`,
            or less for the last batch of an epoch.
        """
        key = (batch_size, target_dimensions)
        if self._position is None or self._position[0] != key:
            self._position = (key, self.generate(target_dimensions, batch_size), 0)
        _, batches, index = self._position
        if index == len(batches):
            batches.on_epoch_end()
            index = 0
        self._position = (key, batches, index + 1)
        return batches[index]

    def prepare(
        self, images: ArrayLike, target_dimensions: tuple[int, int] | None = None
    ) -> NDArray[np.float32]:
        """Resize and standardize other images without augmentation, for validation.

        Args:
            images: As for `fit`.
            target_dimensions: As for `generate`.

        Returns:
            (n, H, W, C) or (n, T, H, W, C) float32.

        Raises:
            DataError: `fit` was not called, or the images are not whole numbers.
            InputError: Images of another shape than the input of the network.
        """
        self._fitted()
        spec = self._sized(target_dimensions)
        tensor = to_tensor(pixels_as_uint8(images), spec)
        return self._whitening(spec).apply(tensor) if self._zca else tensor

    def _fitted(self) -> tuple[Dataset, InputSpec]:
        if self._dataset is None or self._spec is None:
            raise DataError(
                "Model is not fit to any data set yet. Call `fit(images, labels)` first."
            )
        return self._dataset, self._spec

    def _sized(self, dimensions: tuple[int, int] | None) -> InputSpec:
        _, spec = self._fitted()
        if dimensions is None:
            return spec
        height, width = dimensions
        if min(height, width) < 8:
            raise DataError(
                f"`target_dimensions` must be (height, width), 8 or more. Received {dimensions}."
            )
        return replace(spec, height=int(height), width=int(width))

    def _whitening(self, spec: InputSpec) -> Whitening:
        """Whitening of the training images without augmentation, once per size."""
        if spec.shape not in self._whitenings:
            dataset, _ = self._fitted()
            self._whitenings[spec.shape] = Whitening.fit(to_tensor(dataset.images, spec))
        return self._whitenings[spec.shape]


def _check(images: NDArray[np.uint8], labels: NDArray[np.float32], num_frames: int | None) -> None:
    if labels.ndim != 2 or len(images) != len(labels) or not len(images):
        raise DataError(
            "Samples are not labeled properly. `labels` must be (n, k), one row per sample. "
            f"Received images of shape {images.shape} and labels of shape {labels.shape}."
        )
    if images.ndim < 4 or images.shape[-1] not in (1, 3):
        raise DataError(
            "Channel Axis should have value. `images` must be (n, H, W, 1 or 3), or for clips "
            f"(n, T, H, W, 1 or 3). Received shape {images.shape}. "
            "For gray faces (n, H, W) type: images[..., None]"
        )
    if num_frames is None:
        if images.ndim != 4:
            raise DataError(
                f"`images` must be stills (n, H, W, C). Received shape {images.shape}. "
                f"For clips type: DataGenerator(num_frames={images.shape[1]})"
            )
        return
    if images.ndim != 5:
        raise DataError(
            "Num_frames parameter was set but Images say otherwise. `images` must be clips "
            f"(n, T, H, W, C). Received shape {images.shape}."
        )
    if images.shape[1] != num_frames:
        raise DataError(
            f"Images have time axis length {images.shape[1]} but num_frames parameter was set to "
            f"{num_frames}. Both must be the same."
        )
