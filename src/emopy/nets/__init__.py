"""Keras networks that return logits. Needs the extra `train`."""

from emopy.errors import MissingExtraError

try:
    import keras  # noqa: F401
except ImportError as error:
    raise MissingExtraError("Building networks", "train") from error

from emopy.nets.registry import Net, get_net, list_nets, register_net
from emopy.nets.residual import ResidualNN

__all__ = ["Net", "ResidualNN", "get_net", "list_nets", "register_net"]
