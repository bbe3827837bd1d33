"""The model card: everything that weights need beside them to be used rightly.

The card is a JSON file, ``card.json``, in the model folder. Training writes it, prediction
reads it; neither knows the other. Idea: weights that describe themselves (Mitchell et al. 2019,
"Model Cards for Model Reporting", https://arxiv.org/abs/1810.03993).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from emopy.errors import ModelError, nearest
from emopy.labels import canonical

CARD_FORMAT = 2
PRECISIONS = ("float32", "int8")
CARD_FILE = "card.json"
WEIGHTS_FILE = "model.onnx"
GOLDEN_FILE = "golden.npz"
NETWORK_FILE = "network.keras"
README_FILE = "README.md"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a network wants to see; `to_tensor` turns face crops into it.

    Attributes:
        height: Rows of the crop in pixels.
        width: Columns of the crop in pixels.
        channels: 1 (gray) or 3 (RGB).
        frames: Crops per sample; 1 for stills, more for temporal networks.
        scale: Factor from uint8 0–255 to the network's range.
        mean: Subtracted after scaling.
        std: Divided by after subtracting.
        margin: Framing of the crop relative to the FER2013 framing: 0 is that framing, 0.25
            shows a quarter more on every side.
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
        """Shape of one sample: (H, W, C), or (T, H, W, C) for a temporal network."""
        still = (self.height, self.width, self.channels)
        return still if self.frames == 1 else (self.frames, *still)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Description of a model, stored beside its weights.

    Attributes:
        name: Name of the model.
        version: Version of these weights.
        labels: Names of the outputs, in order.
        input: What the network wants to see.
        output: What the network returns; always ``"logits"``.
        precision: Numbers it computes with: ``"float32"`` or ``"int8"``.
        temperature: Logits are divided by this before softmax (Guo et al. 2017,
            https://arxiv.org/abs/1706.04599). Written by `emopy.evaluate.calibrate` only.
        files: SHA-256 of each file of the folder but the card and its README.
        data: What it was trained on.
        licence: Licence of the weights and rights of the data.
        training: How it was made: recipe and its hash, seed, network, share of each label.
        metrics: What `emopy.evaluate` measured, keyed by the name of the data.
            Written by `evaluate` and `calibrate` only.
        intended_use: What it is for.
        out_of_scope_use: What it must not be used for.
        limits: Where it is known to do badly.
        format: Version of this card's layout.
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
    """Read a card.

    Args:
        text: Content of ``card.json``.
        source: Where it came from, for error messages.

    Returns:
        The card, every value checked.

    Raises:
        ModelError: Not JSON, unknown or missing keys, another format, bad values.
    """
    try:
        parsed: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(f"{source} must be JSON. Received text that is not: {error}.") from error
    raw = _object(parsed, f"{source}")
    if raw.get("format") != CARD_FORMAT:
        raise ModelError(
            f'{source} must have "format": {CARD_FORMAT}. Received {raw.get("format")!r}. '
            "Export the model again with this version of EmoPy."
        )
    _check_keys(raw, ModelCard, f"{source}")
    spec = _object(raw["input"], f"{source}, `input`")
    _check_keys(spec, InputSpec, f"{source}, `input`")
    try:
        raw |= {"labels": _names(raw["labels"], source), "input": InputSpec(**spec)}
        return ModelCard(**raw)
    except (TypeError, AttributeError) as error:
        raise ModelError(f"{source} holds a value of the wrong type: {error}.") from error
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from error


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelError(f"{where} must hold a JSON object. Received {type(value).__name__}.")
    return cast("dict[str, Any]", value)


def _names(value: object, source: str | Path) -> tuple[str, ...]:
    names = cast("list[object]", value) if isinstance(value, list) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{source}, `labels` must be a list of names. Received {value!r}.")
    return tuple(str(name) for name in names)


def _check_keys(raw: Mapping[str, Any], record: type, where: str) -> None:
    known = {item.name: item for item in fields(record)}
    for key in raw:
        if key not in known:
            raise ModelError(f"{where} has the unknown key {key!r}. {nearest(key, known)}")
    missing = [
        name
        for name, item in known.items()
        if item.default is MISSING and item.default_factory is MISSING and name not in raw
    ]
    if missing:
        raise ModelError(f"{where} lacks {', '.join(missing)}. Export the model again.")
