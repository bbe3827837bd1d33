"""Networks by name: built-in ones, decorated functions, entry points, or any plain function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from emopy.errors import RecipeError, nearest

if TYPE_CHECKING:
    import keras

Net = Callable[..., "keras.Model"]
"""A network: ``(input_shape, classes, **settings) -> keras.Model`` returning logits."""

_REGISTRY: dict[str, Net] = {}
_ENTRY_POINTS = "emopy.nets"


def register_net(net: Net) -> Net:
    """Make a network known under its own name; use it as a decorator.

    Args:
        net: A function ``(input_shape, classes, *, settings) -> keras.Model``. The model takes
            a batch of `input_shape`, (H, W, C) or (T, H, W, C), and returns logits (n, classes).

    Returns:
        The same function.
    """
    _REGISTRY[net_name(net)] = net
    return net


def get_net(net: str | Net) -> Net:
    """Find a network by name; a function is taken as it is.

    Raises:
        RecipeError: No network of that name.
    """
    if callable(net):
        return net
    if net in _REGISTRY:
        return _REGISTRY[net]
    for entry in entry_points(group=_ENTRY_POINTS, name=net):
        return entry.load()
    raise RecipeError(f"`net` must name a network. Received {net!r}. {nearest(net, list_nets())}")


def list_nets() -> tuple[str, ...]:
    """Names of all networks that `get_net` finds, sorted."""
    return tuple(sorted({*_REGISTRY, *(entry.name for entry in entry_points(group=_ENTRY_POINTS))}))


def net_name(net: str | Net) -> str:
    """Name of a network, of `functools.partial` too, which lends settings to another."""
    if isinstance(net, str):
        return net
    if isinstance(net, partial):
        return net_name(net.func)
    return getattr(net, "__name__", type(net).__name__)
