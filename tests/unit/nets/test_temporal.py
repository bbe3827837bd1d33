import numpy as np
import pytest

from emopy.errors import RecipeError
from emopy.nets import ConvolutionalLstmNN, TimeDelayConvNN

NETS = [ConvolutionalLstmNN, TimeDelayConvNN]


def kernels(model):
    """Shapes of the convolutions' kernels, those inside `TimeDistributed` too."""
    inner = [getattr(layer, "layer", getattr(layer, "cell", layer)) for layer in model.layers]
    shapes = [tuple(layer.kernel.shape) for layer in inner if hasattr(layer, "kernel")]
    return [shape for shape in shapes if len(shape) > 2]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("shape", [(2, 48, 48, 1), (5, 16, 24, 3)])
def test_it_maps_clips_of_any_size_and_length_to_one_logit_per_label(net, shape):
    model = net(shape, 5, filters=4)
    assert (model.input_shape, model.output_shape) == ((None, *shape), (None, 5))


def test_the_settings_of_the_original_reach_the_time_delay_network():
    model = TimeDelayConvNN(
        (2, 16, 16, 1), 3, filters=6, kernel_size=(1, 4, 4), activation="sigmoid"
    )
    assert kernels(model) == [
        (1, 4, 4, 1, 6),
        (1, 4, 4, 6, 12),
        (1, 4, 4, 12, 24),
        (2, 1, 1, 24, 24),
    ]
    used = {layer.activation.__name__ for layer in model.layers if hasattr(layer, "activation")}
    assert used == {"sigmoid", "linear"}


def test_the_settings_of_the_original_reach_the_recurrent_network():
    model = ConvolutionalLstmNN(
        (2, 16, 16, 1), 3, filters=6, kernel_size=(4, 4), activation="sigmoid"
    )
    # A recurrent kernel holds the four gates side by side.
    assert kernels(model) == [(4, 4, 1, 6), (4, 4, 6, 24), (4, 4, 6, 48), (4, 4, 12, 24)]
    cells = [layer.cell for layer in model.layers if hasattr(layer, "cell")]
    assert [cell.activation.__name__ for cell in cells] == ["sigmoid", "sigmoid"]


@pytest.mark.parametrize("net", NETS)
def test_the_order_of_the_frames_matters(net):
    model = net((3, 16, 16, 1), 4, filters=4)
    clip = np.random.default_rng(0).normal(size=(1, 3, 16, 16, 1)).astype("float32")
    forward, backward = model(clip), model(clip[:, ::-1])
    assert np.abs(np.asarray(forward) - np.asarray(backward)).max() > 1e-6


def test_the_time_delay_network_mixes_neighboring_frames_within_its_kernels():
    model = TimeDelayConvNN((4, 16, 16, 1), 3)
    assert [shape[0] for shape in kernels(model)] == [3, 3, 3, 4]


@pytest.mark.parametrize(("grid", "cells"), [(1, 1), (2, 4), (3, 9), (6, 36)])
def test_the_grid_keeps_the_position_of_features(grid, cells):
    model = TimeDelayConvNN((2, 48, 48, 1), 3, filters=2, grid=grid)
    assert model.get_layer("logits").kernel.shape == (cells * 8, 3)


def test_a_grid_may_not_divide_the_feature_map():
    model = TimeDelayConvNN((2, 40, 64, 1), 3, filters=2, grid=3)
    assert model.get_layer("logits").kernel.shape == (9 * 8, 3)


@pytest.mark.parametrize("grid", [0, -1, 7])
def test_a_grid_finer_than_the_features_is_refused(grid):
    with pytest.raises(RecipeError, match=rf"`grid` must be 1 to 6 .* Received {grid}"):
        TimeDelayConvNN((2, 48, 48, 1), 3, grid=grid)


@pytest.mark.parametrize("net", NETS)
def test_stills_are_refused_with_what_to_load(net):
    with pytest.raises(RecipeError, match="DirectoryDataLoader"):
        net((48, 48, 1), 7)
