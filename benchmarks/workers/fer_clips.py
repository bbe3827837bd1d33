"""fer's side: `fer_clips.py FRAMES`."""

import os
import sys
import tempfile
from importlib.metadata import version

import cv2
from clip_loop import serve
from fer_frames import give_batched_nms


def main(frames: str) -> None:
    """Time `Video.analyze` with MTCNN over the first frames of a clip."""
    give_batched_nms()
    import torch
    from fer.classes import Video  # pyright: ignore[reportMissingImports]
    from fer.fer import FER  # pyright: ignore[reportMissingImports]

    # It asks for a key after each frame; OpenCV without windows has no such function.
    cv2.waitKey = lambda *_: -1
    cv2.destroyAllWindows = lambda: None
    reader = FER(mtcnn=True)

    def read(clip: str) -> list[int]:
        video = Video(clip)
        rows = video.analyze(
            reader,
            display=False,
            max_results=int(frames),
            save_frames=False,
            save_video=False,
            annotate_frames=False,
        )
        # Frames without a face are left out of its rows.
        faces = [sum(name.startswith("box") for name in row) for row in rows]
        return faces + [0] * (video.frameCount - len(faces))

    names = ("fer", "tensorflow-cpu", "opencv-python-headless", "torch", "facenet-pytorch")
    about = {
        "threads": f"PyTorch {torch.get_num_threads()}, OpenCV {cv2.getNumThreads()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in names),
    }
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # it writes data.csv and a folder where it stands
        try:
            serve(read, about)
        finally:
            os.chdir("/")


if __name__ == "__main__":
    main(*sys.argv[1:])
