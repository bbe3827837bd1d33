"""From images and frames to results: prefetch, detect, predict, smooth."""

from emopy.pipeline.classifier import Classifier
from emopy.pipeline.images import CropPredictor, detect_faces, join_predictions, predict_images
from emopy.pipeline.smoothing import Smoother
from emopy.pipeline.video import ClipBuffer, VideoResults, detect_frames, predict_frames

__all__ = [
    "Classifier",
    "ClipBuffer",
    "CropPredictor",
    "Smoother",
    "VideoResults",
    "detect_faces",
    "detect_frames",
    "join_predictions",
    "predict_frames",
    "predict_images",
]
