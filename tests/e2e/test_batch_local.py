"""Batch runs in processes of this machine: killed, doubled, in arrays of jobs, interrupted."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from emopy.batch import merge, run, status
from emopy.fermodel import FERModel
from emopy.present import open_table
from tests.batch_inputs import (
    CRASH_HEIGHT,
    ERROR_HEIGHT,
    QUICK,
    SLOW_HEIGHT,
    encoded,
    install_fragile,
    rows_by_source,
    write_clip,
    write_images,
    write_tar,
)
from tests.fuzz.batch_kills import kill_runs
from tests.processes import PROC, children, is_running, wait_for

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="processes are found in /proc")

DEADLINE_S = 120
"""Seconds after which a process that a test started hangs."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Images, one in each shard damaged, clips and an archive."""
    folder = write_images(tmp_path_factory.mktemp("source") / "photos", 25, damaged_every=5)
    (folder / "clips").mkdir()
    write_clip(folder / "clips" / "a.mp4")
    write_clip(folder / "clips" / "ä b.mp4")
    write_tar(folder / "more.tar", {f"{number}.png": encoded(number) for number in range(4)})
    return folder


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory, linear_model):
    """The merged table of an undisturbed run with one process."""
    base = tmp_path_factory.mktemp("expected")
    run(source, base / "out", workers=1, model=linear_model, **QUICK)
    merge(base / "out", base / "all.parquet")
    return (base / "all.parquet").read_bytes()


@pytest.fixture
def fragile(tmp_path, monkeypatch):
    """Options for a run with the detector ``fragile``."""
    monkeypatch.syspath_prepend(str(install_fragile(tmp_path / "site")))
    return {**QUICK, "detector": "fragile"}


def merged(out):
    target = out.with_suffix(".parquet")
    merge(out, target)
    return target.read_bytes()


def words(source, out, model, *more, detector="full-image"):
    options = ["--detector", detector, "--shard-size", "5", "--model", str(model), *more]
    return [sys.executable, "-m", "emopy", "batch", "run", str(source), str(out), *options]


def start(command, **options):
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_the_table_is_that_of_predict_many_and_predict_video(
    source, expected, linear_model, tmp_path
):
    model = FERModel(model=linear_model, detector="full-image")
    with open_table(tmp_path / "images.parquet", model.labels) as table:
        for result in model.predict_many(f"{source}/*.png"):
            table.write(result)
    with open_table(tmp_path / "clip.parquet", model.labels) as table:
        for result in model.predict_video(source / "clips" / "a.mp4"):
            table.write(result)
    found = rows_by_source(expected)
    images = rows_by_source(tmp_path / "images.parquet")
    assert {name: found[name] for name in images} == images
    assert found["a.mp4"] == rows_by_source(tmp_path / "clip.parquet")["a.mp4"]
    assert len(found) == 25 + 2 + 4


def test_two_processes_write_the_bytes_of_one(source, expected, linear_model, tmp_path):
    found = run(source, tmp_path / "out", workers=2, model=linear_model, **QUICK)
    assert found.is_complete
    assert (found.inputs, found.failures) == (28, 5)
    assert merged(tmp_path / "out") == expected


def code_of(language, word):
    """The block of docs/batch.md in a language that has a word."""
    page = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    [found] = [block for block in blocks if word in block]
    return found


def slurm_job(i):
    """What a job of the array runs, its variables, and its exit code for damaged inputs."""
    text = code_of("sh", "#SBATCH")
    assert "#SBATCH --array=1-50\n" in text  # places count from 1
    variables = {"CPUS_PER_TASK": 1, "ARRAY_TASK_ID": i + 1, "ARRAY_TASK_COUNT": 2}
    return ["sh", "-c", text], {f"SLURM_{name}": value for name, value in variables.items()}, 1


def kubernetes_job(i):
    """The same of a pod of the indexed job."""
    job = yaml.safe_load(code_of("yaml", "kind: Job"))
    spec = job["spec"]
    assert (job["apiVersion"], spec["completionMode"]) == ("batch/v1", "Indexed")
    assert spec["completions"] == 50
    [container] = spec["template"]["spec"]["containers"]
    assert "/50" in container["args"][0]
    command = [*container["command"], container["args"][0].replace("/50", "/2")]
    return command, {"JOB_COMPLETION_INDEX": i}, 0


@pytest.mark.parametrize("job", [slurm_job, kubernetes_job])
def test_the_arrays_of_jobs_of_the_documentation_write_the_same_bytes(
    source, expected, linear_model, tmp_path, job
):
    command = shlex.join(words(source, tmp_path / "out", linear_model))
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    jobs = []
    for i in (0, 1):  # they begin at the same moment
        (*shell, text), variables, code = job(i)
        script, count = re.subn(r"emopy batch run \S+ \S+", lambda _: command, text)
        assert count == 1
        script = script.replace("--workers 4", "--workers 1")
        given = {name: str(value) for name, value in variables.items()}
        environment = {**os.environ, "PYTHONPATH": path, **given}
        jobs.append(subprocess.Popen([*shell, script], env=environment, stderr=subprocess.PIPE))
    outputs = [each.communicate(timeout=DEADLINE_S)[1] for each in jobs]
    assert [each.returncode for each in jobs] == [code, code], outputs
    assert merged(tmp_path / "out") == expected


def test_two_runs_at_once_into_one_folder(source, expected, linear_model, tmp_path):
    runs = [start(words(source, tmp_path / "out", linear_model, "--workers", "1")) for _ in "ab"]
    outputs = [each.communicate(timeout=DEADLINE_S)[1] for each in runs]
    assert [each.returncode for each in runs] == [1, 1], outputs
    assert merged(tmp_path / "out") == expected


def test_inputs_that_end_every_process_are_found_and_listed(linear_model, tmp_path, fragile):
    heights = {3: CRASH_HEIGHT, 11: ERROR_HEIGHT}
    source = write_images(tmp_path / "photos", 12, heights=heights, damaged_every=8)
    found = run(source, tmp_path / "out", workers=2, model=linear_model, **fragile)
    assert (found.is_complete, found.failures) == (True, 3)
    rows = rows_by_source(merged(tmp_path / "out"))
    assert list(rows) == [f"{number:04}.png" for number in range(12)]
    assert all(len(each) == 1 for each in rows.values())
    errors = {name: row["error"] for name, [row] in rows.items() if row["error"]}
    assert list(errors) == ["0003.png", "0007.png", "0011.png"]
    assert "ended 3 processes" in errors["0003.png"]
    assert "damaged or truncated" in errors["0007.png"]
    assert "caused RuntimeError: no part of EmoPy" in errors["0011.png"]


def test_a_worker_and_then_the_driver_are_killed_and_the_run_is_resumed(
    linear_model, tmp_path, fragile
):
    source = write_images(tmp_path / "photos", 40, heights=dict.fromkeys(range(40), SLOW_HEIGHT))
    out = tmp_path / "out"
    command = words(source, out, linear_model, "--workers", "2", detector="fragile")
    driver = start(command)
    wait_for(lambda: list(out.glob("part-*")))
    first, second = children(driver.pid, "local_worker")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: set(children(driver.pid, "local_worker")) - {first, second})
    workers = children(driver.pid, "local_worker")
    driver.kill()
    driver.communicate()
    wait_for(lambda: not any(map(is_running, workers)))  # after the shards that they had begun
    kept = {path: path.stat().st_mtime_ns for path in out.glob("part-*")}
    assert 1 <= len(kept) < 8
    rerun = start(command)
    rerun.communicate(timeout=DEADLINE_S)
    assert rerun.returncode == 0
    assert status(out).is_complete
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    rows = rows_by_source(merged(out))
    assert [len(rows[f"{number:04}.png"]) for number in range(40)] == [1] * 40


def test_ctrl_c_ends_the_workers_and_says_how_to_resume(linear_model, tmp_path, fragile):
    source = write_images(tmp_path / "photos", 25, heights=dict.fromkeys(range(25), SLOW_HEIGHT))
    command = words(source, tmp_path / "out", linear_model, "--workers", "2", detector="fragile")
    driver = start(command, start_new_session=True)
    wait_for(lambda: len(children(driver.pid, "local_worker")) == 2)
    workers = children(driver.pid, "local_worker")
    os.killpg(driver.pid, signal.SIGINT)  # to all of them, as a terminal does
    said = driver.communicate(timeout=DEADLINE_S)[1]
    assert not any(map(is_running, workers))
    assert driver.returncode == 130
    assert said.splitlines()[-1].startswith("emopy: stopped. To resume, rerun the same command")
    assert "Traceback" not in said


def test_runs_that_are_killed_at_random_lose_and_double_nothing(linear_model, tmp_path):
    options = ("--model", str(linear_model))
    assert kill_runs(tmp_path / "runs", 3, seed=4, images=60, options=options) == []


def test_a_script_is_not_run_again_in_its_processes(source, expected, linear_model, tmp_path):
    script = tmp_path / "script.py"  # with no test of __name__
    script.write_text(
        "import emopy.batch\n"
        "open('log', 'a').write('run\\n')\n"
        f"emopy.batch.run({str(source)!r}, 'out', workers=2, model={str(linear_model)!r}, "
        f"**{QUICK!r})\n"
    )
    process = start([sys.executable, str(script)], cwd=tmp_path)
    said = process.communicate(timeout=DEADLINE_S)[1]
    assert (process.returncode, said) == (0, "")
    assert (tmp_path / "log").read_text() == "run\n"
    assert merged(tmp_path / "out") == expected
