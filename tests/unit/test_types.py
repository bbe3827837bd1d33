import json

import numpy as np
import PIL.Image
import pytest

import emopy
from emopy.errors import InputError
from emopy.result_table import row_columns, to_rows
from emopy.types import (
    Box,
    Face,
    FacePrediction,
    FailedInput,
    ImageResult,
    Prediction,
)

SHOWN = Prediction(("anger", "fear", "neutral"), np.array([0.2, 0.5, 0.3], np.float32))


def test_a_box_has_width_height_and_center():
    box = Box(10, 20, 40, 80)
    assert (box.width, box.height, box.center) == (30, 60, (25, 50))


def test_the_overlap_of_boxes_is_their_intersection_over_union():
    box = Box(0, 0, 10, 10)
    assert box.iou(box) == 1
    assert box.iou(Box(5, 0, 15, 10)) == Box(5, 0, 15, 10).iou(box) == pytest.approx(1 / 3)
    assert box.iou(Box(2, 2, 4, 4)) == pytest.approx(4 / 100)
    assert box.iou(Box(10, 0, 20, 10)) == box.iou(Box(20, 20, 30, 30)) == 0


@pytest.mark.parametrize(
    "edges", [(5, 0, 5, 9), (0, 9, 5, 1), (0, 0, np.nan, 5), (0, 0, np.inf, 5)]
)
def test_an_impossible_box_is_refused(edges):
    with pytest.raises(InputError, match="`Box` must have"):
        Box(*edges)


def test_landmarks_must_be_five_points():
    with pytest.raises(InputError, match=r"shape \(5, 2\)"):
        Face(Box(0, 0, 1, 1), landmarks=np.zeros((4, 2), np.float32))


def test_a_prediction_has_an_emotion_and_a_ranking():
    assert (SHOWN.emotion, SHOWN.confidence) == ("fear", 0.5)
    assert [label for label, _ in SHOWN.top(2)] == ["fear", "neutral"]
    assert list(SHOWN.to_dict()) == ["anger", "fear", "neutral"]
    assert repr(SHOWN) == "Prediction(fear 50.0%, neutral 30.0%, anger 20.0%)"


def test_below_the_minimum_confidence_there_is_no_emotion():
    unsure = Prediction(SHOWN.labels, SHOWN.probabilities, min_confidence=0.51)
    assert (unsure.emotion, unsure.confidence) == (None, 0.5)
    assert unsure.top(1)[0][0] == "fear"
    assert Prediction(SHOWN.labels, SHOWN.probabilities, min_confidence=0.5).emotion == "fear"


def test_entropy_is_zero_for_one_certain_label_and_log_n_for_equal_ones():
    sure, even = np.array([0, 1, 0], np.float32), np.full(3, 1 / 3, np.float32)
    assert Prediction(SHOWN.labels, sure).entropy == 0
    assert Prediction(SHOWN.labels, even).entropy == pytest.approx(np.log(3))
    assert 0 < SHOWN.entropy < np.log(3)


def test_probabilities_must_be_one_per_label():
    with pytest.raises(InputError, match=r"shape \(2,\)"):
        Prediction(("anger", "fear"), np.ones(3, np.float32) / 3)


def test_a_face_prediction_has_the_attributes_of_its_face_and_prediction():
    face = FacePrediction(Face(Box(0, 0, 2, 3)), SHOWN)
    assert (face.box.height, face.emotion, face.confidence) == (3, "fear", 0.5)
    assert face.probabilities == SHOWN.to_dict()


def test_records_are_frozen():
    with pytest.raises(AttributeError):
        ImageResult("a.png", (1, 1)).source = "b.png"


def test_an_object_holds_everything_that_was_found():
    landmarks = np.arange(10, dtype=np.float32).reshape(5, 2)
    faces = (
        FacePrediction(Face(Box(10, 20, 60, 80), 0.987654321, landmarks), SHOWN),
        FacePrediction(Face(Box(-5.25, 0, 7.123456789, 9)), SHOWN),
    )
    record = ImageResult("a.jpg", (640, 480), faces).to_dict()
    face = record["faces"][0]
    assert list(record) == ["source", "width", "height", "faces", "error"]
    assert (record["width"], record["height"], record["error"]) == (640, 480, None)
    assert face["box"] == {"left": 10, "top": 20, "right": 60, "bottom": 80}
    assert (face["face"], face["emotion"], face["confidence"]) == (1, "fear", 0.5)
    assert face["landmarks"][1] == [2, 3]
    assert face["score"] == 0.987654
    assert list(face["probabilities"]) == list(SHOWN.labels)
    assert record["faces"][1]["landmarks"] is None
    assert record["faces"][1]["box"]["right"] == 7.12346


def test_objects_of_images_and_failed_inputs_have_the_same_keys():
    failed = FailedInput("a", InputError("`source` must hold an image.")).to_dict()
    assert list(failed) == list(ImageResult("a", (1, 1)).to_dict())
    assert failed["error"] == "`source` must hold an image."
    assert FailedInput("a", ValueError()).to_dict()["error"] == "ValueError"


def test_objects_of_video_frames_have_time_frame_and_track():
    tracked = FacePrediction(Face(Box(0, 0, 9, 9), track=4), SHOWN)
    record = ImageResult("clip", (9, 9), (tracked,), time_s=1 / 3).to_dict()
    assert (record["time_s"], record["faces"][0]["track"]) == (0.333333, 4)
    late = ImageResult("clip", (9, 9), (), time_s=86399.9871234, frame=2_159_999).to_dict()
    assert (late["time_s"], late["frame"]) == (86399.987123, 2_159_999)


def test_numbers_that_are_not_finite_become_null():
    broken = Prediction(("a", "b"), np.array([np.nan, np.inf], np.float32))
    result = ImageResult("a", (9, 9), (FacePrediction(Face(Box(0, 0, 1, 1)), broken),))
    (face,) = result.to_dict()["faces"]
    assert face["probabilities"] == {"a": None, "b": None}
    json.dumps(face, allow_nan=False)


def test_rows_have_all_columns_and_empty_cells_without_a_face():
    columns = row_columns(SHOWN.labels)
    faces = (FacePrediction(Face(Box(0, 0, 9, 9), track=4), SHOWN),) * 2
    rows = to_rows(ImageResult("a", (9, 8), faces, 1.5, 3), SHOWN.labels)
    assert [tuple(row) for row in rows] == [columns, columns]
    assert [row["face"] for row in rows] == [1, 2]
    assert (rows[0]["time_s"], rows[0]["frame"], rows[0]["track"], rows[0]["fear"]) == (
        *(1.5, 3, 4, 0.5),
    )
    (row,) = to_rows(FailedInput("a", InputError("no image")), SHOWN.labels)
    assert {name: cell for name, cell in row.items() if cell is not None} == {
        "source": "a",
        "error": "no image",
    }


def test_rows_of_other_labels_are_refused():
    result = ImageResult("a", (9, 9), (FacePrediction(Face(Box(0, 0, 9, 9)), SHOWN),))
    with pytest.raises(InputError, match="must have the labels"):
        to_rows(result, SHOWN.labels[::-1])


def test_a_result_has_the_length_and_the_items_of_its_faces(found):
    faces = (found((0, 0, 9, 9)), found((1, 1, 5, 5), "fear"))
    result = ImageResult("a.jpg", (20, 10), faces)
    assert (len(result), list(result), result[1]) == (2, list(faces), faces[1])
    nothing = ImageResult("wall.jpg", (20, 10))
    assert (len(nothing), list(nothing), bool(nothing)) == (0, [], True)
    with pytest.raises(IndexError):
        nothing[0]


def test_an_input_that_failed_has_no_faces_and_an_error(found):
    face = found((0, 0, 9, 9))
    good, bad = ImageResult("a", (20, 10), (face,)), FailedInput("b", InputError("no image"))
    assert [each for result in (good, bad) for each in result] == [face]
    assert [str(result.error) for result in (good, bad) if result.error] == ["no image"]
    assert (len(bad), list(bad), bad.faces, bool(bad)) == (0, [], (), True)
    with pytest.raises(IndexError):
        bad[0]


def test_boxes_and_faces_are_shown_in_one_line_and_keep_their_values(found):
    edges = (73.2345678, 43.5, np.float32(248.91), 276)
    box = Box(*edges)
    assert repr(box) == "Box(left=73.2, top=43.5, right=248.9, bottom=276.0)"
    assert (box.left, box.top, box.right, box.bottom) == edges
    landmarks = np.full((5, 2), 100.26, np.float32)
    points = ", ".join(["(100.3, 100.3)"] * 5)
    assert repr(Face(box, 0.98765, landmarks, track=4)) == (
        f"Face({box}, score=0.99, landmarks=[{points}], track=4)"
    )
    assert repr(Face(box)) == f"Face({box}, score=1.00)"
    assert repr(found(edges)) == f"FacePrediction(happiness 70.0%, {box})"
    unsure = Prediction(SHOWN.labels, SHOWN.probabilities, min_confidence=0.6)
    assert repr(FacePrediction(Face(box, track=4), unsure)) == (
        f"FacePrediction(track 4: not sure 50.0%, {box})"
    )


def test_a_result_is_shown_with_one_line_per_face(found):
    faces = (found((0, 0, 9, 9)), found((1, 1, 5, 5), "fear", track=4))
    lines = repr(ImageResult("a.jpg", (20, 10), faces)).splitlines()
    assert lines == [
        "ImageResult('a.jpg', 20 × 10, 2 faces)",
        "  happiness 70.0% in Box(0, 0, 9, 9)",
        "  track 4: fear 70.0% in Box(1, 1, 5, 5)",
    ]
    late = ImageResult("clip.mp4", (20, 10), (), time_s=1.5, frame=3)
    assert repr(late) == "ImageResult('clip.mp4', 20 × 10, frame 3, 1.50 s, no face)"


def test_json_and_data_frame_of_a_result_hold_its_record_and_rows(found):
    result = ImageResult("ä.jpg", (20, 10), (found((0, 0, 9, 9)), found((1, 1, 5, 5), "fear")))
    assert json.loads(result.to_json()) == result.to_dict()
    assert "ä.jpg" in result.to_json(indent=2)
    table = result.to_frame()
    assert table["emotion"].tolist() == ["happiness", "fear"]
    assert table["source"].tolist() == ["ä.jpg", "ä.jpg"]


def test_the_image_of_a_result_is_drawn(found, tmp_path):
    image = np.full((300, 400, 3), 90, np.uint8)
    PIL.Image.fromarray(image).save(tmp_path / "a.png")
    result = ImageResult(str(tmp_path / "a.png"), (400, 300), (found((50, 50, 150, 180)),))
    drawn = result.show()
    assert isinstance(drawn, PIL.Image.Image)
    assert np.ptp(np.asarray(drawn)) > 100
    assert np.array_equal(np.asarray(drawn), np.asarray(emopy.draw(image, result)))
    with pytest.raises(InputError, match="must be the image of `result`"):
        result.show(image[:100])


def test_a_result_alone_is_drawn_on_its_file(found, tmp_path):
    PIL.Image.fromarray(np.full((300, 400, 3), 90, np.uint8)).save(tmp_path / "a.png")
    result = ImageResult(str(tmp_path / "a.png"), (400, 300), (found((50, 50, 150, 180)),))
    assert np.array_equal(np.asarray(emopy.draw(result)), np.asarray(result.show()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            (ImageResult("a", (9, 9)), "a.png"),
            r"Received an ImageResult .* Swap them: draw\(image, ",
        ),
        ((ImageResult("<array>", (9, 9)),), r"of an array. Type: draw\(image, result\)"),
        (("a.png",), r"Received none. Type: draw\(image, result\)"),
        (("a.png", [1]), "Received a list. Type"),
        (("a.png", FailedInput("a.png", InputError("no image."))), "a FailedInput: no image."),
    ],
)
def test_wrong_arguments_of_draw_are_explained(given, message):
    with pytest.raises(InputError, match=message):
        emopy.draw(*given)


@pytest.mark.parametrize(
    ("source", "kind"),
    [("<array>", "an array"), ("<bytes>", "bytes"), ("<PIL image>", "a PIL image")],
)
def test_a_result_without_a_file_names_what_it_came_from(source, kind):
    with pytest.raises(InputError) as error:
        ImageResult(source, (9, 9)).show()
    assert str(error.value) == (
        f"`image` must be given for a result of {kind}. Type: result.show(image)"
    )
    with pytest.raises(InputError, match=r"Received 'gone\.jpg': no such file"):
        ImageResult("gone.jpg", (9, 9)).show()


@pytest.mark.parametrize("place", [{}, {"time_s": 0.2, "frame": 5}])
def test_a_result_that_is_not_of_an_image_file_asks_for_the_image(place, tmp_path):
    (tmp_path / "clip.avi").write_bytes(b"")
    source = str(tmp_path / "clip.avi") if place else "<array>"
    with pytest.raises(InputError, match=r"`image` must be given .* Type: result.show\(image\)"):
        ImageResult(source, (400, 300), **place).show()
