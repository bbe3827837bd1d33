import numpy as np
import pytest

from emopy.errors import RecipeError
from emopy.nets import ConvolutionalLstmNN, TimeDelayConvNN

NETS = [ConvolutionalLstmNN, TimeDelayConvNN]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("shape", [(2, 48, 48, 1), (5, 16, 24, 3)])
def test_it_maps_clips_of_any_size_and_length_to_one_logit_per_label(net, shape):
    model = net(shape, 5, filters=4)
    assert (model.input_shape, model.output_shape) == ((None, *shape), (None, 5))


@pytest.mark.parametrize("net", NETS)
def test_the_settings_of_the_original_are_understood(net):
    size = (1, 4, 4) if net is TimeDelayConvNN else (4, 4)
    model = net((2, 16, 16, 1), 3, filters=6, kernel_size=size, activation="sigmoid")
    assert model.count_params() < net((2, 16, 16, 1), 3, filters=12).count_params() * 4


@pytest.mark.parametrize("net", NETS)
def test_the_order_of_the_frames_matters(net):
    model = net((3, 16, 16, 1), 4, filters=4)
    clip = np.random.default_rng(0).normal(size=(1, 3, 16, 16, 1)).astype("float32")
    forward, backward = model(clip), model(clip[:, ::-1])
    assert np.abs(np.asarray(forward) - np.asarray(backward)).max() > 1e-6


def test_the_time_delay_network_mixes_neighbouring_frames_within_its_kernels():
    kernels = [
        layer.kernel.shape[0]
        for layer in TimeDelayConvNN((4, 16, 16, 1), 3).layers
        if hasattr(layer, "kernel") and layer.kernel.ndim == 5
    ]
    assert kernels == [3, 3, 3, 4]


@pytest.mark.parametrize("net", NETS)
def test_stills_are_refused_with_what_to_load(net):
    with pytest.raises(RecipeError, match="SequenceDataLoader"):
        net((48, 48, 1), 7)
