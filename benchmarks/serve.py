"""`emopy serve` beside `fer` in the same kind of app: throughput, latency, processor time."""

from __future__ import annotations

import csv
import io
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.environments import clean_environment, fer_serve_environment
from benchmarks.inputs import frame
from benchmarks.report import CannotMeasureError, Figure, Section, Settings
from benchmarks.service import Service, emopy_service
from benchmarks.soak_inputs import JPEG, jpeg, one_face
from benchmarks.timing import Spread, ratios
from benchmarks.worker import Worker

CLIENTS = (1, 8, 64)
REQUESTS = {1: 60, 8: 160, 64: 320}
TURNS = 7
MOST_OVERHEAD, MOST_CPU, MOST_MEMORY_MB = 1.25, 1 / 4, 250
QUEUE = 32
MOST_P99 = 1.5
"""p99 with a full queue ÷ the time that the queue and one more request take one after the other."""
PER_SECOND = 10
"""Requests per second that a client sends at most where it may be refused."""
REST_S = 0.2
_EMOPY, _FER, _BOUNDED = "EmoPy", "fer", f"EmoPy, queue of {QUEUE}"


@dataclass(frozen=True, slots=True)
class Load:
    """What some clients got who each sent requests one after the other.

    Attributes:
        seconds: Time of each answered request.
        refused: Requests that were answered with 429.
        errors: Requests with another answer, or none.
        wall_s: Time of all of them together.
        cpu_s: Processor time that the service used meanwhile.
    """

    seconds: Sequence[float]
    refused: int
    errors: int
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Answered requests per second."""
        return len(self.seconds) / self.wall_s

    @property
    def cpu_per_request_s(self) -> float:
        """Processor time of the service for each answered request."""
        return self.cpu_s / len(self.seconds)

    def percentile_s(self, percent: int) -> float:
        """A percentile of the times."""
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


@dataclass(slots=True)
class Measured:
    """Loads by service and number of clients, turn by turn, and the bare call.

    `smooth` has the loads of one client with the image of a generated scene.
    """

    loads: dict[tuple[str, int], list[Load]] = field(default_factory=dict)
    smooth: dict[str, list[Load]] = field(default_factory=dict)
    bare_s: list[float] = field(default_factory=list)
    resident_mb: dict[str, float] = field(default_factory=dict)


def measure(settings: Settings) -> Section:
    """Let `hey` send an image to both services, which take turns."""
    image, smooth = settings.scratch / "frame.jpg", settings.scratch / "scene.jpg"
    image.write_bytes(jpeg(frame()))
    smooth.write_bytes(jpeg(one_face()))
    turns = settings.turns(TURNS)
    found = _send(image, smooth, settings, turns)
    notes = [
        "fer's app: FastAPI and uvicorn, the image in the body, decoded with OpenCV, `FER()` with "
        "its default detector in one thread, without limits, metrics, log and keys: "
        "`benchmarks/workers/fer_service.py`.",
        "fer's search takes longer the more edges an image has; generated scenes have a smooth "
        "background.",
        "At 64 clients the row of both has room for all of them to wait (`--queue 64`). In the row "
        f"with a queue of {QUEUE}, each client sends at most {PER_SECOND} requests per second: one "
        "that is refused with 429 tries again sooner than `Retry-After` asks for.",
    ]
    return Section(
        title="HTTP service beside the package fer 25.10.3",
        how=(
            "One JPEG file of 640 × 480 pixels with one face, the photograph of the section beside "
            "the package fer in performance.md, posted by "
            "`hey` with keep-alive by 1, 8 and 64 clients, all on one machine. Services and the "
            "bare call `FERModel.predict(content)` take turns: "
            f"{turns} turns of {', '.join(map(str, REQUESTS.values()))} requests. Ratios are taken "
            "turn by turn; p50 and p99 are medians of the turns. Processor time is that of the "
            "process that serves, from one client's requests."
        ),
        figures=[*_figures(found)],
        header=("service", "clients", "answers per second", "p50, ms", "p99, ms", "status 429, %"),
        rows=[*_rows(found)],
        notes=notes,
    )


def _send(image: Path, smooth: Path, settings: Settings, turns: int) -> Measured:
    python, scratch = fer_serve_environment(), settings.scratch
    script = Path(__file__).parent / "workers" / "fer_service.py"
    found = Measured()
    with ExitStack() as stack:
        bare = stack.enter_context(
            Worker(Path(sys.executable), "emopy_worker.py", "encoded", str(image), settings.model)
        )
        services = {
            _EMOPY: emopy_service(scratch / "emopy.txt", settings.model, "--queue", "64"),
            _FER: Service([str(python), str(script)], scratch / "fer.txt", clean_environment()),
            _BOUNDED: emopy_service(scratch / "bounded.txt", settings.model, "--queue", str(QUEUE)),
        }
        for service in services.values():
            stack.enter_context(service)
            _load(service, image, 1)  # does not count
        for turn in range(turns):
            print(f"turn {turn + 1} of {turns}", file=sys.stderr)
            time.sleep(REST_S)
            found.bare_s.append(statistics.median(bare.ask(REQUESTS[1])))
            for name in (_EMOPY, _FER):
                found.smooth.setdefault(name, []).append(_load(services[name], smooth, 1))
            for clients in CLIENTS:
                for name, service in services.items():
                    if name == _BOUNDED and clients <= QUEUE:
                        continue
                    time.sleep(REST_S)
                    at_most = PER_SECOND if name == _BOUNDED else None
                    load = _load(service, image, clients, at_most)
                    found.loads.setdefault((name, clients), []).append(load)
        found.resident_mb = {name: each.resident_mb() for name, each in services.items()}
    return found


def _load(service: Service, image: Path, clients: int, per_second: int | None = None) -> Load:
    """Let `hey` send requests, and read its table of them.

    Raises:
        CannotMeasureError: There is no `hey`, or no request was answered.
    """
    hey = shutil.which("hey")
    if hey is None:
        raise CannotMeasureError("hey is missing. On Debian and Ubuntu, type: apt install hey")
    count = REQUESTS[clients]
    words = [hey, "-n", str(count), "-c", str(clients), "-m", "POST", "-T", JPEG, "-t", "60"]
    words += ["-q", str(per_second)] if per_second else []
    words += ["-D", str(image), "-o", "csv", f"{service.address}/v1/predict"]
    before = service.cpu_s()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    cpu_s = service.cpu_s() - before
    rows = [*csv.DictReader(io.StringIO(done.stdout))]
    by_status: dict[str, list[float]] = {}
    for row in rows:
        by_status.setdefault(row["status-code"], []).append(float(row["response-time"]))
    answered, refused = by_status.get("200", []), len(by_status.get("429", []))
    if len(answered) < 2:
        raise CannotMeasureError(f"hey got no answers: {done.stdout[:300]} {done.stderr[:300]}")
    # hey divides the requests among the clients, without a remainder.
    errors = count // clients * clients - len(answered) - refused
    wall_s = max(float(row["offset"]) + float(row["response-time"]) for row in rows)
    return Load(answered, refused, errors, wall_s, cpu_s)


def _figures(found: Measured) -> Iterator[Figure]:
    loads = found.loads
    mine, others = loads[_EMOPY, 1], loads[_FER, 1]
    p50 = [load.percentile_s(50) for load in mine]
    yield ratios(p50, found.bare_s).figure(
        "`emopy serve` ÷ bare call, one client, p50", "×", at_most=MOST_OVERHEAD
    )
    cpu = [load.cpu_per_request_s for load in mine]
    fer_cpu = [load.cpu_per_request_s for load in others]
    what = "EmoPy ÷ fer, processor time per request"
    yield ratios(cpu, fer_cpu).figure(what, "×", at_most=MOST_CPU)
    smooth, fer_smooth = (
        [load.cpu_per_request_s for load in found.smooth[name]] for name in (_EMOPY, _FER)
    )
    yield ratios(smooth, fer_smooth).figure(f"{what}, generated scene", "×", at_most=MOST_CPU)
    for clients in CLIENTS:
        pairs = zip(loads[_EMOPY, clients], loads[_FER, clients], strict=True)
        faster = Spread.of([mine.per_second / other.per_second for mine, other in pairs])
        yield faster.figure(f"EmoPy ÷ fer, answers per second, {clients} clients", "×")
    bounded = loads[_BOUNDED, max(CLIENTS)]
    p99 = [load.percentile_s(99) for load in bounded]
    whole_queue = [(QUEUE + 1) * seconds for seconds in p50]
    yield ratios(p99, whole_queue).figure(
        f"p99 with 64 clients and a queue of {QUEUE} ÷ {QUEUE + 1} requests one after the other",
        "×",
        at_most=MOST_P99,
    )
    errors = sum(load.errors for (name, _), each in loads.items() if name != _FER for load in each)
    yield Figure("EmoPy: requests that failed or timed out", errors, "", at_most=0)
    largest = max(mb for name, mb in found.resident_mb.items() if name != _FER)
    yield Figure("EmoPy: resident memory at the end", largest, "MB", at_most=MOST_MEMORY_MB)
    yield Figure("fer: resident memory at the end", found.resident_mb[_FER], "MB")
    yield Spread.of(found.bare_s).scaled(1000).figure("the bare call", "ms")
    yield Spread.of(cpu).scaled(1000).figure("EmoPy: processor time per request", "ms")
    yield Spread.of(fer_cpu).scaled(1000).figure("fer: processor time per request", "ms")


def _rows(found: Measured) -> Iterator[Sequence[str]]:
    for (name, clients), loads in sorted(found.loads.items(), key=lambda item: item[0][1]):
        refused = sum(load.refused for load in loads)
        sent = refused + sum(len(load.seconds) + load.errors for load in loads)
        rate = statistics.median(load.per_second for load in loads)
        p50, p99 = (1000 * statistics.median(x.percentile_s(p) for x in loads) for p in (50, 99))
        percent = f"{100 * refused / sent:.0f}"
        yield name, str(clients), f"{rate:.1f}", f"{p50:.1f}", f"{p99:.1f}", percent
