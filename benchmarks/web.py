"""The browser package beside two others in the same Chromium: speed, size and accuracy."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import web_accuracy
from benchmarks.report import Figure, Section, Settings
from benchmarks.timing import Spread, ratios
from benchmarks.web_accuracy import Answers
from benchmarks.web_browser import SidePage, chromium, new_context, site
from benchmarks.web_inputs import (
    CAMERA_FPS,
    labeled_faces,
    write_camera,
    write_faces,
    write_images,
)
from benchmarks.web_page import WebPageTab
from benchmarks.web_site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BASE, TINY, HUMAN, HUMAN_MESH, FACE_API = (
    "emopy-base",
    "emopy-tiny",
    "human",
    "human with its mesh",
    "face-api",
)
SIDES = (BASE, TINY, HUMAN, HUMAN_MESH, FACE_API)
TURNS, LOAD_TURNS, CAMERA_TURNS = 12, 3, 2
FRAMES_PER_TURN = 8
PAGE_CAMERA_S = 10.0
FACES, QUICK_FACES = 400, 25
REST_S = 0.2
FASTER_THAN_HUMAN, MOST_PAGE_KB, LEAST_CAMERA, MOST_ANSWER_S = 2, 5500, 25, 2

Values = dict[str, list[float]]


@dataclass(slots=True)
class Measured:
    """Values by side, turn by turn.

    Attributes:
        cold_s: From the request of a page until its first answer, nothing kept.
        warm_s: The same with the files in the browser's cache.
        kilobytes: Size of the files that were requested, compressed.
        frame_s: By number of faces, then by side.
        found: Mean number of faces found, by number of faces, then by side.
        page_camera: Frames per second of a camera in the page of `emopy web`.
        page_kilobytes: Size of that page, by model.
        page_answer_s: From its second request until its first answer.
        answers: None without labeled faces.
    """

    cold_s: Values = field(default_factory=dict)
    warm_s: Values = field(default_factory=dict)
    kilobytes: dict[str, float] = field(default_factory=dict)
    frame_s: dict[str, Values] = field(default_factory=dict)
    found: dict[str, dict[str, float]] = field(default_factory=dict)
    page_camera: list[float] = field(default_factory=list)
    page_kilobytes: dict[str, float] = field(default_factory=dict)
    page_answer_s: list[float] = field(default_factory=list)
    answers: Answers | None = None


def measure(settings: Settings) -> Section:
    """Let the pages of all sides take turns in one browser."""
    scratch, found = settings.scratch, Measured()
    images = write_images(scratch)
    camera = write_camera(scratch / "camera.y4m")
    with site(scratch, peers=True) as served, chromium(camera) as browser:
        version = browser.version
        first = _url(images["one face"][0], scratch)
        _load(browser, served, first, found, settings)
        with new_context(browser) as context:
            sides = {name: SidePage.open(context, served, name, first) for name in SIDES}
            for kind, files in images.items():
                _time_images(sides, [_url(file, scratch) for file in files], kind, found, settings)
            if settings.data is not None:
                found.answers = _ask(sides, settings)
        _measure_page(browser, served, found, settings)
    return Section(
        title="Beside other libraries in the browser",
        how=_how(settings, found),
        figures=[*_speed_figures(found), *_load_figures(found), *_page_figures(found)],
        header=web_accuracy.HEADER if found.answers else (),
        rows=[*found.answers.rows()] if found.answers else (),
        notes=[*_notes(found, version)],
    )


def _url(file: Path, scratch: Path) -> str:
    return f"/inputs/{file.relative_to(scratch).as_posix()}"


def _load(browser: Browser, served: Site, first: str, found: Measured, settings: Settings) -> None:
    """Open the page of each side in a new profile, and once more in the same."""
    for turn in range(settings.turns(LOAD_TURNS)):
        print(f"loading, turn {turn + 1}", file=sys.stderr)
        for side in SIDES:
            time.sleep(REST_S)
            with new_context(browser) as context:
                served.forget()
                cold = SidePage.open(context, served, side, first)
                found.kilobytes[side] = _library_kilobytes(served)
                cold.tab.close()
                warm = SidePage.open(context, served, side, first)
            found.cold_s.setdefault(side, []).append(cold.answer_s)
            found.warm_s.setdefault(side, []).append(warm.answer_s)


def _library_kilobytes(served: Site) -> float:
    """Size of what was requested, without what belongs to the benchmark."""
    own = ("/sides/", "/inputs/")
    return sum(size for path, size in served.sent.items() if not path.startswith(own)) / 1000


def _time_images(
    sides: Mapping[str, SidePage],
    urls: Sequence[str],
    kind: str,
    found: Measured,
    settings: Settings,
) -> None:
    times: Values = {name: [] for name in sides}
    counts: Values = {name: [] for name in sides}
    for page in sides.values():
        page.open_images(urls)
        page.time_images(len(urls))  # does not count
    for turn in range(settings.turns(TURNS)):
        print(f"{kind}, turn {turn + 1}", file=sys.stderr)
        for name, page in sides.items():
            time.sleep(REST_S)
            frames = page.time_images(FRAMES_PER_TURN)
            times[name].append(statistics.median(frame["ms"] for frame in frames) / 1000)
            counts[name].append(statistics.mean(frame["faces"] for frame in frames))
    found.frame_s[kind] = times
    found.found[kind] = {name: statistics.mean(values) for name, values in counts.items()}


def _ask(sides: Mapping[str, SidePage], settings: Settings) -> Answers:
    assert settings.data is not None
    faces = labeled_faces(settings.data, QUICK_FACES if settings.quick else FACES)
    print(f"{len(faces)} labeled faces", file=sys.stderr)
    files = write_faces(faces, settings.scratch / "faces")
    truth = [faces.labels[column] for column in faces.truth]
    return web_accuracy.ask(sides, [_url(file, settings.scratch) for file in files], truth)


def _measure_page(browser: Browser, served: Site, found: Measured, settings: Settings) -> None:
    """Visit the page of `emopy web` twice with new profiles, then turn its camera on."""
    for turn in range(settings.turns(CAMERA_TURNS)):
        print(f"page, turn {turn + 1}", file=sys.stderr)
        with new_context(browser) as context:
            served.forget()
            page = WebPageTab(context, served)
            found.page_kilobytes = {name: page.kilobytes(name) for name in (BASE, TINY)}
            found.page_answer_s.append(page.answer_again_s())
            page.start_camera()
            seconds = 1 if settings.quick else PAGE_CAMERA_S
            found.page_camera.append(page.frames_per_second(seconds))


def _speed_figures(found: Measured) -> Iterator[Figure]:
    for kind, times in found.frame_s.items():
        for other in (HUMAN, HUMAN_MESH, FACE_API):
            is_target = (kind, other) == ("one face", HUMAN)
            yield ratios(times[other], times[BASE]).figure(
                f"{other} ÷ {BASE}, time per frame, {kind}",
                "×",
                at_least=FASTER_THAN_HUMAN if is_target else None,
            )
    if found.answers:
        accuracy = {name: found.answers.accuracy(name) for name in SIDES}
        best = max(accuracy[HUMAN], accuracy[HUMAN_MESH])
        what = "accuracy: emopy-base − human, with or without its mesh"
        yield Figure(what, accuracy[BASE] - best, "%", at_least=0)
    for kind, times in found.frame_s.items():
        for name, values in times.items():
            yield Spread.of(values).scaled(1000).figure(f"{name}, one frame, {kind}", "ms")


def _load_figures(found: Measured) -> Iterator[Figure]:
    for name in SIDES:
        yield Spread.of(found.cold_s[name]).figure(f"{name}, first answer, nothing kept", "s")
        yield Spread.of(found.warm_s[name]).figure(f"{name}, first answer, files kept", "s")
        yield Figure(f"{name}, files, compressed", found.kilobytes[name], "kB")


def _page_figures(found: Measured) -> Iterator[Figure]:
    page = "page of `emopy web`"
    for name, size in found.page_kilobytes.items():
        at_most = MOST_PAGE_KB if name == TINY else None
        yield Figure(f"{page} with {name}, files, compressed", size, "kB", at_most=at_most)
    yield Spread.of(found.page_answer_s).figure(
        f"{page}, second visit: first answer", "s", at_most=MOST_ANSWER_S
    )
    yield Spread.of(found.page_camera).figure(
        f"{page}, camera with {CAMERA_FPS} frames per second: frames per second",
        "/s",
        at_least=LEAST_CAMERA,
    )


def _how(settings: Settings, found: Measured) -> str:
    text = (
        "The pages of all sides are open in one Chromium without a window and without a GPU, and "
        f"take turns: {settings.turns(TURNS)} turns of {FRAMES_PER_TURN} frames; the median frame "
        "of a turn is its value, ratios are taken turn by turn. Frames have 640 × 480 pixels and "
        "come from a canvas: a photograph in the public domain, rotated and relit, "
        "with one face; a generated scene with five. Each frame is predicted as an image "
        "of its own. The camera of the page is a generated scene with one face. First answers "
        "count from the request of the page to the faces of one image, on this machine, so without "
        "the time of a network; files are compressed with gzip."
    )
    if found.answers:
        text += (
            f" Accuracy: {len(found.answers.truth)} faces of FER+, drawn at random from those that "
            "`--data` names, each enlarged four times in the middle of a gray image of 640 × 480 "
            "pixels. The right answer is the emotion of most votes, among seven; a face that was "
            "not found is a wrong answer."
        )
    return text


def _notes(found: Measured, version: str) -> Iterator[str]:
    yield f"Chromium {version}; `@vladmandic/human` 3.3.6, `@vladmandic/face-api` 1.7.15."
    yield (
        "All sides compute in WebAssembly with SIMD and one thread. Where there is a GPU, human "
        "and face-api use it by default; without one, their WebGL is much slower than this."
    )
    yield (
        "human: its detector and its emotions, everything else switched off; with its mesh, faces "
        "are also aligned, as by default. face-api: its tiny detector and its expressions."
    )
    for kind, counts in found.found.items():
        listed = ", ".join(f"{name} {count:.1f}" for name, count in counts.items())
        yield f"Faces found per frame, {kind}: {listed}."
    if found.answers:
        yield (
            "emopy-base and emopy-tiny were trained on other faces of FER+; these were used for no "
            "choice. What human and face-api were trained on is not known."
        )
