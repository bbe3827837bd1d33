from xml.etree import ElementTree as ET

import numpy as np
import pytest

from emopy.evaluate import Interval, Predictions
from emopy.evaluate.charts import (
    HEIGHT,
    WIDTH,
    coverage_chart,
    interval_mark,
    interval_scale,
    reliability_chart,
)


def judged(n, seed=0):
    rng = np.random.default_rng(seed)
    sure = rng.uniform(0.5, 1, n)
    return Predictions(np.stack([sure, 1 - sure], axis=1), (rng.random(n) > sure).astype(int))


def of_class(svg, kind):
    return [part for part in ET.fromstring(svg).iter() if part.get("class") == kind]


def test_the_reliability_chart_has_a_bar_for_every_interval_with_answers():
    found = judged(500).reliability(10)
    bars = of_class(reliability_chart(found, "A chart."), "bar")
    assert len(bars) == np.count_nonzero(found.samples) == 5
    heights = [float(bar.get("height")) for bar in bars]
    assert np.corrcoef(heights, found.accuracy[5:])[0, 1] == pytest.approx(1, abs=1e-3)


def test_bars_of_few_answers_are_drawn_faint():
    chart = reliability_chart(judged(12).reliability(10), "A chart.")
    assert of_class(chart, "few")


def test_a_chart_has_a_description_for_those_who_cannot_see_it():
    root = ET.fromstring(coverage_chart(judged(50).coverage(), "Half are right."))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Half are right."


@pytest.mark.parametrize("n", [1, 2, 19, 20, 21, 5000])
def test_the_coverage_curve_stays_inside_and_small_for_any_number_of_faces(n):
    (curve,) = of_class(coverage_chart(judged(n).coverage(), "A chart."), "curve")
    points = [tuple(map(float, point.split(","))) for point in curve.get("points").split()]
    assert 1 <= len(points) <= 200
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


def test_a_perfect_model_has_a_curve_at_the_top():
    perfect = Predictions(np.eye(2)[[0, 1] * 20], np.array([0, 1] * 20))
    (curve,) = of_class(coverage_chart(perfect.coverage(), "A chart."), "curve")
    assert len({point.split(",")[1] for point in curve.get("points").split()}) == 1


def test_the_scale_of_intervals_has_round_ends_around_them_all():
    assert interval_scale([Interval(0.5, 0.43, 0.61), Interval(0.6, 0.52, 0.66)]) == (0.4, 0.7)
    assert interval_scale([Interval(1, 1, 1)]) == (1.0, 1.1)
    assert interval_scale([]) == (0.0, 1.0)


def test_an_undefined_interval_has_no_mark():
    nothing = Interval(np.nan, np.nan, np.nan)
    assert not interval_mark(nothing, (0.0, 1.0), 0.5)
    assert of_class(interval_mark(Interval(0.5, 0.4, 0.6), (0.0, 1.0), 0.5), "range")
