"""Keras networks that return logits. Needs the extra `train`."""

from emopy.errors import MissingExtraError

try:
    import keras  # noqa: F401
except ImportError as error:
    raise MissingExtraError("Building networks", "train") from error

from emopy.nets.convolutional import ConvolutionalNN, ConvolutionalNNDropout
from emopy.nets.registry import Net, get_net, list_nets, register_net
from emopy.nets.residual import ResidualNN
from emopy.nets.temporal import ConvolutionalLstmNN, TimeDelayConvNN
from emopy.nets.transfer import TransferLearningNN, list_backbones

__all__ = [
    "ConvolutionalLstmNN",
    "ConvolutionalNN",
    "ConvolutionalNNDropout",
    "Net",
    "ResidualNN",
    "TimeDelayConvNN",
    "TransferLearningNN",
    "get_net",
    "list_backbones",
    "list_nets",
    "register_net",
]
