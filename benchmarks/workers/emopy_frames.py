"""EmoPy's side: `emopy_frames.py FRAME MODEL [SMALLEST FACE IN PIXELS]`."""

import sys
from importlib.metadata import version

import cv2
from frame_loop import serve

from emopy import FERModel
from emopy.faces import get_detector
from emopy.media import read_image


def main(frame: str, model: str, min_face_size: str = "") -> None:
    """Time `FERModel.predict` on a frame in memory."""
    settings = {"min_face_size": int(min_face_size)} if min_face_size else {}
    reader = FERModel(model=model, detector=get_detector("mtcnn", **settings))
    image = read_image(frame)
    faces = reader.predict(image).faces
    about = {
        "faces": len(faces),
        "emotion": faces[0].emotion if faces else "none",
        "threads": "networks 1 (the default)",
        "versions": f"emopy {version('emopy')}, opencv {cv2.__version__}",
    }
    serve(lambda: reader.predict(image), about)


if __name__ == "__main__":
    main(*sys.argv[1:])
