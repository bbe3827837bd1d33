"""`explain_face`: maps from the probabilities of many masked copies of a face crop.

Only the outputs of a model are used, so that any model folder can be explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, LabelError, nearest
from emopy.explain.explanation import Explanation, Map
from emopy.explain.masks import DEFAULT_METHOD, Masks, make_masks
from emopy.faces import align_face
from emopy.faces.alignment import face_transform
from emopy.labels import canonical
from emopy.models import InputSpec, to_pixels
from emopy.types import Face, Prediction, RGBImage

CropPredictor = Callable[[NDArray[np.uint8]], Sequence[Prediction]]
"""Function from crops (n, H, W, C), or clips (n, T, H, W, C), to a prediction each."""

BATCH_SIZE = 8
"""Masked crops per run of the model. More take more memory, which a run keeps, and no less time."""

_THREADS = 2
"""Runs of the model at the same time."""

_LEAST = 1e-30
"""Smallest probability that counts: log-odds are within about ±69."""


def explain_face(
    image: RGBImage,
    face: Face | None,
    predict: CropPredictor,
    spec: InputSpec,
    *,
    emotion: str | Iterable[str] | None = None,
    method: str = DEFAULT_METHOD,
    seed: int = 0,
) -> Explanation:
    """Explain the predicted expression of one face.

    Args:
        image: (H, W, 3) uint8 RGB.
        face: A face in it; None where the image is a face crop, as models are trained on.
        predict: Predicts crops.
        spec: Input of the model.
        emotion: A label or alias, several, ``"all"``, or None for the most probable label.
        method: ``"rise"`` or ``"occlusion"``.
        seed: Seed of the masks, 0 or more.

    Raises:
        InputError: Not a face of this image, an unknown method, or a bad seed.
        LabelError: An unknown label.
    """
    height, width = image.shape[:2]
    if face is None:
        aligned = image
        transform = np.array([[spec.width / width, 0, 0], [0, spec.height / height, 0]], np.float64)
    else:
        _check_face(face)
        aligned = align_face(image, face, spec)
        transform = face_transform(image, face, spec)
    crop = to_pixels([aligned], spec)[0]
    (prediction,) = predict(crop[np.newaxis])
    asked = asked_labels(emotion, prediction)
    maps, masks = explain_crop(crop, predict, prediction, method=method, seed=seed)
    return Explanation(
        maps={label: maps[label] for label in asked},
        prediction=prediction,
        method=method,
        seed=seed,
        masks=masks,
        transform=transform,
        size=(width, height),
        spec=spec,
        face=face,
    )


def explain_crop(
    crop: NDArray[np.uint8],
    predict: CropPredictor,
    prediction: Prediction,
    *,
    method: str = DEFAULT_METHOD,
    seed: int = 0,
) -> tuple[dict[str, Map], int]:
    """Compute how much each pixel of a crop raises or lowers the log-odds of each label.

    Hidden pixels have the mean color of the crop. The map of ``"occlusion"`` is the mean fall of
    the log-odds over the patches that hide a pixel. The map of ``"rise"`` is the slope of the
    log-odds on the visibility of a pixel over random masks: the weighted mean of the paper, but
    centered and scaled, which needs fewer masks and gives it a unit. Log-odds, ln(p / (1 - p)),
    still change where a probability is near 0 or 1.

    Args:
        crop: (H, W, C) uint8 of the input size of the model, or a clip (T, H, W, C), all of whose
            frames are masked alike.
        predict: Predicts crops.
        prediction: Its prediction for this crop.
        method: ``"rise"`` or ``"occlusion"``.
        seed: Seed of the masks, 0 or more: the same seed gives the same map.

    Returns:
        For each label of the prediction a map, and the number of masks.

    Raises:
        InputError: An unknown method, or a bad seed.
    """
    masks = make_masks(crop.shape[-3], crop.shape[-2], method=method, seed=seed)
    scores = masked_log_odds(crop, masks, predict)
    if method == "rise":
        maps = slopes(masks, scores)
    else:
        maps = mean_falls(masks, log_odds(prediction.probabilities) - scores)
    return dict(zip(prediction.labels, maps, strict=True)), len(masks)


def masked_log_odds(
    crop: NDArray[np.uint8], masks: Masks, predict: CropPredictor
) -> NDArray[np.float64]:
    """Predict a crop under each of n masks: (n, k) log-odds of the labels."""
    fill = crop.mean(axis=tuple(range(crop.ndim - 1)), dtype=np.float32)
    detail = crop - fill

    def score(batch: Masks) -> NDArray[np.float64]:
        shape = (len(batch), *[1] * (crop.ndim - 3), *batch.shape[1:], 1)
        masked = np.rint(batch.reshape(shape) * detail + fill)
        predictions = predict(masked.astype(np.uint8))
        return log_odds(np.stack([each.probabilities for each in predictions]))

    batches = [masks[start : start + BATCH_SIZE] for start in range(0, len(masks), BATCH_SIZE)]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="emopy-explain") as pool:
        return np.concatenate([*pool.map(score, batches)])


def log_odds(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the natural logarithm of p / (1 - p) of k probabilities that sum to 1: (..., k)."""
    p = probabilities.astype(np.float64)
    # The sum of the others is exact where p rounds to 1.
    others = p @ (1 - np.eye(p.shape[-1]))
    return np.log(np.maximum(p, _LEAST)) - np.log(np.maximum(others, _LEAST))


def slopes(masks: Masks, scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """Regression slope of each score (n, k) on the visibility of each pixel: (k, H, W)."""
    visible = masks - masks.mean(axis=0)
    centered = (scores - scores.mean(axis=0)).astype(np.float32)
    products = np.tensordot(centered.T, visible, axes=1)
    return products / np.maximum(np.square(visible).sum(axis=0), np.float32(1e-6))


def mean_falls(masks: Masks, falls: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean fall of each score (n, k) over the masks that hide a pixel: (k, H, W)."""
    hidden = 1 - masks
    return np.tensordot(falls.T.astype(np.float32), hidden, axes=1) / hidden.sum(axis=0)


def asked_labels(emotion: str | Iterable[str] | None, prediction: Prediction) -> tuple[str, ...]:
    """Return the labels to explain, as the prediction spells them, in the order asked for.

    Args:
        emotion: A label or alias, several, ``"all"``, or None for the most probable label.
        prediction: Predicted expression of the face.

    Raises:
        LabelError: A label that the prediction does not have, or none.
    """
    if emotion is None:
        return (prediction.top(1)[0][0],)
    labels = {canonical(label): label for label in prediction.labels}
    if isinstance(emotion, str):
        if emotion.strip().lower() == "all" and "all" not in labels:
            return prediction.labels
        emotion = [emotion]
    if not isinstance(emotion, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        emotion = [emotion]
    asked: dict[str, None] = {}
    for label in emotion:
        if canonical(label) not in labels:
            raise LabelError(
                f"`emotion` must be one of the target emotions. Received {label!r}. "
                f"{nearest(str(label), labels.values())}"
            )
        asked[labels[canonical(label)]] = None
    if not asked:
        raise LabelError(
            "`emotion` must name an emotion. Received none. "
            f"Type for example: `emotion={prediction.labels[0]!r}`"
        )
    return tuple(asked)


def _check_face(face: object) -> None:
    if not isinstance(face, Face):
        raise InputError(
            f"`face` must be a Face. Received {type(face).__name__}. "
            "Type for example: `face=model.predict(image)[0]`"
        )
