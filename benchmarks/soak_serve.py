"""Half an hour of mixed load on `emopy serve`: errors and memory."""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.report import Figure, Section, Settings
from benchmarks.service import Service, emopy_service
from benchmarks.soak_clients import BUSY, Client, Clients, UnexpectedError
from benchmarks.soak_inputs import write_inputs

MINUTES, QUICK_MINUTES = 30, 2
MOST_GROWTH, MOST_MEMORY_MB = 1.05, 250
CLIENTS, PAUSE_S = 12, 0.4
BURST = 80
SAMPLE_S = 5
WINDOW, QUICK_WINDOW = 5, 1
"""Minutes whose median is compared: the last ones with those after as many minutes."""
IDLE_S = 60
_SHOWN = 5


@dataclass(slots=True)
class Tally:
    """What the clients saw: outcomes by client, what was unexpected, and memory by minute.

    `resident_mb` has the median of each minute.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)

    async def run(self, name: str, client: Client) -> None:
        """Let a client do its work, and count how it ended."""
        try:
            outcome = await client()
        except (UnexpectedError, OSError) as error:
            self.unexpected.append(f"{name}: {error or type(error).__name__}")
            outcome = "unexpected"
        self.outcomes[name, outcome] += 1


def measure(settings: Settings) -> Section:
    """Send mixed load; note the memory at each minute."""
    minutes = QUICK_MINUTES if settings.quick else MINUTES
    inputs = write_inputs(settings.scratch)
    tally, load_before = Tally(), os.getloadavg()[0]
    with emopy_service(settings.scratch / "log.txt", settings.model) as service:
        started_mb, started_files = service.resident_mb(), service.open_files()
        clients = Clients(service.port, inputs)
        asyncio.run(_send_load(clients, tally, service, minutes))
        time.sleep(IDLE_S)  # until idle connections are closed
        ended_files, queue = service.open_files(), _queue_length(service)
        ended_mb = service.resident_mb()
    failures = [line for line in service.log_text().splitlines() if "failed." in line]
    tally.unexpected += [f"log: {line}" for line in failures]
    if service.exit_status:
        tally.unexpected.append(f"exit status {service.exit_status}")
    if queue:
        tally.unexpected.append(f"{queue} requests were still counted in the queue")
    window = QUICK_WINDOW if settings.quick else WINDOW
    notes = [
        f"Open file descriptors: {started_files} at the start, {ended_files} at the end. Resident "
        f"memory after the last connection was closed: {ended_mb:.0f} MB.",
        f"Load average of the machine: {load_before:.1f} before, {os.getloadavg()[0]:.1f} after, "
        f"{os.cpu_count()} cores. Errors and memory are measured here, not speed.",
        *(f"Unexpected: {text}" for text in tally.unexpected[:_SHOWN]),
    ]
    return Section(
        title=f"{minutes} minutes of mixed load",
        how=(
            f"`emopy serve` with its default limits in a process of its own, and {CLIENTS} clients "
            f"at a time on the same machine, each with a pause of {PAUSE_S} s on "
            "average between two requests: usual ones of every kind, 5 % bad inputs, clients that "
            "vanish, slow writers and slow readers. Once a minute "
            f"{BURST} clients send an image at the same moment, more than the queue takes. Every "
            "status, and for repeated requests every byte of the answer, must be the expected "
            f"one. Resident memory is read by another process every {SAMPLE_S} seconds; the "
            "figures are medians of a minute."
        ),
        figures=[*_figures(tally, started_mb, window)],
        header=("client", "requests", "outcomes"),
        rows=[*_rows(tally)],
        notes=notes,
    )


async def _send_load(clients: Clients, tally: Tally, service: Service, minutes: int) -> None:
    """Run the clients side by side until the time is over."""
    end_s = time.monotonic() + 60 * minutes
    async with asyncio.TaskGroup() as group:
        for seed in range(CLIENTS):
            group.create_task(_one_after_another(clients, tally, random.Random(seed), end_s))
        for minute in range(1, minutes + 1):
            burst = [tally.run("burst", clients.image) for _ in range(BURST)]
            await asyncio.gather(*burst)
            samples: list[float] = []
            while not samples or time.monotonic() < end_s - 60 * (minutes - minute):
                await asyncio.sleep(SAMPLE_S)
                samples.append(service.resident_mb())
            tally.resident_mb.append(statistics.median(samples))
            print(
                f"{minute} min: {tally.resident_mb[-1]:.1f} MB, {tally.outcomes.total()} requests, "
                f"{len(tally.unexpected)} unexpected",
                file=sys.stderr,
            )


async def _one_after_another(
    clients: Clients, tally: Tally, rng: random.Random, end_s: float
) -> None:
    kinds = clients.kinds()
    names, weights = list(kinds), [weight for weight, _ in kinds.values()]
    while time.monotonic() < end_s:
        (name,) = rng.choices(names, weights)
        await tally.run(name, kinds[name][1])
        await asyncio.sleep(rng.uniform(0, 2 * PAUSE_S))


def _queue_length(service: Service) -> float:
    match = re.search(r"^emopy_queue_length (\S+)$", service.get("/metrics"), re.MULTILINE)
    return float(match[1]) if match else -1


def _figures(tally: Tally, started_mb: float, window: int) -> Iterator[Figure]:
    resident = tally.resident_mb
    busy = sum(count for (_, outcome), count in tally.outcomes.items() if outcome == BUSY)
    yield Figure("requests", tally.outcomes.total(), "")
    yield Figure("answered with 429 or its like", busy, "")
    yield Figure("unexpected answers, failures in the log", len(tally.unexpected), "", at_most=0)
    yield Figure("resident memory before the first request", started_mb, "MB")
    for minute in sorted({1, window, *range(10, len(resident) + 1, 10), len(resident)}):
        yield Figure(f"resident memory in minute {minute}", resident[minute - 1], "MB")
    yield Figure("resident memory, largest minute", max(resident), "MB", at_most=MOST_MEMORY_MB)
    before = statistics.median(resident[window : 2 * window])
    growth = statistics.median(resident[-window:]) / before
    what = f"resident memory, last {window} minutes ÷ minutes {window + 1} to {2 * window}"
    yield Figure(what, growth, "×", at_most=MOST_GROWTH)


def _rows(tally: Tally) -> Iterator[Sequence[str | float]]:
    """A row for each client, with how often each outcome was seen."""
    for name in dict.fromkeys(name for name, _ in tally.outcomes):
        found = {out: n for (each, out), n in sorted(tally.outcomes.items()) if each == name}
        yield name, f"{sum(found.values())}", ", ".join(f"{out}: {n}" for out, n in found.items())
