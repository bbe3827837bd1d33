"""What tracked faces express over time: summaries, episodes and time bins."""

from emopy.video.episodes import Episode
from emopy.video.summary import Summary, TrackSummary
from emopy.video.time_bins import ProbabilityCurve, TimeBins

__all__ = ["Episode", "ProbabilityCurve", "Summary", "TimeBins", "TrackSummary"]
