"""The model card: a JSON file, ``card.json``, beside the weights that it describes.

Training writes it and prediction reads it: labels, preprocessing, temperature, training data,
metrics, limits. After Mitchell et al. 2019, "Model Cards for Model Reporting",
https://arxiv.org/abs/1810.03993.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from emopy.errors import ModelError
from emopy.labels import canonical
from emopy.settings import from_mapping

CARD_FORMAT = 2
PRECISIONS = ("float32", "int8")
CARD_FILE = "card.json"
WEIGHTS_FILE = "model.onnx"
GOLDEN_FILE = "golden.npz"
NETWORK_FILE = "network.keras"
README_FILE = "README.md"

MODEL_FILES = (CARD_FILE, WEIGHTS_FILE, GOLDEN_FILE, NETWORK_FILE, README_FILE)
"""All files that a model folder may hold."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Input of a model: size, channels and scaling, applied to face crops by `to_tensor`.

    Attributes:
        height: Rows of the crop in pixels.
        width: Columns of the crop in pixels.
        channels: 1 (gray) or 3 (RGB).
        frames: Crops per sample: 1 for stills, more for clips.
        scale: Factor that pixel values, 0–255, are multiplied by first.
        mean: Subtracted after scaling.
        std: Divided by after subtracting.
        margin: Margin around the FER2013 framing of a face, as a fraction of its side, on every
            side of the crop: 0 is the FER2013 framing.
    """

    height: int
    width: int
    channels: int = 1
    frames: int = 1
    scale: float = 1 / 255
    mean: float = 0.0
    std: float = 1.0
    margin: float = 0.0

    def __post_init__(self) -> None:
        for name in ("height", "width", "channels", "frames"):
            if type(getattr(self, name)) is not int:
                raise ModelError(
                    f"`{name}` must be a whole number. Received {getattr(self, name)!r}."
                )
        if min(self.height, self.width) < 8 or self.channels not in (1, 3) or self.frames < 1:
            raise ModelError(
                "`InputSpec` must have height and width ≥ 8, channels 1 or 3 and frames ≥ 1. "
                f"Received {self.height} × {self.width} × {self.channels}, frames {self.frames}."
            )
        numbers = (self.scale, self.mean, self.std, self.margin)
        if not all(map(math.isfinite, numbers)) or self.std <= 0 or self.scale <= 0:
            raise ModelError(
                "`InputSpec` must have finite numbers, std and scale positive. Received "
                f"scale={self.scale}, mean={self.mean}, std={self.std}, margin={self.margin}."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample: (H, W, C), or (T, H, W, C) for clips."""
        still = (self.height, self.width, self.channels)
        return still if self.frames == 1 else (self.frames, *still)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Description of a model.

    Attributes:
        name: Name of the model.
        version: Version of these weights.
        labels: Names of the outputs, in order.
        input: Input of the model.
        output: Output of the model; always ``"logits"``.
        precision: Data type of weights and activations: ``"float32"`` or ``"int8"``.
        temperature: Logits are divided by this before softmax (Guo et al. 2017,
            https://arxiv.org/abs/1706.04599). Written by `emopy.evaluate.calibrate` only.
        files: SHA-256 of each file of the folder except the card and the README.
        data: Training data.
        licence: Licence of the weights and rights of the data.
        training: Network, parameters, epochs, seed, recipe hash, `label_prior` (proportion of each
            label in the training data), `parent_models`, quantization, calibration.
        metrics: Metrics of each evaluation, keyed by the name of the data. Written by
            `emopy.evaluate.record` and `calibrate` only.
        intended_use: Intended use.
        out_of_scope_use: Uses to refrain from.
        limits: Known limitations.
        format: Version of the layout of the card.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    input: InputSpec
    output: str = "logits"
    precision: str = "float32"
    temperature: float = 1.0
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    data: str = ""
    licence: str = ""
    training: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])
    intended_use: str = ""
    out_of_scope_use: str = ""
    limits: str = ""
    format: int = CARD_FORMAT

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ModelError(f"`name` must not be empty. Received {self.name!r}.")
        # Aliases count as one: of outputs "happy" and "joy" neither could be asked for.
        distinct = {canonical(label) for label in self.labels}
        if len(self.labels) < 2 or len(distinct) < len(self.labels):
            raise ModelError(
                f"`labels` must hold two or more different names. Received {list(self.labels)}."
            )
        if self.output != "logits":
            raise ModelError(f"`output` must be 'logits'. Received {self.output!r}.")
        if self.precision not in PRECISIONS:
            raise ModelError(
                f"`precision` must be one of {', '.join(PRECISIONS)}. Received {self.precision!r}."
            )
        if not 0 < self.temperature < math.inf:
            raise ModelError(
                f"`temperature` must be positive and finite. Received {self.temperature}."
            )

    def to_json(self) -> str:
        """The card as JSON text, keys in the order of the fields."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    def changed(self, **changes: Any) -> ModelCard:
        """A copy of the card with some fields replaced."""
        return replace(self, **changes)


def card_from_json(text: str, source: str | Path) -> ModelCard:
    """Parse and check a model card.

    Args:
        text: Content of ``card.json``.
        source: Where it came from, for error messages.

    Raises:
        ModelError: Not JSON, unknown or missing keys, another format, bad values.
    """
    try:
        raw: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(f"{source} must be JSON. Received text that is not: {error}.") from error
    if not isinstance(raw, dict):
        raise ModelError(f"{source} must hold a JSON object. Received {type(raw).__name__}.")
    values = cast("dict[str, Any]", raw)
    if values.get("format") != CARD_FORMAT:
        raise ModelError(
            f'{source} must have "format": {CARD_FORMAT}. Received {values.get("format")!r}. '
            "Export the model again with this version of EmoPy."
        )
    try:
        return from_mapping(ModelCard, values, "the card", ModelError)
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from error
