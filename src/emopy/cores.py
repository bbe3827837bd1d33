"""`usable_cores`: how many cores of the machine this process may use at the same time."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath


def usable_cores() -> int:
    """Return how many cores this process may use, 1 or more.

    On Linux these are the cores that it may run on, and no more than the limits of its control
    group, and of those around it, allow: containers have such limits. A part of a core counts as
    one.

    Source:
        https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files and
        https://docs.kernel.org/scheduler/sched-bwc.html for version 1.
    """
    if sys.platform != "linux" or not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    limits = _limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))
    return max(1, math.ceil(min([len(os.sched_getaffinity(0)), *limits])))


def _limits(membership: Path, mount: Path) -> Iterator[float]:
    """Yield the limits of the control groups of this process, in cores.

    Args:
        membership: The file that lists the groups: lines ``number:controllers:path``.
        mount: Where the groups are.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        number, *parts = line.split(":", 2)
        if len(parts) != 2 or not number.isdecimal():
            continue
        controllers, group = parts
        is_v2 = not controllers
        if not (is_v2 or "cpu" in controllers.split(",")):
            continue
        path = PurePosixPath(group.lstrip("/"))
        # In a container the path may be that of the host: the limit is then at the mount.
        for place in (path, *path.parents):
            folder = mount / place if is_v2 else mount / "cpu" / place
            with suppress(OSError, ValueError):
                yield _limit(folder, is_v2=is_v2)


def _limit(folder: Path, *, is_v2: bool) -> float:
    """Return the limit of one group, infinity for none.

    Raises:
        OSError: The group has no such file.
        ValueError: It has another form.
    """
    if is_v2:
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return math.inf if quota == "max" else int(quota) / int(period)
    quota_us, period_us = (
        int((folder / f"cpu.cfs_{name}_us").read_text(encoding="ascii"))
        for name in ("quota", "period")
    )
    return math.inf if quota_us < 0 else quota_us / period_us
