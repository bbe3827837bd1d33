"""What a process of the engine `local` answers. Real processes: tests/e2e."""

import io
import pickle
import subprocess
from queue import SimpleQueue
from types import SimpleNamespace

import pytest

from emopy.batch import local_engine


@pytest.mark.parametrize(
    "broken", [b"", pickle.dumps(1)[:-2], b"cbuiltins\nno_such_name\n.", b"cno_module\nx\n."]
)
def test_a_process_whose_answer_cannot_be_read_has_ended(broken, monkeypatch):
    streams = SimpleNamespace(stdin=io.BytesIO(), stdout=io.BytesIO(pickle.dumps(2) + broken))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: streams)
    messages = SimpleQueue()
    worker = local_engine._Worker("out", messages)
    assert messages.get(timeout=10) == (worker, 2)
    assert messages.get(timeout=10) == (worker, None)
