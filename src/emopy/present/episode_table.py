"""`episodes_csv` and `overview_text`: what is found in several videos, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from emopy.escaping import escape_undecodable, one_line, quote_csv_text
from emopy.present.text import NOT_SURE, duration
from emopy.tables import text_table
from emopy.types import round_time
from emopy.video import Summary

EPISODE_COLUMNS = ("source", "track", "start_s", "end_s", "seconds", "emotion")
"""Columns of a table of episodes."""

_MAX_EMOTIONS = 2


def episodes_csv(summaries: Iterable[Summary]) -> str:
    """Return the episodes of videos as CSV: who showed which emotion, from when to when.

    Args:
        summaries: Summaries of videos.

    Returns:
        A header line, and a row for each episode: the source, the track, start, end and duration in
        seconds, and the emotion, which is empty where the model was not sure. Texts that a
        spreadsheet would take for formulas are quoted as in `open_table`.

    Example:
        >>> print(episodes_csv([]), end="")
        source,track,start_s,end_s,seconds,emotion
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(EPISODE_COLUMNS)
    for summary in summaries:
        source = quote_csv_text(escape_undecodable(summary.source))
        for track in summary.tracks:
            for episode in track.episodes:
                times = (episode.start_s, episode.end_s, episode.seconds)
                emotion = quote_csv_text(escape_undecodable(episode.emotion or ""))
                writer.writerow([source, track.track, *map(round_time, times), emotion])
    return lines.getvalue()


def total_seconds(summary: Summary) -> dict[str | None, float]:
    """Return for how long each emotion was predicted, over all faces; None is "not sure"."""
    seconds: dict[str | None, float] = dict.fromkeys((*summary.labels, None), 0.0)
    for track in summary.tracks:
        for label, proportion in track.proportions.items():
            seconds[label] += proportion * track.seen_s
        seconds[None] += track.not_sure * track.seen_s
    return seconds


def overview_text(summaries: Iterable[Summary]) -> str:
    """Return a line for each video: its duration, its faces, and what they express for longest.

    Args:
        summaries: Summaries of videos.

    Returns:
        A table with a header, without a final line break. Proportions are those of the time for
        which faces are visible, over all faces.
    """
    rows: list[tuple[str, str, str, str]] = []
    for summary in summaries:
        seconds = total_seconds(summary)
        total = sum(seconds.values())
        longest = sorted(seconds, key=lambda label: -seconds[label])[:_MAX_EMOTIONS]
        shown = [
            f"{one_line(label or NOT_SURE)} {100 * seconds[label] / total:.0f} %"
            for label in longest
            if seconds[label]
        ]
        cells = one_line(summary.source), duration(summary.seconds), str(len(summary.tracks))
        rows.append((*cells, ", ".join(shown)))
    return text_table(("video", "length", "faces", "mostly"), rows, "lrrl")
