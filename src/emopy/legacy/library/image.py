"""Old name of what `emopy.data.augment` does today."""

from emopy.legacy.notice import old_name, successors

_AUGMENT = "from emopy.data.augment import Augmentation, augment"
_GENERATOR = "from emopy.train.data_generator import DataGenerator"

__getattr__ = successors(
    "EmoPy.library.image",
    {
        "ImageDataGenerator": (
            f"{_GENERATOR}  # and DataGenerator().use_augmentation(Augmentation(...))"
        ),
        "Iterator": _GENERATOR,
        "NumpyArrayIterator": _GENERATOR,
        "apply_transform": _AUGMENT,
        "flip_axis": f"{_AUGMENT}  # Augmentation(flip=1.0)",
        "random_channel_shift": f"{_AUGMENT}  # Augmentation(channel_shift=0.1)",
        "resize_sample": "from emopy.models import to_tensor",
        "transform": _AUGMENT,
        "transform_matrix_offset_center": _AUGMENT,
    },
)

old_name("EmoPy.library.image", _AUGMENT)
