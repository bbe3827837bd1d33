"""Explanation maps: which pixels of a face raise or lower the probability of an emotion."""

from emopy.explain.draw import draw_explanations
from emopy.explain.explanation import REGIONS, Explanation, Map
from emopy.explain.masks import DEFAULT_METHOD, METHODS
from emopy.explain.perturbation import explain_crop, explain_face

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "REGIONS",
    "Explanation",
    "Map",
    "draw_explanations",
    "explain_crop",
    "explain_face",
]
