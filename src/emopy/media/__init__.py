"""IN: pictures, wherever they come from, as RGB arrays."""

from emopy.media.folders import IMAGE_SUFFIXES, find_images
from emopy.media.images import DEFAULT_MAX_PIXELS, ImageSource, describe_source, read_image

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "IMAGE_SUFFIXES",
    "ImageSource",
    "describe_source",
    "find_images",
    "read_image",
]
