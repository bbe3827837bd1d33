"""The number of cores that a process may use: affinity, control groups, other systems."""

import os
import subprocess
import sys

import pytest

from emopy import cores
from emopy.cores import usable_cores


@pytest.fixture
def many_cores(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)


@pytest.fixture
def grouped(many_cores, monkeypatch, tmp_path):
    """Put this process into control groups: the lines of membership, and files with content."""

    def group(membership, files):
        for name, content in files.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (tmp_path / "membership").write_text(membership)
        real = cores._limits
        monkeypatch.setattr(
            cores, "_limits", lambda *_: real(tmp_path / "membership", tmp_path / "groups")
        )
        return usable_cores()

    return group


@pytest.mark.parametrize(
    "membership, files, expected",
    [
        ("0::/\n", {"cpu.max": "300000 100000\n"}, 3),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "1000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 64),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, 2),
        ("0::/docker/of-the-host\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/\n", {}, 64),
        ("0::/\n", {"cpu.max": "odd\n"}, 64),
        ("odd\n", {"cpu.max": "100000 100000\n"}, 64),
        (
            "4:memory:/\n3:cpu,cpuacct:/pod\n0::/\n",
            {"cpu/pod/cpu.cfs_quota_us": "250000\n", "cpu/pod/cpu.cfs_period_us": "100000\n"},
            3,
        ),
        (
            "1:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            64,
        ),
    ],
)
def test_the_limits_of_control_groups_count(grouped, membership, files, expected):
    assert grouped(membership, files) == expected


def test_a_limit_above_the_cores_adds_none(grouped):
    assert grouped("0::/\n", {"cpu.max": "9900000 100000\n"}) == 64


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs sched_setaffinity")
def test_one_core_is_left_to_a_process_that_may_run_on_one():
    code = (
        "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from emopy.cores import usable_cores\nassert usable_cores() == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_count_all_cores(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_cores() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
