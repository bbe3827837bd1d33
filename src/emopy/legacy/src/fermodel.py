"""Old name of what `emopy.FERModel` is today."""

from emopy.legacy.adapters.predictor import FERModel
from emopy.legacy.notice import old_name

__all__ = ["FERModel"]

old_name("EmoPy.src.fermodel", "from emopy import FERModel")
