"""An HTTP service: images and videos in, expressions out; keys, limits, metrics."""

from emopy.serve.app import create_app
from emopy.serve.server import run
from emopy.serve.settings import ServeSettings

__all__ = ["ServeSettings", "create_app", "run"]
