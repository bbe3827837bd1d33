import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from emopy.data import Dataset
from emopy.errors import DataError
from emopy.evaluate import evaluate, html_report, make_report
from emopy.evaluate.html_report import MAX_EXPLAINED, THUMBNAIL_PX, data_uri
from emopy.models import InputSpec, ModelCard, load_model

VOID = {"meta", "img", "br"}
SHAPES = {"rect", "line", "circle", "polygon", "polyline"}
LOADING = {"src", "href", "srcset", "data", "action", "poster", "background"}


class Page(HTMLParser):
    """Reads a page, and refuses tags that do not close as they opened."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in SHAPES
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def of(self, wanted):
        return [attrs for tag, attrs in self.tags if tag == wanted]


@pytest.fixture
def report(model_folder, faces):
    return evaluate(model_folder, faces, groups=np.where(np.arange(80) < 60, "adults", "children"))


@pytest.fixture
def card(model_folder):
    return load_model(model_folder).card.changed(
        data="four corners", limits="no\nfaces", out_of_scope_use="deciding about people"
    )


@pytest.mark.parametrize("name", ["caf\udce9.png", "\ud83d", "x\udcff\udcfe"])
def test_names_that_are_not_utf_8_are_readable_on_the_page(model_folder, faces, name):
    data = replace(faces, sources=np.full(len(faces), name))
    report = evaluate(model_folder, data, groups=[name] * len(faces))
    page = html_report(report, data, data_name=name)
    assert name[0].encode("ascii", "ignore").decode() in page
    assert "\\ud" in page
    page.encode("utf-8")


def test_the_page_is_well_formed_and_shows_the_metrics(report, faces, card):
    page = Page(html_report(report, faces, card=card, data_name="corners.npz"))
    for text in (
        "corners 1", "80 faces", "corners.npz", "75.0%", f"{report.ece:.1%}",
        f"{report.brier:.3f}", f"{report.log_loss:.3f}", "adults", "children",
        "fewer than 30 faces", "four corners", "deciding about people", "row 15",
        "Of 20 errors, the 20",
    ):  # fmt: skip
        assert text in page.text
    assert [attrs["lang"] for attrs in page.of("html")] == ["en"]


def test_the_page_loads_nothing_and_runs_nothing(report, faces, card):
    text = html_report(report, faces, card=card)
    page = Page(text)
    loaded = [value for _, attrs in page.tags for key, value in attrs.items() if key in LOADING]
    assert loaded
    assert all(value.startswith("data:image/png;base64,") for value in loaded)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|@import|url\(", text)
    assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on")]


def test_the_page_is_accessible_to_screen_readers(report, faces, card):
    page = Page(html_report(report, faces, card=card))
    assert all(image["alt"].startswith("Face labeled ") for image in page.of("img"))
    charts = [svg for svg in page.of("svg") if svg["class"] == "chart"]
    assert len(charts) == 2
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in charts)
    assert all("scope" in head for head in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table")) == 4


def test_the_page_adapts_to_dark_mode_narrow_screens_and_print(report):
    text = html_report(report)
    for query in ("prefers-color-scheme: dark", "max-width: 36rem", "@media print"):
        assert query in text


def test_names_from_outside_are_escaped(faces):
    evil = '<script>alert("1")</script>&'
    data = Dataset(
        faces.images, faces.targets, (evil, *faces.labels[1:]), faces.subject_ids,
        np.array([f"<b>{i}" for i in range(80)]),
    )  # fmt: skip
    proba = np.full((80, 4), 0.1) + 0.6 * np.eye(4)[(faces.truth + 1) % 4]
    report = make_report(proba, faces.truth, data.labels, groups=[evil] * 80)
    card = ModelCard(evil, evil, data.labels, InputSpec(8, 8), data=evil, out_of_scope_use=evil)
    text = html_report(report, data, card=card, data_name=evil)
    page = Page(text)
    assert "<script" not in text
    assert not page.of("script")
    assert page.text.count(evil) > 8
    assert "<b>3" in page.text


def test_the_most_confident_error_is_the_first_face(report, faces, card):
    (first, *_) = Page(html_report(report, faces, card=card)).of("img")
    predictions = report.predictions
    (row,) = predictions.most_confident_errors(1)
    label, predicted = (
        report.labels[column[row]] for column in (predictions.y_true, predictions.y_pred)
    )
    assert first["alt"].startswith(f"Face labeled {label}, predicted as {predicted}")
    assert base64.b64decode(first["src"].partition(",")[2]).startswith(b"\x89PNG")


def test_the_first_errors_have_a_map_of_what_raises_the_predicted_label(
    report, faces, model_folder
):
    page = Page(html_report(report, faces, model=load_model(model_folder)))
    images = page.of("img")
    maps = [image for image in images if "orange raises the probability of" in image["alt"]]
    assert len(images) == 20 + MAX_EXPLAINED
    assert len(maps) == MAX_EXPLAINED
    assert f"Below the first {MAX_EXPLAINED} faces" in page.text
    assert "corners 1" in page.text
    (row,) = report.predictions.most_confident_errors(1)
    corner = report.predictions.y_pred[row]  # the pixel that is the logit of this label
    drawn = decoded(maps[0]["src"]).astype(int)
    assert drawn.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)
    orange = drawn[..., 0] - drawn[..., 2]
    pixel = THUMBNAIL_PX // 8
    assert orange[:pixel, corner * pixel : (corner + 1) * pixel].mean() > orange.mean() + 30


def test_a_report_of_some_labels_in_other_words_has_maps(model_folder, faces):
    report = evaluate(model_folder, faces, labels=["happy", "angry"])
    page = Page(html_report(report, faces, model=load_model(model_folder)))
    assert sum("orange raises" in image["alt"] for image in page.of("img")) == len(
        report.predictions.most_confident_errors(MAX_EXPLAINED)
    )


def test_without_the_model_there_are_no_maps(report, faces, card):
    page = Page(html_report(report, faces, card=card))
    assert not any("orange" in image["alt"] for image in page.of("img"))
    assert "orange" not in page.text


def test_without_faces_no_person_is_on_the_page(report):
    page = Page(html_report(report))
    assert not page.of("img")
    assert "Most confident errors" not in page.text


def test_the_page_of_a_model_without_errors_says_so(faces):
    report = make_report(faces.targets.astype(np.float32), faces.truth, faces.labels)
    page = Page(html_report(report, faces))
    assert "There are no errors." in page.text
    assert "Most frequent confusion" not in page.text
    assert "Recall is highest" not in page.text  # all recalls are the same


def test_the_same_report_gives_the_same_page(report, faces, model_folder):
    pages = [html_report(report, faces, model=load_model(model_folder)) for _ in range(2)]
    assert pages[0] == pages[1]


def test_faces_of_the_evaluated_labels_are_selected_from_the_whole_dataset(model_folder, faces):
    report = evaluate(model_folder, faces, labels=["happiness", "anger"])
    assert Page(html_report(report, faces)).of("html")


def test_faces_of_another_report_are_refused(report, faces):
    with pytest.raises(DataError, match=r"80 faces. Received 79 others"):
        html_report(report, faces.take(range(79)))


@pytest.mark.parametrize("n", [1, 2, 31])
def test_a_page_of_few_faces_and_labels_without_a_face_is_well_formed(n):
    rng = np.random.default_rng(n)
    proba = rng.dirichlet(np.ones(3), n)
    report = make_report(proba, np.zeros(n, np.intp), ("a", "b", "c"), groups=["x"] * n)
    page = Page(html_report(report))
    assert "–" in page.text
    assert not re.search(r"\b(nan|None)\b", page.text)


def decoded(uri):
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_face_is_kept_pixel_by_pixel(channels):
    face = np.random.default_rng(0).integers(0, 256, (48, 40, channels), dtype=np.uint8)
    np.testing.assert_array_equal(decoded(data_uri(face)).reshape(face.shape), face)


def test_of_a_clip_the_last_frame_is_shown():
    clip = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    assert (decoded(data_uri(clip)) == 3).all()


def test_a_large_face_is_made_smaller_in_proportion():
    assert decoded(data_uri(np.zeros((600, 300, 3), np.uint8))).shape == (
        THUMBNAIL_PX, THUMBNAIL_PX // 2, 3,
    )  # fmt: skip
