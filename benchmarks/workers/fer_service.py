"""fer behind FastAPI, as `emopy serve` is built: image in the body, one thread for the model."""

# pyright: reportMissingImports=false
# fer and what it needs are in an environment of their own.

import asyncio
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fer.fer import FER

THREAD = ThreadPoolExecutor(1)
MODEL = FER()
APP = FastAPI()


def predict(body: bytes) -> list[dict[str, Any]]:
    """Decode an image and predict the faces in it."""
    image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
    return [
        {
            "box": [int(edge) for edge in face["box"]],
            "emotions": {name: float(value) for name, value in face["emotions"].items()},
        }
        for face in MODEL.detect_emotions(image)
    ]


@APP.post("/v1/predict")
async def answer(request: Request) -> dict[str, Any]:
    """Predict the image that is posted."""
    body = await request.body()
    return {"faces": await asyncio.get_running_loop().run_in_executor(THREAD, predict, body)}


@APP.get("/readyz")
async def ready() -> str:
    """Tell that it runs."""
    return "ready"


if __name__ == "__main__":
    # The protocol is named: asyncio sends small parts without delay only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    config = uvicorn.Config(APP, http="h11", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])
