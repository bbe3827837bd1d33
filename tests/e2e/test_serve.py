"""The HTTP service: what is sent, what is answered."""

import base64
import io
import json
import logging
import os
import shutil
import sys
import tempfile
import threading
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from emopy import FERModel
from emopy.labels import STANDARD_EMOTIONS
from emopy.models import session
from tests.serving import encoded, is_problem, read_all, serving, until

IMAGE = encoded()
PATHS = {"/v1/predict", "/v1/explain", "/v1/video", "/analyze"}
QUEUE = 2


@pytest.fixture(scope="module")
def service():
    with serving(queue=QUEUE, max_bytes=3_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def expected():
    """What Python answers for the image."""
    model = python_model()
    return {**model.predict(IMAGE).to_dict(), "source": "<bytes>"}


def python_model(target_emotions="standard", **options):
    return FERModel(target_emotions, model="emopy-tiny", detector="full-image", **options)


def data_url(image=IMAGE):
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


@pytest.mark.parametrize(
    "body",
    [
        {"content": IMAGE},
        {"content": IMAGE, "headers": {"Content-Type": "image/png"}},
        {"content": IMAGE, "headers": {"Content-Type": "application/octet-stream"}},
        {"content": (piece for piece in (IMAGE[:99], IMAGE[99:]))},  # chunked
        {"files": {"file": IMAGE}, "name": "upload"},
        {"files": {"file": ("a.png", IMAGE, "image/png")}, "name": "a.png"},
        {"files": {"anything": ("C:\\faces/b.png", IMAGE)}, "name": "b.png"},
        {"json": {"image": base64.b64encode(IMAGE).decode()}},
        {"json": {"image": data_url()}},
        {"json": {"images": [data_url()]}},
    ],
    ids=["raw", "image/png", "bytes", "chunked", "form", "named", "path", "base64", "url", "list"],
)
def test_each_form_of_body_is_predicted_as_in_python(service, expected, body):
    name = body.pop("name", "<bytes>")
    answer = service.http.post("/v1/predict", **body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found == {"model": "emopy-tiny", "results": [{**expected, "source": name}]}


def test_several_images_have_a_result_or_an_error_each(service, expected):
    files = [("file", ("a.png", IMAGE)), ("file", ("b.png", b"none")), ("file", ("c.png", IMAGE))]
    before = service.metric("emopy_failed_inputs_total")
    answer = service.http.post("/v1/predict", files=files)
    assert answer.status_code == 200
    first, second, third = answer.json()["results"]
    assert (first, third) == ({**expected, "source": "a.png"}, {**expected, "source": "c.png"})
    assert second == {
        "source": "b.png",
        "width": None,
        "height": None,
        "faces": [],
        "error": "source must be an image (JPEG, PNG, WebP, BMP, TIFF, GIF, PPM, AVIF or HEIC). "
        "Received 'b.png': not an image. Check that it is the file you meant, or convert it to "
        "JPEG or PNG.",
    }
    assert service.metric("emopy_failed_inputs_total") == before + 1
    listed = service.http.post("/v1/predict", json={"images": [data_url(), data_url(b"none")]})
    assert [each["error"] is None for each in listed.json()["results"]] == [True, False]


def test_an_unreadable_image_is_422_with_our_sentence_and_counts_as_failed(service):
    before = service.metric("emopy_failed_inputs_total")
    for content, words in (
        (b"none", "Received '<bytes>': not an image."),
        (IMAGE[:-100], "Received '<bytes>'"),
        (b"\0\0\0\x18ftypmp42" + bytes(99), "a video. Use POST /v1/video"),
    ):
        problem = is_problem(service.http.post("/v1/predict", content=content), 422, words)
        assert "`" not in problem["detail"]
        assert [each["error"] for each in problem["results"]] == [problem["detail"]]
    is_problem(service.http.post("/v1/explain", content=b"none"), 422, "not an image")
    is_problem(service.http.post("/v1/predict?draw=png", content=b"none"), 422, "not an image")
    is_problem(service.http.post("/v1/video", content=IMAGE), 422, "POST /v1/predict")
    is_problem(service.http.post("/analyze", content=b"none"), 422, "not an image")
    assert service.metric("emopy_failed_inputs_total") == before + 7


@pytest.mark.parametrize(
    "query, options, faces",
    [
        ("emotions=calm,anger", {"target_emotions": ["calm", "anger"]}, None),
        ("emotions=all", {"target_emotions": "all"}, None),
        ("prior=uniform", {"prior": "uniform"}, None),
        ("emotions=anger,fear&prior=anger=0.9,fear=0.1",
         {"target_emotions": ["anger", "fear"], "prior": {"anger": 0.9, "fear": 0.1}}, None),
        ("min_confidence=0.999", {"min_confidence": 0.999}, None),
        ("views=2", {"views": 2}, None),
        ("boxes=2,3,40,41", {}, [(2, 3, 40, 41)]),
        ("boxes=2,3,40,41;-5,0.5,20,2e1", {}, [(2, 3, 40, 41), (-5, 0.5, 20, 20)]),
        ("boxes=", {}, []),
    ],
)  # fmt: skip
def test_values_of_the_query_are_the_arguments_of_python(service, query, options, faces):
    expected = python_model(**options).predict(IMAGE, faces=faces).to_dict()
    (found,) = service.http.post(f"/v1/predict?{query}", content=IMAGE).json()["results"]
    assert found == expected


@pytest.mark.parametrize(
    "path, words",
    [
        ("/v1/predict?emotions=", "emotions must hold two or more labels. Received none. Type "),
        ("/v1/predict?emotions=anger,nothing", "emotions must be labels that the model knows"),
        ("/v1/predict?prior=never", "prior must be 'training', 'tempered'"),
        ("/v1/predict?min_confidence=2", "min_confidence must be 0 to 1. Received 2.0."),
        ("/v1/predict?min_confidence=nan", "min_confidence must be a number. Received 'nan'."),
        ("/v1/predict?views=3", "views must be 1, or 2 to predict each face and its mirror image"),
        ("/v1/video?views=1.5", "views must be a whole number. Received '1.5'."),
        ("/v1/predict?boxes=1,2,3", "boxes must be left,top,right,bottom in pixels"),
        ("/v1/predict?boxes=900,900,990,990", "boxes must"),
        ("/v1/predict?draw=gif", "draw must be png. Received 'gif'."),
        ("/v1/predict?every=2", "The query must have known names only"),
        ("/v1/predict?draw=png&draw=png", "draw must stand once in the query"),
        ("/v1/explain?method=none", "method must be 'rise' or 'occlusion'"),
        ("/v1/explain?emotion=bored", "emotion must be one of the target emotions"),
        ("/v1/video?every=1.5", "every must be a whole number. Received '1.5'."),
        ("/v1/video?fps=0", "fps must"),
        ("/v1/video?start_s=2&end_s=1", "end_s must be later than start_s"),
        ("/v1/video?smoothing_s=-1", "smoothing_s must"),
        ("/analyze?emotions=all", "The query must be empty"),
    ],
)
def test_a_wrong_value_of_the_query_is_422_and_named(service, path, words):
    problem = is_problem(service.http.post(path, content=IMAGE), 422, words)
    assert "`" not in problem["detail"]


@pytest.mark.parametrize(
    "body, status, words",
    [
        ({"content": b""}, 422, "The body must hold an image. Received none."),
        ({"json": {}}, 422, "The body must hold an image. Received none."),
        ({"json": {"image": "http://127.0.0.1/a.png"}}, 422, "Addresses are not fetched"),
        ({"json": {"image": "/etc/passwd"}}, 422, "paths are not opened"),
        ({"json": {"image": 7}}, 422, "An image must be base64 text. Received int."),
        ({"json": {"image": None}}, 422, "An image must be base64 text. Received null."),
        ({"json": {"images": "abc"}}, 422, "images must be a list of base64 texts."),
        ({"json": {"photo": "abc"}}, 422, "must have the key image or images"),
        ({"json": [1]}, 400, "The body must be a JSON object."),
        ({"json": {"images": [""] * 65}}, 422, "at most 64 images. Received 65."),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "must be JSON"),
        ({"content": b'{"image": NaN}', "headers": {"Content-Type": "application/json"}}, 400,
         "NaN is no JSON number"),
        ({"data": {"file": "text"}}, 415, "Content-Type must be image/*, multipart/form-data"),
        ({"files": {"file": (None, "text")}}, 422, "Options belong to the query"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 400,
         "The form must be multipart/form-data"),
        ({"files": [("file", (f"{i}.png", IMAGE)) for i in range(65)]}, 422, "at most 64 images"),
        ({"files": [("file", (f"{i}.png", b"")) for i in range(99)]}, 422, "at most 80 parts"),
        ({"content": IMAGE, "headers": {"Content-Type": "text/plain"}}, 415, "'text/plain'"),
    ],
)  # fmt: skip
def test_a_body_that_holds_no_image_is_refused(service, body, status, words):
    is_problem(service.http.post("/v1/predict", **body), status, words)


def test_a_video_is_asked_for_where_there_is_none(service):
    is_problem(service.http.post("/v1/video"), 422, "The body must hold a video. Received none.")
    text = {"content": IMAGE, "headers": {"Content-Type": "text/plain"}}
    is_problem(service.http.post("/v1/video", **text), 415, "Content-Type must be video/*, multi")
    is_problem(service.http.post("/v1/video", **text), 415, "-H 'Content-Type: video/mp4'")


@pytest.mark.parametrize(
    "path, body, words",
    [
        ("/v1/predict?boxes=900,900,990,990", IMAGE, "as face 1 of"),
        ("/v1/predict?boxes=900,900,990,990&draw=png", IMAGE, "as face 1 of"),
        ("/v1/video?start_s=1e300", None, "start_s must"),
        ("/v1/video?every=2&fps=5", None, "every and fps must not both be given."),
    ],
)
def test_refused_options_are_no_failed_inputs(service, clip_file, path, body, words):
    before = service.metric("emopy_failed_inputs_total")
    answer = service.http.post(path, content=body or clip_file.read_bytes())
    problem = is_problem(answer, 422, words)
    assert not any(word in problem["detail"] for word in ("(", "array", "Box"))
    assert service.metric("emopy_failed_inputs_total") == before
    service.http.post(path.partition("?")[0], content=b"none")
    assert service.metric("emopy_failed_inputs_total") == before + 1


def test_an_image_without_a_face_is_not_explained_and_no_failed_input(service, monkeypatch):
    monkeypatch.setattr("tests.serving.FullImage.__call__", lambda *_: ())
    before = service.metric("emopy_failed_inputs_total")
    words = "in which none was found. Send an image that shows a face."
    is_problem(service.http.post("/v1/explain", content=encoded(size(300))), 422, words)
    assert service.metric("emopy_failed_inputs_total") == before


def size(pixels):
    return np.zeros((pixels, pixels, 3), np.uint8)


def test_one_image_is_asked_for_where_several_make_no_sense(service):
    files = [("file", ("a.png", IMAGE)), ("file", ("b.png", IMAGE))]
    for path in ("/v1/predict?draw=png", "/v1/predict?boxes=0,0,9,9", "/v1/explain", "/v1/video",
                 "/analyze"):  # fmt: skip
        assert "one" in is_problem(service.http.post(path, files=files), 422)["detail"]


def test_the_annotated_image_is_a_png_with_the_drawing(service):
    from emopy.present.draw import draw

    big = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    answer = service.http.post("/v1/predict?draw=png", content=encoded(big))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    expected = draw(big, python_model().predict(big))
    np.testing.assert_array_equal(Image.open(io.BytesIO(answer.content)), np.asarray(expected))


def test_an_explanation_is_that_of_python(service):
    crop = encoded(np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8))
    query = "emotion=anger,fear&method=occlusion&emotions=anger,fear,calm"
    found = service.http.post(f"/v1/explain?{query}", content=crop).json()
    model = python_model(["anger", "fear", "calm"])
    expected = model.explain(crop, ["anger", "fear"], method="occlusion").to_dict()
    box = {"left": 0, "top": 0, "right": 60, "bottom": 60}
    assert found == {"model": "emopy-tiny", "source": "<bytes>", "box": box, **expected}


def test_deepface_clients_get_their_shape(service, expected):
    (face,) = expected["faces"]
    words = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
    emotion = {words.get(name, name): p for name, p in face["probabilities"].items()}
    bodies = [
        {"json": {"img": data_url()}},
        {"json": {"img_path": data_url(), "actions": ["emotion"], "detector_backend": "opencv"}},
        {"files": {"img": ("a.png", IMAGE)}},
        {"files": {"img": ("a.png", IMAGE)}, "data": {"actions": "['emotion']"}},
        {"files": {"img": (None, data_url())}},
        {"content": IMAGE},
    ]
    for body in bodies:
        answer = service.http.post("/analyze", **body)
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["results"]
        assert found["dominant_emotion"] == max(emotion, key=emotion.get)
        assert found["emotion"] == pytest.approx({k: 100 * p for k, p in emotion.items()}, abs=1e-3)
        region = {"x": 0, "y": 0, "w": 64, "h": 48, "left_eye": None, "right_eye": None}
        assert (found["region"], found["face_confidence"]) == (region, 1.0)
    for body in ({"json": {"img": data_url(), "actions": ["age"]}}, {"json": {"img": "a.jpg"}}):
        is_problem(service.http.post("/analyze", **body), 422)


def test_deepface_clients_choose_whether_no_face_is_an_error(monkeypatch):
    with serving() as running:
        monkeypatch.setattr("tests.serving.FullImage.__call__", lambda *_: ())
        is_problem(running.http.post("/analyze", content=IMAGE), 400, "Face could not be detected")
        for body in (
            {"json": {"img": data_url(), "enforce_detection": False}},
            {"files": {"img": ("a.png", IMAGE)}, "data": {"enforce_detection": "false"}},
        ):
            assert running.http.post("/analyze", **body).json() == {"results": []}


def test_deepface_clients_get_labels_without_a_word_of_deepface(linear_model, tmp_path):
    folder = shutil.copytree(linear_model, tmp_path / "model")
    card = folder / "card.json"
    card.write_text(card.read_text().replace('"fear"', '"boredom"'))
    with serving(folder) as running:
        (found,) = running.http.post("/analyze", content=IMAGE).json()["results"]
    assert {"boredom", "contempt", "angry", "happy"} < set(found["emotion"])
    assert found["dominant_emotion"] == max(found["emotion"], key=found["emotion"].get)


def test_the_model_is_described(service):
    (model,) = service.http.get("/v1/models").json()["models"]
    card = python_model().card
    assert (model["name"], model["version"]) == ("emopy-tiny", card.version)
    assert model["emotions"] == [*STANDARD_EMOTIONS]
    assert len(model["sha256"]) == 64
    assert model["intended_use"] == card.intended_use


def test_probes_and_metrics_answer(service):
    assert service.http.get("/healthz").text == "ok\n"
    assert service.http.get("/readyz").text == "ready\n"
    label = 'emopy_requests_total{path="/v1/predict",status="200"}'
    before, faces = service.metric(label), service.metric("emopy_faces_total")
    service.http.post("/v1/predict", content=IMAGE)
    service.http.post("/v1/predict?draw=png", content=IMAGE)
    answer = service.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert service.metric(label) == before + 2
    assert service.metric("emopy_faces_total") == faces + 2
    version = python_model().card.version
    assert service.metric(f'emopy_model{{name="emopy-tiny",version="{version}"}}') == 1
    assert service.metric("emopy_queue_length") == 0
    assert service.metric('emopy_request_seconds_count{path="/v1/predict"}') >= 2
    bucket = 'emopy_request_seconds_bucket{le="30.0",path="/v1/predict"}'
    assert service.metric(bucket) == service.metric(bucket.replace("30.0", "+Inf"))


def test_head_is_answered_as_get_without_the_body(service):
    for path in ("/healthz", "/readyz", "/docs", "/docs/start.js"):
        head, whole = service.http.head(path), service.http.get(path)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-length"):
            assert head.headers[name] == whole.headers[name]


def test_the_live_path_without_an_upgrade_is_426(service):
    answer = service.http.get("/v1/live")
    is_problem(answer, 426, "/v1/live must be opened as a WebSocket.")
    assert answer.headers["upgrade"] == "websocket"


def test_unknown_paths_and_methods_are_problems(service):
    for path in ("/nothing", "/v1/predict/", "/docs/none", "/v1", "/static/../app.py"):
        is_problem(service.http.get(path), 404, "There is no such path.")
    for method, path in (("GET", "/v1/predict"), ("DELETE", "/healthz"), ("BREW", "/v1/models"),
                         ("POST", "/metrics"), ("OPTIONS", "/v1/predict")):  # fmt: skip
        is_problem(service.http.request(method, path), 405, "The path does not allow this method.")


def test_every_answer_has_an_id_and_headers_for_browsers(service):
    for path, status in (("/healthz", 200), ("/nothing", 404), ("/docs", 200)):
        answer = service.http.get(path)
        assert answer.status_code == status
        assert len(answer.headers["x-request-id"]) == 32
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
    given = service.http.get("/healthz", headers={"X-Request-ID": "abc-1.2_3"})
    assert given.headers["x-request-id"] == "abc-1.2_3"
    forged = service.http.get("/healthz", headers={"X-Request-ID": "a b\tc" + "d" * 99})
    assert len(forged.headers["x-request-id"]) == 32


def test_a_full_queue_is_429_with_the_time_to_wait(service):
    answers = []

    def send():
        answers.append(httpx.post(f"{service.url}/v1/predict", content=IMAGE, timeout=30))

    before = service.gate.entered
    threads = [threading.Thread(target=send) for _ in range(QUEUE + 1)]
    with service.gate.shut():
        for thread in threads:
            thread.start()
        service.gate.until_entered(before + 1)
        until(lambda: service.metric("emopy_queue_length") == QUEUE + 1)
        for path in PATHS - {"/v1/video"}:
            refused = service.http.post(path, content=IMAGE)
            is_problem(refused, 429, "The service has no free place now. Try again in 1 s.")
            assert refused.headers["retry-after"] == "1"
        assert service.http.get("/healthz").status_code == 200
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [200] * (QUEUE + 1)
    assert service.metric("emopy_queue_length") == 0


def test_a_client_that_goes_away_gives_its_place_back(service):
    entered = service.gate.entered
    with service.gate.shut():
        connections = [service.connect() for _ in range(QUEUE + 1)]
        for connection in connections:
            connection.sendall(service.post_head(length=len(IMAGE)) + IMAGE)
        until(lambda: service.metric("emopy_queue_length") == QUEUE + 1)
        for connection in connections:
            connection.close()
        until(lambda: service.metric("emopy_queue_length") == 1)
    until(lambda: service.metric("emopy_queue_length") == 0)
    assert service.gate.entered == entered + 1  # those that waited were not predicted
    assert service.metric('emopy_requests_total{path="/v1/predict",status="499"}') >= QUEUE


def test_the_rest_of_the_images_is_left_out_when_the_client_goes_away(service):
    entered = service.gate.entered
    request = httpx.Request(
        "POST", f"{service.url}/v1/predict", files=[("file", ("a.png", IMAGE))] * 9
    )
    body = request.read()
    gone = 'emopy_requests_total{path="/v1/predict",status="499"}'
    before = service.metric(gone)
    with service.gate.shut():
        connection = service.connect()
        head = service.post_head(length=len(body), Content_Type=request.headers["content-type"])
        connection.sendall(head + body)
        service.gate.until_entered(entered + 1)
        connection.close()
        until(lambda: service.metric(gone) > before)
    until(lambda: service.metric("emopy_queue_length") == 0)
    assert service.gate.entered == entered + 1


def test_late_answers_are_504_and_late_bodies_408():
    with serving(timeout_s=0.3) as running:
        with running.gate.shut():
            answer = running.http.post("/v1/predict", content=IMAGE)
            is_problem(answer, 504, "The answer was not ready within 0.3 s.")
        began_s = time.monotonic()
        with running.connect() as connection:
            connection.sendall(running.post_head(length=999) + b"a part")
            received = read_all(connection)
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b"The body must arrive within 0.3 s. Send it again." in received
        assert time.monotonic() - began_s < 5
        assert running.http.post("/v1/predict", content=IMAGE).status_code == 200


def test_a_failure_of_the_service_is_a_problem_and_logged(service, caplog, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("tests.serving.FullImage.__call__", fail)
    answer = service.http.post("/v1/predict", content=IMAGE)
    problem = is_problem(answer, 500, answer.headers["x-request-id"])
    assert "secret" not in json.dumps(problem)
    assert answer.headers["x-request-id"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_nothing_is_written_and_no_file_opened_by_request(service, clip_file, monkeypatch):
    opened = []
    watching = True

    def watch(event, arguments):
        if watching and event in ("open", "os.mkdir", "tempfile.mkstemp", "os.rename"):
            opened.append((event, *arguments[:2]))

    video = clip_file.read_bytes()
    requests = [
        ("/v1/predict", {"files": [("file", ("/etc/passwd", encoded(kind="BMP") * 250))]}),
        ("/v1/predict?draw=png", {"files": {"file": ("a.png", IMAGE)}}),
        ("/v1/predict", {"json": {"image": data_url()}}),
        ("/v1/explain?method=occlusion", {"content": IMAGE}),
        ("/v1/video?end_s=0.1", {"files": {"file": ("../a.avi", video)}}),
        ("/analyze", {"files": {"img": ("a.png", IMAGE)}}),
    ]
    for path, body in requests:  # modules are imported at the first time
        service.http.post(path, **body)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")  # a temporary file would be an error
    sys.addaudithook(watch)
    try:
        for path, body in requests:
            assert service.http.post(path, **body).status_code in (200, 422), path
    finally:
        watching = False
    # A video is in memory; PyAV opens it by a path of this process.
    memory = f"/proc/{os.getpid()}/fd/"
    paths = [each for each in opened if not isinstance(each[1], int)]
    assert [each for each in paths if not each[1].startswith(memory)] == []


def test_the_log_has_no_query_and_no_names(service, caplog):
    caplog.set_level(logging.INFO, "emopy.serve")
    files = {"file": ("private.png", b"not an image")}
    service.http.post("/v1/predict?emotions=anger,fear", files=files)
    service.http.get("/private/path?key=secret", headers={"X-Request-ID": "my-id"})
    until(lambda: "my-id" in caplog.text)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("POST /v1/predict 422 ")
    assert lines[1].startswith("GET other 404 ")
    assert not any(word in caplog.text for word in ("private", "secret", "anger"))


def test_the_service_runs_its_models_without_an_arena():
    before = set(session._sessions)
    with serving(detector="mtcnn"):
        opened = set(session._sessions) - before
        assert len(opened) == 4
        for each in opened:
            assert not each.get_session_options().enable_cpu_mem_arena


def test_the_docs_load_nothing_from_other_hosts(service):
    page = service.http.get("/docs")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "//" not in page.text.replace("<!doctype", "")
    links = [piece.split('"')[0] for piece in page.text.split('="docs/')[1:]]
    assert len(links) == 4
    for link in links:
        assert service.http.get(f"/docs/{link}").status_code == 200
    assert service.http.get("/openapi.json").json()["openapi"].startswith("3.")
