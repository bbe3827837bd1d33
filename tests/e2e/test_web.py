"""The page that predicts in the browser, in a real one: camera, images, videos, saving, offline."""

import csv
import hashlib
import io
import json
import re
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from emopy import FERModel
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from emopy.live import WebPage
from emopy.result_table import row_columns
from emopy.samples import Actor, sample_images, scene

av = pytest.importorskip("av")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
SIZE = (320, 240)
READY = "body[data-model=ready]"
IS_READY = f"document.querySelector('{READY}') !== null"
KEPT = "caches.open('emopy-files').then(files => files.keys())"
IS_LARGE = "key => /wasm|base.model.onnx/.test(key.url)"
ASKS_LATER = """
var isReplaced = false;
navigator.serviceWorker.addEventListener("controllerchange", () => { isReplaced = true; });
const ask = ServiceWorker.prototype.postMessage;
ServiceWorker.prototype.postMessage = function (...content) {
  window.askNow = () => ask.apply(this, content);
};
"""
"""Keeps what the page tells a new version until `askNow()`."""

HOLD_CAMERAS = """() => {
  const devices = navigator.mediaDevices;
  globalThis.streams = [];
  globalThis.allowed = new Promise((resolve) => (globalThis.allow = resolve));
  devices.getUserMedia = async (wanted) => {
    const stream = await MediaDevices.prototype.getUserMedia.call(devices, wanted);
    await allowed;
    streams.push(stream);
    return stream;
  };
}"""
"""Keeps the streams of cameras, and gives them to the page after `allow()`."""

LIVE = "streams.filter(stream => stream.getTracks().some(track => track.readyState === 'live'))"

HOLD_VIDEOS = """() => {
  const { fetch } = globalThis;
  globalThis.holdSamples = () => {
    globalThis.fetch = () => new Promise(() => {});
  };
  const usual = URL.createObjectURL;
  URL.createObjectURL = (file) => usual(file.name === "slow.webm" ? new MediaSource() : file);
  globalThis.errors = [];
  const notice = document.getElementById("error");
  globalThis.observer = new MutationObserver(() => errors.push(notice.textContent));
  observer.observe(notice, { childList: true, characterData: true, subtree: true });
  globalThis.release = () => {
    URL.createObjectURL = usual;
    globalThis.fetch = fetch;
    observer.disconnect();
  };
}"""
"""Lets slow.webm wait for its content, samples after `holdSamples()`, until `release()`.

Keeps the texts of errors.
"""

WASM_HEADER = b"\0asm\1\0\0\0"
EMPTY_SECTION = bytes([0, 2, 1, 65])
SECONDS = 30
"""Seconds within which what is waited for must happen."""

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def frames():
    """Two seconds of a face that walks through the image."""
    path = (0, 110, 120, 130), (2, 210, 120, 130)
    walk = Actor(path, emotions=((-2.0, "happiness"),))
    return [frame.image for frame, _ in scene([walk], size=SIZE, seconds=2.0)]


@pytest.fixture(scope="module")
def clip(frames, tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "clip.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def served(built_page):
    with WebPage(0, folder=built_page) as page:
        yield page


@pytest.fixture(scope="module")
def browser(frames, served, browser_program, tmp_path_factory):
    """Chromium with a fake camera that shows the walking face."""
    camera = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    jpegs = (cv2.imencode(".jpg", image[:, :, ::-1])[1].tobytes() for image in frames)
    camera.write_bytes(b"".join(jpegs))
    options = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream"]
    options.append(f"--use-file-for-fake-video-capture={camera}")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=browser_program, args=options)
        yield started
        started.close()


class Opened:
    """The page in one tab, and what was requested and complained about."""

    def __init__(self, context, served):
        self.address = served.address
        self.requests, self.complaints = [], []
        context.on("request", lambda made: self.requests.append(made))  # noqa: PLW0108
        self.tab = context.new_page()
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        self.tab.goto(self.address)
        self.tab.wait_for_selector(READY)

    def open(self, name, content, kind):
        self.tab.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": content})

    def open_image(self, image, name="photo.png"):
        """Open an (H, W, 3) RGB array, and wait for its result."""
        content = io.BytesIO()
        Image.fromarray(image).save(content, "PNG", compress_level=1)
        self.open(name, content.getvalue(), "image/png")
        size = f"{image.shape[1]} × {image.shape[0]}"
        self.wait(f"document.getElementById('source').textContent === '{name} · {size}'")
        self.wait("!document.getElementById('open-save').disabled")

    def open_sample(self, emotion):
        self.tab.get_by_role("button", name=f"Sample: {emotion}", exact=True).click()
        self.wait(f"document.getElementById('source').textContent.startsWith('{emotion}.png')")
        self.wait("!document.getElementById('open-save').disabled")

    def wait(self, expression):
        """Wait until an expression is true; the page's own rules forbid Playwright's way."""
        end = time.monotonic() + SECONDS
        while not self.tab.evaluate(f"Promise.resolve({expression}).then(Boolean)"):
            assert time.monotonic() < end, f"never true: {expression}"
            self.tab.wait_for_timeout(30)

    def start_camera(self):
        self.tab.click("#camera")
        self.tab.wait_for_selector("body[data-mode=camera]")

    def choose(self, emotions):
        self.tab.click("#open-settings")
        for is_checked in (True, False):  # never fewer than two
            for emotion in ALL_EMOTIONS:
                if (emotion in emotions) is is_checked:
                    label = self.tab.locator(".emotions label", has_text=emotion)
                    label.locator("input").set_checked(is_checked)
        self.tab.keyboard.press("Escape")

    def choose_model(self, name):
        self.tab.evaluate(
            """() => {
              window.states = [];
              new MutationObserver(() => window.states.push(document.body.dataset.model)).observe(
                document.body,
                { attributes: true, attributeFilter: ["data-model"] },
              );
            }"""
        )
        self.tab.click("#open-settings")
        self.tab.select_option("#model", name)
        self.tab.keyboard.press("Escape")
        self.wait("window.states.includes('ready')")

    def text(self, selector):
        return self.tab.inner_text(selector)

    def settled(self, selector):
        """A text once it has not changed for half a second."""
        before, text = None, self.text(selector)
        while text != before:
            self.tab.wait_for_timeout(500)
            before, text = text, self.text(selector)
        return text

    def saved(self, button):
        """Name and content of the file that a button saves."""
        self.tab.click("#open-save")
        with self.tab.expect_download() as download:
            self.tab.click(button)
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def rows(self):
        """Rows of the saved CSV file, with numbers as floats."""
        text = self.saved("#save-csv")[1].decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def wait_for_frames(self, count):
        self.wait(f"parseInt(document.getElementById('recorded').textContent) >= {count}")


@pytest.fixture(scope="module")
def opened(browser, served):
    """A tab that the tests of this file use one after the other."""
    with browser.new_context(permissions=["camera"]) as context:
        yield Opened(context, served)


@pytest.fixture
def page(opened):
    opened.complaints.clear()
    yield opened
    if opened.tab.get_attribute("body", "data-mode") == "camera":
        opened.tab.click("#camera")
    assert opened.complaints == []


def sample(emotion):
    with Image.open(sample_images()[emotion]) as image:
        return np.asarray(image.convert("RGB"))


def test_an_image_gets_the_answers_of_python(page):
    page.open_sample("surprise")
    assert page.text("#faces .name") == "surprise"
    name, content = page.saved("#save-csv")
    text = content.decode()
    assert name == "surprise.csv"
    assert text.splitlines()[0].split(",") == list(row_columns(STANDARD_EMOTIONS))
    (row,) = csv.DictReader(io.StringIO(text))
    (face,) = FERModel().predict(sample_images()["surprise"]).faces
    assert row["source"] == "surprise.png"
    for edge in ("left", "top", "right", "bottom"):
        assert float(row[edge]) == pytest.approx(getattr(face.box, edge), abs=2)
    for label, probability in face.probabilities.items():
        assert float(row[label]) == pytest.approx(probability, abs=0.02)
    name, content = page.saved("#save-json")
    (record,) = json.loads(content)
    assert (name, record["width"], record["error"]) == ("surprise.json", 320, None)
    assert record["faces"][0]["emotion"] == "surprise"


def test_the_annotated_image_is_saved_with_its_bars_beside_it(page):
    page.open_sample("happiness")
    name, content = page.saved("#save-image")
    image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    assert name == "happiness-faces.png"
    assert image.shape[0] == 640  # twice as large, so that text is readable
    assert image.shape[1] > 640
    yellow = (np.abs(image - (240, 228, 66)).max(axis=2) < 12).sum(axis=0)
    assert yellow[:640].sum() > 1000  # the box
    assert yellow[640:].sum() > 1000  # the bar beside the image


def test_five_faces_are_numbered_in_the_image_and_the_list(page):
    image = np.hstack([sample(each)[::2, ::2] for each in STANDARD_EMOTIONS[:5]])
    page.open_image(image)
    assert page.text("#found") == "5 faces"
    numbers = page.tab.locator("#faces .number").all_inner_texts()
    assert numbers == ["1", "2", "3", "4", "5"]
    description = page.tab.get_attribute("#overlay", "aria-label")
    assert [part.split(":")[0] for part in description.split(", ")] == numbers
    assert len(page.rows()) == 5


def test_a_large_image_is_predicted(page):
    image = np.full((3000, 4000, 3), 128, dtype=np.uint8)
    image[1000:1960, 1500:2460] = sample("happiness").repeat(3, axis=0).repeat(3, axis=1)
    page.open_image(image, "large.png")
    assert page.text("#faces .name") == "happiness"
    (row,) = page.rows()
    assert float(row["left"]) == pytest.approx(1500 + 3 * 73, abs=15)


def test_an_image_without_a_face_says_so(page):
    page.open_image(np.full((200, 300, 3), 90, dtype=np.uint8))
    assert page.text("#none") == "No face found."
    (row,) = page.rows()
    assert (row["source"], row["face"], row["error"]) == ("photo.png", "", "")


def test_emotions_and_not_sure_are_those_that_were_chosen(page):
    page.open_sample("fear")
    page.choose(["anger", "contempt", "disgust", "happiness", "neutral", "sadness"])
    page.wait("document.querySelectorAll('#faces li').length === 6")
    expected = ["anger", "contempt", "disgust", "happiness", "neutral", "sadness"]
    assert page.tab.locator("#faces .label").all_inner_texts() == expected
    (row,) = page.rows()
    assert list(row)[14:-1] == expected
    top = float(row["confidence"])
    page.tab.click("#open-settings")
    for least in ("95", "0"):
        page.tab.fill("#min-confidence", least)
        shown = "not sure" if top < float(least) / 100 else row["emotion"]
        page.wait(f"document.querySelector('#faces .name').textContent === '{shown}'")
    page.tab.keyboard.press("Escape")
    page.choose(STANDARD_EMOTIONS)


def test_one_emotion_alone_cannot_be_chosen(page):
    page.choose(["anger", "fear"])
    page.tab.click("#open-settings")
    page.tab.locator(".emotions label", has_text="fear").locator("input").click()
    assert page.tab.locator(".emotions input:checked").count() == 2
    page.tab.keyboard.press("Escape")
    assert page.tab.is_hidden("#settings")
    page.choose(STANDARD_EMOTIONS)


def test_a_video_is_predicted_as_it_plays_and_shown_again_after_a_jump_back(page, clip):
    page.open("clip.webm", clip.read_bytes(), "video/webm")
    page.wait_for_frames(5)
    page.wait("document.getElementById('video').ended")
    count = page.settled("#recorded")
    rows = page.rows()
    times = [float(row["time_s"]) for row in rows if row["face"] in ("", "1")]
    assert times == sorted(set(times))
    assert 1.5 < times[-1] <= 2.0
    assert "happiness" in {row["emotion"] for row in rows}
    assert {row["track"] for row in rows} - {""} == {"1"}
    assert page.tab.get_attribute("#tracks canvas", "aria-label").startswith("Face 1, mean")
    first = next(row for row in rows if row["left"])
    page.tab.click("#tracks canvas", position={"x": 10, "y": 10})
    page.wait(f"document.querySelector('#faces .confidence').textContent === "
              f"'{round(100 * float(first['confidence']))} %'")  # fmt: skip
    assert page.text("#recorded") == count  # nothing is predicted twice


def hide(page, is_hidden):
    """Let the page be as a tab in the background, or in front again."""
    page.tab.evaluate(
        """isHidden => {
          Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


IS_PAUSED = "document.getElementById('video').paused"
PAUSE = "document.getElementById('video').pause()"


def test_a_video_pauses_while_nobody_sees_it(page, clip):
    page.open("clip.webm", clip.read_bytes(), "video/webm")
    page.wait_for_frames(1)
    hide(page, True)
    assert page.tab.evaluate(IS_PAUSED)
    hide(page, False)
    page.wait("document.getElementById('video').ended")


def test_a_video_that_the_user_paused_stays_paused_when_the_page_is_seen_again(page, clip):
    page.open("clip.webm", clip.read_bytes(), "video/webm")
    page.wait_for_frames(1)
    page.tab.evaluate(PAUSE)
    hide(page, True)
    hide(page, False)
    assert page.tab.evaluate(IS_PAUSED)


def test_a_video_that_was_opened_unseen_and_paused_stays_paused(page, clip):
    page.open("clip.webm", clip.read_bytes(), "video/webm")
    page.wait_for_frames(1)
    hide(page, True)
    page.open("other.webm", clip.read_bytes(), "video/webm")
    page.wait("document.getElementById('source').textContent.startsWith('other.webm')")
    page.wait(f"!{IS_PAUSED}")
    page.tab.evaluate(PAUSE)
    hide(page, False)
    assert page.tab.evaluate(IS_PAUSED)


def test_the_camera_shows_tracks_and_a_timeline_that_grows(page):
    page.start_camera()
    page.wait_for_frames(5)
    assert page.tab.get_attribute("#stage", "data-mirrored") == "true"
    page.wait("document.querySelector('#tracks canvas')")
    seen = page.text(".track h3")
    page.wait(f"document.querySelector('.track h3').innerText !== {json.dumps(seen)}")
    page.wait("document.querySelector('#faces .name')?.textContent === 'happiness'")
    assert page.text("#source") == "camera · 320 × 240"
    name, content = page.saved("#save-image")
    assert name == "camera-faces.png"
    width, height = Image.open(io.BytesIO(content)).size
    assert height == 480  # enlarged
    assert width >= 640  # wider where there is no room for the bars
    session = page.tab.context.new_cdp_session(page.tab)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})  # as a tab in the background
    page.tab.wait_for_timeout(300)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    count = int(page.text("#recorded").split()[0])
    page.wait_for_frames(count + 3)
    page.tab.click("#camera")
    assert page.tab.get_attribute("body", "data-mode") == "empty"
    assert page.tab.evaluate("document.getElementById('video').srcObject") is None
    assert page.tab.is_disabled("#open-save")


@pytest.fixture
def cameras(page):
    """The page; a camera that is opened does not answer before `allow()`."""
    page.tab.evaluate(HOLD_CAMERAS)
    yield page
    page.tab.evaluate("allow(); delete navigator.mediaDevices.getUserMedia; null")


def test_a_camera_that_is_opened_twice_is_shown_once_and_without_an_error(cameras):
    cameras.tab.dblclick("#camera")
    cameras.tab.evaluate("allow()")
    cameras.tab.wait_for_selector("body[data-mode=camera]")
    cameras.wait_for_frames(3)
    assert cameras.tab.is_hidden("#error")
    assert cameras.tab.evaluate("streams.length") == 2
    assert cameras.tab.evaluate(f"{LIVE}.length") == 1


def test_a_camera_that_answers_after_an_image_was_opened_is_stopped(cameras):
    cameras.tab.click("#camera")
    cameras.open_sample("surprise")
    cameras.tab.evaluate("allow()")
    cameras.wait("streams.length === 1")
    assert cameras.settled("#source").startswith("surprise.png")
    assert cameras.tab.get_attribute("body", "data-mode") == "image"
    assert cameras.tab.evaluate(f"{LIVE}.length") == 0
    assert cameras.tab.is_hidden("#error")


@pytest.fixture
def slow_video(page):
    """The page, with a video that does not load."""
    page.tab.evaluate(HOLD_VIDEOS)
    page.open("slow.webm", b"", "video/webm")
    yield page
    page.tab.evaluate("release()")


def test_a_video_that_does_not_load_says_nothing_about_the_next_one(slow_video):
    slow_video.open("broken.mp4", b"no video", "video/mp4")
    slow_video.wait("document.getElementById('error').innerText.includes('broken.mp4')")
    texts = slow_video.tab.evaluate("errors")
    assert not any("slow.webm" in text for text in texts)


def test_a_video_that_does_not_load_is_closed_when_an_image_is_opened(slow_video):
    slow_video.tab.evaluate("holdSamples()")
    slow_video.tab.get_by_role("button", name="Sample: fear", exact=True).click()
    slow_video.wait("!document.getElementById('video').hasAttribute('src')")


def test_a_camera_that_faces_away_is_not_shown_as_a_mirror(page):
    page.tab.evaluate(
        "MediaStreamTrack.prototype.getSettings = () => ({facingMode: 'environment'})"
    )
    page.start_camera()
    assert page.tab.get_attribute("#stage", "data-mirrored") == "false"
    page.tab.click("#camera")


def test_a_broken_image_and_an_unknown_video_are_named_and_leave_the_page_usable(page):
    page.open("broken.jpg", b"\xff\xd8 no image", "image/jpeg")
    page.tab.wait_for_selector("#error:not([hidden])")
    assert "“broken.jpg” cannot be opened as an image" in page.text("#error")
    page.open("broken.mp4", b"no video", "video/mp4")
    page.wait("document.getElementById('error').innerText.includes('broken.mp4')")
    assert "cannot be played" in page.text("#error")
    page.open_sample("anger")
    assert page.tab.is_hidden("#error")
    assert page.text("#faces .name") == "anger"


def test_another_model_continues_with_the_video_that_is_open(page, clip):
    page.start_camera()
    page.wait_for_frames(2)
    page.choose_model("emopy-tiny")
    page.tab.wait_for_selector("#timeline")
    page.wait_for_frames(2)
    page.choose_model("emopy-base")
    assert page.tab.is_hidden("#error")


def test_another_model_predicts_what_is_open(page):
    page.open_sample("sadness")
    before = page.saved("#save-json")[1]
    page.choose_model("emopy-tiny")
    end = time.monotonic() + SECONDS
    while page.saved("#save-json")[1] == before:
        assert time.monotonic() < end
    assert page.text("#faces .name") == "sadness"


def test_a_camera_that_is_not_allowed_is_explained(browser, served):
    with browser.new_context(permissions=[]) as context:
        page = Opened(context, served)
        page.tab.click("#camera")
        page.tab.wait_for_selector("#error:not([hidden])")
        assert page.text("#error").startswith("The camera is blocked. Allow it in the address bar")
        assert page.tab.get_attribute("body", "data-mode") == "empty"
        assert page.complaints == []


@pytest.mark.parametrize(
    "name, said",
    [
        ("NotFoundError", "No camera was found. Connect one, or open an image or a video."),
        ("NotReadableError", "The camera cannot be read: another program may be using it."),
        ("AbortError", "The camera cannot be opened: AbortError: why"),
    ],
)
def test_a_camera_that_cannot_be_opened_is_explained(page, name, said):
    usual = "usual = navigator.mediaDevices.getUserMedia"
    fails = f"async () => {{ throw new DOMException('why', '{name}'); }}"
    page.tab.evaluate(f"globalThis.{usual}; navigator.mediaDevices.getUserMedia = {fails}; null")
    page.tab.click("#camera")
    page.tab.wait_for_selector("#error:not([hidden])")
    assert page.text("#error").startswith(said)
    page.tab.evaluate("navigator.mediaDevices.getUserMedia = usual; null")
    page.tab.click("#dismiss")
    assert page.tab.is_hidden("#error")


def test_the_prior_changes_the_probabilities(page):
    page.open_sample("sadness")
    found = {}
    for prior in ("uniform", "training", "tempered"):
        page.tab.click("#open-settings")
        page.tab.select_option("#prior", prior)
        page.tab.keyboard.press("Escape")
        page.wait("document.getElementById('stats').textContent !== ''")
        found[prior] = float(page.rows()[0]["neutral"])
    assert (
        found["training"] > found["tempered"] > found["uniform"]
    )  # neutral faces are common in the training data


def test_two_tabs_work_side_by_side(opened, browser, served):
    other = Opened(opened.tab.context, served)
    for page in (opened, other):
        page.start_camera()
    for page in (opened, other):
        page.wait_for_frames(3)
        page.tab.click("#camera")
        assert page.complaints == []
    other.tab.close()


def test_the_second_visit_works_offline_at_the_width_of_a_phone(browser):
    with browser.new_context(viewport=PHONE) as context:
        with WebPage(0) as served:
            page = Opened(context, served)
            page.wait("navigator.serviceWorker.controller")
            page.wait(f"{KEPT}.then(keys => keys.filter({IS_LARGE}).length === 2)")
        page.tab.reload()
        page.tab.wait_for_selector(READY)
        page.tab.locator("#privacy summary").click()
        assert page.tab.locator("#works-offline").is_visible()
        page.tab.keyboard.press("Tab")
        page.tab.locator("#samples button").nth(4).focus()
        page.tab.keyboard.press("Enter")
        page.wait("document.querySelector('#faces .name')?.textContent === 'happiness'")
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.complaints == []


@pytest.fixture
def folder(built_page, tmp_path):
    """A copy of the built page, for a new version of it."""
    ignored = shutil.ignore_patterns("npm")
    return Path(shutil.copytree(built_page, tmp_path / "page", ignore=ignored))


def change(file, old, new):
    """Change a file of the page, and its checksum; return the checksum before."""
    content, worker = file.read_bytes(), file.parent / "service_worker.js"
    assert old in content
    changed = content.replace(old, new, 1)
    file.write_bytes(changed)
    before, after = (hashlib.sha256(each).hexdigest() for each in (content, changed))
    worker.write_text(worker.read_text("utf-8").replace(before, after), "utf-8")
    return before


def open_and_keep(tab, served):
    tab.open(served.address)
    tab.wait("navigator.serviceWorker.controller !== null")
    tab.wait(IS_READY)


def open_sample(tab, emotion):
    tab.ask(f"document.querySelector('img[alt=\"Sample: {emotion}\"]').closest('button').click()")
    tab.wait(f"document.getElementById('source').textContent.startsWith('{emotion}.png')")
    tab.wait("!document.getElementById('open-save').disabled")


# Playwright attaches developer tools to service workers. With them, Chromium ends a worker that is
# replaced while it answers, or keeps it for minutes: these tests use a tab without them. There too
# it keeps a worker that was just starting for half a minute.


def test_a_new_version_of_the_page_replaces_the_kept_one(tab, folder):
    with WebPage(0, folder=folder) as served:
        open_and_keep(tab, served)
        change(folder / "index.html", b"<title>EmoPy", b"<title>Newer")
        tab.open(served.address)
        tab.wait("document.title.startsWith('Newer')")  # the old page loads itself again
        tab.wait(IS_READY)
        assert tab.complaints == []


def test_what_was_opened_before_a_new_version_takes_over_stays_open(tab, folder):
    with WebPage(0, folder=folder) as served:
        open_and_keep(tab, served)
        change(folder / "index.html", b"<title>EmoPy", b"<title>Newer")
        tab.send("Page.addScriptToEvaluateOnNewDocument", source=ASKS_LATER)
        tab.open(served.address)
        tab.wait("typeof askNow === 'function'")
        open_sample(tab, "happiness")
        tab.ask("askNow()")
        tab.wait("isReplaced")
        tab.ask("new Promise(resolve => setTimeout(resolve, 1500))")  # time to load itself again
        assert tab.ask("document.title").startswith("EmoPy")
        assert tab.ask("document.querySelector('#faces .name').textContent") == "happiness"


def test_a_new_version_of_a_large_file_is_kept_before_the_old_one_is_deleted(tab, folder):
    modules = f"{KEPT}.then(keys => keys.filter(key => /ort-wasm/.test(key.url)).length)"
    with WebPage(0, folder=folder) as served:
        open_and_keep(tab, served)
        tab.wait(f"{KEPT}.then(keys => keys.filter({IS_LARGE}).length === 2)")
        open_sample(tab, "happiness")  # so that the page does not load itself again
        before = change(folder / "ort-wasm-bundled.wasm", WASM_HEADER, WASM_HEADER + EMPTY_SECTION)
        tab.ask("navigator.serviceWorker.ready.then(found => found.update()).then(() => null)")
        tab.wait("navigator.serviceWorker.ready.then(found => found.waiting !== null)")
        assert tab.ask(modules) == 2
    tab.ask("navigator.serviceWorker.ready.then(found => found.waiting.postMessage('take over'))")
    tab.wait(f"{KEPT}.then(keys => keys.every(key => !/{before}/.test(key.url)))")
    tab.open(served.address)  # offline
    tab.wait(IS_READY)
    open_sample(tab, "surprise")
    assert tab.ask("document.querySelector('#faces .name').textContent") == "surprise"


def test_nothing_but_the_files_of_the_page_is_requested_and_nothing_is_sent(browser, served, clip):
    with browser.new_context(permissions=["camera"]) as context:
        page = Opened(context, served)
        page.start_camera()
        page.wait_for_frames(3)
        page.tab.click("#camera")
        page.open_image(sample("fear"))
        page.open("clip.webm", clip.read_bytes(), "video/webm")
        page.wait_for_frames(3)
        page.wait("document.getElementById('video').ended")
        assert page.complaints == []
        assert len(page.requests) > 20
        for request in page.requests:
            assert request.method == "GET"
            assert request.url.startswith((page.address, f"blob:{page.address.split('/emopy')[0]}"))
            assert request.post_data is None
            assert "?" not in request.url
        refused = page.tab.evaluate(
            "new Promise(resolve => { document.addEventListener('securitypolicyviolation', "
            "event => resolve(event.effectiveDirective)); "
            "fetch('https://example.org/').catch(() => {}); })"
        )
        assert refused == "connect-src"


def test_a_slow_image_does_not_replace_one_that_was_opened_later(page):
    page.tab.evaluate(
        """() => {
          const usual = globalThis.createImageBitmap;
          globalThis.decoded = 0;
          globalThis.createImageBitmap = async (source, ...more) => {
            if (source.name !== "slow.png") return usual(source, ...more);
            await new Promise((resolve) => setTimeout(resolve, 1000));
            globalThis.createImageBitmap = usual;
            globalThis.decoded += 1;
            return usual(source, ...more);
          };
        }"""
    )
    page.open("slow.png", sample_images()["anger"].read_bytes(), "image/png")
    page.open_sample("surprise")
    page.wait("globalThis.decoded === 1")
    assert page.settled("#source").startswith("surprise.png")
    assert page.text("#faces .name") == "surprise"


def test_a_sample_that_is_not_on_the_server_is_named(browser, served):
    with browser.new_context(service_workers="block") as context:
        context.route("**/samples/fear.png", lambda route: route.fulfill(status=404))
        page = Opened(context, served)
        page.tab.get_by_role("button", name="Sample: fear", exact=True).click()
        page.tab.wait_for_selector("#error:not([hidden])")
        assert page.text("#error").startswith("“fear.png” cannot be loaded: the server answers 404")


def test_the_page_shows_how_much_of_the_model_is_loaded(browser, served):
    with browser.new_context(service_workers="block") as context:
        held = []
        context.route("**/emopy-base/model.onnx", lambda route: held.append(route))  # noqa: PLW0108
        tab = context.new_page()
        tab.goto(served.address)
        tab.wait_for_selector("#loading-bar[value]")
        shown = tab.inner_text("#loading-text")
        assert re.fullmatch(r"Loading the model: \d+\.\d MB of \d+\.\d MB", shown)
        (route,) = held
        route.continue_()
        tab.wait_for_selector(READY)
        assert tab.is_hidden("#loading")


def test_nothing_moves_where_reduced_motion_is_preferred(page):
    moving = """() => {
      const inForce = (rule) =>
        rule instanceof CSSMediaRule
          ? matchMedia(rule.conditionText).matches && [...rule.cssRules].some(inForce)
          : /transition|animation|scroll-behavior/.test(rule.cssText);
      return [...document.styleSheets].some((sheet) => [...sheet.cssRules].some(inForce));
    }"""
    assert page.tab.evaluate(moving)
    page.tab.emulate_media(reduced_motion="reduce")
    assert not page.tab.evaluate(moving)
    page.tab.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(opened, scheme):
    if not AXE.exists():
        pytest.skip("axe-core is not installed: type make web")
    opened.tab.emulate_media(color_scheme=scheme)
    opened.tab.evaluate(AXE.read_text(encoding="utf-8"))
    opened.tab.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    found = []
    opened.start_camera()
    opened.wait("document.querySelector('#tracks canvas')")
    found.append(violations(opened))
    opened.tab.click("#camera")
    found.append(violations(opened))
    opened.open("broken.jpg", b"", "image/jpeg")
    opened.open_sample("neutral")
    opened.open("broken.jpg", b"", "image/jpeg")
    opened.tab.wait_for_selector("#error:not([hidden])")
    for menu in ("save", "settings"):
        opened.tab.click(f"#open-{menu}")
        found.append(violations(opened))
        opened.tab.keyboard.press("Escape")
    found.append(violations(opened))
    assert found == [[], [], [], [], []]


def violations(page):
    done = page.tab.evaluate(
        "axe.run().then(({violations, passes}) => ({violations, passes: passes.length}))"
    )
    assert done["passes"] > 20
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in done["violations"]
    ]
