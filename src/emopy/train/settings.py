"""In which settings recipes differ, for the leaderboard and for a run folder that is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from emopy.train.recipe import Recipe


def differing(recipes: Sequence[Recipe]) -> list[dict[str, Any]]:
    """For each recipe its values of those settings in which the recipes are not all alike.

    Args:
        recipes: Two or more; their names, cards and seeds are not looked at.

    Returns:
        One dictionary per recipe: dotted name of a setting → its value there.
    """
    settings = [_flat(recipe) for recipe in recipes]
    names = dict.fromkeys(name for flat in settings for name in flat)
    varying = [name for name in names if len({repr(flat.get(name)) for flat in settings}) > 1]
    return [{name: flat[name] for name in varying if name in flat} for flat in settings]


def _flat(recipe: Recipe) -> dict[str, Any]:
    """Dotted names of all settings that decide the result, but the seed → their values."""
    sections = {"data": recipe.data, "augment": recipe.augment, "fit": recipe.fit}
    flat = {
        f"{name}.{key}": value
        for name, section in sections.items()
        for key, value in asdict(section).items()
    }
    del flat["fit.seed"]
    named = {f"net.settings.{key}": value for key, value in recipe.net.settings.items()}
    return {**flat, "net.name": recipe.net.name, **named}
