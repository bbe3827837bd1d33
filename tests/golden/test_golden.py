"""Numbers that must never change unnoticed."""

import numpy as np
import pytest

from emopy.models import InputSpec, load_model, to_tensor
from emopy.models.store import GOLDEN_TOLERANCE, read_golden


def test_the_input_of_a_network_is_what_it_was():
    # Worked out by hand: luma of each color, then (level / 255 - 0.5) / 0.25.
    colors = [[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]
    levels = [255, 0, 76, 150, 29, 18]
    crops = [np.full((12, 8, 3), color, np.uint8) for color in colors]
    tensor = to_tensor(crops, InputSpec(12, 8, mean=0.5, std=0.25))
    for crop, level in zip(tensor, levels, strict=True):
        np.testing.assert_allclose(crop, (level / 255 - 0.5) / 0.25, atol=1e-6)


def test_downscaling_gives_the_golden_pixels():
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    downscaled = to_tensor([ramp], InputSpec(8, 8, scale=1.0))[0, :, :, 0]
    # Each pixel is the mean of four: 8.5, 10.5 … in the first row, rounded as the library does.
    exact = ramp.reshape(8, 2, 8, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(downscaled, exact, atol=0.5)


@pytest.mark.parametrize(("name", "most_bytes"), [("emopy-base", 5e6), ("emopy-tiny", 5e5)])
def test_a_bundled_model_gives_its_golden_logits_and_is_small(name, most_bytes):
    model = load_model(name)
    golden = read_golden(model.path)
    tolerance = GOLDEN_TOLERANCE[model.card.precision]
    np.testing.assert_allclose(model.logits(golden.crops), golden.logits, atol=tolerance)
    np.testing.assert_array_equal(model.logits(golden.crops).argmax(1), golden.logits.argmax(1))
    assert (model.path / "model.onnx").stat().st_size <= most_bytes
    assert model.card.metrics
    assert "Art. 5(1)(f)" in model.card.out_of_scope_use
