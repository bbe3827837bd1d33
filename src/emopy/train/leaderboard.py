"""Leaderboard of run folders: metrics per recipe and the settings in which recipes differ."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from emopy.errors import ModelError, RecipeError
from emopy.media.paths import is_system_entry
from emopy.models.store import read_card
from emopy.tables import text_table
from emopy.train.recipe import Recipe, differing_settings, load_recipe
from emopy.train.run_folder import History, is_finished, kept_epoch, read_metrics

TRAINING_METRICS = ("val_accuracy", "val_loss", "accuracy", "loss")
"""Columns of `metrics.csv`, in the order in which they are shown."""

CARD_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "ece")
"""Metrics shown from the card of the model, where `emopy evaluate --record` writes them."""


@dataclass(frozen=True, slots=True)
class LeaderboardEntry:
    """All runs of one recipe, which differ in their seed only.

    Attributes:
        recipe: Their recipe.
        finished: Whether they are finished. Unfinished runs have an entry of their own.
        folders: Run folders.
        epochs: Epochs of each run.
        metrics: Name → value in each run that has it. Names are those of `TRAINING_METRICS`, or
            "DATA: METRIC" for metrics from the card.
        differs: Settings in which the compared recipes differ → value in this recipe.
    """

    recipe: Recipe
    finished: bool
    folders: tuple[Path, ...]
    epochs: tuple[int, ...]
    metrics: Mapping[str, tuple[float, ...]]
    differs: Mapping[str, Any]

    @property
    def score(self) -> float:
        """Mean validation accuracy; -1 without validation."""
        return statistics.fmean(self.metrics.get("val_accuracy", (-1.0,)))


class _Run(NamedTuple):
    folder: Path
    recipe: Recipe
    history: History


def compare_runs(
    folder: str | Path, *, on_bad: Callable[[RecipeError], object] | None = None
) -> tuple[LeaderboardEntry, ...]:
    """Rank the runs in a folder by validation accuracy.

    The metrics of a run are those of the epoch whose weights it keeps: with early stopping the one
    with the lowest validation loss, otherwise the last one.

    Args:
        folder: A folder of run folders, as `emopy train` writes them.
        on_bad: Called with the error of each run that cannot be read, which is left out; None
            raises it.

    Returns:
        One entry per recipe, best first; a second one for its unfinished runs.

    Raises:
        RecipeError: No run in the folder has finished an epoch, or a run cannot be read.
    """
    runs: list[_Run] = []
    for path in sorted(Path(folder).glob("*/recipe.toml")):
        metrics = path.with_name("metrics.csv")
        if metrics.is_file() and not is_system_entry(path.parent.name):
            try:
                runs.append(_Run(path.parent, load_recipe(path), read_metrics(metrics)))
            except RecipeError as error:
                if on_bad is None:
                    raise
                on_bad(error)
    if not runs:
        raise RecipeError(
            f"`folder` must hold folders of runs. Received {folder}, where none has finished an "
            "epoch. Type for example: emopy train RECIPE --out runs/first"
        )
    groups: dict[tuple[str, bool], list[_Run]] = {}
    for run in runs:
        seedless = replace(run.recipe, fit=replace(run.recipe.fit, seed=0))
        groups.setdefault((seedless.sha256, is_finished(run.folder)), []).append(run)
    differs = differing_settings([group[0].recipe for group in groups.values()])
    entries = [_entry(*pair) for pair in zip(groups.values(), differs, strict=True)]
    return tuple(sorted(entries, key=lambda entry: -entry.score))


def leaderboard(entries: Sequence[LeaderboardEntry]) -> str:
    """Format entries as text: metrics as mean ± standard deviation over seeds, then settings.

    Args:
        entries: Result of `compare_runs`.
    """
    names = list(dict.fromkeys(name for entry in entries for name in entry.metrics))
    data = list(dict.fromkeys(name.rpartition(": ")[0] for name in names if ": " in name))
    header = ["", "runs", "epochs", *(_short_name(name, data) for name in names)]
    rows = [
        [
            f"{rank}.",
            str(len(entry.folders)),
            _range(entry.epochs),
            *(_mean_and_deviation(entry.metrics.get(name, ())) for name in names),
        ]
        for rank, entry in enumerate(entries, start=1)
    ]
    lines = [text_table(header, rows, align="r" * len(header)), ""]
    for rank, entry in enumerate(entries, start=1):
        settings = ", ".join(f"{key}={value}" for key, value in entry.differs.items())
        folders = ", ".join(path.name for path in entry.folders)
        unfinished = "" if entry.finished else ", unfinished"
        lines.append(f"{rank}. {folders}{unfinished}" + (f": {settings}" if settings else ""))
    lines += [f"[{number}] recorded on {name}" for number, name in enumerate(data, start=1)]
    return "\n".join(lines)


def _short_name(name: str, data: Sequence[str]) -> str:
    """Name of a metric, with the number of its data in place of the name."""
    source, _, metric = name.rpartition(": ")
    return f"{metric} [{data.index(source) + 1}]" if source else name


def _entry(group: Sequence[_Run], differs: Mapping[str, Any]) -> LeaderboardEntry:
    metrics: dict[str, list[float]] = {}
    for run in group:
        kept = kept_epoch(run.history, run.recipe.fit.patience)
        trained = {name: kept[name] for name in TRAINING_METRICS if name in kept}
        for name, value in {**trained, **_card_metrics(run.folder / "model")}.items():
            metrics.setdefault(name, []).append(value)
    return LeaderboardEntry(
        recipe=group[0].recipe,
        finished=is_finished(group[0].folder),
        folders=tuple(run.folder for run in group),
        epochs=tuple(len(run.history) for run in group),
        metrics={name: tuple(values) for name, values in metrics.items()},
        differs=differs,
    )


def _card_metrics(folder: Path) -> dict[str, float]:
    """Metrics that were recorded on the card of a model; none if there is no usable card."""
    try:
        metrics = read_card(folder).metrics
    except (ModelError, ValueError, RecursionError):
        return {}
    return {
        f"{data}: {name}": found[name]
        for data, found in metrics.items()
        for name in CARD_METRICS
        if isinstance(found, Mapping) and isinstance(found.get(name), float)
    }


def _range(epochs: Sequence[int]) -> str:
    return str(epochs[0]) if len(set(epochs)) == 1 else f"{min(epochs)}-{max(epochs)}"


def _mean_and_deviation(values: Sequence[float]) -> str:
    if not values:
        return "–"
    mean = f"{statistics.fmean(values):.4f}"
    return f"{mean} ± {statistics.stdev(values):.4f}" if len(values) > 1 else mean
