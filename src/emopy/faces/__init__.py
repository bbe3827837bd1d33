"""Finding faces and bringing them upright into the framing of the training faces."""

from emopy.faces.align import FRAMING, align_face
from emopy.faces.detect import (
    Detector,
    get_detector,
    largest_first,
    list_detectors,
    register_detector,
)
from emopy.faces.full_image import FullImage
from emopy.faces.mtcnn import MTCNN
from emopy.faces.tracker import Tracker
from emopy.faces.tracking import TrackingDetector
from emopy.faces.yunet import YuNet

__all__ = [
    "FRAMING",
    "MTCNN",
    "Detector",
    "FullImage",
    "Tracker",
    "TrackingDetector",
    "YuNet",
    "align_face",
    "get_detector",
    "largest_first",
    "list_detectors",
    "register_detector",
]
