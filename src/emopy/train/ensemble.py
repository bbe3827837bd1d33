"""Several trained networks that answer together, as one model folder."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers

from emopy.errors import ModelError
from emopy.models import ModelCard, find_keras_model, load_model, write_model_folder
from emopy.models.card import WEIGHTS_FILE
from emopy.models.store import read_golden
from emopy.nets.registry import load_keras_model
from emopy.train.export import export


def ensemble(models: Sequence[str | Path], path: str | Path, *, name: str | None = None) -> Path:
    """Write a model whose logits are the mean of those of several others: a committee.

    Networks that learnt the same from other seeds make different mistakes; together they make
    fewer, and know better how sure they are. It takes as long as all of them.

    Args:
        models: Two or more names or folders of models with their trainable networks, which have
            the same labels and see the same input.
        path: Folder to make; a model folder that is there already is replaced. To learn on from,
            it holds the network of the first. Calibrate and evaluate it: nothing that was
            measured on the members is true of it.
        name: Name on the card, whose words are those of the first; its name by default.

    Returns:
        The folder.

    Raises:
        ModelNotFoundError: No such model, or one without its trainable network.
        ModelError: Fewer than two models, other labels or another input, or a folder in the way.

    Source:
        Lakshminarayanan, Pritzel and Blundell 2017, https://arxiv.org/abs/1612.01474.
    """
    if len(models) < 2:
        raise ModelError(f"`models` must be two or more to be joined. Received {len(models)}.")
    members = [load_keras_model(model) for model in models]
    first = members[0][0]
    for model, (card, _) in zip(models, members, strict=True):
        if (card.labels, card.input) != (first.labels, first.input):
            raise ModelError(
                f"`models` must have the same labels and the same input. Received {models[0]} with "
                f"{', '.join(first.labels)} and {first.input}, and {model} with "
                f"{', '.join(card.labels)} and {card.input}."
            )
    for model, (card, network) in zip(models, members, strict=True):
        if card.training.get("parameters", network.count_params()) != network.count_params():
            raise ModelError(
                f"`models` must be single networks. Received {model}, which was joined of several: "
                "name those."
            )
    cards = [card for card, _ in members]
    committee = _committee([network for _, network in members])
    with tempfile.TemporaryDirectory() as scratch:
        folder = export(
            committee,
            Path(scratch) / "joined",
            labels=first.labels,
            spec=first.input,
            trainable="never",
        )
        golden = read_golden(folder)
        return write_model_folder(
            path,
            card=first.changed(
                name=name or first.name,
                precision="float32",
                temperature=1.0,
                metrics={},
                training=_training(cards, load_model(folder).card),
            ),
            weights=(folder / WEIGHTS_FILE).read_bytes(),
            golden_crops=golden.crops,
            golden_logits=golden.logits,
            network=find_keras_model(models[0])[1],
        )


def _committee(networks: Sequence[keras.Model]) -> keras.Model:
    crops = keras.Input(networks[0].input_shape[1:])
    for place, network in enumerate(networks):
        network.name = f"member_{place}"
    answers = [network(crops) for network in networks]
    return keras.Model(crops, layers.Average(name="logits")(answers), name="Ensemble")


def _training(members: Sequence[ModelCard], joined: ModelCard) -> dict[str, object]:
    """What the card says of its making: that of each member, and the mean of their shares."""
    making = [dict(card.training) for card in members]
    shares = [found.pop("label_prior", None) for found in making]
    training = {**joined.training}
    if all(shares):
        training["label_prior"] = {
            label: round(float(np.mean([found[label] for found in shares])), 5)
            for label in joined.labels
        }
    return {**training, "members": making}
