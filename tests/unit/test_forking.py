"""Children of a fork read and predict, whatever the threads of the parent were doing."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from emopy import FERModel
from emopy.errors import InputError
from emopy.forking import Owner, fork_safe_lock
from emopy.media import prefetch, read_image
from emopy.media.cameras import quiet_opencv
from emopy.media.pillow import quiet_pillow, quiet_tiff

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
    # Python 3.12 and later warn of every fork with threads: that is what is tested.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

CHILD_TIMEOUT_S = 30


def works_in_child(function):
    """Whether a function returns in a forked child."""
    child = os.fork()
    if child == 0:
        signal.alarm(CHILD_TIMEOUT_S)  # a child that hangs is killed
        try:
            function()
        except BaseException:  # noqa: BLE001  also a failed test
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@contextmanager
def under_load(*work):
    """Repeat each function in a thread of its own."""
    stop = threading.Event()

    def repeat(function):
        while not stop.is_set():
            function()

    threads = [threading.Thread(target=repeat, args=(function,)) for function in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def encoded():
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    images = {}
    for kind, options in {
        "TIFF": {"compression": "tiff_lzw"},
        "PNG": {"compress_level": 1},
    }.items():
        stream = io.BytesIO()
        Image.fromarray(noise).save(stream, kind, **options)
        images[kind] = stream.getvalue()
    return images


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_a_child_reads_while_threads_of_the_parent_read(encoded, kind):
    def read():
        read_image(encoded[kind])

    def read_all():
        for data in encoded.values():
            read_image(data)

    with under_load(read, read):
        assert [
            works_in_child(lambda: [read_image(d) for d in encoded.values()]) for _ in range(20)
        ]


@pytest.mark.parametrize("quiet", [quiet_pillow, quiet_tiff, quiet_opencv])
def test_a_setting_of_the_process_is_whole_in_the_child(quiet):
    before = Image.MAX_IMAGE_PIXELS

    def switch():
        with quiet():
            time.sleep(0.001)

    def check():
        assert before == Image.MAX_IMAGE_PIXELS
        with quiet():
            pass
        assert before == Image.MAX_IMAGE_PIXELS

    with under_load(switch, switch):
        assert all(works_in_child(check) for _ in range(20))


def test_a_fork_waits_for_a_lock_and_leaves_it_free():
    lock, held = fork_safe_lock(), threading.Event()

    def hold():
        with lock:
            held.set()
            time.sleep(0.2)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    assert works_in_child(lambda: lock.acquire(timeout=1) or sys.exit(1))
    with lock:  # a fork inside does not wait for itself
        assert works_in_child(lambda: lock.acquire(timeout=1) or sys.exit(1))
    thread.join()
    assert lock.acquire(timeout=1)


@pytest.fixture(scope="module")
def models(linear_model):
    return [FERModel(model=linear_model, threads=threads) for threads in (1, 2)]


def test_a_model_that_was_used_works_in_a_child(models, astronaut):
    """As with servers that load the model once and fork their workers."""
    small = astronaut[:256, 64:320]
    for model in models:
        expected = model.predict(small).faces[0].confidence

        def check(model=model, expected=expected):
            assert model.predict(small).faces[0].confidence == expected
            (result,) = model.predict_many([small])
            assert result.faces[0].confidence == expected

        assert all(works_in_child(check) for _ in range(3))
        assert model.predict(small).faces[0].confidence == expected


def test_a_model_works_in_a_child_while_threads_of_the_parent_use_it(models, astronaut):
    small = astronaut[:256, 64:320]
    for model in models:
        with under_load(lambda m=model: m.predict(small), lambda m=model: m.predict(small)):
            assert all(works_in_child(lambda m=model: m.predict(small)) for _ in range(20))


def test_what_the_parent_has_begun_is_refused_in_the_child(models, astronaut):
    small = astronaut[:64, :64]
    items = prefetch(iter(range(100)))
    results = models[0].predict_many([small] * 9, batch_size=2)
    assert next(items) == 0
    next(results)

    def check():
        for begun in (items, results):
            with pytest.raises(InputError, match="in the process that opened it"):
                list(begun)
        items.close()
        results.close()

    assert works_in_child(check)
    assert list(items) == list(range(1, 100))
    assert len(list(results)) == 8


def test_an_owner_is_the_process_that_made_it():
    owner = Owner()
    owner.check("video", "Open it again.")

    def check():
        with pytest.raises(InputError, match=r"`video` must be read in .* Open it again\."):
            owner.check("video", "Open it again.")

    assert works_in_child(check)


def test_a_child_that_ends_in_the_usual_way_does_not_hang(linear_model):
    """ONNX Runtime 1.29 and later hangs then, unless its telemetry is disabled before."""
    code = (
        "import os, sys\nimport numpy as np\nfrom emopy import FERModel\n"
        "from emopy.media import prefetch\n"
        f"model = FERModel(model={str(linear_model)!r}, threads=2)\n"
        "model.predict(np.zeros((64, 64, 3), np.uint8))\n"
        "items = prefetch(iter(range(9)))\nnext(items)\n"
        "child = os.fork()\n"
        "sys.exit(0 if not child or not os.waitpid(child, 0)[1] else 1)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)
