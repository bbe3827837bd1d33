"""The socket that the service listens on, and its memory."""

import asyncio
import ctypes
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from emopy.errors import InputError
from emopy.serve import ServeSettings, memory, server
from emopy.serve.metrics import FOLDER_VARIABLE
from emopy.serve.server import _bind


def test_connections_send_small_parts_at_once():
    """Otherwise each answer on a connection that is used again takes 40 ms longer."""
    found = []

    async def connect(listener):
        def accepted(reader, writer):
            plain = writer.get_extra_info("socket")
            found.append(plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(accepted, sock=listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await reader.read()
            writer.close()
            await writer.wait_closed()

    asyncio.run(connect(_bind(ServeSettings(port=0))))
    assert found != [0]
    assert len(found) == 1


def test_a_port_in_use_is_an_error():
    with _bind(ServeSettings(port=0)) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(InputError, match=f"Received {port} at 127.0.0.1"):
            _bind(ServeSettings(port=port))


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine_is_an_error(host):
    with pytest.raises(InputError, match=f"`host` must be an address of this .* Received {host}"):
        _bind(ServeSettings(host=host, port=0))


ALLOCATE = """
import ctypes, threading
from emopy.serve.memory import configure_malloc
{}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
ready = threading.Barrier(8)
def allocate():
    libc.malloc(1000)
    ready.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_stats()
"""


has_glibc = pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="glibc only"
)


@has_glibc
@pytest.mark.parametrize(("line", "are_few"), [("", False), ("configure_malloc()", True)])
def test_threads_allocate_from_few_arenas(line, are_few):
    words = [sys.executable, "-c", ALLOCATE.format(line)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (done.stderr.count("Arena ") <= 2) is are_few


REPEAT = """
import resource
from emopy.serve.memory import configure_malloc
{}
def images():
    for _ in range(10):
        kept = [bytearray(5 << 20) for _ in range(3)]
images()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
images()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@has_glibc
@pytest.mark.parametrize(("line", "are_kept"), [("", False), ("configure_malloc()", True)])
def test_pages_of_large_images_are_kept_for_the_next_ones(line, are_kept):
    words = [sys.executable, "-c", REPEAT.format(line)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert (int(done.stdout) < 10_000) is are_kept


def resident_mb():
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@has_glibc
def test_free_memory_between_blocks_in_use_goes_back(monkeypatch):
    monkeypatch.setattr(memory, "_PERIOD_S", 0.01)
    blocks = [b"x" * 100_000 for _ in range(1000)]  # too small to be mapped on their own
    at_most = resident_mb()
    del blocks[1::2], blocks[1::2]

    async def run():
        trimming = asyncio.create_task(memory.trim_regularly())
        for _ in range(500):
            await asyncio.sleep(0.01)
            if resident_mb() < at_most - 50:
                break
        trimming.cancel()

    kept = resident_mb()
    asyncio.run(run())
    assert resident_mb() < at_most - 50 < kept
    assert len(blocks) == 250


@pytest.mark.parametrize("before", ["/metrics/of/another/program", None])
def test_the_folder_of_the_metrics_of_another_program_stays_named(before, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    if before:
        monkeypatch.setenv(FOLDER_VARIABLE, before)
    during = []
    monkeypatch.setattr(
        server, "_run_workers", lambda *_: during.append(os.environ[FOLDER_VARIABLE])
    )
    settings = ServeSettings(port=0, workers=2)
    server.run(lambda: None, settings, announce=lambda _: None)
    assert len(during) == 1
    assert during[0] != before
    assert os.environ.get(FOLDER_VARIABLE) == before
