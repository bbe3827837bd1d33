"""Quantization of a model folder to int8."""

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
"""Percentage of the activations of a layer that its int8 range covers; outliers are clipped."""


def quantize(
    model: str | Path,
    dataset: Dataset,
    path: str | Path,
    *,
    samples: int = 512,
    name: str | None = None,
) -> Path:
    """Quantize a model to int8: a quarter of the size, and faster.

    Static quantization: the range of each layer is measured on images. Weights have 7 bits and
    a scale per channel, which avoids overflow on all CPUs. Temperature and texts of the card are
    kept, metrics are not: evaluate the new folder.

    Args:
        model: Name or folder of a float32 model.
        dataset: Images like the training data. Their labels are not used.
        path: Folder to write; an existing model folder is replaced.
        samples: Images to measure ranges on, evenly spaced in `dataset`.
        name: Name on the card; that of the model by default.

    Returns:
        The folder.

    Raises:
        DataError: No images.
        InputError: Images of another shape than the input of the model.
        ModelError: The model is already quantized, or cannot be converted.

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
    if samples < 1:
        raise DataError(f"`samples` must be 1 or more. Received {samples}. Type for example: 500")
    if not len(dataset):
        raise DataError("`dataset` must hold faces to measure ranges on. Received none.")
    rows = np.unique(np.linspace(0, len(dataset) - 1, min(samples, len(dataset))).astype(np.intp))
    tensor = to_tensor(dataset.images[rows], folder.card.input)
    golden = read_golden(folder.path)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / WEIGHTS_FILE
        quantize_graph(folder.session, tensor, file, percentile=PERCENTILE)
        logits = OnnxSession(file).run(to_tensor(golden.crops, folder.card.input))
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
        golden_logits=logits,
        network=network if NETWORK_FILE in folder.card.files else None,
    )
