import keras
import numpy as np
import pytest

from emopy.legacy.adapters.plot import PlotLosses
from emopy.media import read_image


def colours(image: np.ndarray) -> int:
    """How many of the first three line colours of Matplotlib are to be seen."""
    lines = ([31, 119, 180], [255, 127, 14], [44, 160, 44])
    return sum(bool((image == line).all(axis=2).any()) for line in lines)


def test_the_loss_is_drawn_while_a_network_of_ones_own_learns(in_tmp):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    samples = np.ones((4, 3)), np.ones((4, 1))
    model.fit(*samples, validation_split=0.5, epochs=2, verbose=0, callbacks=[PlotLosses()])
    both = read_image(in_tmp / "output" / "loss_plot.png")
    model.fit(*samples, epochs=2, verbose=0, callbacks=[PlotLosses("images", "mine.png")])
    one = read_image(in_tmp / "images" / "mine.png")
    assert both.shape == one.shape
    assert (colours(both), colours(one)) == (2, 1)  # training, and validation where there is one


@pytest.mark.parametrize("path", ["deep/in/loss.png", "loss.png"])
def test_a_whole_path_goes_before_folder_and_name(path, tmp_path):
    PlotLosses(figure_path=str(tmp_path / path)).draw([{"loss": 2.0}, {"loss": 1.0}])
    assert (tmp_path / path).read_bytes().startswith(b"\x89PNG")
