"""Episodes: the times during which a face shows one emotion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emopy.types import round_time

_MAX_PENDING = 64
"""Episodes after which short ones are merged: bounds the memory of a flickering track."""

_TIME_TOLERANCE_S = 1e-6
"""Times that differ by less are equal."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A time during which one emotion was the predicted one.

    Attributes:
        start_s: Start in seconds of the video.
        end_s: End in seconds of the video.
        emotion: The emotion; None where the model was not sure.
    """

    start_s: float
    end_s: float
    emotion: str | None

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.end_s - self.start_s

    def to_dict(self) -> dict[str, Any]:
        """Return an object that JSON can hold, with rounded times."""
        times = {"start_s": round_time(self.start_s), "end_s": round_time(self.end_s)}
        return {**times, "emotion": self.emotion}


class EpisodeBuilder:
    """Merges frames into episodes, one frame at a time.

    Short episodes are merged as by `merge_short_episodes`. A face that is lost for less than
    `min_episode_s` continues its episode.

    Args:
        min_episode_s: Seconds.
    """

    def __init__(self, min_episode_s: float) -> None:
        self._min_episode_s = min_episode_s
        self._done: list[Episode] = []
        self._pending: list[Episode] = []  # since the last gap; the last one still grows

    def add(self, start_s: float, end_s: float, emotion: str | None) -> None:
        """Add a frame: its start, not before the last end, its end, and its emotion."""
        last = self._pending[-1] if self._pending else None
        if last is not None and start_s - last.end_s > max(self._min_episode_s, _TIME_TOLERANCE_S):
            self._done += merge_short_episodes(self._pending, self._min_episode_s)
            self._pending, last = [], None
        if last is None:
            self._pending.append(Episode(start_s, end_s, emotion))
        elif last.emotion == emotion:
            self._pending[-1] = Episode(last.start_s, end_s, emotion)
        else:
            self._pending[-1] = Episode(last.start_s, start_s, last.emotion)
            if len(self._pending) >= _MAX_PENDING:
                *done, kept = merge_short_episodes(self._pending, self._min_episode_s)
                self._done += done
                self._pending = [kept]
            self._pending.append(Episode(start_s, end_s, emotion))

    def finish(self) -> tuple[Episode, ...]:
        """Return all episodes, as if no frame followed; more frames may be added."""
        return (*self._done, *merge_short_episodes(self._pending, self._min_episode_s))


def merge_short_episodes(episodes: Iterable[Episode], min_episode_s: float) -> list[Episode]:
    """Merge short episodes into their neighbors, the shortest first.

    Between two episodes of one emotion the three become one; else the longer neighbor is
    extended. An episode without neighbors is kept.

    Args:
        episodes: In the order of time, without gaps.
        min_episode_s: Seconds that an episode must last to be kept.

    Example:
        >>> flicker = Episode(0, 2, "joy"), Episode(2, 2.1, "fear"), Episode(2.1, 4, "joy")
        >>> merge_short_episodes(flicker, 0.25)
        [Episode(start_s=0, end_s=4, emotion='joy')]
    """
    kept: list[Episode] = []
    for episode in episodes:
        if kept and kept[-1].emotion == episode.emotion:
            kept[-1] = Episode(kept[-1].start_s, episode.end_s, episode.emotion)
        else:
            kept.append(episode)
    while len(kept) > 1:
        index = min(range(len(kept)), key=lambda i: kept[i].seconds)
        shortest = kept[index]
        if shortest.seconds > min_episode_s - _TIME_TOLERANCE_S:
            break
        neighbors = kept[max(index - 1, 0) : index] + kept[index + 1 : index + 2]
        emotion = max(neighbors, key=lambda neighbor: neighbor.seconds).emotion
        merged = [shortest, *(each for each in neighbors if each.emotion == emotion)]
        start, end = min(each.start_s for each in merged), max(each.end_s for each in merged)
        first = index - 1 if index and kept[index - 1] in merged else index
        kept[first : first + len(merged)] = [Episode(start, end, emotion)]
    return kept
