"""`Classifier`: from face crops to a probability for each label asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, LabelError, ModelError
from emopy.labels import select_labels
from emopy.models import ModelCard, Prior, find_model, prior_shift, softmax
from emopy.models.preprocessing import Crops, checked
from emopy.models.store import BATCH_SIZE, ModelFolder, check_views
from emopy.pipeline.video import ClipBuffer
from emopy.types import Prediction


class Classifier:
    """Predict face crops with a model, for a selection of its labels.

    Args:
        folder: The model.
        target_emotions: Labels or aliases, see `FERModel`.
        prior: Expected frequency of each emotion, see `FERModel`.
        min_confidence: Confidence, 0–1, below which `Prediction.emotion` is None.
        views: 1, or 2 to predict each crop and its mirror image, see `FERModel`.

    Attributes:
        labels: The labels as they were asked for, in the same order.

    Raises:
        LabelError: Unknown, repeated or fewer than two labels.
        InputError: A bad prior, or `min_confidence` out of range, or bad `views`.
    """

    def __init__(
        self,
        folder: ModelFolder,
        target_emotions: str | Iterable[str],
        *,
        prior: Prior,
        min_confidence: float,
        views: int,
    ) -> None:
        self._folder = folder
        try:
            selection = select_labels(target_emotions, self.card.labels)
        except LabelError:
            _refuse_model(target_emotions)
            raise
        self.labels: tuple[str, ...] = selection.labels
        self._columns = list(selection.columns)
        self._shift = prior_shift(self.card, selection.known, prior)
        if not 0 <= min_confidence <= 1:
            raise InputError(f"`min_confidence` must be 0 to 1. Received {min_confidence}.")
        self._min_confidence = min_confidence
        check_views(views)
        self._views = views

    def with_options(
        self,
        target_emotions: str | Iterable[str],
        *,
        prior: Prior,
        min_confidence: float,
        views: int,
    ) -> Classifier:
        """Return a classifier with other options for the same model."""
        return Classifier(
            self._folder,
            target_emotions,
            prior=prior,
            min_confidence=min_confidence,
            views=views,
        )

    @property
    def card(self) -> ModelCard:
        """The card of the model."""
        return self._folder.card

    def check_takes_images(self) -> None:
        """Raise InputError if the model takes clips, not still images."""
        if (frames := self.card.input.frames) > 1:
            raise InputError(
                f"`model` must take still images here. Received {self.card.name!r}, which takes "
                f"clips of {frames} frames. Use it on videos, or choose another model."
            )

    def predict(self, crops: Crops, *, batch_size: int = BATCH_SIZE) -> tuple[Prediction, ...]:
        """Return one prediction per crop, see `FERModel.predict_faces`.

        Args:
            crops: Still images; for a model of clips, clips of its length.
            batch_size: Crops per run of the model.
        """
        logits = self._folder.logits(crops, views=self._views, batch_size=batch_size)
        logits = logits[:, self._columns]
        probabilities = softmax(logits / self.card.temperature + self._shift)
        return tuple(Prediction(self.labels, row, self._min_confidence) for row in probabilities)

    def predict_sequence(self, crops: Crops) -> tuple[Prediction, ...]:
        """Return one prediction per crop of one person, see `FERModel.predict_sequence`.

        Args:
            crops: Still images, oldest first.
        """
        spec = self.card.input
        if spec.frames == 1:
            return self.predict(crops)
        images = cast("Iterable[NDArray[np.uint8]]", checked(crops, replace(spec, frames=1)))
        buffer = ClipBuffer(spec.frames)
        return self.predict([buffer.append(image) for image in images])


def _refuse_model(target_emotions: object) -> None:
    """Refuse the name of a model in place of labels, as in `FERModel("emopy-tiny")`."""
    if not isinstance(target_emotions, str):
        return
    try:
        find_model(target_emotions)
    except ModelError:
        return
    raise LabelError(
        "`target_emotions` must be a list of labels, 'standard' or 'all'. Received the model "
        f"{target_emotions!r}. For a model type FERModel(model={target_emotions!r})"
    )
