"""``python -m emopy`` is the same as ``emopy``."""

import sys

from emopy.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
