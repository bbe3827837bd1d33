"""EmoPy's side of the comparisons: `emopy_worker.py frames|encoded|clips|many|long …`."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import cv2
from loops import serve_clips, serve_frames, wait_for_line

from emopy import FERModel, ImageResult
from emopy.faces import get_detector
from emopy.media import read_image

WARM_UP = 50
BATCH_SIZE = 25  # divides the marks: results come batch by batch


def frames(frame: str, model: str, min_face_size: str = "") -> None:
    """Time `FERModel.predict` on a frame in memory."""
    settings = {"min_face_size": int(min_face_size)} if min_face_size else {}
    fer_model = FERModel(model=model, detector=get_detector("mtcnn", **settings))
    image = read_image(frame)
    faces = fer_model.predict(image).faces
    about = {
        "faces": len(faces),
        "emotion": faces[0].emotion if faces else "none",
        "threads": "model 1, search for faces one per core (the defaults)",
        "versions": f"emopy {version('emopy')}, opencv {cv2.__version__}",
    }
    serve_frames(lambda: fer_model.predict(image), about)


def encoded(frame: str, model: str) -> None:
    """Time `FERModel.predict` on an encoded image, with one thread as in `emopy serve`."""
    fer_model = FERModel(model=model, threads=1)
    content = Path(frame).read_bytes()
    about = {"faces": len(fer_model.predict(content).faces), "versions": version("emopy")}
    serve_frames(lambda: fer_model.predict(content), about)


def clips(model: str) -> None:
    """Time `for result in model.predict_video(clip)`."""
    fer_model = FERModel(model=model)
    about = {
        "model": f"model {fer_model.card.name} {fer_model.card.version}",
        "threads": "model 1, search one per core, decoder and tracker their own (the defaults)",
        "versions": f"emopy {version('emopy')}, av {version('av')}, opencv {cv2.__version__}",
    }
    serve_clips(lambda clip: [len(result.faces) for result in fer_model.predict_video(clip)], about)


def many(folder: str, model: str, *marks: str) -> None:
    """Time `FERModel.predict_many`; at each mark print the time and wait for a line on stdin."""
    fer_model = FERModel(model=model)
    images = sorted(Path(folder).iterdir())
    for _ in fer_model.predict_many(images[:WARM_UP], batch_size=BATCH_SIZE):
        pass
    print(json.dumps({"images": len(images)}), flush=True)
    stops = {int(mark) for mark in marks}
    faces, waited = 0, 0.0
    start = time.perf_counter()
    for done, result in enumerate(fer_model.predict_many(images, batch_size=BATCH_SIZE), 1):
        faces += len(result.faces) if isinstance(result, ImageResult) else 0
        if done in stops:
            time_s = time.perf_counter() - start - waited
            waited += wait_for_line({"done": done, "faces": faces, "time_s": time_s})


def long(clip: str, model: str, folder: str, *marks: str) -> None:
    """Predict a long video into a table, a summary and a plot; wait for a line at each second."""
    from emopy.present import TimelinePlot, open_table
    from emopy.video import Summary

    fer_model = FERModel(model=model)
    summary, plot = Summary(fer_model.labels), TimelinePlot(fer_model.labels)
    stops = [float(mark) for mark in marks]
    frames, faces, waited, last_s = 0, 0, 0.0, 0.0
    print(json.dumps({"ready": True}), flush=True)
    start = time.perf_counter()
    with open_table(Path(folder) / "timeline.csv", fer_model.labels) as table:
        for result in fer_model.predict_video(clip):
            last_s = result.time_s or 0.0
            if stops and last_s >= stops[0]:
                waited += wait_for_line({"at_s": stops.pop(0)})
            summary.add(result)
            plot.add(result)
            table.write(result)
            frames += 1
            faces += len(result.faces)
        counts = {"frames": frames, "faces": faces, "tracks": len(summary.tracks)}
        time_s = time.perf_counter() - start - waited
        wait_for_line({"at_s": last_s, "time_s": time_s, **counts})
    plot.save(Path(folder) / "timeline.png")


if __name__ == "__main__":
    modes = {"frames": frames, "encoded": encoded, "clips": clips, "many": many, "long": long}
    modes[sys.argv[1]](*sys.argv[2:])
