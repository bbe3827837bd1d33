"""Old name of what `emopy.data.features` is today."""

from emopy.legacy.adapters.features import FeatureExtractor
from emopy.legacy.notice import old_name

__all__ = ["FeatureExtractor"]

old_name("EmoPy.src.featureextractor", "from emopy.data.features import FeatureExtractor")
