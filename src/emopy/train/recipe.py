"""Recipes: everything that decides how a training comes out, in one TOML file."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import tomli_w

from emopy.data.augment import Augmentation
from emopy.errors import RecipeError, nearest

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
LOGS = ("csv", "tensorboard")

_RULES: dict[str, tuple[Callable[[float], bool], tuple[str, ...]]] = {
    "positive": (
        lambda value: 0 < value < math.inf,
        ("epochs", "batch_size", "learning_rate", "release_rate", "teacher_temperature"),
    ),
    "in [0, 1)": (lambda value: 0 <= value < 1, ("warmup", "label_smoothing", "ema")),
    "in [0, 1]": (
        lambda value: 0 <= value <= 1,
        ("balance", "teacher_weight", "frozen", "release"),
    ),
    "0 or more": (
        lambda value: 0 <= value < math.inf,
        ("patience", "logit_adjustment", "mixup"),
    ),
}
"""Ranges of the numbers in `FitSettings`."""


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Where the faces are: files or folders that `emopy.data.find_loader` knows.

    Relative paths start at the folder in which the command is typed.

    Attributes:
        train: What is learnt.
        validation: What is watched; nothing holds a tenth of `train` out.
        emotions: Labels to learn; all by default.
        time_delay: Frames per clip, 2 or more, where folders hold clips; 0 for stills. Files
            know it.
        size_px: Side that the pictures of a folder are brought to. Files know it.
        channels: 1 to read the pictures of a folder as gray, 3 as RGB. Files know it.
    """

    train: str = ""
    validation: str = ""
    emotions: tuple[str, ...] = ()
    time_delay: int = 0
    size_px: int = 48
    channels: int = 1

    def __post_init__(self) -> None:
        if self.time_delay < 0 or self.time_delay == 1:
            raise RecipeError(
                "`time_delay` must be 0 for stills, or 2 or more for clips. "
                f"Received {self.time_delay}."
            )
        if self.size_px < 8 or self.channels not in (1, 3):
            raise RecipeError(
                "`size_px` must be 8 or more, and `channels` 1 or 3. "
                f"Received {self.size_px} and {self.channels}."
            )


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Which network, and its keyword arguments: values that TOML knows."""

    name: str = "ResidualNN"
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in self.settings.items()}
        try:
            tomli_w.dumps(plain)
        except TypeError as error:
            raise RecipeError(
                "`net.settings` must be text, numbers, lists or sections, so that the recipe can "
                f"be written down. Received {plain!r}."
            ) from error
        object.__setattr__(self, "settings", plain)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How the network learns.

    Attributes:
        epochs: Passes over the training faces.
        batch_size: Faces per step.
        learning_rate: Peak of the schedule; warm-up, then half a cosine down to zero
            (Loshchilov and Hutter 2017, arXiv:1608.03983).
        warmup: Share of all steps in which the rate rises from zero.
        weight_decay: Decoupled decay of the kernels (AdamW, arXiv:1711.05101).
        label_smoothing: Share of each target spread over all labels.
        balance: How far rare labels are drawn more often, 0–1. 0: every face once an epoch. Else
            faces are drawn with replacement, label k in proportion to share_k ** (1 - balance):
            1 draws all labels equally often (Mahajan et al. 2018, arXiv:1805.00932).
        logit_adjustment: While learning, this times log(share) is added to each logit, so that
            the bare logits lean less towards frequent labels: at 1 not at all (Menon et al.
            2021, arXiv:2007.07314).
        mixup: Faces of a batch are mixed in pairs, their targets too, in shares drawn from
            Beta(mixup, mixup); 0 for none (Zhang et al. 2018, arXiv:1710.09412).
        teacher: Names or folders of models whose mean answer to the very same changed faces
            becomes a part of the targets (Hinton et al. 2015, arXiv:1503.02531; Beyer et al.
            2022, arXiv:2106.05237).
        teacher_weight: That part, 0–1.
        teacher_temperature: Their logits are divided by it; above 1 they are less sure.
        ema: Momentum of the moving average of the weights, 0 for none. With it, the average
            is what is validated and kept. It never reaches over more than a fifth of the steps.
        patience: Epochs without a lower validation loss after which learning stops; the weights
            of the best epoch are kept. 0 learns to the end and keeps the last weights.
        precision: ``"float32"``; or ``"mixed_float16"`` or ``"mixed_bfloat16"``, which are
            faster on GPUs that have them. What is exported is float32 in any case.
        log: ``"csv"``, or ``"tensorboard"`` for its events as well, in the run folder (extra
            `tensorboard`).
        frozen: Share of the epochs in which only the head learns, 0–1, for a network with a
            backbone (transfer learning).
        release: Share of the backbone's layers, from its output, that learn after that, 0–1.
        release_rate: Their stage's learning rate as a share of `learning_rate`.
        seed: Start of every chance: weights, order, augmentation, dropout.
    """

    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 2e-3
    warmup: float = 0.05
    weight_decay: float = 0.02
    label_smoothing: float = 0.0
    balance: float = 0.0
    logit_adjustment: float = 0.0
    mixup: float = 0.0
    teacher: tuple[str, ...] = ()
    teacher_weight: float = 0.5
    teacher_temperature: float = 1.0
    ema: float = 0.0
    patience: int = 0
    precision: str = "float32"
    log: str = "csv"
    frozen: float = 0.5
    release: float = 0.3
    release_rate: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for rule, (fits, names) in _RULES.items():
            for name in names:
                value = getattr(self, name)
                if not fits(value):
                    raise RecipeError(f"`{name}` must be {rule}. Received {value}.")
        if isinstance(self.teacher, str):
            raise RecipeError(
                "`teacher` must be a list of models. "
                f'Received {self.teacher!r}. Type for example: ["{self.teacher}"]'
            )
        object.__setattr__(self, "teacher", tuple(map(str, self.teacher)))
        for name, known in (("precision", PRECISIONS), ("log", LOGS)):
            if getattr(self, name) not in known:
                raise RecipeError(
                    f"`{name}` must be one of {', '.join(known)}. Received {getattr(self, name)!r}."
                )


@dataclass(frozen=True, slots=True)
class CardSettings:
    """Words for the model card that no program can know."""

    version: str = "1"
    data: str = ""
    licence: str = ""
    intended_use: str = ""
    misuse: str = ""
    limits: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training, whole: data, network, augmentation, learning and the card's words."""

    name: str = "my-model"
    data: DataSettings = field(default_factory=DataSettings)
    net: NetSettings = field(default_factory=NetSettings)
    augment: Augmentation = field(default_factory=Augmentation)
    fit: FitSettings = field(default_factory=FitSettings)
    card: CardSettings = field(default_factory=CardSettings)

    def to_toml(self) -> str:
        """The recipe as TOML text, every setting spelled out."""
        return tomli_w.dumps(asdict(self))

    @property
    def sha256(self) -> str:
        """Fingerprint of what decides the result: all but the name and the card's words.

        A setting left at its default does not count: one that is added some day leaves the
        fingerprints of earlier trainings alone. A default must therefore never change.
        """
        content = _chosen(replace(self, name="", card=CardSettings()))
        content.pop("name", None)
        return hashlib.sha256(tomli_w.dumps(content).encode()).hexdigest()


def load_recipe(path: str | Path, settings: Iterable[str] = ()) -> Recipe:
    """Read a recipe and change single settings.

    Args:
        path: TOML file.
        settings: Changes such as ``"fit.epochs=3"``; values are written as in TOML, bare
            words are taken as text.

    Raises:
        RecipeError: Missing file, not TOML, unknown key, bad value.
    """
    path = Path(path)
    if not path.is_file():
        raise RecipeError(f"`path` must be a recipe in TOML. Received {path}: no such file.")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} must be TOML. Received: {error}.") from error
    for setting in settings:
        _apply(raw, setting)
    return _build(Recipe, raw, "")


def _chosen(record: Any) -> dict[str, Any]:
    """The settings of a record, its sections included, that differ from their defaults."""
    default, chosen = type(record)(), dict[str, Any]()
    for item in fields(record):
        value = getattr(record, item.name)
        if value != getattr(default, item.name):
            chosen[item.name] = _chosen(value) if is_dataclass(value) else value
    return chosen


def _apply(raw: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise RecipeError(
            f"`--set` must be KEY=VALUE. Received {setting!r}. Type for example: --set fit.epochs=3"
        )
    *sections, last = key.strip().split(".")
    for section in sections:
        raw = raw.setdefault(section, {})
        if not isinstance(raw, dict):
            raise RecipeError(f"`{key.strip()}` must name a setting: `{section}` is no section.")
    try:
        raw[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        raw[last] = value.strip()


def _build(record: type, raw: Mapping[str, Any], where: str) -> Any:
    known = get_type_hints(record)
    for key in raw:
        if key not in known:
            raise RecipeError(f"Unknown key `{where}{key}` in the recipe. {nearest(key, known)}")
    values: dict[str, Any] = {}
    for item in fields(record):
        if item.name not in raw:
            continue
        wanted, value = known[item.name], raw[item.name]
        if is_dataclass(wanted) and isinstance(wanted, type):
            if not isinstance(value, dict):
                raise RecipeError(f"`{where}{item.name}` must be a section. Received {value!r}.")
            values[item.name] = _build(wanted, value, f"{where}{item.name}.")
        else:
            values[item.name] = _checked(value, wanted, f"{where}{item.name}")
    return record(**values)


def _checked(value: Any, wanted: Any, key: str) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted == tuple[str, ...]:
        if not isinstance(value, list):
            raise RecipeError(f'`{key}` must be a list. Received {value!r}. Type: ["{value}"]')
        return tuple(str(entry) for entry in value)
    plain = wanted if wanted in (int, float, str) else dict
    if not isinstance(value, plain) or isinstance(value, bool):
        raise RecipeError(f"`{key}` must be {plain.__name__}. Received {value!r}.")
    return value
