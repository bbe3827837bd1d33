"""Ensemble: several trained networks in one model folder."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from keras import layers

from emopy.errors import ModelError
from emopy.models import InputSpec, ModelCard, find_keras_model, load_model, write_model_folder
from emopy.models.card import WEIGHTS_FILE
from emopy.models.store import read_golden
from emopy.nets.registry import load_keras_model
from emopy.train.export import export


def ensemble(models: Sequence[str | Path], path: str | Path, *, name: str | None = None) -> Path:
    """Write a model whose logits are the mean of those of several models.

    An ensemble of networks trained from different seeds, or in different ways, is more accurate
    and better calibrated than each of them. Its run time is the sum of theirs.

    Args:
        models: Two or more names or folders of models with trainable networks, with the same
            labels and inputs of the same shape and margin. The scaling of pixels may differ.
        path: Folder to write; an existing model folder is replaced. For fine-tuning it contains
            the network of the first model. Calibrate and evaluate it: temperature and metrics of
            the members do not apply to it.
        name: Name on the card; that of the first model by default, as are the texts.

    Returns:
        The folder.

    Raises:
        ModelNotFoundError: No such model, or one without a trainable network.
        ModelError: Fewer than two models, different labels, inputs of different shape or margin,
            or `path` is no model folder.

    Source:
        Lakshminarayanan, Pritzel and Blundell 2017, https://arxiv.org/abs/1612.01474.
    """
    if len(models) < 2:
        raise ModelError(f"`models` must be two or more. Received {len(models)}.")
    members = [load_keras_model(model) for model in models]
    first = members[0][0]
    wanted = (first.labels, _without_scaling(first.input))
    for model, (card, _) in zip(models, members, strict=True):
        if (card.labels, _without_scaling(card.input)) != wanted:
            raise ModelError(
                "`models` must have the same labels and inputs of the same shape and margin. "
                f"Received {models[0]} with {_in_words(first)}, and {model} with "
                f"{_in_words(card)}. Train them with the same data and size."
            )
    for model, (card, network) in zip(models, members, strict=True):
        if card.training.get("parameters", network.count_params()) != network.count_params():
            raise ModelError(
                f"`models` must be single networks. Received {model}, which is an ensemble. Give "
                "its members instead."
            )
    cards = [card for card, _ in members]
    with tempfile.TemporaryDirectory() as scratch:
        folder = export(
            _average([network for _, network in members], [card.input for card, _ in members]),
            Path(scratch) / "ensemble",
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
                training=_training_details(cards, load_model(folder).card),
            ),
            weights=(folder / WEIGHTS_FILE).read_bytes(),
            golden_crops=golden.crops,
            golden_logits=golden.logits,
            network=find_keras_model(models[0])[1],
        )


def _in_words(card: ModelCard) -> str:
    """Labels and input of a model, for an error."""
    frames, *size = card.input.frames, card.input.height, card.input.width, card.input.channels
    shape = " × ".join(map(str, size if frames == 1 else [frames, *size]))
    return f"{', '.join(card.labels)} and inputs of {shape}, margin {card.input.margin:g}"


def _without_scaling(spec: InputSpec) -> InputSpec:
    return replace(spec, scale=1.0, mean=0.0, std=1.0)


def _average(networks: Sequence[keras.Model], specs: Sequence[InputSpec]) -> keras.Model:
    """A network that returns the mean logits of several networks; its input is the first's."""
    crops = keras.Input(networks[0].input_shape[1:])
    logits: list[keras.KerasTensor] = []
    for place, (network, spec) in enumerate(zip(networks, specs, strict=True)):
        network.name = f"member_{place}"
        logits.append(network(_rescale(crops, specs[0], spec)))
    return keras.Model(crops, layers.Average(name="logits")(logits), name="Ensemble")


def _rescale(crops: keras.KerasTensor, given: InputSpec, wanted: InputSpec) -> keras.KerasTensor:
    """Crops that are scaled for one input, scaled for another."""
    if (given.scale, given.mean, given.std) == (wanted.scale, wanted.mean, wanted.std):
        return crops
    ratio = wanted.scale / given.scale
    offset = (given.mean * ratio - wanted.mean) / wanted.std
    return layers.Rescaling(given.std * ratio / wanted.std, offset)(crops)


def _training_details(members: Sequence[ModelCard], exported: ModelCard) -> dict[str, object]:
    """Training details for the card: those of each member, and their mean label prior."""
    details = [dict(card.training) for card in members]
    priors = [entry.pop("label_prior", None) for entry in details]
    training = {**exported.training}
    if all(prior and set(exported.labels) <= set(prior) for prior in priors):
        training["label_prior"] = {
            label: round(float(np.mean([prior[label] for prior in priors])), 5)
            for label in exported.labels
        }
    return {**training, "members": details}
