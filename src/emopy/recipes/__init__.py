"""Packaged training recipes: TOML files that `emopy.train.load_recipe` knows by name."""

from emopy.recipes.find import find_recipe, list_recipes

__all__ = ["find_recipe", "list_recipes"]
