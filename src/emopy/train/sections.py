"""The sections of a recipe: the faces, the network, how it learns, words for the card."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from emopy.errors import RecipeError

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
LOGS = ("csv", "tensorboard")

_RULES: dict[str, tuple[Callable[[float], bool], tuple[str, ...]]] = {
    "positive": (
        lambda value: 0 < value < math.inf,
        (
            "epochs",
            "batch_size",
            "learning_rate",
            "release_rate",
            "sharpening",
            "teacher_temperature",
        ),
    ),
    "in [0, 1)": (lambda value: 0 <= value < 1, ("warmup", "label_smoothing", "ema")),
    "in [0, 1]": (
        lambda value: 0 <= value <= 1,
        ("final_rate", "balance", "teacher_weight", "frozen", "release"),
    ),
    "0 or more": (
        lambda value: 0 <= value < math.inf,
        ("patience", "logit_adjustment", "mixup", "cutmix"),
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
        size_px: Side that the images of a folder are brought to. Files know it.
        channels: 1 to read the images of a folder as gray, 3 as RGB. Files know it.
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
        learning_rate: Peak of the schedule; warm-up, then half a cosine down
            (Loshchilov and Hutter 2017, arXiv:1608.03983).
        warmup: Share of all steps in which the rate rises from zero.
        final_rate: Rate at the end as a share of `learning_rate`, 0–1; at 1 it stays the same
            after the warm-up.
        weight_decay: Decoupled decay of the kernels (AdamW, arXiv:1711.05101).
        start: Name or folder of a model whose weights the network begins with, and whose
            input it keeps; it must be the same network. Labels that both know keep their part of
            the last layer. Empty: random weights.
        label_smoothing: Share of each target spread over all labels.
        sharpening: Targets are raised to this power and divided by their sum: above 1 the votes
            of the many count for more, below 1 those of the few.
        balance: How far rare labels are drawn more often, 0–1. 0: every face once an epoch. Else
            faces are drawn with replacement, label k in proportion to share_k ** (1 - balance):
            1 draws all labels equally often (Mahajan et al. 2018, arXiv:1805.00932).
        logit_adjustment: While learning, this times log(share) is added to each logit, so that
            the bare logits lean less towards frequent labels: at 1 not at all (Menon et al.
            2021, arXiv:2007.07314).
        mixup: Faces of a batch are mixed in pairs, their targets too, in shares drawn from
            Beta(mixup, mixup); 0 for none (Zhang et al. 2018, arXiv:1710.09412).
        cutmix: A rectangle of each face of a batch is replaced by that of another one, their
            targets mixed by area; the part that stays is drawn from Beta(cutmix, cutmix). 0 for
            none (Yun et al. 2019, arXiv:1905.04899). With mixup as well, each batch gets one.
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
        seed: Start of every chance: weights, order, augmentation, dropout. On a CPU the same
            seed gives the same weights; on a GPU sums in another order may change last digits.
    """

    epochs: int = 40
    batch_size: int = 128
    learning_rate: float = 2e-3
    warmup: float = 0.05
    final_rate: float = 0.0
    weight_decay: float = 0.02
    start: str = ""
    label_smoothing: float = 0.0
    sharpening: float = 1.0
    balance: float = 0.0
    logit_adjustment: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
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
        object.__setattr__(self, "start", str(self.start))
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
    out_of_scope_use: str = ""
    limits: str = ""
