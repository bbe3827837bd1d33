"""fer's side: `fer_frames.py FRAME default|mtcnn`."""

import sys
import types
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np
from frame_loop import serve


def main(frame: str, detector: str) -> None:
    """Time `FER.detect_emotions` on a frame in memory."""
    threads = f"OpenCV {cv2.getNumThreads()}"
    if detector == "mtcnn":
        give_batched_nms()
        import torch

        threads = f"PyTorch {torch.get_num_threads()}, {threads}"
    from fer.fer import FER  # pyright: ignore[reportMissingImports]

    reader = FER(mtcnn=True) if detector == "mtcnn" else FER()
    image = cv2.imread(frame)
    faces = reader.detect_emotions(image)
    about = {
        "faces": len(faces),
        "emotion": max(faces[0]["emotions"], key=faces[0]["emotions"].get) if faces else "none",
        "threads": threads,
        "versions": ", ".join(_versions(detector)),
    }
    serve(lambda: reader.detect_emotions(image), about)


def give_batched_nms() -> None:
    """Give facenet-pytorch the one function of torchvision that it calls.

    OpenCV's non-maximum suppression, compiled as torchvision's is, takes about 0.4 ms of a
    frame. Importing it costs less than torchvision would: any difference is in favour of fer.
    """
    import torch

    def batched_nms(boxes: Any, scores: Any, groups: Any, iou_threshold: float) -> Any:
        if not len(boxes):
            return torch.empty(0, dtype=torch.int64)
        # Boxes of different groups are moved so far apart that they cannot overlap.
        apart = boxes + (groups.to(boxes) * (boxes.max() + 1))[:, None]
        corners = apart.numpy().astype(np.float64)
        corners[:, 2:] -= corners[:, :2]
        kept = cv2.dnn.NMSBoxes(corners, scores.numpy(), 0.0, iou_threshold)
        return torch.as_tensor(np.asarray(kept, dtype=np.int64).reshape(-1))

    _module("torchvision")
    _module("torchvision.ops")
    _module("torchvision.ops.boxes").batched_nms = batched_nms
    functional = _module("torchvision.transforms.functional")
    _module("torchvision.transforms").functional = functional


def _module(name: str) -> Any:
    return sys.modules.setdefault(name, types.ModuleType(name))


def _versions(detector: str) -> list[str]:
    names = ["fer", "tensorflow-cpu", "opencv-python-headless"]
    names += ["torch", "facenet-pytorch"] if detector == "mtcnn" else []
    return [f"{name} {version(name)}" for name in names]


if __name__ == "__main__":
    main(*sys.argv[1:])
