"""Adjust calibrated probabilities to another prior of the emotions, by Bayes' rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from emopy.errors import InputError, ModelError, nearest
from emopy.labels import ALL_EMOTIONS, canonical
from emopy.models.card import ModelCard

Prior: TypeAlias = str | Mapping[str, float]
"""``"training"``, ``"tempered"``, ``"uniform"``, or a probability for each target emotion."""

KNOWN_PRIORS = ("training", "tempered", "uniform")

_TEMPER = 1 / 3
"""Weight of the uniform prior in ``"tempered"``: the training prior to the power 2/3."""

_EXAMPLE = "Type for example: `prior={'neutral': 0.5, 'happiness': 0.4, 'anger': 0.1}`"


def prior_shift(card: ModelCard, labels: Sequence[str], prior: Prior) -> NDArray[np.float64]:
    """Shift of calibrated logits that replaces the training prior by another prior.

    A trained model has the prior of its training data. By Bayes' rule the posterior under a new
    prior is the old posterior times new prior / training prior, normalized. In logits it is a
    sum.

    Args:
        card: The model card; its training prior is ``training["label_prior"]``.
        labels: The k target labels, spelled as on the card.
        prior: ``"training"``: unchanged; ``"uniform"``: all labels equally probable;
            ``"tempered"``: the training prior to the power 2/3, between the two (``"training"``
            where the card has no label prior); or the probability of each label, on any
            positive scale, 0 for a label that never occurs.

    Returns:
        (k,) to be added to logits / temperature.

    Raises:
        InputError: An unknown prior or label, a missing label, or values that are not
            probabilities.
        ModelError: The card has no label prior.

    Source:
        Saerens, Latinne and Decaestecker 2002, https://doi.org/10.1162/089976602753284446,
        equation 2.4.
    """
    if not isinstance(prior, Mapping) and str(prior) not in KNOWN_PRIORS:
        raise InputError(
            f"`prior` must be {', '.join(map(repr, KNOWN_PRIORS))} or a probability for each "
            f"emotion. Received {prior!r}. {nearest(str(prior), KNOWN_PRIORS)}"
        )
    if prior == "training" or (prior == "tempered" and _missing_labels(card, labels)):
        return np.zeros(len(labels))
    if prior == "tempered":
        return -_TEMPER * np.log(_label_prior(card, labels))
    known = dict.fromkeys([*card.labels, *ALL_EMOTIONS])
    new = np.ones(len(labels)) if isinstance(prior, str) else _weights(prior, labels, known)
    with np.errstate(divide="ignore"):  # a probability of 0 is a logit of minus infinity
        return np.log(new / new.sum()) - np.log(_label_prior(card, labels))


def _weights(
    prior: Mapping[str, float], labels: Sequence[str], known: Iterable[str]
) -> NDArray[np.float64]:
    try:
        given = {canonical(label): float(weight) for label, weight in prior.items()}
    except (TypeError, ValueError, AttributeError):  # an entry is no number, or a name no text
        raise InputError(
            f"`prior` must have a number for each name of an emotion. Received {dict(prior)}. "
            + _EXAMPLE
        ) from None
    if len(given) < len(prior):
        raise InputError(
            f"`prior` must name each emotion once. Received {', '.join(prior)}, with two spellings "
            "of one. Leave one out."
        )
    spellings = {canonical(name) for name in known}
    unknown = [label for label in prior if canonical(label) not in spellings]
    if unknown:
        raise InputError(
            f"`prior` must name known emotions. Received {unknown[0]!r}. "
            f"{nearest(str(unknown[0]), known)}"
        )
    missing = [label for label in labels if canonical(label) not in given]
    if missing:
        raise InputError(
            f"`prior` must have a probability for each target emotion. Received none for "
            f"{', '.join(missing)}. Set it to 0 for an emotion that never occurs."
        )
    weights = np.array([given[canonical(label)] for label in labels])
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not weights.any():
        raise InputError(
            f"`prior` must have probabilities of 0 or more, not all 0. Received {dict(prior)}. "
            + _EXAMPLE
        )
    return weights / weights.max()


def _label_prior(card: ModelCard, labels: Sequence[str]) -> NDArray[np.float64]:
    if missing := _missing_labels(card, labels):
        raise ModelError(
            f"`prior` must be 'training' for the model {card.name}. Received another prior, but "
            f"the card has no label prior for {', '.join(missing)}."
        )
    known = cast("Mapping[str, float]", card.training["label_prior"])
    return np.array([known[label] for label in labels])


def _missing_labels(card: ModelCard, labels: Sequence[str]) -> list[str]:
    known = cast("Mapping[str, float]", card.training.get("label_prior", {}))
    return [label for label in labels if not known.get(label, 0.0) > 0]


def split_prior(text: str) -> Prior:
    """Return a prior that stands in one text: a known one, or probabilities of labels.

    Raises:
        InputError: A probability that is no number, or an emotion that is named twice.

    Example:
        >>> split_prior("anger=0.2,calm=0.8"), split_prior("uniform")
        ({'anger': 0.2, 'calm': 0.8}, 'uniform')
    """
    if "=" not in text:
        return text.strip().lower()
    probabilities: dict[str, float] = {}
    for item in text.split(","):
        label, _, number = item.partition("=")
        if label.strip() in probabilities:
            raise InputError(
                f"`prior` must name each emotion once. Received {label.strip()} twice. "
                "Leave one out."
            )
        try:
            probabilities[label.strip()] = float(number)
        except ValueError:
            raise InputError(
                f"`prior` must have numbers as probabilities. Received {item.strip()!r}. "
                "Type for example: anger=0.2,neutral=0.8"
            ) from None
    return probabilities
