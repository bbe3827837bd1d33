"""`DataGenerator`: augmented batches from plain arrays, for a training loop of one's own.

`emopy.train.fit` needs none of this: it makes the same batches from a recipe. A network trained
by hand learns from faces standardised as `DataGenerator.spec` says; the model card must say the
same, so give that `spec` on.
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
    """Endless augmented batches of faces or clips, the same for the same seed.

    Faces are changed at their own size, then resized and standardised by `to_tensor`, the one
    road to a network. Mean and standard deviation are those of the faces given to `fit`;
    `prepare` takes validation faces down the same road, unchanged.

    Args:
        num_frames: Frames per clip; None for stills.
        seed: Start of every chance.

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
        self._pass: tuple[tuple[object, ...], TrainingBatches, int] | None = None
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
        """Choose how faces are changed; every frame of a clip is changed alike.

        A generator that was not configured has these defaults. `use_augmentation` takes every
        other change.

        Args:
            zca_whitening: Make the pixels uncorrelated. For experiments: no model card can
                hold it, so `spec` is refused then.
            rotation_angle: Largest tilt to either side, degrees.
            shift_range: Largest shift as a share of height and width.
            zoom_range: Largest enlargement or reduction as a share.
            horizontal_flip: Mirror half of the faces.
            num_frames: Frames per clip; None keeps what was chosen before.

        Raises:
            DataError: No such number of frames.
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
        """Change faces as these settings say; ``Augmentation()`` leaves them as they are."""
        self._augmentation = augmentation
        self._pass = None

    def fit(self, images: ArrayLike, labels: ArrayLike) -> None:
        """Take faces and labels to learn from, and measure how to standardise them.

        Args:
            images: (n, H, W, 1 | 3) stills, or (n, T, H, W, 1 | 3) clips of `num_frames` frames;
                whole numbers 0–255.
            labels: (n, k), one row per sample: one-hot, or shares that sum to 1.

        Raises:
            DataError: Images and labels that do not fit together, or not of such a shape.
        """
        pixels, targets = pixels_as_uint8(images), np.asarray(labels, np.float32)
        _check(pixels, targets, self.num_frames)
        nameless = np.full(len(pixels), "")
        names = tuple(f"label {column}" for column in range(targets.shape[1]))
        dataset = Dataset(pixels, targets, names, nameless, nameless)
        self._dataset, self._spec = dataset, input_spec_of(dataset)
        self._pass = None
        self._whitenings = {}

    @property
    def spec(self) -> InputSpec:
        """What the network learns to see: size and standardisation, for its model card.

        Raises:
            DataError: Nothing was fitted, or faces are whitened, which no card can hold.
        """
        _, spec = self._fitted()
        if self._zca:
            raise DataError(
                "`zca_whitening` must be off for a network that is to become a model: no model "
                "card can hold it. Use batch normalisation in the network instead."
            )
        return spec

    def generate(
        self, target_dimensions: tuple[int, int] | None = None, batch_size: int = 10
    ) -> TrainingBatches:
        """Batches for ``keras.Model.fit``: one shuffled pass per epoch, made by several workers.

        Args:
            target_dimensions: (height, width) to resize to, pixels; the faces' own by default.
            batch_size: Samples per batch; the last of an epoch may be smaller.

        Returns:
            A ``keras.utils.PyDataset`` of (tensor, labels).

        Raises:
            DataError: Nothing was fitted, or a number out of range.
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
        """The next batch of an endless row of passes; see `generate`.

        Returns:
            Tensor (m, H, W, C) or (m, T, H, W, C) float32, and labels (m, k); m is `batch_size`,
            or what is left of the pass.
        """
        wanted = (batch_size, target_dimensions)
        if self._pass is None or self._pass[0] != wanted:
            self._pass = (wanted, self.generate(target_dimensions, batch_size), 0)
        _, batches, index = self._pass
        if index == len(batches):
            batches.on_epoch_end()
            index = 0
        self._pass = (wanted, batches, index + 1)
        return batches[index]

    def prepare(
        self, images: ArrayLike, target_dimensions: tuple[int, int] | None = None
    ) -> NDArray[np.float32]:
        """Take other faces down the same road without changing them: for validation.

        Args:
            images: As for `fit`.
            target_dimensions: As for `generate`.

        Returns:
            (n, H, W, C) or (n, T, H, W, C) float32.

        Raises:
            DataError: Nothing was fitted, or images of another kind.
            InputError: Images that are no faces or clips for this network.
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
        """Fitted on the training faces as they are, once per size."""
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
