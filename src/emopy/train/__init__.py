"""Train networks and export them as model folders. Needs the extra `train`."""

from emopy.errors import MissingExtraError

try:
    import keras  # noqa: F401
    import tomli_w  # noqa: F401
except ImportError as error:
    raise MissingExtraError("Training", "train") from error

from emopy.train.data_generator import DataGenerator
from emopy.train.ensemble import ensemble
from emopy.train.export import export
from emopy.train.fit import fit, fit_recipe, train_recipe
from emopy.train.graph import draw_graph
from emopy.train.leaderboard import LeaderboardEntry, compare_runs, leaderboard
from emopy.train.quantize import quantize
from emopy.train.recipe import FitSettings, Recipe, load_recipe
from emopy.train.run_folder import Run

__all__ = [
    "DataGenerator",
    "FitSettings",
    "LeaderboardEntry",
    "Recipe",
    "Run",
    "compare_runs",
    "draw_graph",
    "ensemble",
    "export",
    "fit",
    "fit_recipe",
    "leaderboard",
    "load_recipe",
    "quantize",
    "train_recipe",
]
