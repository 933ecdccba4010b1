"""Metrics of the service, for Prometheus."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from .service_answers import Annotated

PATHS = ("/", "/annotate", "/health", "/metrics", "/openapi.json", "/page.json", "/ready")
"""Paths with their own counts; all others are counted as one."""


class Metrics:
    """Counts and times of one service."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter("bioner_requests", "Requests.", ["path", "status"], registry=registry)
        self._seconds = Histogram("bioner_request_seconds", "Seconds of a request.", ["path"], registry=registry)
        self._texts = Counter("bioner_texts", "Texts that were annotated.", registry=registry)
        self._characters = Counter("bioner_characters", "Characters of these texts.", registry=registry)
        self._entities = Counter("bioner_entities", "Entities that were answered.", ["type"], registry=registry)
        sizes = (1, 2, 4, 8, 16, 32, 64, 128, 256)
        self._batch = Histogram("bioner_batch_texts", "Texts of a batch.", registry=registry, buckets=sizes)
        self._batch_seconds = Histogram("bioner_batch_seconds", "Seconds of a batch.", registry=registry)
        self.waiting = Gauge("bioner_waiting_texts", "Texts that wait.", registry=registry)

    def on_request(self, path: str, status: int, seconds: float) -> None:
        """Count one request."""
        name = path if path in PATHS else "other"
        self._requests.labels(name, str(status)).inc()
        self._seconds.labels(name).observe(seconds)

    def on_batch(self, texts: int, seconds: float) -> None:
        """Count one batch."""
        self._batch.observe(texts)
        self._batch_seconds.observe(seconds)

    def on_answer(self, documents: Sequence[Annotated]) -> None:
        """Count the documents of one answer."""
        self._texts.inc(len(documents))
        self._characters.inc(sum(len(document.text) for document in documents))
        for document in documents:
            for mention in document.mentions:
                self._entities.labels(mention.label).inc()
