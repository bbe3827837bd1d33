"""Write the accuracy of README.md from the cards of the bundled models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emopy.models import ModelFolder, find_model, is_bundled, list_models, load_model
from emopy.models.card import WEIGHTS_FILE

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- accuracy -->", "<!-- /accuracy -->"
DATA = "FER+ valid, official majority rule"


def tables() -> str:
    """What the cards say: a row per model, then the recall of each expression."""
    models = [load_model(name) for name in list_models() if is_bundled(find_model(name))]
    found = {model.card.name: model.card.metrics[DATA] for model in models}
    faces, support = (next(iter(found.values()))[key] for key in ("samples", "support"))
    columns = (
        "model | size | accuracy | macro F1 of seven | calibration error | accuracy of the surest "
        "80 % | mean recall of seven | the same, `--prior uniform` | accuracy of `FERModel()`"
    )
    lines = [
        f"On the {faces:,} faces of FER+ `valid` that have a majority; among eight emotions and "
        "with `--prior training` where nothing else is said. `FERModel()`: among seven, tempered:",
        "",
        f"| {columns} |",
        "|---|" + "---:|" * columns.count("|"),
        *map(_row, models),
        "",
        f"| recall of | faces | {' | '.join(found)} |",
        "|---|---:|" + "---:|" * len(found),
    ]
    for label in models[0].card.labels:
        recalls = " | ".join(
            f"{100 * figures['recall'][label]:.1f} %" for figures in found.values()
        )
        lines.append(f"| {label} | {support[label]:,} | {recalls} |")
    return "\n".join(lines)


def _row(model: ModelFolder) -> str:
    card = model.card
    figures: dict[str, Any] = card.metrics[DATA]
    even: dict[str, Any] = card.metrics[f"{DATA}, uniform prior"]
    plain: dict[str, Any] = card.metrics[f"{DATA}, seven emotions, tempered prior"]
    size = (find_model(card.name) / WEIGHTS_FILE).stat().st_size / 1e6
    shares = (
        *(figures["ece"], figures["accuracy_at_coverage"]["0.8"]),
        *(figures["macro_recall"], even["macro_recall"], plain["accuracy"]),
    )
    return (
        f"| `{card.name}` {card.version} | {size:.1f} MB | {100 * figures['accuracy']:.1f} % | "
        f"{figures['macro_f1']:.3f} | {' | '.join(f'{100 * share:.1f} %' for share in shares)} |"
    )


def with_tables(text: str) -> str:
    """The README with what stands between its two marks replaced."""
    before, rest = text.split(START, 1)
    _, after = rest.split(END, 1)
    return f"{before}{START}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(README)
