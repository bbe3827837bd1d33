"""Predict many images with a service, a few at a time: `python predict.py IMAGE…`.

Start one first: `emopy serve`. Needs `pip install '.[client]'`.
"""

import os
import sys

from emopy import FailedInput
from emopy.client import Client

URL = os.environ.get("EMOPY_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("EMOPY_KEY")


def main(paths: list[str]) -> int:
    failed = 0
    with Client(URL, api_key=KEY) as client:
        # While the service has no free place, the client waits and sends an image again.
        for result in client.predict_many(paths, concurrency=4):
            if isinstance(result, FailedInput):
                print(result.source, result.error, file=sys.stderr)
                failed += 1
                continue
            for face in result:
                print(result.source, face.emotion or "not sure", f"{face.confidence:.2f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
