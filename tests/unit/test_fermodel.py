import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from emopy import FERModel
from emopy.errors import (
    ImageWarning,
    InputError,
    LabelError,
    MissingExtraError,
    ModelError,
    ModelNotFoundError,
)
from emopy.faces import MTCNN, FullImage
from emopy.labels import ALL_EMOTIONS, STANDARD_EMOTIONS
from emopy.models import InputSpec, ModelCard, write_model_folder
from emopy.types import Box, Face, FailedInput, Frame, ImageResult

_STREAM = io.BytesIO()
Image.new("L", (11, 1)).save(_STREAM, "PNG")
_PNG = _STREAM.getvalue()


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def halves(image):
    """A detector: the red of the top left pixel is the number of faces, smallest first."""
    height, width = image.shape[:2]
    return tuple(
        Face(Box(0, 0, width * (i + 1) / 8, height * (i + 1) / 8)) for i in range(image[0, 0, 0])
    )


def image(faces, seed):
    image = noise(64, 80, 3, seed=seed)
    image[0, 0, 0] = faces
    return image


@pytest.fixture
def model(linear_model):
    return FERModel("all", model=linear_model, detector=halves)


def test_labels_are_the_standard_seven_unless_asked_otherwise(linear_model):
    assert FERModel(model=linear_model, detector=halves).labels == STANDARD_EMOTIONS
    assert FERModel("all", model=linear_model, detector=halves).labels == ALL_EMOTIONS


def test_results_have_the_labels_as_they_were_asked_for(linear_model):
    model = FERModel([" Happy", "calm", "anger"], model=linear_model, detector=halves)
    assert model.labels == ("Happy", "calm", "anger")
    assert repr(model).startswith("FERModel(['Happy', 'calm', 'anger']")
    crops = noise(12, 48, 48)
    same = FERModel(["happiness", "neutral", "anger"], model=linear_model, detector=halves)
    words = {"happiness": "Happy", "neutral": "calm", "anger": "anger"}
    for typed, known in zip(model.predict_faces(crops), same.predict_faces(crops), strict=True):
        assert typed.labels == model.labels
        assert list(typed.to_dict()) == list(model.labels)
        assert typed.emotion == words[str(known.emotion)]
        np.testing.assert_array_equal(typed.probabilities, known.probabilities)


def test_a_prior_may_have_the_typed_labels_or_other_words_for_them(linear_model):
    def predict(prior):
        model = FERModel(["calm", "angry"], prior=prior, detector=halves)
        return [shown.probabilities.tolist() for shown in model.predict_faces(noise(3, 48, 48))]

    typed = predict({"calm": 0.8, "angry": 0.2})
    assert typed == predict({"Neutral": 4, "anger": 1}) != predict("uniform")


@pytest.mark.parametrize(
    "target_emotions, reason",
    [
        (["happyness", "fear"], "Did you mean 'happiness'"),
        (["fear"], "two or more"),
        (["calm", "neutral"], "twice"),
        ("some", "'standard' or 'all'"),
    ],
)
def test_labels_that_cannot_be_selected_are_refused(linear_model, target_emotions, reason):
    with pytest.raises(LabelError, match=reason):
        FERModel(target_emotions, model=linear_model, detector=halves)


def test_probabilities_of_a_subset_are_renormalized(linear_model):
    crops = noise(5, 48, 48)
    whole = FERModel("all", model=linear_model, detector=halves).predict_faces(crops)
    chosen = ["sadness", "contempt", "fear"]
    part = FERModel(chosen, model=linear_model, detector=halves).predict_faces(crops)
    for full, few in zip(whole, part, strict=True):
        kept = np.array([full.to_dict()[label] for label in chosen])
        np.testing.assert_allclose(few.probabilities, kept / kept.sum(), rtol=1e-5)


def test_two_views_average_the_logits_of_a_crop_and_its_mirror_image(linear_model):
    def predict(views, crops):
        options = {"model": linear_model, "detector": halves, "prior": "training"}
        predictions = FERModel("all", views=views, **options).predict_faces(crops)
        return np.array([prediction.probabilities for prediction in predictions])

    crops = noise(5, 48, 48)
    mirrored = crops[..., ::-1]
    mean = np.sqrt(predict(1, crops) * predict(1, mirrored))
    expected = mean / mean.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(predict(2, crops), expected, atol=1e-5)
    np.testing.assert_allclose(predict(2, crops), predict(2, mirrored), atol=1e-6)
    assert np.abs(predict(1, crops) - expected).max() > 1e-3


def test_views_are_kept_by_copies_and_can_be_changed(linear_model):
    model = FERModel(model=linear_model, detector=halves, views=2)
    crops = noise(3, 48, 48)

    def probabilities(model):
        return [prediction.probabilities.tolist() for prediction in model.predict_faces(crops)]

    two = probabilities(model)
    assert probabilities(pickle.loads(pickle.dumps(model))) == two
    assert probabilities(model.with_options(min_confidence=0.5)) == two
    one = probabilities(FERModel(model=linear_model, detector=halves))
    assert probabilities(model.with_options(views=1)) == one != two


@pytest.mark.parametrize("views", [0, 3])
def test_other_numbers_of_views_are_refused(linear_model, views):
    with pytest.raises(InputError, match=rf"`views` must be 1, or 2 .* Received {views}"):
        FERModel(model=linear_model, detector=halves, views=views)


def test_faces_come_largest_first(model):
    result = model.predict(image(4, seed=1))
    areas = [face.box.width * face.box.height for face in result.faces]
    assert len(areas) == 4
    assert areas == sorted(areas, reverse=True)
    assert (result.size, result.source) == ((80, 64), "<array>")
    for face in result.faces:
        assert sum(face.probabilities.values()) == pytest.approx(1)


def test_an_image_without_a_face_is_an_empty_result(model):
    assert model.predict(image(0, seed=1)).faces == ()


def test_predicting_faces_accepts_all_forms_of_crops(model):
    crops = noise(3, 48, 48)
    expected = [prediction.probabilities for prediction in model.predict_faces(crops)]
    for form in (crops[..., None], list(crops), np.repeat(crops[..., None], 3, axis=-1)):
        for one, other in zip(model.predict_faces(form), expected, strict=True):
            np.testing.assert_allclose(one.probabilities, other, atol=1e-6)


@pytest.mark.parametrize("crops", [[], (), np.empty((0, 48, 48), np.uint8)])
def test_no_crops_give_no_predictions(model, crops):
    assert model.predict_faces(crops) == ()


@pytest.mark.parametrize("crops", [np.zeros((2, 48, 48)), noise(48, 48, 3), "face.jpg"])
def test_anything_but_crops_is_refused(model, crops):
    with pytest.raises(InputError, match="`crops` must be"):
        model.predict_faces(crops)


def as_numbers(results):
    return [
        [(face.box, face.emotion, round(face.confidence, 5)) for face in result.faces]
        for result in results
    ]


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_many_images_give_the_same_results_as_single_ones(model, batch_size):
    images = [image(i % 5, seed=i) for i in range(13)]
    alone = [model.predict(image) for image in images]
    together = list(model.predict_many(images, batch_size=batch_size))
    assert as_numbers(together) == as_numbers(alone)


def test_an_unreadable_image_is_a_failed_input_among_the_results(model, tmp_path):
    missing = tmp_path / "missing.jpg"
    images = [image(2, 1), missing, b"", image(0, 2), np.zeros((3, 3), complex)]
    results = list(model.predict_many(images))
    assert [isinstance(result, FailedInput) for result in results] == [
        False,
        True,
        True,
        False,
        True,
    ]
    assert results[1].source == str(missing)
    assert isinstance(results[1].error, InputError)
    assert len(results[0].faces) == 2


class Lost:
    """A file object on a connection that is lost."""

    def read(self):
        raise RuntimeError("connection lost")


def test_inputs_that_cannot_be_read_do_not_end_the_others(model, tmp_path):
    Image.fromarray(image(2, 1)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as closed:
        pass
    good = tmp_path / "a.png"
    results = list(model.predict_many([good, closed, good, Lost(), None, ["a.jpg"], good]))
    failed = {1: "closed before its pixels", 3: "connection lost", 4: "None", 5: "predict_many"}
    for place, result in enumerate(results):
        if place in failed:
            assert isinstance(result, FailedInput)
            assert failed[place] in str(result.error)
        else:
            assert len(result.faces) == 2


def test_what_an_iterator_gives_may_change_afterwards(model, tmp_path):
    """Files closed by their `with`, frames of one animation, one buffer for all images."""
    images = [image(faces, seed=faces) for faces in (1, 4, 2, 3, 0, 5)]
    stack = [Image.fromarray(one) for one in images]
    stack[0].save(tmp_path / "all.tif", save_all=True, append_images=stack[1:])
    for place, one in enumerate(stack):
        one.save(tmp_path / f"{place}.png")

    def in_files():
        for place in range(len(images)):
            with (tmp_path / f"{place}.png").open("rb") as file:
                yield file

    def in_lazy_images():
        for place in range(len(images)):
            with Image.open(tmp_path / f"{place}.png") as one:
                yield one

    def in_one_buffer():
        buffer = np.empty_like(images[0])
        for one in images:
            buffer[:] = one
            yield buffer

    expected = as_numbers(model.predict_many(images))
    with Image.open(tmp_path / "all.tif") as pages:
        for sources in (
            in_files(),
            in_lazy_images(),
            in_one_buffer(),
            ImageSequence.Iterator(pages),
        ):
            assert as_numbers(model.predict_many(sources)) == expected


def test_a_dark_image_is_a_warning_and_a_failed_input_where_warnings_are_errors(model):
    dim = image(1, 1).astype(np.uint16)
    with pytest.warns(ImageWarning, match="almost black"):
        (result,) = model.predict_many([dim])
    assert isinstance(result, ImageResult)
    (result,) = model.predict_many([dim])  # here warnings are errors
    assert isinstance(result.error, ImageWarning)


def test_the_limit_of_pixels_can_be_raised_and_lowered(linear_model, tmp_path):
    Image.fromarray(image(1, 1)).save(tmp_path / "a.png")
    path, array = tmp_path / "a.png", image(1, 1)

    def limited(max_pixels):
        return FERModel(model=linear_model, detector=halves, max_pixels=max_pixels)

    low = limited(64 * 80 - 1)
    with pytest.raises(InputError, match="`max_pixels=5120`"):
        low.predict(path)
    failed, result = low.predict_many([path, array])
    assert isinstance(failed, FailedInput)
    assert "`max_pixels=5120`" in str(failed.error)
    assert isinstance(result, ImageResult)
    assert len(result.faces) == 1
    assert len(low.predict(array).faces) == len(low.predict(Image.fromarray(array)).faces) == 1
    assert len(limited(5120).predict(path).faces) == 1
    with pytest.raises(InputError, match="`max_pixels` must be a whole number"):
        limited(0)


def by_pickle(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("copied", [by_pickle, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("detector", ["mtcnn", halves, FullImage(), MTCNN(40, factor=0.6)])
def test_a_copied_model_predicts_the_same(linear_model, monkeypatch, tmp_path, copied, detector):
    monkeypatch.chdir(linear_model.parent)
    model = FERModel(
        ["Happy", "calm", "anger"],
        model=linear_model.name,
        detector=detector,
        prior="training",
        min_confidence=0.4,
        max_pixels=10,
    )
    monkeypatch.chdir(tmp_path)  # also in another folder
    again = copied(model)
    assert again.labels == ("Happy", "calm", "anger")
    for shown, expected in zip(
        again.predict_faces(noise(3, 48, 48)), model.predict_faces(noise(3, 48, 48)), strict=True
    ):
        assert np.array_equal(shown.probabilities, expected.probabilities)
        assert shown.min_confidence == 0.4
    assert as_numbers([again.predict(image(2, 1))]) == as_numbers([model.predict(image(2, 1))])
    with pytest.raises(InputError, match="max_pixels"):
        again.predict(io.BytesIO(_PNG))


def test_results_and_errors_can_be_sent_between_processes(model):
    results = list(model.predict_many([image(2, 1), None]))
    again = by_pickle(results)
    assert as_numbers(again[:1]) == as_numbers(results[:1])
    assert str(again[1].error) == str(results[1].error)
    missing = by_pickle(MissingExtraError("Video", "video"))
    assert str(missing) == str(MissingExtraError("Video", "video"))


def test_an_exception_in_a_detector_is_not_hidden(linear_model):
    def broken(image):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(FERModel(model=linear_model, detector=broken).predict_many([noise(9, 9, 3)]))


@pytest.mark.parametrize("faces", [0, 1, 5])
def test_many_images_are_consumed_as_needed(model, faces):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield image(faces, seed=taken)

    batch_size = 4
    stream = model.predict_many(endless(), batch_size=batch_size)
    assert taken == 0
    for given in range(1, 20):
        next(stream)
        assert taken <= given + batch_size + 4
    stream.close()


def test_the_first_result_does_not_wait_for_a_full_batch(model):
    images = iter([image(1, seed=number) for number in range(40)])
    stream = model.predict_many(images)  # in batches of 32
    next(stream)
    assert len(list(images)) >= 40 - 4
    stream.close()


def test_no_images_give_no_results(model):
    assert list(model.predict_many([])) == []


@pytest.mark.parametrize(
    "source",
    [
        *("a.jpg", b"bytes", memoryview(b"bytes"), None, 5, Image.new("RGB", (9, 9))),
        *(noise(9, 9), noise(9, 9, 1), noise(9, 9, 3), noise(9, 9, 4)),
    ],
)
def test_one_image_instead_of_many_is_refused_at_the_call(model, source):
    with pytest.raises(InputError, match="must be several images"):
        model.predict_many(source)


def test_a_path_that_is_no_folder_is_named(model, tmp_path):
    missing, file = f"{tmp_path}/fotos/", tmp_path / "a.jpg"
    file.write_bytes(b"")
    for path in (missing, tmp_path / "b.jpg"):
        with pytest.raises(
            InputError, match=r"no such file or folder. Check its spelling"
        ) as error:
            model.predict_many(path)
        assert repr(str(path)) in str(error.value)
    with pytest.raises(InputError, match=r"a.jpg', which is no folder. Type predict_many\(\["):
        model.predict_many(file)
    with pytest.raises(InputError, match=r"Received an int\. Type"):
        model.predict_many(5)


def test_a_folder_in_place_of_an_image_is_pointed_to_predict_many(model, tmp_path):
    with pytest.raises(InputError) as error:
        model.predict(f"{tmp_path}/")
    assert f"Type predict_many({str(tmp_path) + '/'!r})" in str(error.value)


def test_a_model_in_place_of_the_labels_is_pointed_to_its_argument():
    with pytest.raises(LabelError, match=r"type FERModel\(model='emopy-tiny'\)"):
        FERModel("emopy-tiny")
    with pytest.raises(LabelError, match=r"Received 'emopy-tin'. Type for example"):
        FERModel("emopy-tin")


def test_a_folder_and_a_pattern_are_the_images_there(model, tmp_path):
    for faces, name in enumerate(("img10.png", "img9.png", ".img8.png", "deep/img1.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(image(faces, seed=faces)).save(tmp_path / name)
    (tmp_path / "img11.png").write_text("no image")

    def found(place):
        results = model.predict_many(place)
        return [(Path(one.source).name, isinstance(one, ImageResult)) for one in results]

    here = [("img9.png", True), ("img10.png", True), ("img11.png", False)]
    assert found(tmp_path) == found(str(tmp_path)) == found(f"{tmp_path}/*.png") == here
    assert found(tmp_path / "**" / "*.png") == [("img1.png", True), *here]
    assert as_numbers(model.predict_many(f"{tmp_path}/img10.*")) == [[]]


@pytest.mark.parametrize("place", ["", "*.png", "**/*.png", "none/*"])
def test_a_folder_or_pattern_without_images_is_refused_at_the_call(model, tmp_path, place):
    with pytest.raises(InputError, match="`sources` must be a"):
        model.predict_many(tmp_path / place)


def test_the_path_of_one_image_is_refused_at_the_call(model, tmp_path):
    Image.fromarray(image(1, 1)).save(tmp_path / "a.png")
    for path in (tmp_path / "a.png", str(tmp_path / "a.png")):
        with pytest.raises(InputError, match=r"Type predict_many\(\[image\]\)"):
            model.predict_many(path)


def test_an_array_of_many_images_is_many_images(model):
    assert len(list(model.predict_many(noise(4, 20, 20, 3)))) == 4
    assert len(list(model.predict_many(noise(4, 20, 20)))) == 4


@pytest.mark.parametrize("kind", [str, object])
def test_an_array_of_paths_is_many_images(model, tmp_path, kind):
    Image.fromarray(image(1, 1)).save(tmp_path / "a.png")
    paths = np.array([str(tmp_path / "a.png")] * 2, dtype=kind)
    assert [result.source for result in model.predict_many(paths)] == paths.tolist()


def test_a_file_object_is_not_read_as_many_images(model, astronaut_file):
    with astronaut_file.open("rb") as file, pytest.raises(InputError, match="several images"):
        model.predict_many(file)


def test_a_batch_size_below_one_is_refused(model):
    with pytest.raises(InputError, match="`batch_size` must be 1 or more"):
        model.predict_many([], batch_size=0)


def test_eight_threads_get_the_same_results_from_one_model(model):
    images = [image(3, seed=i) for i in range(4)]
    expected = as_numbers(map(model.predict, images))
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(lambda: as_numbers(map(model.predict, images))) for _ in range(12)]
        jobs += [pool.submit(lambda: as_numbers(model.predict_many(images))) for _ in range(4)]
    for job in jobs:
        assert job.result() == expected


def test_the_repr_names_labels_model_and_detector(model):
    text = repr(model)
    assert text.startswith("FERModel(['anger', 'contempt'")
    assert "model='linear'" in text
    assert "halves" in text
    assert model.card.name == "linear"


def test_unknown_models_and_detectors_are_refused(linear_model, tmp_path):
    with pytest.raises(ModelNotFoundError):
        FERModel(model=tmp_path / "none")
    with pytest.raises(ModelError):
        FERModel(model=tmp_path)
    with pytest.raises(ModelNotFoundError, match="mtcnn"):
        FERModel(model=linear_model, detector="mtcn")


def test_the_full_image_can_be_the_face(linear_model):
    model = FERModel(model=linear_model, detector="full-image")
    (face,) = model.predict(noise(48, 48)).faces
    assert (face.box.width, face.box.height) == (48, 48)


def test_the_astronaut_has_one_face(linear_model, astronaut, astronaut_file):
    model = FERModel(model=linear_model)
    result = model.predict(astronaut_file)
    (face,) = result.faces
    assert result.size == (512, 512)
    assert result.source == str(astronaut_file)
    x, y = face.box.center
    assert 180 < x < 270
    assert 70 < y < 170
    assert model.predict(astronaut).faces[0].probabilities == face.probabilities


@pytest.fixture
def clip_model(tmp_path):
    """A model of clips: three frames of gray crops."""
    from onnx import TensorProto, helper, numpy_helper

    spec = InputSpec(16, 16, frames=3)
    axes = numpy_helper.from_array(np.array([1, 2, 3]), "axes")
    kernel = numpy_helper.from_array(np.array([[1, -1]], np.float32), "kernel")
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["clips", "axes"], ["mean"], keepdims=0),
            helper.make_node("MatMul", ["mean", "kernel"], ["logits"]),
        ],
        "clips",
        [helper.make_tensor_value_info("clips", TensorProto.FLOAT, ["n", *spec.shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        [axes, kernel],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return write_model_folder(
        tmp_path / "clips",
        card=ModelCard("clips", "1", ("bright", "dark"), spec),
        weights=network.SerializeToString(),
        golden_crops=np.full((1, 3, 16, 16, 1), 255, np.uint8),
        golden_logits=np.array([[1, -1]], np.float32),
    )


def test_a_model_of_clips_takes_clips_and_refuses_images(clip_model):
    model = FERModel(model=clip_model, detector=halves)
    assert model.labels == ("bright", "dark")
    clips = [[np.full((30, 20), level, np.uint8)] * 3 for level in (250, 240)]
    assert [prediction.emotion for prediction in model.predict_faces(clips)] == ["bright"] * 2
    with pytest.raises(InputError, match="must take still images here"):
        model.predict(noise(9, 9, 3))
    with pytest.raises(InputError, match=r"Use it on videos"):
        model.predict_many([])


def test_a_model_of_clips_explains_no_image(clip_model):
    with pytest.raises(InputError, match="`model` must take still images here"):
        FERModel(model=clip_model, detector=halves).explain(noise(60, 60, 3))


def test_a_model_of_clips_gets_each_crop_of_a_sequence_with_those_before_it(clip_model):
    model = FERModel(model=clip_model, detector=halves)
    levels = [255, 255, 0, 0, 0]
    crops = [np.full((30 + i, 20), level, np.uint8) for i, level in enumerate(levels)]
    forms: tuple[Any, ...] = (crops, np.stack([crop[:30] for crop in crops]), iter(crops))
    for form in forms:
        predictions = model.predict_sequence(form)
        bright = [prediction.to_dict()["bright"] for prediction in predictions]
        # Means over (255, 255, 255), (255, 255, 255), (255, 255, 0), (255, 0, 0), (0, 0, 0).
        means = np.array([1, 1, 2 / 3, 1 / 3, 0])
        np.testing.assert_allclose(bright, 1 / (1 + np.exp(-2 * means)), atol=1e-5)


def test_a_model_of_clips_gets_the_track_of_each_face(clip_model):
    def whole(image):
        return (Face(Box(0, 0, image.shape[1], image.shape[0])),)

    model = FERModel(model=clip_model, detector=whole)
    levels = [255, 255, 0, 0, 0]
    frames = [
        Frame(np.full((60, 60, 3), level, np.uint8), k / 25, k) for k, level in enumerate(levels)
    ]
    seen = [result.faces[0] for _, result in model.predict_frames(frames, smoothing_s=0)]
    assert {face.track for face in seen} == {1}
    bright = [face.probabilities["bright"] for face in seen]
    means = np.array([1, 1, 2 / 3, 1 / 3, 0])  # as in a sequence, above
    np.testing.assert_allclose(bright, 1 / (1 + np.exp(-2 * means)), atol=1e-5)


def test_a_model_of_still_images_gets_each_crop_of_a_sequence_alone(model):
    crops = noise(4, 48, 48)
    alone = [prediction.probabilities for prediction in model.predict_faces(crops)]
    in_order = [prediction.probabilities for prediction in model.predict_sequence(crops)]
    np.testing.assert_array_equal(alone, in_order)


def test_an_empty_sequence_gives_no_predictions_and_a_wrong_one_is_refused(clip_model):
    model = FERModel(model=clip_model, detector=halves)
    assert model.predict_sequence([]) == ()
    no_crops: tuple[Any, ...] = (
        *("face.jpg", [np.zeros((9, 9))]),
        *(np.zeros((2, 9, 9)), noise(9, 9, 3)),
    )
    for wrong in no_crops:
        with pytest.raises(InputError, match="`crops"):
            model.predict_sequence(wrong)


def test_a_prior_and_min_confidence_apply_to_every_face():
    crops = [noise(48, 48, seed=seed) for seed in range(6)]
    trained, uniform = (
        FERModel("all", detector="full-image", prior=p) for p in ("training", "uniform")
    )
    label_prior = np.array(
        [trained.card.training["label_prior"][label] for label in trained.labels]
    )
    for a, b in zip(trained.predict_faces(crops), uniform.predict_faces(crops), strict=True):
        weighted = a.probabilities / label_prior
        assert b.probabilities == pytest.approx(weighted / weighted.sum(), rel=1e-4)
    never = FERModel("all", detector="full-image", min_confidence=1.0)
    assert {shown.emotion for shown in never.predict_faces(crops)} == {None}


@pytest.mark.parametrize("min_confidence", [-0.1, 1.1])
def test_a_min_confidence_out_of_range_is_refused(linear_model, min_confidence):
    with pytest.raises(InputError, match="`min_confidence` must be 0 to 1"):
        FERModel(model=linear_model, min_confidence=min_confidence)
