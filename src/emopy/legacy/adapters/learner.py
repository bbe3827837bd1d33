"""What the old networks share: objects that build, learn, predict and export."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emopy.data import Dataset, Splits, split
from emopy.data.augment import Augmentation
from emopy.data.dataset import pixels_as_uint8
from emopy.errors import DataError, LabelError, ModelError
from emopy.legacy.adapters.words import labels_of
from emopy.models import softmax, to_tensor

if TYPE_CHECKING:
    import keras

    from emopy.legacy.adapters.generator import Batches
    from emopy.train import Run

File = str | os.PathLike[str]


class FERNeuralNet:
    """What the networks share: learning, predicting and writing files.

    Args:
        emotion_map: Column of each emotion in the labels.
        settings: Keyword arguments of the function in `emopy.nets`.

    Attributes:
        model: The Keras network, returning logits; None before its size is known.
    """

    net: ClassVar[str]
    """Its name in `emopy.nets`."""

    def __init__(self, emotion_map: Mapping[str, int], settings: Mapping[str, Any]) -> None:
        self.emotion_map = dict(emotion_map)
        self.model: keras.Model | None = None
        self._labels = labels_of(emotion_map)
        self._settings = dict(settings)
        self._run: Run | None = None

    def fit_generator(
        self,
        generator: Batches,
        validation_data: Batches | tuple[ArrayLike, ArrayLike] | None = None,
        epochs: int = 50,
    ) -> None:
        """Learn from what `DataGenerator` gives, and draw the loss to output/loss_plot.png.

        The faces of `validation_data` are standardised as those of `generator` and not changed
        at random. ZCA whitening becomes the first layer of what is learnt, so that whatever the
        network is asked about later is whitened as well. The learning rate falls over all
        epochs, as `emopy.train.fit` has it; to call this again is to learn on.

        Args:
            generator: What ``DataGenerator().fit(images, labels).generate()`` gives.
            validation_data: The same, or images and labels; None for none.
            epochs: Passes over the faces.

        Raises:
            DataError: Faces that do not fit the network, or another generator.
        """
        from emopy.legacy.adapters.generator import Batches

        if not isinstance(generator, Batches):
            raise DataError(
                "`generator` must be what DataGenerator.generate gives. Received "
                f"{type(generator).__name__}. For arrays type: fit(images, labels, 0.2)"
            )
        watched = None
        if isinstance(validation_data, Batches):
            watched = replace(validation_data.dataset, labels=self._labels)
        elif validation_data is not None:
            watched = self._dataset(*validation_data)
        self._learn(
            Splits.of(replace(generator.dataset, labels=self._labels), watched),
            generator.augmentation,
            batch_size=generator.batch_size,
            epochs=epochs,
            whitened=generator.whitened,
        )

    def predict(self, images: ArrayLike) -> NDArray[np.float32]:
        """Judge faces, prepared here as those that were learnt.

        Args:
            images: (n, H, W, C) or (n, T, H, W, C), whole numbers 0–255.

        Returns:
            (n, k) probabilities in the columns of `emotion_map`.

        Raises:
            ModelError: The network has not learnt yet.
        """
        run = self._trained()
        tensor = to_tensor(pixels_as_uint8(images), run.spec)
        return softmax(np.asarray(run.model.predict(tensor, verbose=0)))

    def save_model_graph(self) -> None:
        """Draw the layers to output/model.png; needs Graphviz, see `emopy.train.draw_graph`."""
        from emopy.train import draw_graph

        draw_graph(self._built(), Path("output", "model.png"))

    def export_model(
        self,
        model_filepath: File,
        weights_filepath: File,
        emotion_map_filepath: File,
        emotion_map: Mapping[str, int],
    ) -> Path:
        """Write the three old files, and a model folder that `emopy.FERModel` opens.

        Args:
            model_filepath: The layers, as JSON. The folder has its name without the ending.
            weights_filepath: The weights, as HDF5.
            emotion_map_filepath: The map, as JSON.
            emotion_map: The map that the network was made with.

        Returns:
            The model folder.

        Raises:
            ModelError: The network has not learnt yet, or something else lies at the folder.
            LabelError: Another map.
        """
        from emopy.train import export

        run = self._trained()
        if dict(emotion_map) != self.emotion_map:
            raise LabelError(
                "`emotion_map` must be the one that the network was made with, "
                f"{self.emotion_map}. Received {dict(emotion_map)}."
            )
        for path, text in (
            (Path(model_filepath), run.model.to_json()),
            (Path(emotion_map_filepath), json.dumps(self.emotion_map)),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _save_weights(run.model, Path(weights_filepath))
        written = Path(model_filepath)
        folder = written.with_suffix("") if written.suffix else Path(f"{written}-folder")
        return export(run, folder, name=folder.name)

    def _build(self, shape: tuple[int, ...]) -> keras.Model:
        """Make the Keras network, with the same first weights every time."""
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
            raise ModelError(f"{self.net} must learn first. Type: fit(images, labels, 0.2)")
        return self._run

    def _dataset(self, images: ArrayLike, labels: ArrayLike) -> Dataset:
        pixels = pixels_as_uint8(images)
        unknown = np.full(len(pixels), "")
        return Dataset(pixels, np.asarray(labels, np.float32), self._labels, unknown, unknown)

    def _learn_arrays(
        self,
        images: ArrayLike,
        labels: ArrayLike,
        validation_split: float,
        *,
        epochs: int,
        batch_size: int = 32,
    ) -> None:
        """Learn from stills or clips, whole numbers 0–255, with a stratified share to watch."""
        dataset = self._dataset(images, labels)
        splits = split(dataset, validation=validation_split, calibration=0, test=0)
        self._learn(splits, Augmentation(), batch_size=batch_size, epochs=epochs)

    def _learn(
        self,
        splits: Splits,
        augmentation: Augmentation,
        *,
        batch_size: int,
        epochs: int,
        whitened: bool = False,
    ) -> None:
        from emopy.legacy.adapters.plot import PlotLosses
        from emopy.legacy.adapters.whitened import whiten_first
        from emopy.train import FitSettings, fit

        def network(shape: tuple[int, ...], _classes: int, **_settings: object) -> keras.Model:
            model = self.model or self._build(shape)
            if model.input_shape[1:] != shape:
                raise DataError(
                    f"{self.net} must be given faces of the shape it was made for, "
                    f"{model.input_shape[1:]}. Received {shape}. Type for example: "
                    f"generate(target_dimensions={model.input_shape[-3:-1]})"
                )
            return whiten_first(model, splits.train) if whitened else model

        network.__name__ = self.net
        self._run = fit(
            network,
            splits,
            settings=FitSettings(epochs=epochs, batch_size=batch_size),
            augmentation=augmentation,
            net_settings=self._settings,
        )
        PlotLosses().draw(self._run.history)


def _save_weights(model: keras.Model, path: Path) -> None:
    """Write HDF5 under any name; Keras itself wants one that ends in ``.weights.h5``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.weights.h5")
    model.save_weights(partial)
    partial.replace(path)
