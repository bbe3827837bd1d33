"""The program of the processes of `LocalEngine`: runs the units that come on its stdin.

Each answer is a `Counts`, or the exception that was raised.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import warnings

from emopy.batch.rows import Counts
from emopy.batch.worker import Unit, as_picklable, run_unit


def main(out: str) -> None:
    """Run units until stdin is closed.

    Args:
        out: Location of the results.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.formatwarning = lambda message, *_: f"emopy: {message}\n"
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is none
    while True:
        try:
            unit: Unit = pickle.load(sys.stdin.buffer)  # noqa: S301  from the process that began it
        except EOFError:
            return
        found: Counts | Exception
        try:
            found = run_unit(out, unit)
        except Exception as error:  # noqa: BLE001  handed to the process that gave the unit
            found = as_picklable(error)
        try:
            pickle.dump(found, answers)
            answers.flush()
        except OSError:  # that process has ended; Windows has several errors for that
            os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
