"""Batch runs and `FacePredictor` on a real Ray: of this machine, and of several nodes."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from emopy.batch import FacePredictor, merge, run
from emopy.batch.ray_engine import RayEngine
from emopy.errors import InputError
from emopy.fermodel import FERModel
from emopy.present import to_arrow
from tests.batch_inputs import (
    CRASH_HEIGHT,
    QUICK,
    SLOW_HEIGHT,
    install_fragile,
    rows_by_source,
    write_clip,
    write_images,
)
from tests.processes import PROC, is_running, named, wait_for

pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = [
    pytest.mark.skipif(not PROC.is_dir(), reason="processes are found in /proc"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Ray and what it imports
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DEADLINE_S = 240
"""Seconds after which a process that a test started hangs."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
NODE = {"include_dashboard": False, "object_store_memory": 10**8}


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A cluster with a head that has no CPU. Its nodes can import the detector ``fragile``."""
    from ray.cluster_utils import Cluster

    site = install_fragile(tmp_path_factory.mktemp("site") / "site")
    folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets have at most 107 characters
    path = os.pathsep.join([str(site), *map(os.path.abspath, sys.path)])
    with pytest.MonkeyPatch.context() as patch:
        # Ray writes the address of the cluster here, and does not make the folder.
        Path(folder, "ray").mkdir()
        for name, value in {**QUIET, "PYTHONPATH": path, "RAY_TMPDIR": folder}.items():
            patch.setenv(name, value)
        patch.syspath_prepend(str(site))
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "temp_dir": folder, **NODE}
        )
        try:
            yield cluster
        finally:
            cluster.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster(head):
    """The same with two nodes of one CPU each, the second of which is to be removed."""
    head.removable = [head.add_node(num_cpus=1, **NODE) for _ in range(2)][1]
    return head


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Images, one of which ends its process, and a clip."""
    heights = {**dict.fromkeys(range(60), SLOW_HEIGHT), 33: CRASH_HEIGHT}
    folder = write_images(tmp_path_factory.mktemp("source") / "photos", 60, heights=heights)
    write_clip(folder / "clip.mp4")
    return folder


def merged(out):
    target = out.with_suffix(".parquet")
    merge(out, target)
    return target.read_bytes()


def start(source, out, model, *words, **environment):
    options = ["--detector", "fragile", "--shard-size", "5", "--model", str(model), *words]
    return subprocess.Popen(
        [sys.executable, "-m", "emopy", "batch", "run", str(source), str(out), *options],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_cluster_without_a_cpu_is_refused(head, source, linear_model, tmp_path):
    with pytest.raises(InputError, match="must be a Ray cluster with CPUs"):
        run(source, tmp_path / "out", engine="ray", address=head.address, model=linear_model)


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9"])
def test_an_address_without_a_cluster_is_refused(source, linear_model, tmp_path, address):
    with pytest.raises(InputError, match="must be a Ray cluster that answers"):
        run(source, tmp_path / "out", engine="ray", address=address, model=linear_model)


def test_a_worker_a_node_and_the_driver_are_lost_and_every_input_is_there_once(
    cluster, source, linear_model, tmp_path
):
    options = {**QUICK, "detector": "fragile"}
    run(source, tmp_path / "expected", workers=2, model=linear_model, **options)
    out = tmp_path / "out"
    words = (source, out, linear_model, "--engine", "ray", "--address", cluster.address)
    driver = start(*words)
    wait_for(lambda: len(list(out.glob("part-*"))) >= 1, seconds=DEADLINE_S)
    os.kill(named("ray::_run_unit")[0], signal.SIGKILL)
    before = len(list(out.glob("part-*")))
    wait_for(lambda: len(list(out.glob("part-*"))) > before, seconds=DEADLINE_S)
    cluster.remove_node(cluster.removable, allow_graceful=False)
    before = len(list(out.glob("part-*")))
    wait_for(lambda: len(list(out.glob("part-*"))) > before, seconds=DEADLINE_S)
    driver.kill()
    driver.communicate()
    kept = {path: path.stat().st_mtime_ns for path in out.glob("part-*")}
    assert len(kept) < 14
    cluster.add_node(num_cpus=1, **NODE)
    rerun = start(*words)
    said = rerun.communicate(timeout=DEADLINE_S)[1]
    assert rerun.returncode == 1, said
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    rows = rows_by_source(merged(out))
    assert [len(rows[f"{number:04}.png"]) for number in range(60)] == [1] * 60
    assert "ended 3 processes" in rows["0033.png"][0]["error"]
    assert merged(out) == merged(tmp_path / "expected")


def test_the_engine_leaves_the_signals_of_the_program(cluster, tmp_path):
    import ray

    stop = signal.getsignal(signal.SIGTERM)
    with RayEngine(str(tmp_path), address=cluster.address) as engine:
        assert signal.getsignal(signal.SIGTERM) is stop
        wait_for(lambda: engine.capacity == 2, seconds=DEADLINE_S)  # a lost node is missed late
    assert not ray.is_initialized()


def test_face_predictor_in_ray_data(cluster, source, linear_model):
    import ray

    options = {"model": str(linear_model), "detector": "full-image"}
    paths = sorted(map(str, source.glob("*.png")))
    model = FERModel(**options)
    expected = to_arrow(model.predict_many(paths), model.labels).sort_by("source").to_pydict()
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        listed = ray.data.from_items([{"path": path} for path in paths], override_num_blocks=2)
        actors = listed.map_batches(
            FacePredictor,
            fn_constructor_kwargs=options,
            batch_format="pyarrow",
            batch_size=32,
            compute=ray.data.ActorPoolStrategy(size=1),
        )
        read = ray.data.read_binary_files(paths, include_paths=True)
        tasks = read.map_batches(
            FacePredictor("bytes", source_column="path", **options), batch_format="pandas"
        )
        for found in (actors, tasks):
            rows = found.sort("source").take_all()
            assert [row["source"] for row in rows] == expected["source"]
            assert [row["emotion"] for row in rows] == expected["emotion"]
            assert [row["confidence"] for row in rows] == expected["confidence"]
    finally:
        ray.shutdown()


def test_a_ray_of_this_machine_writes_the_same_bytes_and_leaves_nothing_behind(
    head, linear_model, tmp_path
):
    source = write_images(tmp_path / "photos", 12, damaged_every=5)
    run(source, tmp_path / "local", workers=1, model=linear_model, **QUICK)
    home, scratch = tmp_path / "home", Path(tempfile.mkdtemp(prefix="t-"))
    home.mkdir()
    try:
        environment = {"HOME": str(home), "TMPDIR": str(scratch)}
        for name in QUIET:  # what a user has not set
            environment[name] = ""
        driver = subprocess.Popen(
            [
                *(sys.executable, "-m", "emopy", "batch", "run", str(source), "out"),
                *("--engine", "ray", "--workers", "1", "--model", str(linear_model)),
                *("--detector", "full-image", "--shard-size", "5"),
            ],
            cwd=tmp_path,
            env={k: v for k, v in {**os.environ, **environment}.items() if v},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = driver.communicate(timeout=DEADLINE_S)[0]
        assert driver.returncode == 1, said
        assert all(line.startswith(("emopy: ", "out: ")) for line in said.splitlines()), said
        assert list(home.iterdir()) == []
        assert list(scratch.iterdir()) == []
        wait_for(lambda: not any(map(is_running, named(str(scratch)))))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    assert merged(tmp_path / "out") == merged(tmp_path / "local")
