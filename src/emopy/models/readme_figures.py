"""What was measured of a model, as the tables of its README."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from emopy.models.card import ModelCard

Figures = Mapping[str, Any]


def share(value: object) -> str:
    """A number of 0–1 as a percentage; a dash for what was not measured."""
    return f"{value:.1%}" if _is_number(value) else "–"


def _plain(value: object) -> str:
    if not _is_number(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


_FIGURES: Mapping[str, tuple[str, Callable[[object], str]]] = {
    "samples": ("faces", _plain),
    "accuracy": ("accuracy", share),
    "balanced_accuracy": ("balanced accuracy", share),
    "macro_recall": ("macro recall", share),
    "macro_f1": ("macro F1", _plain),
    "ece": ("expected calibration error", share),
    "brier": ("Brier score", _plain),
    "log_loss": ("log loss", _plain),
}
"""Figures of an evaluation in the order of the table: name, and how they are written."""


def measured(card: ModelCard) -> dict[str, Figures]:
    """What each data set gave: its name → figures, as `emopy.evaluate.record` keeps them."""
    return {
        data: cast("Figures", found)
        for data, found in card.metrics.items()
        if isinstance(found, Mapping)
    }


def figures_text(card: ModelCard) -> str:
    """All figures of a card as Markdown; empty where nothing was measured."""
    found = measured(card)
    if not found:
        return ""
    tables = [_overview(found), _recall(card, found), _coverage(found), _confusion(found)]
    tables += [_seeds(data, part["seeds"]) for data, part in found.items() if "seeds" in part]
    tables += [
        _worse(data, part["corruptions"]) for data, part in found.items() if "corruptions" in part
    ]
    return "\n\n".join(filter(None, tables))


def _overview(found: Mapping[str, Figures]) -> str:
    shown = [key for key in _FIGURES if any(key in part for part in found.values())]
    return table(
        ["measured on", *(_FIGURES[key][0] for key in shown)],
        [
            [cell(data), *(_FIGURES[key][1](part.get(key)) for key in shown)]
            for data, part in found.items()
        ],
    )


def _recall(card: ModelCard, found: Mapping[str, Figures]) -> str:
    """Recall per class: the figure that an average hides."""
    recalls = _with(found, "recall")
    if not recalls:
        return ""
    rows = [[label, *(share(recall.get(label)) for recall in recalls.values())]
            for label in card.labels]  # fmt: skip
    return "Recall per expression, the share of faces of each that it recognises:\n\n" + table(
        ["expression", *map(cell, recalls)], rows
    )


def _coverage(found: Mapping[str, Figures]) -> str:
    """What refusing the least sure faces brings, and the confidence to ask for."""
    curves = _with(found, "accuracy_at_coverage")
    if not curves:
        return ""
    parts = list(dict.fromkeys(part for curve in curves.values() for part in curve))
    rows: list[list[str]] = []
    for data, curve in curves.items():
        asked = found[data].get("confidence_at_coverage", {})
        rows.append([cell(data), "accuracy", *(share(curve.get(part)) for part in parts)])
        rows.append(["", "`min_confidence`", *(_plain(asked.get(part)) for part in parts)])
    return (
        "Accuracy when only the surest faces are answered, by the share of faces that are, and the "
        "`FERModel(min_confidence=...)` that does it:\n\n"
    ) + table(["measured on", "", *(f"{float(part):.0%}" for part in parts)], rows)


def _confusion(found: Mapping[str, Figures]) -> str:
    """What was taken for what, on the data that were measured first."""
    for data, part in found.items():
        if "confusion_matrix" in part and "labels" in part:
            labels: Sequence[str] = part["labels"]
            counts: Sequence[Sequence[int]] = part["confusion_matrix"]
            rows = [
                [cell(label), *map(str, row)] for label, row in zip(labels, counts, strict=True)
            ]
            return (
                f"What was taken for what on {data}, a row per true expression and a column per "
                "answer:\n\n"
            ) + table(["", *map(cell, labels)], rows)
    return ""


def _seeds(data: str, seeds: Mapping[str, Any]) -> str:
    count = max((len(values) for values in seeds.values()), default=0)
    rows = [
        [
            cell(figure),
            *(_plain(value) for value in [*values, *[None] * (count - len(values))]),
            _plain(statistics.fmean(values) if values else None),
            _plain(statistics.stdev(values) if len(values) > 1 else None),
        ]
        for figure, values in seeds.items()
    ]
    return (
        f"The same making from other seeds, on {data}; spread is the standard deviation. The first "
        "is the one delivered. Networks that are joined are in several groups each, which makes "
        "the spread a little too small:\n\n"
    ) + table(["figure", *(f"{i + 1}." for i in range(count)), "mean", "spread"], rows)


def _worse(data: str, accuracies: Mapping[str, Any]) -> str:
    rows = [[cell(name), share(value)] for name, value in accuracies.items()]
    rows.append(["mean", share(statistics.fmean(accuracies.values()) if accuracies else None)])
    return f"Accuracy when the images of {data} get worse:\n\n" + table(
        ["corruption", "accuracy"], rows
    )


def _with(found: Mapping[str, Figures], key: str) -> dict[str, Figures]:
    return {data: part[key] for data, part in found.items() if isinstance(part.get(key), Mapping)}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: names to the left, numbers to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def cell(text: str) -> str:
    """Text that cannot break a table."""
    return text.replace("|", "\\|").replace("\n", " ")
