"""Recipes: all settings of a training in one TOML file."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from emopy.data.augment import Augmentation
from emopy.errors import RecipeError
from emopy.recipes import find_recipe
from emopy.settings import from_mapping, read_toml, store_floats

DTYPE_POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")
LOGS = ("csv", "tensorboard")

_RULES: dict[str, tuple[Callable[[float], bool], tuple[str, ...]]] = {
    "positive": (
        lambda value: 0 < value < math.inf,
        (
            "epochs",
            "batch_size",
            "learning_rate",
            "finetune_lr_ratio",
            "target_sharpening",
            "teacher_temperature",
        ),
    ),
    "in [0, 1)": (lambda value: 0 <= value < 1, ("warmup", "label_smoothing", "ema")),
    "in [0, 1]": (
        lambda value: 0 <= value <= 1,
        (
            "min_lr_ratio",
            "class_balanced_sampling",
            "teacher_weight",
            "head_epochs_fraction",
            "unfreeze_fraction",
        ),
    ),
    "0 or more": (
        lambda value: 0 <= value < math.inf,
        ("patience", "logit_adjustment", "mixup", "cutmix"),
    ),
}
"""Rule → its test, and the names of the `FitSettings` it holds for."""


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Training and validation data: files or folders that `emopy.data.open_data` supports.

    Relative paths are relative to the working directory.

    Attributes:
        train: Training data.
        validation: Validation data. Empty: a tenth of `train` is held out.
        emotions: Labels to train on; empty: all.
        num_frames: Frames per clip, 2 or more, for folders of clips; 0 for stills. Files contain
            their own number.
        size_px: Side in pixels to which images of a folder are resized. Files contain their own
            size.
        channels: 1 (gray) or 3 (RGB) for images of a folder. Files contain their own number.
    """

    train: str = ""
    validation: str = ""
    emotions: tuple[str, ...] = ()
    num_frames: int = 0
    size_px: int = 48
    channels: int = 1

    def __post_init__(self) -> None:
        if self.num_frames < 0 or self.num_frames == 1:
            raise RecipeError(
                "`num_frames` must be 0 for stills, or 2 or more for clips. "
                f"Received {self.num_frames}."
            )
        if self.size_px < 8 or self.channels not in (1, 3):
            raise RecipeError(
                "`size_px` must be 8 or more, and `channels` 1 or 3. "
                f"Received {self.size_px} and {self.channels}."
            )


@dataclass(frozen=True, slots=True)
class NetSettings:
    """Name of the network and its keyword arguments.

    Attributes:
        name: A name in `emopy.nets.list_nets()`.
        settings: Keyword arguments of the network: text, numbers, lists or tables.
    """

    name: str = "ResidualNN"
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in self.settings.items()}
        try:
            tomli_w.dumps(plain)
        except (TypeError, ValueError, RecursionError) as error:
            raise RecipeError(
                "`net.settings` must be text, numbers, lists or sections, so that the recipe can "
                f"be written down. Received others for {', '.join(map(str, plain))}."
            ) from error
        object.__setattr__(self, "settings", plain)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Hyperparameters of a training.

    Attributes:
        epochs: Passes over the training samples.
        batch_size: Samples per step.
        learning_rate: Peak learning rate of AdamW. It rises linearly during `warmup`, then follows
            a half cosine (Loshchilov and Hutter 2017, arXiv:1608.03983).
        warmup: Fraction of all steps in which the learning rate rises from 0, in [0, 1).
        min_lr_ratio: Final learning rate divided by `learning_rate`, in [0, 1]. 1 keeps it
            constant after the warm-up.
        weight_decay: Decoupled weight decay of the kernels (AdamW, arXiv:1711.05101).
        init_from: Name or folder of a model of the same network. Training starts from its weights
            and uses its input size and standardization. Rows of the last layer are copied for
            labels that both have. Empty: random weights.
        label_smoothing: Fraction of each target that is spread uniformly over all labels, in
            [0, 1).
        target_sharpening: Exponent of the target probabilities, which are normalized afterwards.
            Above 1, targets become more peaked; below 1, less peaked.
        class_balanced_sampling: How much more often rare labels are sampled, in [0, 1]. 0: every
            sample once per epoch. Otherwise sampling with replacement, label k with a probability
            in proportion to p_k ** (1 - class_balanced_sampling), where p_k is its proportion in
            the training targets; 1: all labels equally often (Mahajan et al. 2018,
            arXiv:1805.00932).
        logit_adjustment: During training, this times log(prior of the label) is added to each
            logit. 0: off; 1: the exported logits are those of a uniform label prior (Menon et
            al. 2021, arXiv:2007.07314).
        mixup: Parameter of Beta(mixup, mixup), which the weights of pairs of images and targets
            are drawn from. 0: off (Zhang et al. 2018, arXiv:1710.09412). It lost accuracy on FER+,
            see docs/training.md; so did cutmix.
        cutmix: Parameter of Beta(cutmix, cutmix), which the area kept of each image is drawn from;
            a rectangle of another image replaces the rest. 0: off (Yun et al. 2019,
            arXiv:1905.04899). With mixup as well, each batch gets one of the two at random.
        teacher: Names or folders of teacher models for knowledge distillation. Their mean
            probabilities for the augmented images are mixed into the targets (Hinton et al. 2015,
            arXiv:1503.02531; Beyer et al. 2022, arXiv:2106.05237).
        teacher_weight: Weight of the teachers' probabilities in the targets, in [0, 1].
        teacher_temperature: Divisor of the teachers' logits. Above 1, their probabilities become
            less peaked.
        ema: Momentum of the exponential moving average of the weights, in [0, 1); 0: off. With
            it, the averaged weights are validated and kept. The momentum is capped so that the
            average covers at most a fifth of the steps.
        patience: Epochs without a lower validation loss after which training stops. The weights of
            the best epoch are kept. 0: no early stopping, the last weights are kept.
        dtype_policy: Keras dtype policy: ``"float32"``, ``"mixed_float16"`` or
            ``"mixed_bfloat16"``. Mixed precision is faster on GPUs that support it. Exported
            models are float32 in any case.
        log: ``"csv"`` writes metrics.csv to the run folder; ``"tensorboard"`` writes TensorBoard
            events as well (extra `tensorboard`).
        head_epochs_fraction: Fraction of the epochs in which the backbone stays frozen and only
            the head is trained, in [0, 1]. Networks without a backbone ignore it.
        unfreeze_fraction: Fraction of the backbone's layers, counted from its output, that are
            trained in the remaining epochs, in [0, 1].
        finetune_lr_ratio: Peak learning rate of these epochs divided by `learning_rate`.
        seed: Seed of the initial weights, shuffling, augmentation and dropout. On a CPU the same
            seed gives the same weights. On a GPU the last digits may differ.
    """

    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 2e-3
    warmup: float = 0.05
    min_lr_ratio: float = 0.0
    weight_decay: float = 0.02
    init_from: str = ""
    label_smoothing: float = 0.0
    target_sharpening: float = 1.0
    class_balanced_sampling: float = 0.0
    logit_adjustment: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    teacher: tuple[str, ...] = ()
    teacher_weight: float = 0.5
    teacher_temperature: float = 1.0
    ema: float = 0.0
    patience: int = 0
    dtype_policy: str = "float32"
    log: str = "csv"
    head_epochs_fraction: float = 0.5
    unfreeze_fraction: float = 0.3
    finetune_lr_ratio: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        store_floats(self)
        for rule, (fits, names) in _RULES.items():
            for name in names:
                value = getattr(self, name)
                if not fits(value):
                    raise RecipeError(f"`{name}` must be {rule}. Received {value}.")
        if not 0 <= self.seed < 2**32:
            raise RecipeError(f"`seed` must be 0 to {2**32 - 1}. Received {self.seed}.")
        if isinstance(self.teacher, str):
            raise RecipeError(
                "`teacher` must be a list of models. "
                f'Received {self.teacher!r}. Type for example: ["{self.teacher}"]'
            )
        object.__setattr__(self, "teacher", tuple(map(str, self.teacher)))
        object.__setattr__(self, "init_from", str(self.init_from))
        for name, known in (("dtype_policy", DTYPE_POLICIES), ("log", LOGS)):
            if getattr(self, name) not in known:
                raise RecipeError(
                    f"`{name}` must be one of {', '.join(known)}. Received {getattr(self, name)!r}."
                )


@dataclass(frozen=True, slots=True)
class CardSettings:
    """Texts for the model card; see `emopy.models.ModelCard`."""

    version: str = "1"
    data: str = ""
    licence: str = ""
    intended_use: str = ""
    out_of_scope_use: str = ""
    limits: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings of one training."""

    name: str = "my-model"
    data: DataSettings = field(default_factory=DataSettings)
    net: NetSettings = field(default_factory=NetSettings)
    augment: Augmentation = field(default_factory=Augmentation)
    fit: FitSettings = field(default_factory=FitSettings)
    card: CardSettings = field(default_factory=CardSettings)

    def to_toml(self) -> str:
        """The recipe as TOML with every setting, defaults included."""
        return tomli_w.dumps(asdict(self))

    @property
    def sha256(self) -> str:
        """SHA-256 of the settings that determine the result: all but the name and the card.

        Settings at their default are left out, so that a new setting does not change the hash of
        older recipes. A default must therefore never change.
        """
        content = _non_default_settings(replace(self, name="", card=CardSettings()))
        content.pop("name", None)
        return hashlib.sha256(tomli_w.dumps(content).encode()).hexdigest()


def load_recipe(recipe: str | Path, settings: Iterable[str] = ()) -> Recipe:
    """Load a recipe and override single settings.

    Args:
        recipe: TOML file, or the name of a packaged recipe: see `emopy.recipes.list_recipes`.
        settings: Overrides such as ``"fit.epochs=3"``. Values are TOML; bare words are strings.

    Raises:
        RecipeError: No such recipe, invalid TOML, unknown key or invalid value.

    Example:
        >>> load_recipe("transfer", ["fit.epochs=3"]).fit.epochs
        3
    """
    raw = read_toml(find_recipe(recipe), RecipeError)
    for setting in settings:
        _apply(raw, setting)
    return from_mapping(Recipe, raw, "the recipe", RecipeError, option="--set")


def differing_settings(recipes: Sequence[Recipe]) -> list[dict[str, Any]]:
    """Return the settings in which recipes differ.

    Args:
        recipes: Two or more. Names, cards and seeds are ignored.

    Returns:
        One dictionary per recipe: dotted name of a setting → its value.
    """
    settings = [_flat(recipe) for recipe in recipes]
    names = dict.fromkeys(name for flat in settings for name in flat)
    varying = [name for name in names if len({repr(flat.get(name)) for flat in settings}) > 1]
    return [{name: flat[name] for name in varying if name in flat} for flat in settings]


def _flat(recipe: Recipe) -> dict[str, Any]:
    """Dotted name → value, for all settings that determine the result except the seed."""
    sections = {"data": recipe.data, "augment": recipe.augment, "fit": recipe.fit}
    flat = {
        f"{name}.{key}": value
        for name, section in sections.items()
        for key, value in asdict(section).items()
    }
    del flat["fit.seed"]
    named = {f"net.settings.{key}": value for key, value in recipe.net.settings.items()}
    return {**flat, "net.name": recipe.net.name, **named}


def _non_default_settings(record: Any) -> dict[str, Any]:
    """Settings that differ from their defaults, nested sections included."""
    default, changed = type(record)(), dict[str, Any]()
    for item in fields(record):
        value = getattr(record, item.name)
        if value != getattr(default, item.name):
            changed[item.name] = _non_default_settings(value) if is_dataclass(value) else value
    return changed


def _apply(raw: dict[str, Any], setting: str) -> None:
    """Set the value of ``"section.key=value"`` in parsed TOML."""
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise RecipeError(
            f"`settings` must be KEY=VALUE. Received {setting!r}. "
            "Type for example: `settings=['fit.epochs=3']`"
        )
    *sections, last = key.strip().split(".")
    for section in sections:
        raw = raw.setdefault(section, {})
        if not isinstance(raw, dict):
            raise RecipeError(f"`{key.strip()}` must name a setting: `{section}` is no section.")
    try:
        raw[last] = tomllib.loads(f"value = {value}")["value"]
    except RecursionError as error:
        raise RecipeError(f"`{key.strip()}` must not hold lists nested so deep.") from error
    except ValueError:  # not TOML: a bare word, which is checked like any other
        raw[last] = value.strip()
