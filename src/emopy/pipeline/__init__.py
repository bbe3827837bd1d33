"""Images and videos as streams: read ahead, find, cut out, judge, one result after the other."""

from emopy.pipeline.images import CropPredictor, find_faces, join_predictions, predict_images
from emopy.pipeline.smoothing import Smoother
from emopy.pipeline.video import Clip, predict_frames

__all__ = [
    "Clip",
    "CropPredictor",
    "Smoother",
    "find_faces",
    "join_predictions",
    "predict_frames",
    "predict_images",
]
