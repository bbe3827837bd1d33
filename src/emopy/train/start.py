"""Begin with what another model has learnt, instead of with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import NDArray

from emopy.errors import ModelNotFoundError, RecipeError
from emopy.labels import canonical
from emopy.models import InputSpec, load_model
from emopy.models.card import WEIGHTS_FILE
from emopy.nets.registry import load_keras_model
from emopy.train.recipe import FitSettings


def start_from(model: str, network: keras.Model, labels: Sequence[str]) -> InputSpec:
    """Give a fresh network the weights of a model, in place.

    Args:
        model: Name or folder of a model that holds its trainable network.
        network: The same network; its last layer answers for `labels`. Labels that the model
            does not know keep their random weights there.
        labels: What is learnt, in order.

    Returns:
        What the model wants to see, which the network now wants to see too.

    Raises:
        RecipeError: No such model, one without a trainable network, or another network.
        ModelError: Its network cannot be read.
    """
    try:
        card, learnt = load_keras_model(model)
    except ModelNotFoundError as error:
        raise RecipeError(
            f"`init_from` must be a model with a trainable network. {error}"
        ) from error
    head, learnt_head = (net.layers[-1].get_weights() for net in (network, learnt))
    body, learnt_body = (
        net.get_weights()[: len(net.get_weights()) - len(last)]
        for net, last in ((network, head), (learnt, learnt_head))
    )
    if (
        network.input_shape != learnt.input_shape
        or _shapes(body) != _shapes(learnt_body)
        or [array.shape[:-1] for array in head] != [array.shape[:-1] for array in learnt_head]
    ):
        raise RecipeError(
            "`init_from` must be a model of the same network, for faces of the same size, with the "
            f"same `net.settings`. Received {model!r}, whose layers have other sizes. To learn on "
            "with another network, let the model be its backbone: see recipes/transfer.toml."
        )
    known = {canonical(label): place for place, label in enumerate(card.labels)}
    for place, label in enumerate(map(canonical, labels)):
        if label in known:
            for mine, theirs in zip(head, learnt_head, strict=True):
                mine[..., place] = theirs[..., known[label]]
    network.set_weights([*learnt_body, *head])
    return card.input


def _shapes(weights: Sequence[NDArray[Any]]) -> list[tuple[int, ...]]:
    return [array.shape for array in weights]


def parent_models(how: FitSettings) -> tuple[str, ...]:
    """Models that a training begins with or is taught by: name, version and checksum of each.

    Raises:
        ModelError: One of them cannot be opened.
    """
    cards = [load_model(model).card for model in (how.init_from, *how.teacher) if model]
    return tuple(f"{card.name} {card.version}, {card.files[WEIGHTS_FILE]}" for card in cards)
