"""Old name of what `emopy.nets` and `emopy.train` are today."""

from emopy.legacy.adapters.learner import FERNeuralNet as _FERNeuralNet
from emopy.legacy.adapters.networks import (
    ConvolutionalLstmNN,
    ConvolutionalNN,
    ConvolutionalNNDropout,
    TimeDelayConvNN,
    TransferLearningNN,
)
from emopy.legacy.notice import old_name

__all__ = [
    "ConvolutionalLstmNN",
    "ConvolutionalNN",
    "ConvolutionalNNDropout",
    "TimeDelayConvNN",
    "TransferLearningNN",
    "_FERNeuralNet",
]

old_name(
    "EmoPy.src.neuralnets",
    "from emopy.train import export, fit  # run = fit('ConvolutionalNN', parts)",
)
