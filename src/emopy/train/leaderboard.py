"""A leaderboard over run folders: which recipe did best, by how much, and what was different."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emopy.errors import RecipeError
from emopy.train.recipe import Recipe, differing_settings, load_recipe
from emopy.train.run_folder import is_finished, kept_epoch, read_metrics

WATCHED = ("val_accuracy", "val_loss", "accuracy", "loss")
"""Figures of `metrics.csv`, in the order in which they are shown."""

RECORDED = ("accuracy", "macro_f1", "macro_recall", "ece")
"""Figures that `emopy evaluate --record` wrote into the model's card and that are shown."""


@dataclass(frozen=True, slots=True)
class LeaderboardEntry:
    """All runs of one recipe; they differ in their seed only.

    Attributes:
        recipe: What they were trained by.
        finished: Whether they are done. Unfinished runs stand apart: their figures will change.
        folders: Where they are, one per run.
        epochs: Epochs behind each run.
        figures: Name of a figure → its value in each run that has it. Those of the training
            carry the names of `WATCHED`; recorded ones are "DATA: FIGURE".
        differs: Settings in which the recipes that are compared are not all alike → its value.
    """

    recipe: Recipe
    finished: bool
    folders: tuple[Path, ...]
    epochs: tuple[int, ...]
    figures: Mapping[str, tuple[float, ...]]
    differs: Mapping[str, Any]

    @property
    def score(self) -> float:
        """Mean validation accuracy; below all others where nothing was validated."""
        return statistics.fmean(self.figures.get("val_accuracy", (-1.0,)))


def compare_runs(folder: str | Path) -> tuple[LeaderboardEntry, ...]:
    """Rank the runs in a folder by the accuracy on their validation faces.

    What counts of a run is the epoch whose weights it keeps: the one with the lowest validation
    loss where it was stopped early, the last one otherwise. Unfinished runs stand apart, with what
    they have so far.

    Args:
        folder: A folder of run folders, as `emopy train` writes them.

    Returns:
        One standing per recipe, best first; two where some of its runs are not done.

    Raises:
        RecipeError: No run in the folder has finished an epoch.
    """
    runs = [
        (path.parent, load_recipe(path))
        for path in sorted(Path(folder).glob("*/recipe.toml"))
        if (path.parent / "metrics.csv").is_file()
    ]
    if not runs:
        raise RecipeError(
            f"`folder` must hold folders of runs. Received {folder}, where none has finished an "
            "epoch. Type for example: emopy train RECIPE --out runs/first"
        )
    groups: dict[tuple[str, bool], list[tuple[Path, Recipe]]] = {}
    for path, recipe in runs:
        seedless = replace(recipe, fit=replace(recipe.fit, seed=0))
        groups.setdefault((seedless.sha256, is_finished(path)), []).append((path, recipe))
    differs = differing_settings([group[0][1] for group in groups.values()])
    entries = [_standing(*pair) for pair in zip(groups.values(), differs, strict=True)]
    return tuple(sorted(entries, key=lambda standing: -standing.score))


def leaderboard(entries: Sequence[LeaderboardEntry]) -> str:
    """Standings as text: a table of figures, mean ± standard deviation over seeds, and settings.

    Args:
        entries: What `compare_runs` found.
    """
    names = list(dict.fromkeys(name for row in entries for name in row.figures))
    data = list(dict.fromkeys(name.rpartition(": ")[0] for name in names if ": " in name))
    short = {
        name: f"{name.rpartition(': ')[2]} [{data.index(name.rpartition(': ')[0]) + 1}]"
        for name in names
        if ": " in name
    }
    heads = ["", "runs", "epochs", *(short.get(name, name) for name in names)]
    rows = [
        [
            f"{rank}.",
            str(len(row.folders)),
            _span(row.epochs),
            *(_spread(row.figures.get(name, ())) for name in names),
        ]
        for rank, row in enumerate(entries, start=1)
    ]
    widths = [max(len(line[i]) for line in [heads, *rows]) for i in range(len(heads))]
    lines = [_line(heads, widths), *(_line(row, widths) for row in rows), ""]
    for rank, row in enumerate(entries, start=1):
        settings = ", ".join(f"{key}={value}" for key, value in row.differs.items())
        folders = ", ".join(path.name for path in row.folders)
        unfinished = "" if row.finished else ", unfinished"
        lines.append(f"{rank}. {folders}{unfinished}" + (f": {settings}" if settings else ""))
    lines += [f"[{number}] recorded on {name}" for number, name in enumerate(data, start=1)]
    return "\n".join(lines)


def _standing(group: Iterable[tuple[Path, Recipe]], differs: Mapping[str, Any]) -> LeaderboardEntry:
    group = list(group)
    epochs: list[int] = []
    figures: dict[str, list[float]] = {}
    for path, recipe in group:
        history = read_metrics(path / "metrics.csv")
        epochs.append(len(history))
        kept = kept_epoch(history, recipe.fit.patience)
        found = {name: kept[name] for name in WATCHED if name in kept}
        for name, value in {**found, **_recorded(path / "model" / "card.json")}.items():
            figures.setdefault(name, []).append(value)
    return LeaderboardEntry(
        recipe=group[0][1],
        finished=is_finished(group[0][0]),
        folders=tuple(path for path, _ in group),
        epochs=tuple(epochs),
        figures={name: tuple(values) for name, values in figures.items()},
        differs=differs,
    )


def _recorded(card: Path) -> dict[str, float]:
    if not card.is_file():
        return {}
    metrics = json.loads(card.read_text(encoding="utf-8")).get("metrics", {})
    return {
        f"{data}: {name}": found[name]
        for data, found in metrics.items()
        for name in RECORDED
        if isinstance(found.get(name), float)
    }


def _span(epochs: Sequence[int]) -> str:
    return str(epochs[0]) if len(set(epochs)) == 1 else f"{min(epochs)}-{max(epochs)}"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    mean = f"{statistics.fmean(values):.4f}"
    return f"{mean} ± {statistics.stdev(values):.4f}" if len(values) > 1 else mean


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
