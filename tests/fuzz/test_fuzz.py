"""A minute of damaged inputs in child processes; `make fuzz` takes an hour."""

import pytest

from tests.fuzz.run import fuzz
from tests.fuzz.targets import TARGETS

COUNTS = {
    "images": 1500,
    "videos": 250,
    "cards": 400,
    "data sets": 400,
    "golden files": 250,
    "tables": 500,
    "recipes": 1500,
    "models": 150,
}


@pytest.mark.parametrize("kind", TARGETS)
def test_damaged_input_is_read_or_refused_with_an_error_of_emopy(kind):
    report = fuzz(kind, count=COUNTS[kind])
    assert not report.faults, "\n".join(report.faults[:10])
    assert report.outcomes.total() == COUNTS[kind]
    assert report.outcomes["refused"], "the mutations never damaged anything"
