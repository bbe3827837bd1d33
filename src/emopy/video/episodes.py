"""`Episodes`: runs of one dominant emotion, without the flicker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_AT_ONCE = 64
"""Runs that are looked at together: the most that is held besides the episodes."""

_SAME_S = 1e-6
"""Times that differ by less are the same."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A time during which one emotion was dominant.

    Attributes:
        start_s: Where it begins, in seconds of the video.
        end_s: Where it ends.
        emotion: The emotion; None where the model was not sure.
    """

    start_s: float
    end_s: float
    emotion: str | None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s


class Episodes:
    """Joins frames to episodes while they come.

    Runs shorter than `shortest_s` become part of their neighbours, the shortest first: between
    two runs of one emotion the three become one; else the longer neighbour takes it. A run that
    stands alone is kept, however short. A face that is lost for less than `shortest_s` goes on.

    Args:
        shortest_s: Seconds.
    """

    def __init__(self, shortest_s: float) -> None:
        self._shortest_s = shortest_s
        self._done: list[Episode] = []
        self._runs: list[Episode] = []  # of the present stretch; the last one still grows

    def add(self, start_s: float, end_s: float, emotion: str | None) -> None:
        """Take one frame: its time, not before the end of the last one, and what it shows."""
        last = self._runs[-1] if self._runs else None
        if last is not None and start_s - last.end_s > max(self._shortest_s, _SAME_S):
            self._done += swallow(self._runs, self._shortest_s)
            self._runs, last = [], None
        if last is None:
            self._runs.append(Episode(start_s, end_s, emotion))
        elif last.emotion == emotion:
            self._runs[-1] = Episode(last.start_s, end_s, emotion)
        else:
            self._runs[-1] = Episode(last.start_s, start_s, last.emotion)
            if len(self._runs) >= _AT_ONCE:
                *done, kept = swallow(self._runs, self._shortest_s)
                self._done += done
                self._runs = [kept]
            self._runs.append(Episode(start_s, end_s, emotion))

    def closed(self) -> tuple[Episode, ...]:
        """All episodes, as if no frame followed."""
        return (*self._done, *swallow(self._runs, self._shortest_s))


def swallow(runs: Iterable[Episode], shortest_s: float) -> list[Episode]:
    """Give short runs to their neighbours.

    Args:
        runs: In order of time, without gaps.
        shortest_s: Seconds that a run must last to stay.

    Example:
        >>> flicker = Episode(0, 2, "joy"), Episode(2, 2.1, "fear"), Episode(2.1, 4, "joy")
        >>> swallow(flicker, 0.25)
        [Episode(start_s=0, end_s=4, emotion='joy')]
    """
    kept: list[Episode] = []
    for run in runs:
        if kept and kept[-1].emotion == run.emotion:
            kept[-1] = Episode(kept[-1].start_s, run.end_s, run.emotion)
        else:
            kept.append(run)
    while len(kept) > 1:
        at = min(range(len(kept)), key=lambda i: kept[i].seconds)
        run = kept[at]
        if run.seconds > shortest_s - _SAME_S:
            break
        around = kept[max(at - 1, 0) : at] + kept[at + 1 : at + 2]
        taker = max(around, key=lambda neighbour: neighbour.seconds)
        joined = [run, *(each for each in around if each.emotion == taker.emotion)]
        start, end = min(each.start_s for each in joined), max(each.end_s for each in joined)
        first = at - 1 if at and kept[at - 1] in joined else at
        kept[first : first + len(joined)] = [Episode(start, end, taker.emotion)]
    return kept
