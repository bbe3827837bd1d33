"""What tracks show over time: summaries, episodes and time bins."""
