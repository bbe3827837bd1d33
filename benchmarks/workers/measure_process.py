"""Run a command; print its wall time and peak memory as JSON. Small, so that it does not count."""

import json
import os
import subprocess
import sys
import time


def main(command: list[str]) -> int:
    """Run it; its own exit code comes back."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    time_s = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"time_s": time_s, "peak_bytes": usage.ru_maxrss * unit}))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
