"""Write docs/models: a page for each bundled model, from its card, and an overview of all."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import write_accuracy
from emopy.models import ModelCard, ModelFolder
from emopy.models.card import WEIGHTS_FILE
from emopy.models.readme import readme_from_card
from emopy.tables import markdown_table

FOLDER = Path(__file__).parents[1] / "docs" / "models"

OVERVIEW = """\
# Models

The models in the package. Each has a card with its data, metrics and limits; `emopy models show
NAME` prints it, and [the format](../model-card.md) says what a card holds. `FERModel()` and the
commands use `emopy-base`; `FERModel(model="emopy-tiny")` and `--model emopy-tiny` select the other.

{table}

{faces:,} held-out faces of FER+ `valid`, seven emotions, as `FERModel()` predicts.
[How they were trained](../training.md), [how fast they are](../performance.md#the-model-alone).

![Accuracy of both models on fourteen kinds of corrupted faces](../pictures/corruptions.png)

## Versions

{faces_of_all:,} faces of FER+ `valid`, eight emotions, prior of the training data. A new version of
a model is a line in the [changelog](../../CHANGELOG.md); the card has the version.
[Decision 21](../decisions/0021-distilled-models.md) has more figures of the two versions before.

{versions}
"""

CHARTS = """\
![Confusion matrix: many errors are predicted neutral or sadness](../pictures/confusion-{name}.png)

![Reliability diagrams: accuracy over confidence, near the diagonal](../pictures/reliability.png)

![Accuracy of both models on fourteen kinds of corrupted faces](../pictures/corruptions.png)
"""


class Version(NamedTuple):
    """An earlier version of a model: metrics as its card had them."""

    model: str
    what: str
    accuracy: float
    macro_f1: float
    ece: float


EARLIER = (
    Version("`emopy-base` 1", "one network, 40 epochs", 0.8521, 0.743, 0.0157),
    Version("`emopy-base` 2", "one network, 100 epochs", 0.8692, 0.769, 0.0192),
    Version("`emopy-base` 3", "ensemble of 2 networks, int8", 0.8749, 0.774, 0.0196),
    Version("`emopy-tiny` 1", "one network, int8, distilled", 0.8581, 0.727, 0.0165),
)
"""The evaluation faces were the same; 4 % had near-duplicates in the training data of
`emopy-base` 1.
"""


def overview(models: list[ModelFolder]) -> str:
    """The page about all models."""
    header = ["model", "version", "size", "accuracy", "balanced accuracy", "ECE"]
    metrics = [each.card.metrics[write_accuracy.DATA + write_accuracy.DEFAULT] for each in models]
    rows = [
        [
            f"[`{model.card.name}`]({model.card.name}.md)",
            model.card.version,
            f"{(model.path / WEIGHTS_FILE).stat().st_size / 1e6:.1f} MB",
            *(f"{100 * found[name]:.1f} %" for name in ("accuracy", "macro_recall", "ece")),
        ]
        for model, found in zip(models, metrics, strict=True)
    ]
    whole = models[0].card.metrics[write_accuracy.DATA]
    return OVERVIEW.format(
        table=markdown_table(header, rows),
        faces=metrics[0]["samples"],
        faces_of_all=whole["samples"],
        versions=versions([model.card for model in models]),
    )


def versions(cards: list[ModelCard]) -> str:
    """A table of all versions."""
    now = []
    for card in cards:
        found = card.metrics[write_accuracy.DATA]
        numbers = (found[name] for name in ("accuracy", "macro_f1", "ece"))
        now.append(Version(f"`{card.name}` {card.version}", what_it_is(card), *numbers))
    rows = [
        [name, what, f"{100 * accuracy:.1f} %", f"{macro_f1:.3f}", f"{100 * ece:.1f} %"]
        for name, what, accuracy, macro_f1, ece in sorted((*EARLIER, *now))
    ]
    return markdown_table(["model", "what", "accuracy", "macro F1", "ECE"], rows, "llrrr")


def what_it_is(card: ModelCard) -> str:
    """The networks of a bundled model, in words."""
    networks = card.training.get("members", [card.training])
    distilled = sum("parent_models" in each for each in networks)
    parts = ["one network" if len(networks) == 1 else f"ensemble of {len(networks)} networks"]
    parts.append(card.precision)
    if distilled:
        parts.append(
            "distilled" if distilled == len(networks) else f"{distilled} of them distilled"
        )
    return ", ".join(parts)


def card_page(card: ModelCard) -> str:
    """The README of the model folder, with charts under the metrics."""
    before, metrics, after = readme_from_card(card).partition("## Metrics\n")
    return f"{before}{metrics}\n{CHARTS.format(name=card.name)}{after}"


def pages() -> dict[Path, str]:
    """Path → text of each page."""
    models = write_accuracy.bundled_models()
    cards = {FOLDER / f"{model.card.name}.md": card_page(model.card) for model in models}
    return {FOLDER / "README.md": overview(models)} | cards


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path)
