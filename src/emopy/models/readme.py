"""Generate the README of a model folder from its card."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from emopy.models.card import InputSpec, ModelCard
from emopy.tables import markdown_table

Metrics = Mapping[str, Any]


def readme_from_card(card: ModelCard) -> str:
    """Write the README of a model folder as Markdown, ending with a line break.

    It holds only what the card holds; metrics come from `emopy.evaluate`.

    Example:
        >>> card = ModelCard("tiny", "1", ("anger", "fear"), InputSpec(48, 48))
        >>> readme_from_card(card).splitlines()[0]
        '# tiny 1'
    """
    sections = [
        f"# {card.name} {card.version}\n\n{_summary(card)}",
        _section("Use", _usage(card)),
        _section("Intended use", card.intended_use),
        _section("Out-of-scope use", card.out_of_scope_use),
        _section("Metrics", _metrics_text(card) or _NOT_EVALUATED),
        _section("Calibration", _calibration(card)),
        _section("Limitations", card.limits),
        _section("Training data", _training(card)),
        _section("Licence", card.licence or "Not stated by the author."),
        _section("Files", _files(card)),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


_NOT_EVALUATED = (
    "Not evaluated yet. `emopy evaluate FOLDER DATA --record NAME` evaluates the model and writes "
    "the metrics here."
)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text.strip()}" if text.strip() else ""


def _summary(card: ModelCard) -> str:
    names = ", ".join(f"**{label}**" for label in card.labels[:-1])
    return (
        f"Predicts which of {len(card.labels)} facial expressions a face shows: "
        f"{names} or **{card.labels[-1]}**. The input is {_input_text(card.input)}. "
        "A face shows an expression, not what a person feels."
    )


def _input_text(spec: InputSpec) -> str:
    colour = "gray" if spec.channels == 1 else "RGB"
    if spec.frames > 1:
        return f"clips of {spec.frames} {colour} face crops of {spec.width} × {spec.height} pixels"
    return f"a {colour} face crop of {spec.width} × {spec.height} pixels"


def _usage(card: ModelCard) -> str:
    call = (
        "print(model.predict_sequence(crops))  # crops of one person, oldest first"
        if card.input.frames > 1
        else 'print([face.emotion for face in model.predict("group.jpg").faces])'
    )
    return (
        "```python\nfrom emopy import FERModel\n\n"
        f'model = FERModel("all", model="{card.name}")  # or the path of this folder\n{call}\n```'
    )


def _calibration(card: ModelCard) -> str:
    if card.temperature == 1:
        text = "Not calibrated: the temperature is 1."
    else:
        text = (
            f"Logits are divided by the temperature {card.temperature:.4g} before softmax "
            "([temperature scaling](https://arxiv.org/abs/1706.04599)), so that the confidence of "
            "a prediction is the probability that it is correct."
        )
    for data, metrics in _evaluations(card).items():
        if (error := metrics.get("ece")) is not None:
            text += f" Expected calibration error on {data}: {_percent(error)}."
    return text


def _training(card: ModelCard) -> str:
    text = card.data or "Not stated by the author."
    rows = [[key, _value_text(value)] for key, value in card.training.items()]
    return f"{text}\n\n{markdown_table(['training', ''], rows, 'll')}" if rows else text


def _files(card: ModelCard) -> str:
    if not card.files:
        return ""
    rows = [[f"`{name}`", f"`{digest}`"] for name, digest in card.files.items()]
    return (
        f"{markdown_table(['file', 'SHA-256'], rows, 'll')}\n\n"
        "This page is generated from `card.json`; edit the card, not the page."
    )


def _value_text(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return ", ".join(f"{key} {_value_text(item)}" for key, item in pairs)
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        separator = "; " if any(isinstance(item, Mapping) for item in items) else ", "
        return separator.join(map(_value_text, items))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _percent(value: object) -> str:
    """A proportion of 0–1 as a percentage; a dash where there is none."""
    return f"{value:.1%}" if _is_number(value) else "–"


def _number(value: object) -> str:
    if not _is_number(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


_OVERVIEW: Mapping[str, tuple[str, Callable[[object], str]]] = {
    "samples": ("faces", _number),
    "accuracy": ("accuracy", _percent),
    "balanced_accuracy": ("balanced accuracy", _percent),
    "macro_recall": ("macro recall", _percent),
    "macro_f1": ("macro F1", _number),
    "ece": ("ECE", _percent),
    "brier": ("Brier score", _number),
    "log_loss": ("log loss", _number),
}
"""Columns of the first table: key in the card → title and number format."""


def _evaluations(card: ModelCard) -> dict[str, Metrics]:
    """Metrics of each evaluation: name of the data → metrics."""
    return {
        data: cast("Metrics", metrics)
        for data, metrics in card.metrics.items()
        if isinstance(metrics, Mapping)
    }


def _metrics_text(card: ModelCard) -> str:
    evaluations = _evaluations(card)
    if not evaluations:
        return ""
    texts = [
        _overview(card, evaluations),
        _recall(card, evaluations),
        _coverage(evaluations),
        _confusion(evaluations),
    ]
    for key, write in (("seeds", _seeds), ("corruptions", _corruptions)):
        texts += [write(data, m[key]) for data, m in evaluations.items() if key in m]
    return "\n\n".join(filter(None, texts))


def _overview(card: ModelCard, evaluations: Mapping[str, Metrics]) -> str:
    keys = [key for key in _OVERVIEW if any(key in metrics for metrics in evaluations.values())]
    table = markdown_table(
        ["data", *(_OVERVIEW[key][0] for key in keys)],
        [
            [data, *(_OVERVIEW[key][1](metrics.get(key)) for key in keys)]
            for data, metrics in evaluations.items()
        ],
    )
    averaged = next((m["macro_labels"] for m in evaluations.values() if "macro_labels" in m), None)
    if averaged is None or len(averaged) == len(card.labels):
        return table
    return (
        f"{table}\n\nMacro recall and macro F1 average {len(averaged)} labels: "
        f"{', '.join(averaged)}. Balanced accuracy averages the recall of all labels."
    )


def _recall(card: ModelCard, evaluations: Mapping[str, Metrics]) -> str:
    recalls = _with_mapping(evaluations, "recall")
    if not recalls:
        return ""
    rows = [
        [label, *(_percent(recall.get(label)) for recall in recalls.values())]
        for label in card.labels
    ]
    return "Recall of each expression:\n\n" + markdown_table(["expression", *recalls], rows)


def _coverage(evaluations: Mapping[str, Metrics]) -> str:
    """Selective accuracy, and the thresholds of confidence that give each coverage."""
    curves = _with_mapping(evaluations, "accuracy_at_coverage")
    if not curves:
        return ""
    coverages = list(dict.fromkeys(coverage for curve in curves.values() for coverage in curve))
    rows: list[list[str]] = []
    for data, accuracy in curves.items():
        confidence = evaluations[data].get("confidence_at_coverage", {})
        rows.append([data, "accuracy", *(_percent(accuracy.get(c)) for c in coverages)])
        rows.append(["", "`min_confidence`", *(_number(confidence.get(c)) for c in coverages)])
    return (
        "Accuracy by coverage, the fraction of faces with the highest confidence, and the "
        "`FERModel(min_confidence=...)` that gives this coverage:\n\n"
    ) + markdown_table(["data", "", *(f"{float(c):.0%}" for c in coverages)], rows)


def _confusion(evaluations: Mapping[str, Metrics]) -> str:
    """The confusion matrix of the first evaluation that has one."""
    for data, metrics in evaluations.items():
        if "confusion_matrix" in metrics and "labels" in metrics:
            labels: Sequence[str] = metrics["labels"]
            counts: Sequence[Sequence[int]] = metrics["confusion_matrix"]
            rows = [[label, *map(str, row)] for label, row in zip(labels, counts, strict=True)]
            return f"Confusion matrix on {data}:\n\n" + markdown_table(
                ["true \\ predicted", *labels], rows
            )
    return ""


def _seeds(data: str, seeds: Mapping[str, Any]) -> str:
    count = max((len(values) for values in seeds.values()), default=0)
    rows = [
        [
            metric,
            *(_number(value) for value in [*values, *[None] * (count - len(values))]),
            _number(statistics.fmean(values) if values else None),
            _number(statistics.stdev(values) if len(values) > 1 else None),
        ]
        for metric, values in seeds.items()
    ]
    return (
        f"The same training with other seeds, on {data}. The first run is this model. Ensembles "
        "have members in common, which makes the standard deviation a little too small:\n\n"
    ) + markdown_table(["metric", *(f"run {i + 1}" for i in range(count)), "mean", "std"], rows)


def _corruptions(data: str, accuracies: Mapping[str, Any]) -> str:
    rows = [[name, _percent(value)] for name, value in accuracies.items()]
    rows.append(["mean", _percent(statistics.fmean(accuracies.values()) if accuracies else None)])
    return f"Corruption robustness, the accuracy on corrupted images of {data}:\n\n" + (
        markdown_table(["corruption", "accuracy"], rows)
    )


def _with_mapping(evaluations: Mapping[str, Metrics], key: str) -> dict[str, Metrics]:
    return {
        data: metrics[key]
        for data, metrics in evaluations.items()
        if isinstance(metrics.get(key), Mapping)
    }
