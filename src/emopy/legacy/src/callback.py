"""Old name of what the run folder of `emopy.train.fit` keeps today: `curves.png`."""

from emopy.legacy.adapters.plot import PlotLosses
from emopy.legacy.notice import old_name

__all__ = ["PlotLosses"]

old_name("EmoPy.src.callback", "emopy.train.fit(..., folder='runs/mine')  # draws curves.png")
