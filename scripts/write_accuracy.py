"""Write the accuracy tables of README.md and docs/training.md from the bundled cards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emopy.models import ModelFolder, find_model, is_bundled, list_models, load_model
from emopy.models.card import WEIGHTS_FILE
from emopy.tables import markdown_table

ROOT = Path(__file__).parents[1]
DATA = "FER+ valid, official majority rule"
DEFAULT = ", seven emotions, tempered prior"
"""Variant of the metrics that has the settings of `FERModel()`."""


def bundled_models() -> list[ModelFolder]:
    """The models in the package, in the order of `emopy models list`."""
    return [load_model(name) for name in list_models() if is_bundled(find_model(name))]


def summary() -> str:
    """The table of README.md: one row per model."""
    models = bundled_models()
    faces = _metrics(models[0], DEFAULT)["samples"]
    header = ["model", "size", "accuracy", "balanced accuracy", "ECE"]
    rows = [
        [
            f"`{model.card.name}`",
            f"{(model.path / WEIGHTS_FILE).stat().st_size / 1e6:.1f} MB",
            *_percentages(_metrics(model, DEFAULT)),
        ]
        for model in models
    ]
    note = (
        f"{faces:,} held-out faces of FER+ `valid`, seven emotions, as `FERModel()` predicts.\n"
        "ECE is the expected calibration error:"
    )
    return f"{note}\n\n{markdown_table(header, rows)}"


def details() -> str:
    """The tables of docs/training.md: metrics by prior and by number of emotions, and recalls."""
    models = bundled_models()
    header = ["model, prior", "accuracy", "macro F1", "balanced accuracy", "ECE"]
    variants = {
        "": "8 emotions, `training`",
        ", tempered prior": "8 emotions, `tempered`",
        ", uniform prior": "8 emotions, `uniform`",
        DEFAULT: "7 emotions, `tempered` (as `FERModel()`)",
    }
    rows = [
        [f"`{model.card.name}`, {name}", *_variant(_metrics(model, variant))]
        for model in models
        for variant, name in variants.items()
    ]
    support: dict[str, int] = _metrics(models[0])["support"]
    recalls = [
        [label, f"{support[label]:,}"]
        + [f"{100 * _metrics(model)['recall'][label]:.1f} %" for model in models]
        for label in models[0].card.labels
    ]
    names = [f"`{model.card.name}`" for model in models]
    return (
        f"{markdown_table([*header, 'accuracy at 80 % coverage'], rows)}\n\n"
        f"{markdown_table(['recall', 'faces', *names], recalls)}"
    )


def pages() -> dict[Path, str]:
    """Path → text of the pages, with new tables between their markers."""
    tables = {ROOT / "README.md": summary(), ROOT / "docs" / "training.md": details()}
    return {path: _with_table(path, table) for path, table in tables.items()}


def _metrics(model: ModelFolder, variant: str = "") -> Mapping[str, Any]:
    return model.card.metrics[DATA + variant]


def _variant(metrics: Mapping[str, Any]) -> list[str]:
    accuracy, recall, ece = _percentages(metrics)
    covered = f"{100 * metrics['accuracy_at_coverage']['0.8']:.1f} %"
    return [accuracy, f"{metrics['macro_f1']:.3f}", recall, ece, covered]


def _percentages(metrics: Mapping[str, Any]) -> list[str]:
    return [f"{100 * metrics[name]:.1f} %" for name in ("accuracy", "macro_recall", "ece")]


def _with_table(path: Path, table: str) -> str:
    start, end = "<!-- accuracy -->", "<!-- /accuracy -->"
    before, rest = path.read_text(encoding="utf-8").split(start, 1)
    return f"{before}{start}\n{table}\n{end}{rest.split(end, 1)[1]}"


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path)
