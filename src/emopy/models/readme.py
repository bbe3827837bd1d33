"""The page that people read about a model: README.md, written from its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from emopy.models.card import InputSpec, ModelCard
from emopy.models.readme_figures import cell, figures_text, measured, share, table


def readme_from_card(card: ModelCard) -> str:
    """Write the README of a model folder.

    Only what the card holds is said; figures come from `emopy.evaluate` alone.

    Args:
        card: The model's card.

    Returns:
        Markdown, ending with a line break.

    Example:
        >>> card = ModelCard("tiny", "1", ("anger", "fear"), InputSpec(48, 48))
        >>> readme_from_card(card).splitlines()[0]
        '# tiny 1'
    """
    sections = [
        f"# {card.name} {card.version}\n\n{_summary(card)}",
        _use(card),
        _section("Intended use", card.intended_use),
        _section("Must not be used for", card.out_of_scope_use),
        _accuracy(card),
        _calibration(card),
        _section("Known limits", card.limits),
        _training(card),
        _section("Licence and rights", card.licence or "Not stated by the author."),
        _files(card),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _summary(card: ModelCard) -> str:
    names = ", ".join(f"**{label}**" for label in card.labels[:-1])
    return (
        f"Tells which of {len(card.labels)} facial expressions a face shows: "
        f"{names} or **{card.labels[-1]}**. It reads {_wanted(card.input)}. "
        "An expression is what a face shows, not what the person feels."
    )


def _wanted(spec: InputSpec) -> str:
    colour = "gray" if spec.channels == 1 else "RGB"
    if spec.frames > 1:
        return f"clips of {spec.frames} {colour} face crops of {spec.width} × {spec.height} pixels"
    return f"a {colour} face crop of {spec.width} × {spec.height} pixels"


def _use(card: ModelCard) -> str:
    name = card.name
    lines = [
        "from emopy import FERModel",
        "",
        f'model = FERModel("all", model="{name}")  # or the path of this folder',
    ]
    if card.input.frames > 1:
        lines.append("print(model.predict_sequence(crops))  # of one person, oldest first")
    else:
        lines.append('print([face.emotion for face in model.predict("group.jpg").faces])')
    return _section("Use", "```python\n" + "\n".join(lines) + "\n```")


def _accuracy(card: ModelCard) -> str:
    return _section(
        "How good it is",
        figures_text(card)
        or "Not measured yet. `emopy evaluate FOLDER DATA --record NAME` measures it and writes it "
        "here.",
    )


def _calibration(card: ModelCard) -> str:
    if card.temperature == 1:
        text = "Not calibrated: logits go into softmax as they are (temperature 1)."
    else:
        text = (
            f"Logits are divided by the temperature {card.temperature:.4g} before softmax "
            "([temperature scaling](https://arxiv.org/abs/1706.04599)), so that a confidence can "
            "be read as the share of such answers that are right."
        )
    for data, found in measured(card).items():
        if (error := found.get("ece")) is not None:
            text += f" On {data} confidence and accuracy differ by {share(error)} on average."
    return _section("Calibration", text)


def _training(card: ModelCard) -> str:
    text = card.data or "Not stated by the author."
    rows = [[cell(key), cell(_value(value))] for key, value in card.training.items()]
    if rows:
        text += "\n\n" + table(["made with", ""], rows)
    return _section("Trained on", text)


def _files(card: ModelCard) -> str:
    if not card.files:
        return ""
    rows = [[f"`{name}`", f"`{digest}`"] for name, digest in card.files.items()]
    return (
        _section("Files", table(["file", "SHA-256"], rows))
        + "\n\nThis page is written from `card.json`; change the card, not the page."
    )


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text.strip()}" if text.strip() else ""


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return ", ".join(f"{key} {_value(item)}" for key, item in pairs)
    if isinstance(value, list | tuple):
        return ", ".join(_value(item) for item in cast("Sequence[object]", value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
