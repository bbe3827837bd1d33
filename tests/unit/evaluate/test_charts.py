import numpy as np
import pytest

from emopy.evaluate import Interval, Predictions
from emopy.evaluate.charts import HEIGHT, WIDTH, coverage_points, interval_scale, reliability_bars


def predicted(n, seed=0):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, n)
    y_true = (rng.random(n) > confidence).astype(int)
    return Predictions(np.stack([confidence, 1 - confidence], axis=1), y_true)


def test_the_reliability_chart_has_a_bar_for_every_bin_with_predictions():
    diagram = predicted(500).reliability_diagram(10)
    axes, bars = reliability_bars(diagram)
    assert len(bars) == np.count_nonzero(diagram.samples) == 5
    heights = [bar.accuracy_bar.height for bar in bars]
    assert np.corrcoef(heights, diagram.accuracy[5:])[0, 1] == pytest.approx(1, abs=1e-3)
    for bar in bars:
        assert bar.accuracy_bar.y + bar.accuracy_bar.height == pytest.approx(axes.bottom, abs=0.1)
        assert bar.confidence_mark.y + 1.5 == pytest.approx(axes.y(bar.confidence), abs=0.1)
        assert bar.count_bar.y > axes.bottom


def test_bars_of_few_predictions_are_drawn_faint():
    _, bars = reliability_bars(predicted(12).reliability_diagram(10))
    assert [bar.few for bar in bars] == [bar.samples < 10 for bar in bars]
    assert any(bar.few for bar in bars)


@pytest.mark.parametrize("n", [1, 2, 19, 20, 21, 5000])
def test_the_coverage_curve_stays_inside_and_small_for_any_number_of_faces(n):
    axes, points, marks = coverage_points(predicted(n).coverage_curve())
    assert 1 <= len(points) <= 200
    assert len(marks) == 3
    for coverage, accuracy in (*points, *marks):
        assert 0 <= axes.x(coverage) <= WIDTH
        assert 0 <= axes.y(accuracy) <= axes.bottom < HEIGHT


def test_a_perfect_model_has_a_curve_at_the_top():
    perfect = Predictions(np.eye(2)[[0, 1] * 20], np.array([0, 1] * 20))
    axes, points, _ = coverage_points(perfect.coverage_curve())
    assert {axes.y(accuracy) for _, accuracy in points} == {axes.y(1)}


def test_the_scale_of_intervals_has_round_ends_that_contain_them_all():
    def ends(*intervals):
        scale = interval_scale(intervals)
        return scale.low, scale.high

    assert ends(Interval(0.5, 0.43, 0.61), Interval(0.6, 0.52, 0.66)) == (0.4, 0.7)
    assert ends(Interval(1, 1, 1)) == (1.0, 1.1)
    assert ends() == (0.0, 1.0)
    assert ends(Interval(np.nan, np.nan, np.nan)) == (0.0, 1.0)


def test_positions_on_the_interval_scale_are_clipped_to_it():
    scale = interval_scale([Interval(0.5, 0.4, 0.6)])
    assert [scale.x(at) for at in (0, 0.4, 0.5, 0.6, 1)] == [5, 5, 60, 115, 115]
