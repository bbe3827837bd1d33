"""What `/metrics` counts, in the format of Prometheus.

With several processes the counts of all are added: `prometheus_client` keeps them in files of the
folder that ``PROMETHEUS_MULTIPROC_DIR`` names, which `emopy.serve.run` sets.
"""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from emopy.models import ModelCard

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """Counters of one process.

    Args:
        card: Card of the model.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, card: ModelCard) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "emopy_requests", "Requests by path and status.", ("path", "status"), registry=registry
        )
        self.seconds = Histogram(
            "emopy_request_seconds",
            "Time from the end of the head of a request to the end of its answer, in seconds.",
            ("path",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.queue = Gauge(
            "emopy_queue_length",
            "Requests that wait for the model or are being predicted.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.streams = Gauge(
            "emopy_streams",
            "Videos and live sessions that are open.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.faces = Counter("emopy_faces", "Faces that were predicted.", registry=registry)
        self.failures = Counter(
            "emopy_failed_inputs", "Images and videos that could not be read.", registry=registry
        )
        model = Gauge(
            "emopy_model",
            "1 for the model that predicts.",
            ("name", "version"),
            multiprocess_mode="max",
            registry=registry,
        )
        model.labels(card.name, card.version).set(1)

    def to_text(self) -> bytes:
        """Return the counts of all processes."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # pyright: ignore[reportArgumentType]
        return generate_latest(together)

    def close(self) -> None:
        """Take this process out of the counts of what there is now."""
        forget_process(os.getpid())


def forget_process(pid: int | None) -> None:
    """Take a process out of the counts of what there is now; what it has counted stays."""
    if pid is not None and FOLDER_VARIABLE in os.environ:
        mark_process_dead(pid)
