"""Many images and videos: sharded, resumable, on one machine or on a cluster."""

from emopy.batch.face_predictor import FacePredictor
from emopy.batch.results import Status, merge, status
from emopy.batch.run import run
from emopy.batch.schedule import Progress

__all__ = ["FacePredictor", "Progress", "Status", "merge", "run", "status"]
