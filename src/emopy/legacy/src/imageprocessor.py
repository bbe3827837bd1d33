"""Old name of what `emopy.data.augment` and `emopy.models.to_tensor` do today."""

from emopy.legacy.notice import old_name, successors

_AUGMENT = "from emopy.data.augment import Augmentation, augment"

__getattr__ = successors(
    "EmoPy.src.imageprocessor",
    {
        "ImageProcessor": f"{_AUGMENT}  # and emopy.models.to_tensor resizes and changes colours",
        "ImageWrapper": _AUGMENT,
    },
)

old_name("EmoPy.src.imageprocessor", _AUGMENT)
