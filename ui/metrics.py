"""``/metrics``: what a Prometheus server asks for. Counts only, nothing of a person.

``DLCORE_METRICS_TOKEN`` keeps it to those who send the token (``Authorization: Bearer ...``), for servers that no proxy
stands before.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterator

import psutil
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from dlcore.jobs import classroom
from dlcore.texts import Problem

TOKEN = "DLCORE_METRICS_TOKEN"
LANES = {"slots": "Runs or answers that the workers of a lane take at once.",
         "running": "Runs that workers of a lane are computing.",
         "waiting": "Runs of a lane that wait."}  # fmt: skip


class Figures:
    """What the server knows of itself, collected when it is asked."""

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        process = psutil.Process()
        yield GaugeMetricFamily("dlcore_web_memory_bytes", "Resident memory of this web process.",
                                value=process.memory_info().rss)  # fmt: skip
        yield CounterMetricFamily("dlcore_web_cpu_seconds", "Processor time of this web process.",
                                  value=sum(process.cpu_times()[:2]))  # fmt: skip
        yield GaugeMetricFamily("dlcore_web_up_seconds", "Since this web process began.",
                                value=time.time() - process.create_time())  # fmt: skip
        try:
            figures = classroom.figures()
        except Problem:  # not started, or at its end
            figures = {"up": 0.0, "browsers": 0.0}
        yield GaugeMetricFamily("dlcore_up", "1 while the workers answer.", value=figures["up"])
        yield GaugeMetricFamily("dlcore_browsers", "Browsers heard of in the last minutes.", value=figures["browsers"])
        for name, words in LANES.items():
            yield _by(GaugeMetricFamily(f"dlcore_{name}", words, labels=["lane"]), figures, name)
        counted = CounterMetricFamily("dlcore_runs", "Runs begun, and left by their worker, by how.", labels=["how"])
        yield _by(counted, figures, "count")


def _by(family: Metric, figures: dict[str, float], name: str) -> Metric:
    for key, value in figures.items():
        kind, _, label = key.partition(":")
        if kind == name and label:
            family.add_metric([label], value)  # type: ignore[attr-defined]  # of both families
    return family


_registry = CollectorRegistry(auto_describe=False)
_registry.register(Figures())


def metrics(request: Request) -> Response:
    """Answer a scrape; in a thread, since it asks for the queue's lock. 401 without the token, where one is set."""
    wanted, given = os.environ.get(TOKEN, "").strip(), request.headers.get("authorization", "")
    if wanted and not hmac.compare_digest(given.encode("latin-1"), f"Bearer {wanted}".encode()):
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    return Response(generate_latest(_registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
