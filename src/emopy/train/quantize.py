"""From a model folder to a smaller, faster one that computes with 8-bit integers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from emopy.data.dataset import Dataset
from emopy.errors import DataError, ModelError
from emopy.models import OnnxSession, load_model, to_tensor, write_model_folder
from emopy.models.card import NETWORK_FILE, WEIGHTS_FILE
from emopy.models.int8 import quantize_graph
from emopy.models.store import read_golden

PERCENTILE = 99.99
"""Share of each layer's values, in percent, that its 8-bit range covers: outliers are cut off."""


def quantize(
    model: str | Path,
    dataset: Dataset,
    path: str | Path,
    *,
    samples: int = 512,
    name: str | None = None,
) -> Path:
    """Write a copy of a model that computes with 8-bit integers: a quarter of the size, and faster.

    The range of each layer is measured on faces first (static quantization); weights get a scale
    per channel and 7 bits, so that no CPU overflows. Temperature and words stay; figures
    that were measured on the old weights are left out: evaluate the new folder.

    Args:
        model: Name of a model, or a model folder, with 32-bit weights.
        dataset: Faces like those that it was trained on; their labels are not looked at.
        path: Folder to make; a model folder that is there already is replaced.
        samples: Faces to measure on, taken evenly from `dataset`.
        name: Name on the card; that of the model by default.

    Returns:
        The folder.

    Raises:
        DataError: No faces.
        InputError: Faces of another shape than the network takes.
        ModelError: The model computes with integers already, or cannot be converted.

    Source:
        Krishnamoorthi 2018, https://arxiv.org/abs/1806.08342; the file follows the QDQ form of
        ONNX Runtime, https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
    """
    folder = load_model(model)
    if folder.card.precision != "float32":
        raise ModelError(
            f"`model` must have float32 weights. Received {folder.path}, which computes with "
            f"{folder.card.precision} already."
        )
    if not len(dataset):
        raise DataError("`dataset` must hold faces to measure ranges on. Received none.")
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(samples, len(dataset))).astype(np.intp))
    tensor = to_tensor(dataset.images[rows], folder.card.input)
    golden = read_golden(folder.path)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / WEIGHTS_FILE
        quantize_graph(folder.session, tensor, file, percentile=PERCENTILE)
        answers = OnnxSession(file).run(to_tensor(golden.crops, folder.card.input))
        weights = file.read_bytes()
    note = {"samples": len(rows), "percentile": PERCENTILE, "weight_bits": 7}
    card = folder.card.changed(
        name=name or folder.card.name,
        precision="int8",
        metrics={},
        training={**folder.card.training, "quantization": note},
    )
    network = folder.path / NETWORK_FILE
    return write_model_folder(
        path,
        card=card,
        weights=weights,
        golden_crops=golden.crops,
        golden_logits=answers,
        network=network if NETWORK_FILE in folder.card.files else None,
    )
