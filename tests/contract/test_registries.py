"""Every part that a registry names keeps the promises that plug-ins are held to."""

import pytest

from emopy.data.directory import DirectoryDataLoader
from emopy.errors import ModelNotFoundError
from emopy.faces.detectors import get_detector, list_detectors
from emopy.models import DEFAULT_MODEL, check_model_folder, list_models
from emopy.testing import check_detector, check_loader

NEED_A_DOWNLOAD = {"yunet"}


@pytest.mark.parametrize("name", sorted(set(list_detectors()) - NEED_A_DOWNLOAD))
def test_every_detector_meets_the_contract(name, astronaut):
    check_detector(get_detector(name), [astronaut])


@pytest.mark.parametrize("name", sorted(NEED_A_DOWNLOAD))
def test_a_detector_that_must_be_fetched_says_what_to_type(name):
    assert name in list_detectors()
    with pytest.raises(ModelNotFoundError, match=f"Type: emopy models fetch {name}"):
        get_detector(name)


def test_every_model_reproduces_its_golden_logits():
    names = list_models()
    assert DEFAULT_MODEL in names
    for name in names:
        check_model_folder(name)


def test_the_directory_loader_meets_the_contract(tmp_path, astronaut):
    from PIL import Image

    for emotion, turn in (("anger", 0), ("happy", 90)):
        (tmp_path / emotion).mkdir()
        for i in range(2):
            face = Image.fromarray(astronaut[60 + i : 180, 160:280])
            face.rotate(turn).save(tmp_path / emotion / f"{i}.png")
    check_loader(DirectoryDataLoader(tmp_path))
