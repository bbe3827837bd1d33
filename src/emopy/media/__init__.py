"""Reading images, videos and cameras as RGB arrays."""

from emopy.media.arrays import ColorOrder
from emopy.media.images import ImageSource, describe_source, read_image, take_image
from emopy.media.limits import DEFAULT_MAX_PIXELS
from emopy.media.paths import IMAGE_SUFFIXES, find_images, match_images
from emopy.media.prefetch import prefetch
from emopy.media.videos import Video, VideoSource, open_video

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "IMAGE_SUFFIXES",
    "ColorOrder",
    "ImageSource",
    "Video",
    "VideoSource",
    "describe_source",
    "find_images",
    "match_images",
    "open_video",
    "prefetch",
    "read_image",
    "take_image",
]
