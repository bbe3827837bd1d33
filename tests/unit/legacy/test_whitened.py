import json
from pathlib import Path

import keras
import numpy as np
import pytest

from emopy import FERModel
from emopy.errors import DataError
from emopy.legacy.adapters.generator import DataGenerator
from emopy.legacy.adapters.networks import ConvolutionalNN, TimeDelayConvNN, TransferLearningNN
from emopy.models import softmax, to_tensor
from emopy.samples import sample_stills

MAP = {"anger": 0, "happiness": 1, "calm": 2}
DATA = sample_stills().only(["anger", "happiness", "calm"]).take(range(0, 192, 4))
FACES = np.ascontiguousarray(DATA.images[:, ::3, ::3])


def generator(images, **settings):
    made = DataGenerator(**settings).config_augmentation(True, 0, 0, 0, False)
    return made.fit(images, DATA.targets)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whitened"))
        batches = generator(FACES)
        net = ConvolutionalNN((16, 16), 1, MAP, filters=4)
        net.fit_generator(batches.generate(batch_size=16), (FACES, DATA.targets), epochs=2)
        yield net, batches


def test_the_network_learns_from_whitened_faces_and_predicts_on_them(learnt):
    net, batches = learnt
    inner = net.model.predict(batches.prepare(FACES), verbose=0)
    assert net.predict(FACES) == pytest.approx(softmax(inner), abs=1e-4)
    bare = net.model.predict(to_tensor(FACES, net._run.spec), verbose=0)
    assert np.abs(net.predict(FACES) - softmax(bare)).max() > 1e-3
    surprise = -np.log(net.predict(FACES)[DATA.targets > 0]).mean()
    assert net._run.history[-1]["val_loss"] == pytest.approx(surprise, rel=1e-3)


def test_the_whitening_is_fixed_and_goes_into_what_is_exported(learnt, tmp_path):
    net, _ = learnt
    layer = net._run.model.get_layer("whitening")
    assert not layer.trainable_variables
    folder = net.export_model(tmp_path / "net.json", tmp_path / "net.h5", tmp_path / "m.json", MAP)
    found = FERModel("all", model=folder).predict_faces(FACES)
    answers = np.array([face.probabilities for face in found])
    assert answers == pytest.approx(net.predict(FACES), abs=1e-3)
    loaded = keras.models.model_from_json((tmp_path / "net.json").read_text(encoding="utf-8"))
    loaded.load_weights(Path(tmp_path / "net.h5").rename(tmp_path / "net.weights.h5"))
    tensor = to_tensor(FACES, net._run.spec)
    assert softmax(loaded.predict(tensor, verbose=0)) == pytest.approx(answers, abs=1e-3)
    assert json.loads((tmp_path / "m.json").read_text()) == MAP


def test_frames_of_a_clip_are_whitened_one_by_one(in_tmp):
    clips = np.stack([FACES, FACES[::-1]], axis=1)
    batches = generator(clips, time_delay=2)
    net = TimeDelayConvNN((16, 16), 1, MAP, 2, filters=2)
    net.fit_generator(batches.generate(), epochs=1)
    inner = net.model.predict(batches.prepare(clips), verbose=0)
    assert net.predict(clips) == pytest.approx(softmax(inner), abs=1e-4)


def test_a_backbone_that_learnt_from_bare_faces_is_not_given_whitened_ones(in_tmp):
    with pytest.raises(DataError, match="`zca_whitening` must be off for TransferLearningNN"):
        TransferLearningNN("emopy-base", MAP).fit_generator(generator(FACES).generate(), epochs=1)
