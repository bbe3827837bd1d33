"""The old networks, with their old arguments: build, train, predict, export.

Keras loads with the first network that is created.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopy.data import Dataset, Splits, split
from emopy.data.augment import Augmentation
from emopy.data.dataset import pixels_as_uint8
from emopy.errors import DataError, LabelError, ModelError, RecipeError, nearest
from emopy.files import atomic_file
from emopy.legacy.data import labels_of
from emopy.models import list_models, softmax, to_tensor

if TYPE_CHECKING:
    import keras

    from emopy.legacy.training import Batches
    from emopy.train import Run

File = str | os.PathLike[str]
Kernel = int | Sequence[int]


class FERNeuralNet:
    """Base of the networks: train, predict and export.

    Args:
        emotion_map: Column of each emotion in the labels.
        settings: Keyword arguments of the function in `emopy.nets`.
        shape: Shape of one sample; None where the training data decide it.
        verbose: Whether to print the layers.

    Attributes:
        model: The Keras network, returning logits; None before its input size is known.
    """

    net: ClassVar[str]
    """Name of the network in `emopy.nets`."""

    def __init__(
        self,
        emotion_map: Mapping[str, int],
        settings: Mapping[str, Any],
        shape: tuple[int, ...] | None = None,
        verbose: bool = False,
    ) -> None:
        self.emotion_map = dict(emotion_map)
        self.model: keras.Model | None = None
        self._labels = labels_of(emotion_map)
        self._settings = dict(settings)
        self._run: Run | None = None
        if shape is not None:
            model = self._build(shape)
            if verbose:
                model.summary()

    def fit_generator(
        self,
        generator: Batches,
        validation_data: Batches | tuple[ArrayLike, ArrayLike] | None = None,
        epochs: int = 50,
    ) -> None:
        """Train on batches of `DataGenerator`, and plot the loss to output/loss_plot.png.

        `validation_data` is standardised like the training data and not augmented. ZCA whitening
        becomes the first layer of the network. The learning rate decays over all epochs, as in
        `emopy.train.fit`. Call it again to continue the training.

        Args:
            generator: Batches of ``DataGenerator().fit(images, labels).generate()``.
            validation_data: The same, or images and labels; None for none.
            epochs: Number of epochs.

        Raises:
            DataError: Faces that do not fit the network, or another generator.
        """
        from emopy.legacy.training import Batches

        if not isinstance(generator, Batches):
            raise DataError(
                "`generator` must be what DataGenerator.generate gives. Received "
                f"{type(generator).__name__}. For arrays type: fit(images, labels, 0.2)"
            )
        validation = None
        if isinstance(validation_data, Batches):
            validation = replace(validation_data.dataset, labels=self._labels)
        elif validation_data is not None:
            validation = self._dataset(*validation_data)
        self._fit(
            Splits.of(replace(generator.dataset, labels=self._labels), validation),
            generator.augmentation,
            batch_size=generator.batch_size,
            epochs=epochs,
            whitened=generator.whitened,
        )

    def fit(
        self,
        image_data: ArrayLike,
        labels: ArrayLike,
        validation_split: float,
        epochs: int = 50,
        batch_size: int = 32,
    ) -> None:
        """Train on stills (n, H, W, C) or clips (n, T, H, W, C), 0–255, and one-hot labels.

        A stratified split validates; see `fit_generator`.
        """
        dataset = self._dataset(image_data, labels)
        splits = split(dataset, validation=validation_split, calibration=0, test=0)
        self._fit(splits, Augmentation(), batch_size=batch_size, epochs=epochs)

    def predict(self, images: ArrayLike) -> NDArray[np.float32]:
        """Predict faces, preprocessed like the training data.

        Args:
            images: (n, H, W, C) or (n, T, H, W, C), whole numbers 0–255.

        Returns:
            (n, k) probabilities in the columns of `emotion_map`.

        Raises:
            ModelError: The network is not trained yet.
        """
        run = self._trained()
        tensor = to_tensor(pixels_as_uint8(images), run.spec)
        return softmax(np.asarray(run.model.predict(tensor, verbose=0)))

    def save_model_graph(self) -> None:
        """Draw the layers to output/model.png with Graphviz; see `emopy.train.draw_graph`."""
        from emopy.train import draw_graph

        draw_graph(self._built(), Path("output", "model.png"))

    def export_model(
        self,
        model_filepath: File,
        weights_filepath: File,
        emotion_map_filepath: File,
        emotion_map: Mapping[str, int],
    ) -> Path:
        """Write the three old files, and a model folder for `emopy.FERModel`.

        Args:
            model_filepath: The layers, as JSON. The folder has its name without the suffix.
            weights_filepath: The weights, as HDF5.
            emotion_map_filepath: The map, as JSON.
            emotion_map: The map that the network was created with.

        Returns:
            The model folder.

        Raises:
            ModelError: The network is not trained yet, or the folder holds something else.
            LabelError: Another map.
        """
        from emopy.train import export

        run = self._trained()
        if dict(emotion_map) != self.emotion_map:
            raise LabelError(
                "`emotion_map` must be the one that the network was created with, "
                f"{self.emotion_map}. Received {dict(emotion_map)}."
            )
        written = Path(model_filepath)
        texts = {written: run.model.to_json(), Path(emotion_map_filepath): json.dumps(emotion_map)}
        for path, text in texts.items():
            with atomic_file(path) as partial:
                partial.write_text(text, encoding="utf-8", newline="\n")
        # Keras accepts only names that end in ".weights.h5".
        with atomic_file(weights_filepath) as partial:
            weights = partial.with_suffix(".weights.h5")
            run.model.save_weights(weights)
            weights.replace(partial)
        folder = written.with_suffix("") if written.suffix else Path(f"{written}-folder")
        return export(run, folder, name=folder.name)

    def _build(self, shape: tuple[int, ...]) -> keras.Model:
        """Build the Keras network with reproducible initial weights."""
        import keras

        from emopy.nets import get_net

        keras.utils.set_random_seed(0)
        self.model = get_net(self.net)(shape, len(self._labels), **self._settings)
        return self.model

    def _built(self) -> keras.Model:
        if self.model is None:
            raise ModelError(
                f"{self.net} has no layers before it knows the size of the faces. "
                "Type: fit(images, labels, 0.2)"
            )
        return self.model

    def _trained(self) -> Run:
        if self._run is None:
            raise ModelError(f"{self.net} must be trained first. Type: fit(images, labels, 0.2)")
        return self._run

    def _dataset(self, images: ArrayLike, labels: ArrayLike) -> Dataset:
        pixels = pixels_as_uint8(images)
        unknown = np.full(len(pixels), "")
        return Dataset(pixels, np.asarray(labels, np.float32), self._labels, unknown, unknown)

    def _fit(
        self,
        splits: Splits,
        augmentation: Augmentation,
        *,
        batch_size: int,
        epochs: int,
        whitened: bool = False,
    ) -> None:
        from emopy.legacy.training import PlotLosses, whiten_first
        from emopy.train import FitSettings, fit

        def network(shape: tuple[int, ...], _classes: int, **_settings: object) -> keras.Model:
            model = self.model or self._build(shape)
            if model.input_shape[1:] != shape:
                raise DataError(
                    f"{self.net} must be given faces of its input shape, "
                    f"{model.input_shape[1:]}. Received {shape}. Type for example: "
                    f"generate(target_dimensions={model.input_shape[-3:-1]})"
                )
            return whiten_first(model, splits.train) if whitened else model

        targets = splits.train.targets
        missing = [label for i, label in enumerate(self._labels) if not np.any(targets[:, i])]
        if missing:
            raise DataError(
                "`labels` must have training faces of each emotion in `emotion_map`. Received none "
                f"of {', '.join(missing)}. Leave it out of `emotion_map`, or add faces of it."
            )
        network.__name__ = self.net
        self._run = fit(
            network,
            splits,
            settings=FitSettings(epochs=epochs, batch_size=batch_size),
            augmentation=augmentation,
            net_settings=self._settings,
        )
        PlotLosses().draw(self._run.history)


class ConvolutionalNN(FERNeuralNet):
    """A plain convolutional network; see `emopy.nets.ConvolutionalNN`."""

    net = "ConvolutionalNN"

    def __init__(
        self,
        image_size: tuple[int, int],
        channels: int,
        emotion_map: Mapping[str, int],
        filters: int = 10,
        kernel_size: Kernel = (4, 4),
        activation: str = "relu",
        verbose: bool = False,
    ) -> None:
        settings = {"filters": filters, "kernel_size": kernel_size, "activation": activation}
        super().__init__(emotion_map, settings, (*image_size, channels), verbose)


class ConvolutionalNNDropout(ConvolutionalNN):
    """A network with dropout and batch normalisation; see `emopy.nets.ConvolutionalNNDropout`."""

    net = "ConvolutionalNNDropout"


class ConvolutionalLstmNN(FERNeuralNet):
    """A convolutional LSTM network; see `emopy.nets.ConvolutionalLstmNN`."""

    net = "ConvolutionalLstmNN"

    def __init__(
        self,
        image_size: tuple[int, int],
        channels: int,
        emotion_map: Mapping[str, int],
        time_delay: int = 2,
        filters: int = 10,
        kernel_size: Kernel = (4, 4),
        activation: str = "sigmoid",
        verbose: bool = False,
    ) -> None:
        settings = {"filters": filters, "kernel_size": kernel_size, "activation": activation}
        super().__init__(emotion_map, settings, (time_delay, *image_size, channels), verbose)

    def fit(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        features: ArrayLike,
        labels: ArrayLike,
        validation_split: float,
        batch_size: int = 10,
        epochs: int = 50,
    ) -> None:
        """Train on clips (n, T, H, W, C), 0–255, and one-hot labels; see `fit_generator`."""
        super().fit(features, labels, validation_split, epochs, batch_size)


class TimeDelayConvNN(FERNeuralNet):
    """A network of 3D convolutions; see `emopy.nets.TimeDelayConvNN`."""

    net = "TimeDelayConvNN"

    def __init__(
        self,
        image_size: tuple[int, int],
        channels: int,
        emotion_map: Mapping[str, int],
        time_delay: int,
        filters: int = 32,
        kernel_size: Kernel = (1, 4, 4),
        activation: str = "relu",
        verbose: bool = False,
    ) -> None:
        settings = {"filters": filters, "kernel_size": kernel_size, "activation": activation}
        super().__init__(emotion_map, settings, (time_delay, *image_size, channels), verbose)


class TransferLearningNN(FERNeuralNet):
    """A new head on a pretrained backbone; see `emopy.nets.TransferLearningNN`.

    Args:
        model_name: "inception_v3", "xception", "vgg16", "vgg19", "resnet50" or any other name of
            `emopy.nets.list_backbones`, such as "emopy-base".
        emotion_map: Column of each emotion in the labels.

    Raises:
        RecipeError: No such network.
    """

    net = "TransferLearningNN"

    def __init__(self, model_name: str, emotion_map: Mapping[str, int]) -> None:
        from emopy.nets import list_backbones

        if model_name not in (known := list_backbones()):
            raise RecipeError(
                "`model_name` must name a pretrained network. Received "
                f"{model_name!r}. {nearest(model_name, known)}"
            )
        super().__init__(emotion_map, {"backbone": model_name})
        self.model_name = model_name

    def fit(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, features: ArrayLike, labels: ArrayLike, validation_split: float, epochs: int = 50
    ) -> None:
        """Train on stills (n, H, W, C), 0–255: first the head, then the top of the backbone too.

        Raises:
            ModelError: The weights can neither be found nor downloaded; as of `fit_generator`.
        """
        super().fit(features, labels, validation_split, epochs)

    def _build(self, shape: tuple[int, ...]) -> keras.Model:
        try:
            return super()._build(shape)
        except ModelError as error:
            if self.model_name in list_models():
                raise
            # The original message names settings that the old class does not have.
            raise ModelError(
                "`model_name` must name a network whose weights are here or can be fetched. "
                f"Received {self.model_name!r}: {error.__cause__}. Connect to the network; or put "
                "the file named there into ~/.keras/models; or type "
                'TransferLearningNN("emopy-base", emotion_map), whose weights are packaged.'
            ) from error
