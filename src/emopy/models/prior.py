"""How often each emotion is expected: calibrated probabilities re-weighted by Bayes' rule."""

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
"""``"training"``, ``"tempered"``, ``"uniform"``, or a share for each emotion asked for."""

KNOWN_PRIORS = ("training", "tempered", "uniform")

_TEMPER = 1 / 3
"""How far ``"tempered"`` goes from the training shares, 0, to equal ones, 1."""


def prior_shift(card: ModelCard, labels: Sequence[str], prior: Prior) -> NDArray[np.float64]:
    """What to add to calibrated logits so that they hold for other frequencies of the emotions.

    A network learns how frequent each emotion was among its training faces, and leans towards
    the frequent ones. By Bayes' rule the probability under a new prior is the old one times
    new share / training share, normalised; in logits that is a sum.

    Args:
        card: The model's card; its training shares stand under ``training["label_prior"]``.
        labels: The k labels asked for, spelled as on the card.
        prior: ``"training"``: as the network learnt; ``"uniform"``: every emotion as likely as
            any other; ``"tempered"``: a third of the way from the first to the second, on the
            scale of logits, where the card states the shares; or each emotion's expected share,
            any positive scale, 0 for never.

    Returns:
        (k,) to be added to logits / temperature.

    Raises:
        InputError: An unknown word, an emotion without a share, or shares that are no numbers.
        ModelError: The card does not say how frequent the emotions were in training.

    Source:
        Saerens, Latinne and Decaestecker 2002, https://doi.org/10.1162/089976602753284446,
        equation 2.4.
    """
    if isinstance(prior, str) and prior not in KNOWN_PRIORS:
        raise InputError(
            f"`prior` must be {', '.join(map(repr, KNOWN_PRIORS))} or a share for each emotion. "
            f"Received {prior!r}. {nearest(prior, KNOWN_PRIORS)}"
        )
    if prior == "training" or (prior == "tempered" and not _knows_shares(card, labels)):
        return np.zeros(len(labels))
    if prior == "tempered":
        return -_TEMPER * np.log(_training_shares(card, labels))
    known = dict.fromkeys([*card.labels, *ALL_EMOTIONS])
    wanted = np.ones(len(labels)) if isinstance(prior, str) else _shares(prior, labels, known)
    with np.errstate(divide="ignore"):  # a share of 0 is a logit of minus infinity
        return np.log(wanted / wanted.sum()) - np.log(_training_shares(card, labels))


def _shares(
    prior: Mapping[str, float], labels: Sequence[str], known: Iterable[str]
) -> NDArray[np.float64]:
    given = {canonical(label): float(share) for label, share in prior.items()}
    spellings = {canonical(name) for name in known}
    unknown = [label for label in prior if canonical(label) not in spellings]
    if unknown:
        raise InputError(
            f"`prior` must have shares of emotions that are known. Received {unknown[0]!r}. "
            f"{nearest(unknown[0], known)}"
        )
    missing = [label for label in labels if canonical(label) not in given]
    if missing:
        raise InputError(
            f"`prior` must have a share for each emotion asked for. Received none for "
            f"{', '.join(missing)}. Give 0 for an emotion that never occurs."
        )
    shares = np.array([given[canonical(label)] for label in labels])
    if not all(math.isfinite(share) and share >= 0 for share in shares) or not shares.any():
        raise InputError(
            f"`prior` must have shares of 0 or more, not all 0. Received {dict(prior)}. "
            "Type for example: prior={'neutral': 0.5, 'happiness': 0.4, 'anger': 0.1}"
        )
    return shares


def _knows_shares(card: ModelCard, labels: Sequence[str]) -> bool:
    known = cast("Mapping[str, float]", card.training.get("label_prior", {}))
    return all(known.get(label, 0.0) > 0 for label in labels)


def _training_shares(card: ModelCard, labels: Sequence[str]) -> NDArray[np.float64]:
    known = cast("Mapping[str, float]", card.training.get("label_prior", {}))
    if not _knows_shares(card, labels):
        lacking = ", ".join(label for label in labels if not known.get(label, 0.0) > 0)
        raise ModelError(
            f"`prior` must be 'training' for the model {card.name}: its card does not say how "
            f"frequent {lacking} was in training."
        )
    return np.array([known[label] for label in labels])
