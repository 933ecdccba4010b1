"""Requests of the service: schema, limits, and error messages."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Optional, Union

from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import BionerError, Errors, check_setting
from .mentions import Known
from .service_answers import FORMATS


@dataclass(frozen=True)
class Limits:
    """Limits of requests."""

    body: int = 8_000_000  # maximum number of bytes of a body
    texts: int = 1_000  # maximum number of texts
    characters: int = 1_000_000  # maximum number of characters of all texts together
    seconds: float = 60.0  # timeout for receiving the body, and for the answer


class Refused(HTTPException):
    """A refused request, with status and message."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, detail, {"Retry-After": "1"} if status == 503 else None)


def answer_of(error: HTTPException) -> JSONResponse:
    """The answer to a refused request."""
    return JSONResponse({"detail": error.detail}, status_code=error.status_code, headers=error.headers)


def _valid(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "half a surrogate pair") from None
    return text


Unicode = Annotated[str, AfterValidator(_valid)]
"""A text without lone surrogates, which JSON can contain."""


class Strict(BaseModel):
    """A model without unknown keys and type coercion."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Text(Strict):
    """A text with an identifier."""

    id: Unicode = Field(default="", description="Identifier of the text in the answer; empty for its number, from 1.")
    text: Unicode


class Request(Strict):
    """A request: texts and settings."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "Mutations of NOD2 in Crohn disease.", "threshold": 0.5}]}
    )

    text: Optional[Unicode] = Field(default=None, description="One text. Give this or texts.")
    texts: Optional[list[Union[Unicode, Text]]] = Field(
        default=None, description="Many texts, each alone or as an object with an identifier."
    )
    types: Optional[list[str]] = Field(default=None, description="Entity types of the answer; all if there are none.")
    guideline: Optional[str] = Field(default=None, description="Corpus whose guideline is followed; none by default.")
    threshold: Annotated[float, Field(ge=0, le=1, description="Least score of mentions that have one.")] = 0.0
    format: str = Field(default="json", description=f"Format of the answer: {', '.join(FORMATS)}.")

    def documents(self, limits: Limits) -> list[Text]:
        """The texts with their identifiers.

        Raises:
            Refused: there is none, or there are too many or too long ones.
        """
        if (self.text is None) == (self.texts is None) or self.texts == []:
            raise Refused(422, Errors.E661)
        given: Sequence[Union[str, Text]] = [self.text] if self.text is not None else self.texts or []
        if len(given) > limits.texts:
            raise Refused(413, Errors.E662.format(what="texts", count=len(given), limit=limits.texts))
        texts = [text if isinstance(text, Text) else Text(text=text) for text in given]
        documents = [Text(id=text.id or str(number), text=text.text) for number, text in enumerate(texts, start=1)]
        characters = sum(len(document.text) for document in documents)
        if characters > limits.characters:
            raise Refused(413, Errors.E662.format(what="characters", count=characters, limit=limits.characters))
        return documents

    def check(self, known: Known) -> None:
        """Check that types, guideline and format are known.

        Raises:
            Refused: one is not known.
        """
        try:
            known.require(self.types, self.guideline)
            check_setting("format", self.format, FORMATS)
        except BionerError as error:
            raise Refused(422, str(error)) from None


def explain(errors: Sequence[Any]) -> str:
    """The first error of a request in one sentence, without its texts."""
    if not errors:
        return Errors.E660
    error = next((error for error in errors if error["type"] == "string_unicode"), errors[0])
    kind, place = error["type"], error["loc"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place if _is_key(part))[1:]
    if kind == "string_unicode":
        return Errors.E663.format(place=where or "a key")
    if kind == "extra_forbidden":
        known = (Text if "texts" in place else Request).model_fields
        return Errors.E523.format(what="key", name=str(place[-1])[:50], known=", ".join(known))
    if kind == "json_invalid" or not where:
        return Errors.E660
    return Errors.E665.format(place=where, problem=error["msg"][:1].lower() + error["msg"][1:])


def _is_key(part: Union[int, str]) -> bool:
    """Whether a part of an error's location is a key of the request, not a pydantic union member."""
    return isinstance(part, int) or part in Request.model_fields or part in Text.model_fields


class BodyLimit:
    """Middleware that refuses bodies that are too large or too slow."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(self._read(scope, receive), self._limits.seconds)
        except asyncio.TimeoutError:
            refused = Refused(408, Errors.E666.format(what="The body", seconds=self._limits.seconds))
            await answer_of(refused)(scope, receive, send)
            return
        except Refused as error:
            await answer_of(error)(scope, receive, send)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        self._check(int(length) if length.isdigit() else 0)
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            self._check(len(body))
            if not message.get("more_body", False):
                return bytes(body)

    def _check(self, size: int) -> None:
        if size > self._limits.body:
            raise Refused(413, Errors.E662.format(what="bytes", count=size, limit=self._limits.body))
