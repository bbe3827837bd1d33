from xml.etree import ElementTree as ET

from emopy.labels import STANDARD_EMOTIONS
from emopy.types import ImageResult


def test_a_notebook_shows_a_row_per_face_and_a_bar_per_emotion(found):
    faces = (found((0, 0, 9, 9)), found((1, 1, 5, 5), "fear"))
    html = ImageResult("a.jpg", (20, 10), faces)._repr_html_()
    table = ET.fromstring(html.replace("<br>", "<br/>"))
    assert table.find("caption").text.strip() == "a.jpg, 20 × 10"
    rows = table.findall("tr")
    assert [row.find("td/b").text for row in rows] == ["happiness", "fear"]
    bars = rows[0].findall("td/div")
    assert sorted(bar.find("span").text for bar in bars) == sorted(STANDARD_EMOTIONS)
    assert bars[0].find("span").text == "happiness"
    assert bars[0].findall("span")[1].tail == "70.0%"
    assert "width: 112.0px" in bars[0].findall("span")[1].get("style")


def test_names_and_labels_are_escaped(found):
    labels = ("<b>calm</b>", "anger")
    face = found((0, 0, 9, 9), labels[0], labels=labels)
    html = ImageResult("<script>\x1b.jpg", (20, 10), (face,))._repr_html_()
    assert "<script>" not in html
    assert "<b>calm" not in html
    assert "&lt;script&gt;\\x1b.jpg" in html


def test_an_image_without_a_face_says_so():
    assert "no face" in ImageResult("a.jpg", (20, 10))._repr_html_()
