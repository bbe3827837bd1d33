"""Each original example's flow, from files to predictions, with tiny settings."""

import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from emopy import FERModel
from emopy.samples import sample_images

pytestmark = pytest.mark.filterwarnings("ignore:`EmoPy:DeprecationWarning")


def check_export(net, emotion_map, images):
    """Write the files of a network, open them, and expect the answers of the network itself."""
    folder = net.export_model(
        "output/net.json", "output/net_weights.h5", "output/net_map.json", emotion_map
    )
    assert json.loads(Path("output/net_map.json").read_text(encoding="utf-8")) == emotion_map
    loaded = keras.models.model_from_json(Path("output/net.json").read_text(encoding="utf-8"))
    loaded.load_weights(Path("output/net_weights.h5").rename("output/net.weights.h5"))
    for mine, stored in zip(net.model.get_weights(), loaded.get_weights(), strict=True):
        assert np.array_equal(mine, stored)
    expected = net.predict(images)
    model = FERModel("all", model=folder, prior="training")
    answers = np.array([found.probabilities for found in model.predict_faces(images)])
    assert answers == pytest.approx(expected, abs=1e-3)
    return model


@pytest.mark.parametrize("name", ["ConvolutionalNN", "ConvolutionalNNDropout"])
def test_convolutional_example(name, sample_files, in_tmp, capsys):
    from EmoPy.src import neuralnets
    from EmoPy.src.data_generator import DataGenerator
    from EmoPy.src.directory_data_loader import DirectoryDataLoader

    loader = DirectoryDataLoader(datapath=sample_files / "stills" / "train", validation_split=0.15)
    dataset = loader.load_data()
    dataset.print_data_details()
    train_images, train_labels = dataset.get_training_data()
    train_gen = DataGenerator().fit(train_images, train_labels)
    test_images, test_labels = dataset.get_test_data()
    test_gen = DataGenerator().fit(test_images, test_labels)

    model = getattr(neuralnets, name)(
        (32, 32), 1, dataset.get_emotion_index_map(), filters=4, verbose=True
    )
    model.fit_generator(
        train_gen.generate((32, 32), batch_size=64),
        test_gen.generate((32, 32), batch_size=64),
        epochs=1,
    )

    assert "Total params" in capsys.readouterr().out
    check_export(model, dataset.get_emotion_index_map(), test_images)
    assert (in_tmp / "output" / "loss_plot.png").is_file()


@pytest.mark.parametrize("name", ["ConvolutionalLstmNN", "TimeDelayConvNN"])
def test_example_of_clips(name, sample_files, in_tmp):
    from EmoPy.src import neuralnets
    from EmoPy.src.data_generator import DataGenerator
    from EmoPy.src.directory_data_loader import DirectoryDataLoader

    time_delay = 2
    dataset = DirectoryDataLoader(
        datapath=sample_files / "clips" / "train", validation_split=0.25, time_delay=time_delay
    ).load_data()
    train = DataGenerator(time_delay=dataset.get_time_delay()).fit(*dataset.get_training_data())
    test = DataGenerator(time_delay=dataset.get_time_delay()).fit(*dataset.get_test_data())

    model = getattr(neuralnets, name)(
        (24, 24), 1, dataset.get_emotion_index_map(), time_delay, filters=2
    )
    model.fit_generator(train.generate((24, 24)), test.generate((24, 24)), epochs=1)

    clips, _ = dataset.get_test_data()
    reader = check_export(model, dataset.get_emotion_index_map(), clips)
    assert len(reader.predict_sequence(clips[0])) == time_delay


def test_transfer_learning_example(sample_files, in_tmp):
    from EmoPy.src.csv_data_loader import CSVDataLoader
    from EmoPy.src.data_generator import DataGenerator
    from EmoPy.src.neuralnets import TransferLearningNN

    emotions = {"anger": "anger", "fear": "fear"}
    dataset = CSVDataLoader(
        emotions,
        sample_files / "stills.csv",
        validation_split=0.15,
        image_dimensions=(48, 48),
        csv_label_col=0,
        csv_image_col=1,
        out_channels=3,
    ).load_data()
    images, labels = dataset.get_training_data()
    assert images.shape[1:] == (48, 48, 3)
    test_images, test_labels = dataset.get_test_data()
    train_gen = DataGenerator().fit(images, labels)
    test_gen = DataGenerator().fit(test_images, test_labels)

    model = TransferLearningNN("emopy-base", dataset.get_emotion_index_map())
    model.fit_generator(
        train_gen.generate((96, 96), batch_size=10),
        test_gen.generate((96, 96), batch_size=10),
        epochs=2,
    )

    assert model.model.input_shape == (None, 96, 96, 3)
    hits = model.predict(test_images).argmax(axis=1) == test_labels.argmax(axis=1)
    assert hits.mean() > 0.7
    check_export(model, dataset.get_emotion_index_map(), test_images)


def test_webcam_example(astronaut, in_tmp, capsys):
    """One frame is taken, written to a file and read; its word is drawn on it."""
    from EmoPy.src.fermodel import FERModel as OldFERModel

    film = cv2.VideoWriter("camera.avi", cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 360))
    view = np.zeros((360, 640, 3), np.uint8)
    view[:, 64:576] = astronaut[:360, :, ::-1]
    film.write(view)
    film.release()
    model = OldFERModel(["calm", "anger", "happiness"], verbose=True)

    camera = cv2.VideoCapture("camera.avi")
    taken, frame = camera.read()
    camera.release()
    assert taken
    Path("image_data").mkdir()
    cv2.imwrite("image_data/image.jpg", frame)
    capsys.readouterr()
    word = model.predict("image_data/image.jpg")
    printed = capsys.readouterr().out
    shown = cv2.putText(frame.copy(), word, (10, 50), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 255, 0))

    assert word == "happiness"
    assert not np.array_equal(shown, frame)
    assert "No face found" not in printed
    assert "Dominant emotion: happiness" in printed
    assert model.predict_from_ndarray(frame) == "happiness"
    assert "No face found" not in capsys.readouterr().out


def test_an_exported_model_predicts_calm_for_images(sample_files, in_tmp):
    from EmoPy.src.directory_data_loader import DirectoryDataLoader
    from EmoPy.src.neuralnets import ConvolutionalNN

    dataset = DirectoryDataLoader(
        {"0": "anger", "1": "calm"}, sample_files / "stills" / "train"
    ).load_data()
    emotion_map = dataset.get_emotion_index_map()
    model = ConvolutionalNN((48, 48), 1, emotion_map, filters=4)
    model.fit(*dataset.get_training_data(), 0.2, epochs=1)
    assert set(emotion_map) == {"anger", "calm"}
    folder = model.export_model("net.json", "net.h5", "map.json", emotion_map)
    (face,) = FERModel(["calm", "anger"], model=folder).predict(sample_images()["anger"]).faces
    assert list(face.probabilities) == ["calm", "anger"]
