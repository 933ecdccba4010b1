"""`spacy bioner serve`: a pipeline behind HTTP, with a page to try it."""

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, Union

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from spacy.language import Language
from starlette import requests
from starlette.exceptions import HTTPException
from thinc.api import get_current_ops, set_current_ops

from ..about import __version__
from ..errors import BionerError, Errors, reason
from ..formats import Mention
from ..reports.colors import color_of, displacy_colors
from ..scope import SPANS_KEY
from ..scoring.evaluate import load_pipeline
from ..shipped import shipped_project
from .mentions import Known, find_mentions, is_chosen, predicted_spans, with_guideline
from .service_answers import FILE_FORMATS, Annotated, Answer, to_answer, to_file
from .service_batches import Batcher, TooManyWaiting, Waiting
from .service_metrics import Metrics
from .service_requests import BodyLimit, Limits, Refused, Request, answer_of, explain

PAGE = files("bioner_spacy.serving") / "service_page"
EXAMPLES = "assets/abstracts/abstracts.jsonl"
DEFAULT_LIMITS = Limits()
WARM_UP = "Mutations of NOD2 in Crohn disease."

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def make_app(
    pipeline: Union[str, Path, Language],
    *,
    limits: Limits = DEFAULT_LIMITS,
    batch_size: int = 64,
    batch_wait: float = 0.005,
    max_waiting: int = 5_000,
    spans_key: str = SPANS_KEY,
    gpu_id: int = -1,
) -> FastAPI:
    """The service as an ASGI application.

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.
        batch_wait: seconds that an incomplete batch waits for more texts.
        max_waiting: maximum number of waiting texts; further requests get 503.

    Raises:
        BionerError: the pipeline cannot be loaded, or annotates no entities under the key.
    """
    nlp = load_pipeline(pipeline, gpu_id=gpu_id)
    service = Service(nlp, limits, spans_key)
    service.batcher = Batcher(
        service.annotate,
        batch_size=batch_size,
        wait=batch_wait,
        max_waiting=max_waiting,
        on_batch=service.metrics.on_batch,
    )
    service.metrics.waiting.set_function(lambda: service.batcher.waiting)
    predicted_spans(nlp(WARM_UP), spans_key, service.name)
    return _application(service)


class Service:
    """State shared by the routes of the service."""

    batcher: Batcher[list[Mention]]

    def __init__(self, nlp: Language, limits: Limits, spans_key: str) -> None:
        self._nlp, self._spans_key = nlp, spans_key
        self._ops = get_current_ops()  # the device, which Thinc keeps for each thread
        self.limits = limits
        self.metrics = Metrics()
        self.name = f"{nlp.lang}_{nlp.meta['name']} {nlp.meta['version']}"
        self.known = Known.of(nlp)

    def annotate(self, texts: list[Waiting]) -> list[list[Mention]]:
        """Mentions of texts; called by the batcher's thread only."""
        set_current_ops(self._ops)
        with self._nlp.memory_zone():  # so memory does not grow with new tokens
            docs = [with_guideline(self._nlp.make_doc(text), guideline) for text, guideline in texts]
            return [find_mentions(doc, self._spans_key) for doc in self._nlp.pipe(docs, batch_size=len(docs))]

    async def answer(self, request: Request) -> Union[Answer, Response]:
        """Serve one request.

        Raises:
            Refused: it is refused.
        """
        request.check(self.known)
        documents = request.documents(self.limits)
        found = await self._results([Waiting(document.text, request.guideline) for document in documents])
        annotated = [
            Annotated(
                document.id,
                document.text,
                [one for one in mentions if is_chosen(one.label, one.score, request.types, request.threshold)],
            )
            for document, mentions in zip(documents, found, strict=True)
        ]
        self.metrics.on_answer(annotated)
        if request.format == "json":
            return to_answer(self.name, annotated)
        media_type, ending = FILE_FORMATS[request.format]
        try:
            content = await asyncio.to_thread(to_file, request.format, annotated)
        except BionerError as error:
            raise Refused(422, str(error)) from error
        name = f"attachment; filename=entities{ending}"
        return Response(content, media_type=media_type, headers={"Content-Disposition": name})

    async def _results(self, texts: Sequence[Waiting]) -> list[list[Mention]]:
        try:
            waiting = [asyncio.wrap_future(future) for future in self.batcher.submit(texts)]
        except TooManyWaiting:
            raise Refused(503, Errors.E668) from None
        try:
            return list(await asyncio.wait_for(asyncio.gather(*waiting), self.limits.seconds))
        except asyncio.TimeoutError:
            raise Refused(503, Errors.E666.format(what="The answer", seconds=self.limits.seconds)) from None
        except Exception as error:  # raised by a component; logged by the thread
            raise Refused(500, Errors.E669.format(kind=type(error).__name__)) from error

    def page_data(self) -> dict[str, Any]:
        """Data for the page."""
        return {
            "pipeline": self.name,
            "types": self.known.types,
            "colors": {name: color_of(name) for name in (*displacy_colors, *self.known.types)},
            "examples": _examples(),
        }


def _application(service: Service) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        yield
        await asyncio.to_thread(service.batcher.stop)

    app = FastAPI(
        title="bioner_spacy",
        version=__version__,
        description=f"Biomedical entities, by the pipeline {service.name}.",
        lifespan=lifespan,
        docs_url=None,  # these pages load external scripts
        redoc_url=None,
    )
    # Middleware added last runs first, so metrics also count requests refused by the limit.
    app.add_middleware(BodyLimit, limits=service.limits)

    @app.middleware("http")
    async def measured(
        request: requests.Request, call_next: Callable[[requests.Request], Awaitable[Response]]
    ) -> Response:
        start, status = time.perf_counter(), 500
        try:
            response = await call_next(request)
            status = response.status_code
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response
        finally:
            service.metrics.on_request(request.url.path, status, time.perf_counter() - start)

    def invalid(request: requests.Request, error: Exception) -> Response:
        errors = error.errors() if isinstance(error, RequestValidationError) else []
        return JSONResponse({"detail": explain(errors)}, status_code=422)

    def refused(request: requests.Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code != 400:
            return answer_of(error)
        return JSONResponse({"detail": Errors.E660}, status_code=400)  # such as deeply nested brackets

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    _add_routes(app, service)
    app.mount("/", StaticFiles(directory=str(PAGE), html=True))
    return app


def _add_routes(app: FastAPI, service: Service) -> None:
    problem = {"content": {"application/json": {"example": {"detail": "What is wrong, in one sentence."}}}}
    texts: dict[str, Any] = {media_type.partition(";")[0]: {} for media_type, _ in FILE_FORMATS.values()}
    responses: dict[Union[int, str], dict[str, Any]] = {
        200: {"description": "The entities, in the format of the request.", "content": texts},
        408: {"description": "The body took too long.", **problem},
        413: {"description": "The body, the texts or their number are too large.", **problem},
        422: {"description": "The request is not valid.", **problem},
        503: {"description": "Too many texts wait, or the answer took too long.", **problem},
    }

    @app.post("/annotate", response_model=Answer, responses=responses)
    async def annotate(request: Request) -> Any:
        """Annotate one text or many."""
        return await service.answer(request)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    @app.get("/ready", responses={503: {"description": "The pipeline does not annotate.", **problem}})
    async def ready() -> dict[str, str]:
        """Whether texts can be annotated."""
        if not service.batcher.is_alive:
            raise Refused(503, Errors.E668)
        return {"status": "ready", "pipeline": service.name}

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/page.json", include_in_schema=False)
    async def page_data() -> dict[str, Any]:
        return service.page_data()


def serve(pipeline: Union[str, Path, Language], *, host: str = "127.0.0.1", port: int = 8000, **settings: Any) -> None:
    """Serve a pipeline until the process is interrupted.

    Args:
        pipeline: a loaded pipeline, or the folder or package name of one.
        host: address to listen on; 0.0.0.0 for access from other machines.
        port: port to listen on; 0 for any free port.
        **settings: see `make_app`.

    Raises:
        BionerError: the address is not available, or see `make_app`.
    """
    with listen(host, port) as bound:  # before the slow loading of the pipeline
        app = make_app(pipeline, **settings)
        config = uvicorn.Config(app, server_header=False, log_level="info", timeout_graceful_shutdown=30)
        with suppress(KeyboardInterrupt):  # raised by uvicorn after all requests are answered
            uvicorn.Server(config).run(sockets=[bound])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        BionerError: the port is in use, or the address is not available.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0  # negative for unknown host names
        why = os.strerror(number) if number > 0 else reason(error)
        raise BionerError(Errors.E670.format(host=host, port=port, reason=why)) from error


def _examples() -> list[dict[str, str]]:
    """The abstracts shipped with the package."""
    path = shipped_project() / EXAMPLES
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text("utf8").splitlines() if line.strip()]
