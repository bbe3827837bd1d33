"""The model card: a JSON file, ``card.json``, beside the weights that it describes.

Training writes it and prediction reads it: labels, preprocessing, temperature, training data,
metrics, limits. After Mitchell et al. 2019, "Model Cards for Model Reporting",
https://arxiv.org/abs/1810.03993.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict, cast

from emopy.errors import ModelError
from emopy.escaping import escape_controls, one_line
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

MAX_BYTES = 1 << 24
"""Largest card, bytes."""

MAX_SIDE = 4096
"""Most rows and columns of a crop, pixels."""

MAX_FRAMES = 1024
"""Most crops of a clip."""

MARGINS = (-0.4, 4.0)
"""Least and largest `InputSpec.margin`: from a fifth of the framing's side to nine times it."""

SCALES = (1e-6, 1e6)
"""Least and largest `InputSpec.scale` and `std`; a mean is at most the largest, either sign."""

TEMPERATURES = (0.01, 100.0)
"""Least and largest temperature; `emopy.evaluate.calibrate` finds one of 0.05 to 20."""

_MAX_DEPTH = 32
_MAX_NUMBER = 1e15


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
        if max(self.height, self.width) > MAX_SIDE or self.frames > MAX_FRAMES:
            raise ModelError(
                f"`InputSpec` must have height and width ≤ {MAX_SIDE} and frames ≤ {MAX_FRAMES}. "
                f"Received {self.height} × {self.width}, frames {self.frames}."
            )
        ranges = {
            "scale": SCALES,
            "std": SCALES,
            "margin": MARGINS,
            "mean": (-SCALES[1], SCALES[1]),
        }
        for name, (least, largest) in ranges.items():
            if not least <= getattr(self, name) <= largest:  # also refuses NaN
                raise ModelError(
                    f"`{name}` must be a number of {least:g} to {largest:g}. "
                    f"Received {getattr(self, name)!r}."
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
        licence: License of the weights and rights of the data.
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
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    intended_use: str = ""
    out_of_scope_use: str = ""
    limits: str = ""
    format: int = CARD_FORMAT

    def __post_init__(self) -> None:
        for name, texts in (
            ("name", [self.name]),
            ("version", [self.version]),
            ("labels", self.labels),
        ):
            for text in texts:
                if not text.strip() or one_line(text) != text:
                    raise ModelError(
                        f"`{name}` must hold names of printable characters, not empty. "
                        f"Received {text!r}."
                    )
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
        least, largest = TEMPERATURES
        if not least <= self.temperature <= largest:
            raise ModelError(
                f"`temperature` must be a number of {least:g} to {largest:g}. "
                f"Received {self.temperature!r}."
            )
        _check_label_prior(self.training.get("label_prior", {}))
        for data, metrics in self.metrics.items():
            _check_metrics(data, metrics)

    def to_json(self) -> str:
        """The card as JSON text, keys in the order of the fields."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @property
    def checksum(self) -> str:
        """SHA-256, in hexadecimal, of what decides the predictions: all but the metrics."""
        return hashlib.sha256(self.changed(metrics={}).to_json().encode()).hexdigest()

    def changed(self, **changes: Any) -> ModelCard:
        """A copy of the card with some fields replaced."""
        return replace(self, **changes)


def has_card(folder: Path) -> bool:
    """Whether a folder holds a model card; False where it cannot be read."""
    try:
        return (folder / CARD_FILE).is_file()
    except OSError:  # no permission, or the name is too long
        return False


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
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits, deep nesting
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
        _check_content(values)
        return from_mapping(ModelCard, values, "the card", ModelError)
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from error


class _Metrics(TypedDict, total=False):
    """The metrics that the README of a model shows; an evaluation may have more."""

    samples: int | None
    accuracy: float | None
    balanced_accuracy: float | None
    macro_recall: float | None
    macro_f1: float | None
    ece: float | None
    brier: float | None
    log_loss: float | None
    labels: tuple[str, ...]
    macro_labels: tuple[str, ...]
    recall: Mapping[str, float | None]
    accuracy_at_coverage: Mapping[str, float | None]
    confidence_at_coverage: Mapping[str, float | None]
    confusion_matrix: tuple[tuple[int, ...], ...]
    seeds: Mapping[str, tuple[float, ...]]
    corruptions: Mapping[str, float]


_HIGHEST = {"samples": math.inf, "log_loss": math.inf, "brier": 2.0}
"""Highest values of the metrics that may exceed 1."""


def _check_content(values: Mapping[str, Any]) -> None:
    """Refuse texts with control characters, numbers that are not finite or too large, nesting."""
    waiting: list[tuple[object, int]] = [(values, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth == _MAX_DEPTH:
                raise ModelError(f"The card must be nested at most {_MAX_DEPTH} levels deep.")
            if isinstance(value, dict):
                waiting += [(key, depth + 1) for key in cast("dict[str, object]", value)]
                value = list(cast("dict[str, object]", value).values())
            waiting += [(item, depth + 1) for item in cast("list[object]", value)]
        elif isinstance(value, str) and escape_controls(value) != value:
            raise ModelError(
                "The card must hold printable text. Received control characters: "
                f"'{one_line(value)[:80]}'. Remove them."
            )
        elif isinstance(value, int | float) and not abs(value) <= _MAX_NUMBER:
            received = str(value) if isinstance(value, float) else "a larger whole number"
            raise ModelError(
                f"The card must hold finite numbers up to {_MAX_NUMBER:g}. Received {received}."
            )


def _check_label_prior(prior: object) -> None:
    if not isinstance(prior, Mapping) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        for value in cast("Mapping[str, object]", prior).values()
    ):
        raise ModelError(
            "`training.label_prior` must be a mapping, each value a probability of 0 to 1. "
            f"Received {one_line(str(cast('object', prior)))[:80]!r}."
        )


def _check_metrics(data: str, metrics: Mapping[str, Any]) -> None:
    """Check the metrics that the README shows."""
    where = f"the metrics of {data!r}"
    known = {name: value for name, value in metrics.items() if name in _Metrics.__annotations__}
    checked = from_mapping(_Metrics, known, where, ModelError)
    for name, value in checked.items():
        highest = _HIGHEST.get(name, 1.0)
        values = (
            cast("Mapping[str, object]", value).values() if isinstance(value, dict) else [value]
        )
        for number in values:
            if isinstance(number, int | float) and not 0 <= number <= highest:
                raise ModelError(
                    f"`{name}` in {where} must be 0 to {highest:g}. Received {number:g}."
                )
    for name in ("accuracy_at_coverage", "confidence_at_coverage"):
        for coverage in checked.get(name, {}):
            if not re.fullmatch(r"[01]|[01]\.[0-9]{1,6}", coverage):
                raise ModelError(
                    f"`{name}` in {where} must have coverages of 0 to 1 as keys. "
                    f"Received {coverage!r}."
                )
    matrix, labels = checked.get("confusion_matrix"), checked.get("labels", ())
    if matrix is not None and [*map(len, matrix)] != [len(labels)] * len(labels):
        raise ModelError(
            f"`confusion_matrix` in {where} must have a row and a column for each of its "
            f"{len(labels)} labels."
        )
