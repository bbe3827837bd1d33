"""Describe a model from its card: the README of the model folder, and the same as plain text."""

from __future__ import annotations

import json
import math
import statistics
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple, TypeAlias, cast

from emopy.labels import canonical
from emopy.models.card import InputSpec, ModelCard
from emopy.tables import markdown_table, text_table

Metrics = Mapping[str, Any]

MAX_COLUMNS = 6
"""Columns of a table; a wider one is split."""


class _Table(NamedTuple):
    header: list[str]
    rows: list[list[str]]
    align: str | None = None


class _Code(NamedTuple):
    text: str


_Block: TypeAlias = str | _Table | _Code
"""A paragraph, a table, or lines of Python."""


def readme_from_card(card: ModelCard) -> str:
    """Write the README of a model folder as Markdown, ending with a line break.

    It holds only what the card holds; metrics come from `emopy.evaluate`.

    Example:
        >>> card = ModelCard("tiny", "1", ("anger", "fear"), InputSpec(48, 48))
        >>> readme_from_card(card).splitlines()[0]
        '# tiny 1'
    """
    parts = [f"# {card.name} {card.version}", _summary(card)]
    for title, blocks in _sections(card).items():
        parts += [f"## {title}", *map(_markdown, blocks)]
    end = "This page is generated from `card.json`; edit the card, not the page."
    return "\n\n".join([*parts, end]) + "\n"


def card_text(card: ModelCard, *, width: int = 72) -> str:
    """Write what the README holds as plain text for a terminal, ending with a line break.

    Args:
        card: The model card.
        width: Columns of the text. Tables of numbers and checksums may be wider.

    Example:
        >>> card = ModelCard("tiny", "1", ("anger", "fear"), InputSpec(48, 48))
        >>> card_text(card).splitlines()[0]
        'tiny 1'
    """
    parts = [f"{card.name} {card.version}\n{_plain(_summary(card), width)}"]
    for title, blocks in _sections(card).items():
        texts = [_plain(block, width) for block in blocks]
        parts += [f"{title}\n{texts[0]}", *texts[1:]]
    return "\n\n".join(parts) + "\n"


def _markdown(block: _Block) -> str:
    if isinstance(block, _Table):
        return markdown_table(*block)
    return f"```python\n{block.text}\n```" if isinstance(block, _Code) else block.strip()


def _plain(block: _Block, width: int) -> str:
    indent = "  "
    if isinstance(block, str):
        lines = (
            textwrap.fill(line, width - len(indent), break_long_words=False)
            for line in block.strip().splitlines()
        )
        text = "\n".join(lines)
    elif isinstance(block, _Table):
        text = text_table(block.header, _wrapped_rows(block, width - len(indent)), block.align)
    else:
        text = block.text
    return textwrap.indent(text, indent)


def _wrapped_rows(table: _Table, width: int) -> Iterable[list[str]]:
    """The rows of a table; long text in the last column takes several."""
    others = [max(map(len, column)) for column in zip(table.header, *table.rows, strict=True)][:-1]
    room = max(20, width - sum(others) - 2 * len(others))
    for *cells, last in table.rows:
        first, *rest = textwrap.wrap(last, room, break_long_words=False) or [""]
        yield [*cells, first]
        yield from ([""] * len(cells) + [line] for line in rest)


_NOT_EVALUATED = (
    "Not evaluated yet. `emopy evaluate FOLDER DATA --record NAME` evaluates the model and writes "
    "the metrics here."
)


def _sections(card: ModelCard) -> dict[str, list[_Block]]:
    """Title → content of each section; those without content are left out."""
    sections: dict[str, list[_Block]] = {
        "Use": [_usage(card)],
        "Intended use": [card.intended_use],
        "Out-of-scope use": [card.out_of_scope_use],
        "Metrics": _metrics(card) or [_NOT_EVALUATED],
        "Calibration": [_calibration(card)],
        "Limitations": [card.limits],
        "Training data": [card.data or "Not stated by the author."],
        "Training": [_Table(["setting", "value"], _training(card), "ll")] if card.training else [],
        "License": [card.licence or "Not stated by the author."],
        "Files": [_Table(["file", "SHA-256"], [[*item] for item in card.files.items()], "ll")]
        if card.files
        else [],
    }
    full = {
        title: [block for block in blocks if not isinstance(block, str) or block.strip()]
        for title, blocks in sections.items()
    }
    return {title: blocks for title, blocks in full.items() if blocks}


def _summary(card: ModelCard) -> str:
    return (
        f"Predicts which of {len(card.labels)} facial expressions a face shows: "
        f"{', '.join(card.labels[:-1])} or {card.labels[-1]}. "
        f"The input is {_input_text(card.input)}. "
        "A face shows an expression, not what a person feels."
    )


def _input_text(spec: InputSpec) -> str:
    color = "gray" if spec.channels == 1 else "RGB"
    if spec.frames > 1:
        return f"clips of {spec.frames} {color} face crops of {spec.width} × {spec.height} pixels"
    return f"a {color} face crop of {spec.width} × {spec.height} pixels"


def _usage(card: ModelCard) -> _Code:
    name = json.dumps(card.name, ensure_ascii=False)
    call = (
        "print(model.predict_sequence(crops))  # crops of one person, oldest first"
        if card.input.frames > 1
        else 'print([face.emotion for face in model.predict("group.jpg").faces])'
    )
    return _Code(
        "from emopy import FERModel\n\n"
        f'model = FERModel("all", model={name})  # or the path of this folder\n{call}'
    )


def _calibration(card: ModelCard) -> str:
    if card.temperature == 1:
        return "Not calibrated: the temperature is 1."
    return (
        f"Logits are divided by the temperature {card.temperature:.4g} before softmax "
        "(temperature scaling, https://arxiv.org/abs/1706.04599), so that the confidence of a "
        "prediction is the probability that it is correct. The metrics have the expected "
        "calibration error (ECE)."
    )


def _training(card: ModelCard) -> list[list[str]]:
    return [[key, _value_text(value)] for key, value in card.training.items()]


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
    "views": ("views of each face", _number),
    "accuracy": ("accuracy", _percent),
    "balanced_accuracy": ("balanced accuracy", _percent),
    "macro_recall": ("balanced accuracy, standard emotions", _percent),
    "macro_f1": ("macro F1", _number),
    "ece": ("ECE", _percent),
    "brier": ("Brier score", _number),
    "log_loss": ("log loss", _number),
}
"""Rows of the first table: key in the card → title and number format."""


def _metrics(card: ModelCard) -> list[_Block]:
    if not card.metrics:
        return []
    names = dict(zip(card.metrics, _letters(len(card.metrics)), strict=True))
    named = {letter: card.metrics[data] for data, letter in names.items()}
    blocks: list[_Block] = []
    if len(names) > 1:
        blocks.append("Evaluated on:")
        blocks.append(
            _Table(["", "data"], [[letter, data] for data, letter in names.items()], "ll")
        )
    else:
        named = dict(card.metrics)
    blocks += [
        *_overview(named),
        *_by_key("Recall of each expression:", "expression", card.labels, named, "recall"),
        *_coverage(named),
        *_confusion(card.metrics),
    ]
    for key, write in (("seeds", _seeds), ("corruptions", _corruptions)):
        for data, metrics in card.metrics.items():
            blocks += write(data, metrics[key]) if key in metrics else []
    return blocks


def _letters(count: int) -> list[str]:
    """Names of columns: A to Z, then A2 to Z2, and so on."""
    size = len(ascii_uppercase)
    return [
        ascii_uppercase[i % size] + (str(i // size + 1) if i >= size else "") for i in range(count)
    ]


def _tables(corner: str, rows: Mapping[str, Mapping[str, str]]) -> list[_Table]:
    """Tables of at most `MAX_COLUMNS` columns from row → column → cell."""
    columns = list(next(iter(rows.values()))) if rows else []
    step = MAX_COLUMNS - 1
    return [
        _Table(
            [corner, *columns[start : start + step]],
            [[row, *list(cells.values())[start : start + step]] for row, cells in rows.items()],
        )
        for start in range(0, len(columns), step)
    ]


def _overview(evaluations: Mapping[str, Metrics]) -> list[_Block]:
    others = [
        label
        for metrics in evaluations.values()
        for label in metrics.get("labels", ())
        if label not in metrics.get("macro_labels", metrics["labels"])
    ]
    keys = [key for key in _OVERVIEW if any(key in metrics for metrics in evaluations.values())]
    if all(metrics.get("views", 1) == 1 for metrics in evaluations.values()):
        keys = [key for key in keys if key != "views"]
    if not others and "balanced_accuracy" in keys:  # the same number
        keys = [key for key in keys if key != "macro_recall"]
    rows = {
        title: {name: show(metrics.get(key)) for name, metrics in evaluations.items()}
        for key, (title, show) in _OVERVIEW.items()
        if key in keys
    }
    blocks: list[_Block] = [*_tables("metric", rows)]
    if others:
        blocks.append(
            "Balanced accuracy averages the recall of all labels of the data. The standard "
            "emotions, which macro F1 averages too, are those without "
            f"{', '.join(dict.fromkeys(others))}."
        )
    return blocks


def _by_key(
    text: str,
    corner: str,
    keys: Sequence[str],
    evaluations: Mapping[str, Metrics],
    metric: str,
    show: Callable[[object], str] = _percent,
) -> list[_Block]:
    """A metric that has a value for each of some keys, such as the recall of each label."""
    found = {
        name: {canonical(key): value for key, value in each[metric].items()}
        for name, each in evaluations.items()
        if each.get(metric)
    }
    if not found:
        return []
    rows = {
        key: {name: show(values.get(canonical(key))) for name, values in found.items()}
        for key in keys
    }
    return [text, *_tables(corner, rows)]


def _coverage(evaluations: Mapping[str, Metrics]) -> list[_Block]:
    """Selective accuracy, and the thresholds of confidence that give each coverage."""
    blocks: list[_Block] = []
    for metric, text, show in (
        ("accuracy_at_coverage", _ACCURACY_AT_COVERAGE, _percent),
        ("confidence_at_coverage", _CONFIDENCE_AT_COVERAGE, _number),
    ):
        curves = {
            name: {f"{float(at):.0%}": value for at, value in each[metric].items()}
            for name, each in evaluations.items()
            if metric in each
        }
        coverages = list(dict.fromkeys(at for curve in curves.values() for at in curve))
        named = {name: {metric: curve} for name, curve in curves.items()}
        blocks += _by_key(text, "coverage", coverages, named, metric, show)
    return blocks


_ACCURACY_AT_COVERAGE = "Accuracy by coverage, the fraction of faces with the highest confidence:"
_CONFIDENCE_AT_COVERAGE = "`FERModel(min_confidence=...)` that gives this coverage:"


def _confusion(evaluations: Mapping[str, Metrics]) -> list[_Block]:
    """The confusion matrix of the first evaluation that has one, in a row for each label."""
    for data, metrics in evaluations.items():
        if "confusion_matrix" in metrics and "labels" in metrics:
            labels: Sequence[str] = metrics["labels"]
            rows: list[list[str]] = []
            for label, counts in zip(labels, metrics["confusion_matrix"], strict=True):
                wrong = [
                    (n, other) for n, other in zip(counts, labels, strict=True) if other != label
                ]
                wrong = sorted(wrong, key=lambda pair: -pair[0])
                correct = counts[labels.index(label)]
                text = ", ".join(f"{other} {n:,}" for n, other in wrong if n)
                rows.append([label, f"{sum(counts):,}", f"{correct:,}", text or "–"])
            header = ["true label", "faces", "correct", "predicted instead"]
            return [f"Confusions on {data}:", _Table(header, rows, "lrrl")]
    return []


def _seeds(data: str, seeds: Mapping[str, Any]) -> list[_Block]:
    rows = [
        [
            metric,
            ", ".join(map(_number, values)) or "–",
            _number(statistics.fmean(values) if values else None),
            _number(statistics.stdev(values) if len(values) > 1 else None),
        ]
        for metric, values in seeds.items()
    ]
    text = (
        f"The same training with other seeds, on {data}. The first run is this model. Where runs "
        "have networks or augmented faces in common, the standard deviation is too small:"
    )
    return [text, _Table(["metric", "runs", "mean", "std"], rows, "llrr")]


def _corruptions(data: str, accuracies: Mapping[str, Any]) -> list[_Block]:
    rows = [[name, _percent(value)] for name, value in accuracies.items()]
    rows.append(["mean", _percent(statistics.fmean(accuracies.values()) if accuracies else None)])
    text = f"Corruption robustness, the accuracy on corrupted images of {data}:"
    return [text, _Table(["corruption", "accuracy"], rows)]
