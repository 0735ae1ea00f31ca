"""`Metrics`: what Prometheus is told of the service."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily

from inksight import __version__
from inksight.serve.models import Models

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SIZES = (1, 2, 4, 8, 16, 32, 64, 256, 1024, 4096)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters and histograms of one service."""

    def __init__(self, models: Models) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._models = models
        registry.register(self)
        self.requests = Counter(
            "inksight_requests", "Requests by endpoint and outcome.", ["endpoint", "outcome"], registry=registry
        )
        self.refusals = Counter("inksight_refusals", "Refused requests by reason.", ["reason"], registry=registry)
        self.images = Counter("inksight_images", "Images and pages computed, by model.", ["model"], registry=registry)
        self.waiting = Gauge("inksight_waiting_requests", "Requests without an answer yet.", registry=registry)
        self._batches = Histogram(
            "inksight_batch_images", "Images of a batch.", ["worker"], buckets=SIZES, registry=registry
        )
        self._queue = Histogram(
            "inksight_queue_seconds", "Time in the queue.", ["worker"], buckets=SECONDS, registry=registry
        )
        self._compute = Histogram(
            "inksight_compute_seconds", "Time to compute a batch.", ["worker"], buckets=SECONDS, registry=registry
        )

    def observe(self, worker: str, size: int, waited: list[float], seconds: float) -> None:
        """Note a batch; see `inksight.serve.workers.Observer`."""
        self._batches.labels(worker).observe(size)
        self._compute.labels(worker).observe(seconds)
        queue = self._queue.labels(worker)
        for each in waited:
            queue.observe(each)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield which versions are served now, when Prometheus asks."""
        family = GaugeMetricFamily(
            "inksight_model_info", "The version of each model.", labels=["model", "version", "inksight"]
        )
        for model in self._models:
            family.add_metric([model.name, model.version, __version__], 1)
        yield family

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
