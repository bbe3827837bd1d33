"""Face detection, alignment and tracking."""

from emopy.faces.alignment import FRAMING, align_face
from emopy.faces.box_table import BoxTable, read_boxes
from emopy.faces.detectors import (
    Detector,
    FullImage,
    detect,
    get_detector,
    largest_first,
    list_detectors,
    register_detector,
)
from emopy.faces.mtcnn import MTCNN
from emopy.faces.tracker import Tracker
from emopy.faces.tracking_detector import TrackingDetector
from emopy.faces.yunet import YuNet

__all__ = [
    "FRAMING",
    "MTCNN",
    "BoxTable",
    "Detector",
    "FullImage",
    "Tracker",
    "TrackingDetector",
    "YuNet",
    "align_face",
    "detect",
    "get_detector",
    "largest_first",
    "list_detectors",
    "read_boxes",
    "register_detector",
]
