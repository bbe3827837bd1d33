"""Fixtures of several rooms: a model, a photograph, a browser; TensorFlow without messages."""

import gc
import os
import shutil
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # same sums on every CPU
if "PYTEST_XDIST_WORKER" in os.environ:
    # There is one worker per core: threads of several workers would only wait for each other.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")

from emopy.labels import ALL_EMOTIONS
from emopy.models import InputSpec, ModelCard, OnnxSession, to_tensor, write_model_folder
from emopy.samples import Actor, scene, write_samples

# A runner in the background ignores these, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

FIRST = (
    "unit/test_forking.py",
    "docs",
    "e2e",
    "unit/train",
    "unit/legacy",
    "unit/nets",
    "contract",
)
"""What comes first: forks, while processes are small and quick to copy, then the slowest folders.

No worker then begins a long file when the others are done.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by `FIRST`."""

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(Path(__file__).parent)
        places = {path.as_posix(), path.parent.as_posix()}.intersection(FIRST)
        return min(map(FIRST.index, places), default=len(FIRST))

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the imported modules and the list of tests.

    There are millions of such objects, none of which is ever freed; searching them again and again
    takes about 7 % of the time of the tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


# Training is an extra: without Keras its rooms are not collected, and the core is tested alone.
TRAINING_TESTS = ["unit/nets", "unit/train", "contract/test_nets.py", "e2e/test_train.py"]
collect_ignore = [] if find_spec("keras") else TRAINING_TESTS

if find_spec("hypothesis"):
    from hypothesis import settings

    # A machine that is busy must not fail a test.
    settings.register_profile("emopy", deadline=None)
    settings.load_profile("emopy")

SPEC = InputSpec(height=48, width=48, channels=1, mean=0.5, std=0.25)


@pytest.fixture(scope="session")
def browser_program():
    """The path of Chromium or Chrome."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no browser is installed: Chromium or Chrome")
    return found


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """Downloads of a test stay in the test."""
    monkeypatch.setenv("EMOPY_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def linear_weights() -> bytes:
    """A network of one layer over 48 × 48 pixels, with fixed weights, as ONNX bytes."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    pixels = SPEC.height * SPEC.width
    kernel = np.random.default_rng(7).normal(0, 0.05, (pixels, len(ALL_EMOTIONS)))
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["crops"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "kernel"], ["logits"]),
        ],
        "linear",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", *SPEC.shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(ALL_EMOTIONS)])],
        [numpy_helper.from_array(kernel.astype(np.float32), "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(scope="session")
def linear_model(linear_weights, tmp_path_factory) -> Path:
    """A whole model folder around the one-layer network. Do not change it: copy it first."""
    folder = tmp_path_factory.mktemp("models") / "linear"
    loose = folder.with_name("loose.onnx")
    loose.write_bytes(linear_weights)
    crops = np.random.default_rng(8).integers(0, 256, (4, 48, 48, 1), dtype=np.uint8)
    return write_model_folder(
        folder,
        card=ModelCard(
            name="linear",
            version="1",
            labels=ALL_EMOTIONS,
            input=SPEC,
            data="random numbers",
            licence="Apache-2.0",
            intended_use="tests",
        ),
        weights=linear_weights,
        golden_crops=crops,
        golden_logits=OnnxSession(loose).run(to_tensor(crops, SPEC)),
    )


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory) -> Path:
    """The packaged stills, clips and video as files, for all workers. Do not change them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample-files"
    try:
        folder.with_suffix(".lock").mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 120
        while not folder.exists():
            assert time.monotonic() < deadline, "another worker does not write the sample files"
            time.sleep(0.1)
        return folder
    return write_samples(folder)


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A photograph in the public domain: one face, happiness. (512, 512, 3) RGB."""
    from skimage.data import astronaut

    return astronaut()


@pytest.fixture(scope="session")
def astronaut_file(astronaut, tmp_path_factory) -> Path:
    """The photograph as a PNG file."""
    path = tmp_path_factory.mktemp("photograph") / "astronaut.png"
    cv2.imwrite(str(path), astronaut[:, :, ::-1])
    return path


@pytest.fixture(scope="session")
def clip_file(tmp_path_factory):
    """One second of a happy face that walks through the image, as a Motion JPEG video."""
    path = tmp_path_factory.mktemp("videos") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    walk = Actor(path=((0, 90, 120, 110), (1, 160, 120, 110)))
    for frame, _ in scene([walk], size=(320, 240), seconds=1.0):
        writer.write(frame.image[:, :, ::-1])
    writer.release()
    return path
