import numpy as np
import pytest

from emopy.errors import InputError
from emopy.explain.masks import METHODS, make_masks

SIZES = [(48, 48), (8, 8), (33, 70), (224, 224)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("height, width", [*SIZES, (8, 500)])
def test_masks_of_any_size_hide_and_show_every_pixel(method, height, width):
    masks = make_masks(height, width, method=method, seed=0)
    assert masks.shape[1:] == (height, width)
    assert masks.dtype == np.float32
    assert 0 <= masks.min() <= masks.max() <= 1
    assert masks.min(axis=0).max() < 0.5 < masks.max(axis=0).min()


@pytest.mark.parametrize("method", METHODS)
def test_the_seed_decides_the_masks(method):
    first, same, other = (make_masks(48, 48, method=method, seed=seed) for seed in (3, 3, 8))
    np.testing.assert_array_equal(first, same)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_occlusion_hides_a_pixel_at_the_edge_as_often_as_others(height, width, seed):
    hidden = (1 - make_masks(height, width, method="occlusion", seed=seed)).sum(axis=0)
    assert hidden.min() >= 0.25 * hidden.max()
    assert hidden.min() >= 1


def test_rise_hides_half_of_the_face_on_average():
    masks = make_masks(48, 48, method="rise", seed=0)
    assert masks.mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(masks.mean(axis=0), 0.5, atol=0.12)


@pytest.mark.parametrize("method", ["Rise", "lime", "", None])
def test_an_unknown_method_is_answered_with_the_known(method):
    with pytest.raises(InputError, match=r"`method` must be 'rise' or 'occlusion'. Received"):
        make_masks(48, 48, method=method, seed=0)


@pytest.mark.parametrize("seed", [-1, 1.0, True, None, "1"])
def test_a_seed_that_is_no_whole_number_of_0_or_more_is_refused(seed):
    with pytest.raises(InputError, match=r"`seed` must be a whole number of 0 or more"):
        make_masks(48, 48, method="rise", seed=seed)
