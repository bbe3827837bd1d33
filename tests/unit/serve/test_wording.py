import pytest

from emopy.errors import InputError, LabelError, MissingExtraError
from emopy.serve.wording import in_http_words, refusal


@pytest.mark.parametrize(
    "text, expected",
    [
        ("`source` must hold an image. Received '<bytes>': zero bytes.",
         "source must hold an image. Received 'a.png': zero bytes."),
        ("Received <bytes>, in which none was found.", "Received a.png, in which none was found."),
        ("Received '<bytes>': an image. Type: `FERModel().predict('<bytes>')`",
         "Received 'a.png': an image. Type: POST /v1/predict"),
        ("a video. Use `FERModel.predict_video`.", "a video. Use POST /v1/video."),
        ("Type for example: `emotions=['anger', 'fear']`", "Type for example: emotions=anger,fear"),
        ("Type for example: `prior={'anger': 0.25, 'fear': 0.75}`",
         "Type for example: prior=anger=0.25,fear=0.75"),
        ("Type for example: `emotion='anger'`", "Type for example: emotion=anger"),
        ("Type `every=1` for all frames.", "Type every=1 for all frames."),
        ("raise the limit: `max_pixels=9`", "raise the limit: emopy serve --max-pixels 9"),
        ("Received Box(left=900.0, top=0.5, right=1e+301, bottom=5.0) as face 1 of '<array>'.",
         "Received 900,0.5,1e+301,5 as face 1 of 'a.png'."),
        ("Call `numpy.asarray(image)`.", "Call numpy.asarray(image)."),
    ],
)  # fmt: skip
def test_errors_of_python_are_in_the_words_of_http(text, expected):
    assert in_http_words(InputError(text), "a.png") == expected


def test_only_unreadable_inputs_count_as_failed():
    bad, label = refusal(InputError("Bad."), "a.png"), refusal(LabelError("No label."), "a.png")
    value = refusal(InputError("`fps` must be above 0."))
    assert (bad.status, bad.failed_inputs, bad.detail) == (422, 1, "Bad.")
    assert (label.status, label.failed_inputs) == (422, 0)
    assert (value.status, value.failed_inputs, value.detail) == (422, 0, "fps must be above 0.")


def test_a_missing_extra_is_the_fault_of_the_service():
    problem = refusal(MissingExtraError("Reading video files", "video"))
    assert (problem.status, problem.failed_inputs) == (501, 0)
    assert "pip install 'emopy[video]'" in problem.detail
