"""`emopy serve` as processes: start, log, signals, several of them."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from emopy import FERModel
from tests.serving import encoded, is_problem, until

KEY = "0123456789abcdef"
QUICK = ("--model", "emopy-tiny", "--detector", "full-image")


class Process:
    """A service in a process of its own."""

    def __init__(self, *words, port=0):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emopy", "serve", "--port", str(port), *QUICK, *map(str, words)],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert select.select([self.process.stderr], [], [], 60)[0], "nothing was said"
        self.first_line = self.process.stderr.readline()
        found = re.search(r"http://\S+:\d+", self.first_line)
        headers = {"Authorization": f"Bearer {KEY}"}
        self.url = found.group() if found else ""
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        """Exit code, stdout, and what was said on stderr since the first line."""
        self.http.close()
        out, err = self.process.communicate(timeout=90)
        return self.process.returncode, out, err


@pytest.fixture
def start():
    started = []

    def start(*words, **options):
        started.append(Process(*words, **options))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)  # its processes hold the pipes too
            one.process.communicate()
        one.http.close()


def test_sigterm_finishes_the_requests_in_flight_and_says_not_ready(start, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"# of the tests\n{KEY}\n")
    service = start("--api-key-file", keys, "--drain", 1)
    assert service.first_line.startswith(f"emopy: serving at {service.url} (docs: {service.url}/do")
    assert service.http.get("/readyz").text == "ready\n"
    image = encoded(np.zeros((1500, 2000, 3), np.uint8), "JPEG")
    answers = []

    def predict():
        files = [("file", ("a.jpg", image))] * 60
        answers.append(service.http.post("/v1/predict?emotions=calm,anger", files=files))

    thread = threading.Thread(target=predict)
    thread.start()
    until(lambda: "emopy_queue_length 1.0" in service.http.get("/metrics").text)
    service.send(signal.SIGTERM)
    until(lambda: service.http.get("/readyz").status_code == 503)
    is_problem(service.http.get("/readyz"), 503, "The service is stopping.")
    assert service.http.get("/healthz").status_code == 200
    assert not answers
    until(lambda: not accepts(service.url))
    thread.join(60)
    assert len(answers[0].json()["results"]) == 60
    code, out, err = service.end()
    assert (code, out) == (0, "")
    assert re.search(r"^\S+ \S+ POST /v1/predict 200 \d+\.\d ms [0-9a-f]{32}$", err, re.MULTILINE)
    assert not re.search("Traceback|calm|a.jpg|0123456789", err)


def test_options_of_the_model_hold_for_all_requests(start):
    image = encoded()
    options = {"model": "emopy-tiny", "detector": "full-image"}
    service = start("--views", 2, "--min-confidence", 0.9)
    (found,) = service.http.post("/v1/predict", content=image).json()["results"]
    (asked,) = service.http.post("/v1/predict?views=1", content=image).json()["results"]
    (one, two) = (FERModel(views=n, min_confidence=0.9, **options).predict(image) for n in (1, 2))
    assert found == two.to_dict() != one.to_dict()
    assert asked == one.to_dict()


def accepts(url):
    """Whether a service takes new connections."""
    try:
        httpx.get(f"{url}/healthz", trust_env=False)
    except httpx.TransportError:
        return False
    return True


def test_ctrl_c_ends_it_in_one_line(start):
    service = start()
    assert service.http.get("/healthz").text == "ok\n"
    service.send(signal.SIGINT)
    code, out, err = service.end()
    assert (code, out) == (130, "")
    assert err.endswith("emopy: stopped.\n")
    assert "Traceback" not in err


def test_a_port_in_use_is_one_line(start):
    first = start()
    port = int(first.url.rpartition(":")[2])
    second = start(port=port)
    code, _, err = second.end()
    assert (code, err) == (2, "")
    assert second.first_line.startswith("emopy: `--port` must be free to listen on. Received ")
    assert first.http.get("/healthz").status_code == 200


def test_several_processes_are_one_service(start):
    folders = set(Path(tmp()).glob("emopy-metrics-*"))
    service = start("--workers", 2)
    image = encoded()
    for _ in range(10):
        with httpx.Client(base_url=service.url, trust_env=False, timeout=60) as http:
            assert http.post("/v1/predict", content=image).status_code == 200
    text = service.http.get("/metrics").text
    assert 'emopy_requests_total{path="/v1/predict",status="200"} 10.0' in text
    assert "emopy_faces_total 10.0" in text
    assert "emopy_queue_length 0.0" in text
    workers = children(service.process.pid)
    if workers:
        assert len(workers) >= 2
        kill_while_one_predicts(service, workers)
        for _ in range(5):
            assert httpx.get(f"{service.url}/readyz", trust_env=False, timeout=60).is_success
    service.send(signal.SIGTERM)
    code, out, err = service.end()
    assert (code, out) == (0, "")
    assert len(re.findall("POST /v1/predict 200", err)) == 10
    assert bool(re.search(r"The process \d+ has ended with -9\.", err)) is bool(workers)
    assert "Traceback" not in err
    assert set(Path(tmp()).glob("emopy-metrics-*")) == folders


def test_sigterm_finishes_the_requests_in_flight_of_several_processes(start):
    service = start("--workers", 2)
    image = encoded(np.zeros((1500, 2000, 3), np.uint8), "JPEG")
    answers = []

    def predict():
        files = [("file", ("a.jpg", image))] * 40
        with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as http:
            answers.append(http.post("/v1/predict", files=files))

    threads = [threading.Thread(target=predict) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: counts(service.url, "emopy_queue_length 3.0"))
    service.send(signal.SIGTERM)
    for thread in threads:
        thread.join(60)
    assert [len(answer.json()["results"]) for answer in answers] == [40] * 3
    code, out, err = service.end()
    assert (code, out) == (0, "")
    assert len(re.findall("POST /v1/predict 200", err)) == 3
    assert "Traceback" not in err


def kill_while_one_predicts(service, workers):
    """Kill processes of a service, and wait until others are there, with nothing to do."""
    image = encoded(np.zeros((1500, 2000, 3), np.uint8), "JPEG")
    failed = []

    def predict():
        try:
            service.http.post("/v1/predict", files=[("file", ("a.jpg", image))] * 60)
        except httpx.TransportError as error:
            failed.append(error)

    thread = threading.Thread(target=predict)
    thread.start()
    until(lambda: counts(service.url, "emopy_queue_length 1.0"))
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    thread.join(60)
    assert failed
    until(lambda: len(set(children(service.process.pid)) - set(workers)) >= len(workers), 30)
    until(lambda: counts(service.url, "emopy_queue_length 0.0"))


def counts(url, line):
    """Whether a service has a line in its metrics."""
    with contextlib.suppress(httpx.TransportError):
        return line in httpx.get(f"{url}/metrics", trust_env=False, timeout=60).text
    return False


def tmp():
    import tempfile

    return tempfile.gettempdir()


def children(pid):
    """Processes that a process has started to serve; none where that is not known."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            command = path.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == pid and b"spawn_main" in command and fields[0] != "Z":
            found.append(int(path.parent.name))
    return sorted(found)


FAILING = """
import multiprocessing, sys
from emopy import FERModel
from emopy.errors import EmoPyError, ModelError
from emopy.serve import ServeSettings, run

def load():
    if multiprocessing.parent_process() is not None:
        raise ModelError("The disk is gone.")
    return FERModel(model="emopy-tiny", detector="full-image")

if __name__ == "__main__":
    try:
        run(load, ServeSettings(port=0, workers=2), announce=print)
    except EmoPyError as error:
        sys.exit(str(error))
"""


def test_a_process_that_cannot_start_ends_the_service_in_words(tmp_path):
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    began_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=90, check=False
    )
    assert time.monotonic() - began_s < 60
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "A process cannot start: The disk is gone." in done.stderr
    assert "The service must start all its processes." in done.stderr
