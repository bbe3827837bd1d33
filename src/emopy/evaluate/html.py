"""`html_report`: a report as one page that needs nothing but itself."""

from __future__ import annotations

from html import escape
from importlib.resources import files

import numpy as np

from emopy.data.dataset import Dataset
from emopy.errors import DataError
from emopy.evaluate.charts import coverage_chart, reliability_chart
from emopy.evaluate.groups import SMALLEST_GROUP, GroupFigures, group_figures
from emopy.evaluate.html_tables import (
    class_table,
    confusion_table,
    coverage_table,
    groups_grid,
    most_confused,
    percent,
)
from emopy.evaluate.report import Report
from emopy.evaluate.thumbnails import data_uri
from emopy.models import ModelCard

MOST_MISTAKES = 24
"""Mistakes that are shown at most."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_CARD_TEXTS = {
    "intended_use": "Intended use",
    "out_of_scope_use": "Must not be used for",
    "limits": "Known limits",
    "data": "Trained on",
    "licence": "Licence and rights",
}


def html_report(
    report: Report,
    faces: Dataset | None = None,
    *,
    card: ModelCard | None = None,
    data_name: str = "",
) -> str:
    """Turn a report into a page for people: figures explained, charts, the worst mistakes.

    The page is one file. It loads nothing, runs no script, follows the reader's light or dark
    mode, fits a phone, and prints. The same report gives the same page.

    Args:
        report: What `evaluate` found.
        faces: The data that were given to `evaluate`. With them the page shows the mistakes
            that the model was surest of, so it then holds images of people.
        card: The model's card, for its name, limits and rights.
        data_name: What to call the data.

    Returns:
        HTML text.

    Raises:
        DataError: `faces` are not those that the report is about.
        LabelError: `faces` lack labels of the report.

    Source:
        Mitchell et al. 2019, "Model Cards for Model Reporting",
        https://doi.org/10.1145/3287560.3287596; HTML Living Standard,
        https://html.spec.whatwg.org.
    """
    everyone = np.full(report.samples, "all faces")
    columns = [report.labels.index(label) for label in report.macro_labels]
    judged = report.judgement
    (overall,) = group_figures(judged.probabilities, judged.truth, everyone, columns=columns)
    name = f"{card.name} {card.version}" if card else "The model"
    sections = [
        _header(report, name, data_name),
        _figures(report, overall),
        _confusion(report),
        _trust(report),
        _groups(report, overall),
        "" if faces is None else _mistakes(report, _same_faces(report, faces)),
        "" if card is None else _model(card),
    ]
    style = files("emopy.evaluate").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(name)}: evaluation</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, sections))
        + "\n</main>\n</body>\n</html>\n"
    )


def _same_faces(report: Report, faces: Dataset) -> Dataset:
    same = faces if faces.labels == report.labels else faces.only(report.labels)
    if not np.array_equal(same.truth, report.judgement.truth):
        raise DataError(
            f"`faces` must be the data that the report is about, {report.samples:,} faces. "
            f"Received {len(same):,} others. Give what was given to evaluate."
        )
    return same


def _header(report: Report, name: str, data_name: str) -> str:
    data = f" of <b>{escape(data_name)}</b>" if data_name else ""
    return (
        f'<header>\n<p class="kicker">Evaluation</p>\n<h1>{escape(name)}</h1>\n'
        f"<p>Judged on <b>{report.samples:,} faces</b>{data}, {len(report.labels)} labels, "
        f"temperature {report.temperature:.3g}.</p>\n</header>\n<main>"
    )


def _figures(report: Report, overall: GroupFigures) -> str:
    most = report.confusion.sum(axis=1).max() / report.samples
    left_out = sorted(set(report.labels) - set(report.macro_labels))
    f1_note = f" Without {' and '.join(left_out)}." if left_out else ""
    cards = [
        ("accuracy", percent(report.accuracy), overall.accuracy, "of the faces get the right "
         f"label. Always answering the most frequent one would be right for {most:.0%}."),
        ("balanced accuracy", percent(report.balanced_accuracy), overall.balanced_accuracy,
         "is the mean over the labels: a rare expression counts as much as a frequent one."),
        ("macro F1", percent(report.macro_f1), overall.macro_f1, "weighs missed faces against "
         f"false alarms, label by label.{escape(f1_note)}"),
        ("calibration error", percent(report.ece), overall.ece,
         "is how far its confidence and its accuracy lie apart, on average. 0 is best."),
        ("Brier score", f"{report.brier:.3f}", None,
         "is the squared distance between its probabilities and the truth. 0 is best, 2 worst."),
        ("log loss", f"{report.log_loss:.3f}", None, "punishes sure mistakes. 0 is best; guessing "
         f"evenly costs {np.log(len(report.labels)):.2f}."),
    ]  # fmt: skip
    tiles = "".join(
        f'<div class="tile"><h3>{name}</h3><p class="value">{value}</p>'
        + (f'<p class="quiet">{between.low:.1%} – {between.high:.1%}</p>' if between else "")
        + f"<p>{text}</p></div>"
        for name, value, between, text in cards
    )
    return (
        f'<section>\n<h2>How often is it right?</h2>\n<p class="lead">{_verdict(report)}</p>\n'
        f'<div class="tiles">{tiles}</div>\n<p class="quiet">Small print below a figure: its '
        "95 % interval. Other faces of the same kind would mostly give a figure in it "
        "(bootstrap, 1,000 resamples).</p>\n</section>"
    )


def _verdict(report: Report) -> str:
    """The figures in two plain sentences."""
    text = f"Of 100 such faces it labels about <b>{report.accuracy * 100:.0f}</b> as people did. "
    recall, support = report.per_class.recall, report.per_class.support
    known = [i for i in range(len(report.labels)) if support[i] >= SMALLEST_GROUP]
    if len(known) > 1:
        best, worst = (pick(known, key=lambda i: float(recall[i])) for pick in (max, min))
        text += (
            f"It finds <b>{escape(report.labels[best])}</b> most reliably ({recall[best]:.0%} of "
            f"those faces) and <b>{escape(report.labels[worst])}</b> least ({recall[worst]:.0%})."
        )
    if mixed := most_confused(report):
        true, answered, count, total = mixed
        text += (
            f" Most easily confused: {escape(true)} taken for {escape(answered)}, "
            f"{count:,} of {total:,}."
        )
    return text


def _confusion(report: Report) -> str:
    return (
        "<section>\n<h2>What does it take for what?</h2>\n<p>Each row is what the faces show, "
        "each column what it answered; the numbers are percent of the row. The outlined cells are "
        f"the right answers.</p>\n{confusion_table(report)}\n<h2>Label by label</h2>\n<p><b>"
        "Precision</b>: of its answers of this label, how many are right. <b>Recall</b>: of the "
        "faces of this label, how many it finds. <b>F1</b>: high only if both are.</p>\n"
        f"{class_table(report)}\n</section>"
    )


def _trust(report: Report) -> str:
    judged = report.judgement
    said, coverage = float(judged.confidence.mean()), judged.coverage()
    apart = (said - report.accuracy) * 100
    tendency = "about as sure as it is right"
    if abs(apart) >= 1:
        tendency = f"too {'sure' if apart > 0 else 'modest'} by {abs(apart):.1f} points"
    half = float(coverage.accuracy[max(1, round(0.5 * report.samples)) - 1])
    summary = f"On average it says {said:.1%} and is right in {report.accuracy:.1%}: {tendency}."
    surest = f"Of the surer half of its answers, {half:.1%} are right."
    return (
        "<section>\n<h2>Can its confidence be trusted?</h2>\n"
        '<div class="pair">\n<figure>'
        + reliability_chart(judged.reliability(), f"Reliability diagram. {summary}")
        + '<figcaption><p class="legend"><span><i class="key bar"></i> share that is right</span> '
        '<span><i class="key said"></i> what it says</span> '
        '<span><i class="key count"></i> number of answers</span></p>'
        f"<p>{summary} A trustworthy model's bars end at the marks, on the dashed line. Faint "
        "bars stand for fewer than 10 answers.</p></figcaption></figure>\n<figure>"
        + coverage_chart(coverage, f"Accuracy against the share that is answered. {surest}")
        + f"<figcaption><p>{surest} A program that may leave faces unanswered can ask for a "
        f"confidence:</p>{coverage_table(coverage)}</figcaption></figure>\n</div>\n</section>"
    )


def _groups(report: Report, overall: GroupFigures) -> str:
    if not report.groups:
        return ""
    return (
        "<section>\n<h2>Is it as good for everyone?</h2>\n<p>Each figure with its 95 % interval. "
        "Where those of two groups overlap, no clear difference shows, nor is it ruled out. "
        "Calibration error grows as groups get smaller. The upright line marks all faces.</p>\n"
        f"{groups_grid(report.groups, overall)}\n</section>"
    )


def _mistakes(report: Report, faces: Dataset) -> str:
    judged = report.judgement
    rows = judged.worst(MOST_MISTAKES)
    if not len(rows):
        return "<section>\n<h2>Worst mistakes</h2>\n<p>It made none.</p>\n</section>"
    guess, probabilities = judged.guess, judged.probabilities
    shown: list[str] = []
    for row in rows:
        true, answer = (report.labels[int(column[row])] for column in (judged.truth, guess))
        sure, given = (float(probabilities[row, at[row]]) for at in (guess, judged.truth))
        alt = f"Face labelled {true}, answered as {answer} with {sure:.0%}"
        shown.append(
            f'<figure><img src="{data_uri(faces.images[row])}" alt="{escape(alt)}">'
            f"<figcaption><b>{escape(answer)} {_whole(sure)}</b><br>{escape(true)} {_whole(given)}"
            f"<small>{escape(str(faces.origin[row]))}</small></figcaption></figure>"
        )
    wrong = int((~judged.right).sum())
    return (
        f"<section>\n<h2>Worst mistakes</h2>\n<p>Of {wrong:,} mistakes, the {len(rows)} that it "
        "was surest of. In bold its answer, below it the label in the data, each with the "
        "probability that it gave. Some may be wrong labels: look.</p>\n"
        f'<div class="faces">{"".join(shown)}</div>\n<p class="quiet">These are images of '
        "people. Show the page only to those who may see them.</p>\n</section>"
    )


def _whole(share: float) -> str:
    return "under 1%" if share < 0.005 else f"{share:.0%}"


def _model(card: ModelCard) -> str:
    texts = "".join(
        f'<div class="{field}"><dt>{title}</dt><dd>{_lines(getattr(card, field))}</dd></div>'
        for field, title in _CARD_TEXTS.items()
        if getattr(card, field).strip()
    )
    listed = f"<dl>{texts}</dl>\n" if texts else ""
    return (
        f"<section>\n<h2>About {escape(card.name)}</h2>\n{listed}<p>An expression is what a face "
        "shows, not what the person feels.</p>\n</section>"
    )


def _lines(text: str) -> str:
    return "<br>".join(escape(line.strip()) for line in text.strip().splitlines())
