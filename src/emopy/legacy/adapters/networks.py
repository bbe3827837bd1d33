"""The old networks, with their old arguments. Keras loads with the first that is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from emopy.errors import ModelError, RecipeError, nearest
from emopy.legacy.adapters.learner import FERNeuralNet
from emopy.models import list_models

if TYPE_CHECKING:
    import keras

Kernel = int | Sequence[int]


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
        super().__init__(emotion_map, _settings(filters, kernel_size, activation))
        _show(self._build((*image_size, channels)), verbose)

    def fit(
        self,
        image_data: ArrayLike,
        labels: ArrayLike,
        validation_split: float,
        epochs: int = 50,
    ) -> None:
        """Learn from stills (n, H, W, C), 0–255, and one-hot labels; see `fit_generator`."""
        self._learn_arrays(image_data, labels, validation_split, epochs=epochs)


class ConvolutionalNNDropout(ConvolutionalNN):
    """One with dropout and batch normalisation; see `emopy.nets.ConvolutionalNNDropout`."""

    net = "ConvolutionalNNDropout"


class ConvolutionalLstmNN(FERNeuralNet):
    """One that remembers the frames before; see `emopy.nets.ConvolutionalLstmNN`."""

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
        super().__init__(emotion_map, _settings(filters, kernel_size, activation))
        _show(self._build((time_delay, *image_size, channels)), verbose)

    def fit(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        validation_split: float,
        batch_size: int = 10,
        epochs: int = 50,
    ) -> None:
        """Learn from clips (n, T, H, W, C), 0–255, and one-hot labels; see `fit_generator`."""
        self._learn_arrays(features, labels, validation_split, epochs=epochs, batch_size=batch_size)


class TimeDelayConvNN(FERNeuralNet):
    """One of convolutions through time; see `emopy.nets.TimeDelayConvNN`."""

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
        super().__init__(emotion_map, _settings(filters, kernel_size, activation))
        _show(self._build((time_delay, *image_size, channels)), verbose)

    def fit(
        self,
        image_data: ArrayLike,
        labels: ArrayLike,
        validation_split: float,
        epochs: int = 50,
    ) -> None:
        """Learn from clips (n, T, H, W, C), 0–255, and one-hot labels; see `fit_generator`."""
        self._learn_arrays(image_data, labels, validation_split, epochs=epochs)


class TransferLearningNN(FERNeuralNet):
    """A new head on a network that has learnt before; see `emopy.nets.TransferLearningNN`.

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
                "`model_name` must name a network that has learnt before. Received "
                f"{model_name!r}. {nearest(model_name, known)}"
            )
        super().__init__(emotion_map, {"backbone": model_name})
        self.model_name = model_name

    def fit(
        self,
        features: ArrayLike,
        labels: ArrayLike,
        validation_split: float,
        epochs: int = 50,
    ) -> None:
        """Learn from stills (n, H, W, C), 0–255: first the head, then the rest's top with it.

        Raises:
            ModelError: The weights can neither be found nor downloaded; as of `fit_generator`.
        """
        self._learn_arrays(features, labels, validation_split, epochs=epochs)

    def _build(self, shape: tuple[int, ...]) -> keras.Model:
        try:
            return super()._build(shape)
        except ModelError as error:
            if self.model_name in list_models():
                raise
            # The advice of today's network names settings that the old class does not have.
            raise ModelError(
                "`model_name` must name a network whose weights are here or can be fetched. "
                f"Received {self.model_name!r}: {error.__cause__}. Connect to the network; or put "
                "the file named there into ~/.keras/models; or type "
                'TransferLearningNN("emopy-base", emotion_map), whose weights are packaged.'
            ) from error


def _settings(filters: int, kernel_size: Kernel, activation: str) -> dict[str, Any]:
    return {"filters": filters, "kernel_size": kernel_size, "activation": activation}


def _show(model: keras.Model, verbose: bool) -> None:
    if verbose:
        model.summary()
