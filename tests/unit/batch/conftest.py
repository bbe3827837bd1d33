"""Runs in this process: a plan, and its units one by one."""

import pytest

from emopy.batch.plan import make_plan
from emopy.batch.run import complete_options
from emopy.batch.storage import Storage, absolute
from emopy.batch.worker import Unit
from tests.batch_inputs import QUICK


class Planned:
    """A plan and the folder of its results."""

    def __init__(self, storage, plan):
        self.storage, self.plan = storage, plan

    @property
    def out(self):
        return self.storage.location

    def unit(self, shard=0, start=0, stop=None, target=None):
        return Unit(self.plan.digest, shard, start, stop, target or self.plan.part(shard))


@pytest.fixture
def planned(tmp_path, linear_model):
    """planned(source, **options) -> Planned, in a new folder each time."""
    made = []

    def planned(source, **options):
        storage = Storage(tmp_path / f"results-{len(made)}")
        settings = complete_options({**QUICK, "model": linear_model, **options})
        made.append(Planned(storage, make_plan(absolute(source), storage, settings)))
        return made[-1]

    return planned
