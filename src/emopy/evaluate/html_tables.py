"""The tables of the page of a report: confusion, labels, coverage and groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from emopy.evaluate.charts import interval_mark, interval_scale
from emopy.evaluate.groups import FIGURES, SMALLEST_GROUP, GroupFigures, Interval
from emopy.evaluate.predictions import Coverage
from emopy.evaluate.report import Report

_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5, 0.25)
_STRONG, _MIDDLE = 0.72, 0.6
"""Shares from which the ground of a cell is too strong for text of the usual colour."""


def percent(value: float) -> str:
    """A share of 0–1 for people; a dash where it is undefined."""
    return "–" if math.isnan(value) else f"{value:.1%}"


def confusion_table(report: Report) -> str:
    """How often each label was taken for each: the share of each row, as an image in a table."""
    heads = "".join(f'<th scope="col"><span>{escape(label)}</span></th>' for label in report.labels)
    rows: list[str] = []
    for i, label in enumerate(report.labels):
        total = int(report.confusion[i].sum())
        cells = "".join(_confusion_cell(report, i, j, total) for j in range(len(report.labels)))
        rows.append(
            f'<tr><th scope="row">{escape(label)}</th>{cells}'
            f'<td class="number quiet">{total:,}</td></tr>'
        )
    return _wide(
        "Confusion matrix",
        '<table class="confusion"><caption class="unseen">Confusion matrix: a row per true label, '
        "a column per answer, each cell the percentage of its row</caption>"
        f'<thead><tr><th scope="col" class="corner">shown ↓ answered →</th>{heads}'
        f'<th scope="col"><span>faces</span></th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def _confusion_cell(report: Report, i: int, j: int, total: int) -> str:
    count = int(report.confusion[i, j])
    if not total:
        return '<td class="cell quiet">–</td>'
    share = count / total
    ink = "strong" if share >= _STRONG else "middle" if share >= _MIDDLE else "weak"
    text = f"{share * 100:.0f}" if count else "·"
    tip = f"{report.labels[i]} answered as {report.labels[j]}: {count:,} of {total:,}"
    diagonal = " right" if i == j else ""
    return (
        f'<td class="cell {ink}{diagonal}" style="--share:{share * 100:.0f}%" '
        f'title="{escape(tip)}">{text}</td>'
    )


def class_table(report: Report) -> str:
    """Precision, recall and F1 of each label, each with a bar."""
    table = report.per_class
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(
            _bar_cell(float(values[i])) for values in (table.precision, table.recall, table.f1)
        )
        + f'<td class="number">{int(table.support[i]):,}</td></tr>'
        for i, label in enumerate(report.labels)
    )
    return _wide(
        "Figures of each label",
        '<table><caption class="unseen">Precision, recall and F1 of each label</caption><thead>'
        '<tr><th scope="col">label</th><th scope="col" class="number">precision</th>'
        '<th scope="col" class="number">recall</th><th scope="col" class="number">F1</th>'
        '<th scope="col" class="number">faces</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>",
    )


def _bar_cell(value: float) -> str:
    width = 0 if math.isnan(value) else value * 100
    return (
        f'<td class="number">{percent(value)}'
        f'<span class="track"><span style="width:{width:.1f}%"></span></span></td>'
    )


def coverage_table(found: Coverage) -> str:
    """Accuracy when only the surest faces are answered, and the confidence that asks for."""
    n = len(found.coverage)
    rows = ""
    for share in _COVERAGES:
        i = max(1, round(share * n)) - 1
        rows += (
            f'<tr><th scope="row">{share:.0%}</th><td class="number">{found.accuracy[i]:.1%}</td>'
            f'<td class="number">{found.confidence[i]:.0%}</td></tr>'
        )
    return _wide(
        "Accuracy when only the surest faces are answered",
        '<table><caption class="unseen">Accuracy when only the surest faces are answered</caption>'
        '<thead><tr><th scope="col">answered</th><th scope="col" class="number">right</th>'
        '<th scope="col" class="number">confidence from</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>",
    )


def groups_grid(groups: Sequence[GroupFigures], overall: GroupFigures) -> str:
    """Figures of each group with their intervals, below those of all faces.

    Args:
        groups: Figures of each group.
        overall: Figures of all faces together.
    """
    low, high = scale = interval_scale(
        group.accuracy for group in (overall, *groups) if not group.too_small
    )
    heads = "".join(f'<th scope="col" class="number">{name}</th>' for name in FIGURES.values())
    rows = "".join(_group_row(group, scale, overall.accuracy.value) for group in (overall, *groups))
    return _wide(
        "Figures of each group",
        '<table class="groups"><caption class="unseen">Figures of each group, each with its 95 % '
        f'interval</caption><thead><tr><th scope="col">group</th><th scope="col" class="number">'
        f'faces</th>{heads}<th scope="col" class="scale">accuracy<br><span><i>{low:.0%}</i>'
        f"<i>{high:.0%}</i></span></th></tr></thead><tbody>{rows}</tbody></table>",
    )


def _group_row(group: GroupFigures, scale: tuple[float, float], overall: float) -> str:
    small = f'<small class="warn">fewer than {SMALLEST_GROUP} faces: too few to tell</small>'
    cells = "".join(_interval_cell(getattr(group, figure)) for figure in FIGURES)
    return (
        f'<tr class="{"small" if group.too_small else "enough"}">'
        f'<th scope="row">{escape(group.name)}{small if group.too_small else ""}</th>'
        f'<td class="number">{group.samples:,}</td>{cells}'
        f"<td>{'' if group.too_small else interval_mark(group.accuracy, scale, overall)}</td></tr>"
    )


def _interval_cell(found: Interval) -> str:
    if math.isnan(found.value):
        return '<td class="number quiet">–</td>'
    return (
        f'<td class="number">{found.value:.1%}'
        f"<small>{found.low * 100:.1f} – {found.high * 100:.1f}</small></td>"
    )


def _wide(name: str, table: str) -> str:
    """A table that scrolls sideways on a narrow screen, by keyboard too."""
    return f'<div class="wide" role="region" aria-label="{name}" tabindex="0">{table}</div>'


def most_confused(report: Report) -> tuple[str, str, int, int] | None:
    """The label most often taken for another: (true, answered, how many, of how many).

    Labels with too few faces to tell are passed over. None where no mistake was made.
    """
    counts = report.confusion.astype(np.float64)
    np.fill_diagonal(counts, 0)
    total = report.confusion.sum(axis=1)
    shares = np.where(total[:, None] >= SMALLEST_GROUP, counts / np.maximum(total, 1)[:, None], 0)
    i, j = (int(place) for place in np.unravel_index(np.argmax(shares), shares.shape))
    if not shares[i, j]:
        return None
    return report.labels[i], report.labels[j], int(report.confusion[i, j]), int(total[i])
