"""The service by its addresses."""

import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Optional

import pytest
import spacy
from spacy.language import Language

pytest.importorskip("fastapi")
from fastapi.testclient import TestClient

from bioner_spacy.about import PROJECT
from bioner_spacy.errors import BionerError
from bioner_spacy.formats import read_documents
from bioner_spacy.serving.service import Limits, listen, make_app
from bioner_spacy.serving.service_requests import BodyLimit

TEXT = "Mutations of NOD2 in Crohn disease.\nα 𝛽 the NOD2 protein complex of aspirin."
LIMITS = Limits(body=100_000, texts=20, characters=5_000, seconds=5)


@pytest.fixture
def client(nlp: Language) -> Iterator[TestClient]:
    """The service of the pipeline of `conftest`."""
    with TestClient(make_app(nlp, limits=LIMITS, batch_wait=0.05)) as client:
        yield client


def ask(client: TestClient, **request: Any) -> Any:
    """The answer to a request that is right."""
    response = client.post("/annotate", json=request)
    assert response.status_code == 200, response.text
    return response.json()


def refusal(response: Any, status: int) -> str:
    """The sentence of an answer that refuses a request; the service serves the next one."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"detail"}
    detail = response.json()["detail"]
    assert "\n" not in detail and "Traceback" not in detail and detail.endswith(".")
    return str(detail)


def test_one_text(client: TestClient) -> None:
    answer = ask(client, text=TEXT)
    assert answer["pipeline"].startswith("en_")
    [document] = answer["documents"]
    assert document["id"] == "1"
    assert [(entity["text"], entity["type"], entity["score"], entity["flat"]) for entity in document["entities"]] == [
        ("NOD2", "GENE", 0.95, True),
        ("Crohn disease", "DISEASE", 0.9, True),
        ("NOD2 protein complex", "COMPLEX", 0.4, False),
        ("NOD2", "GENE", 0.95, True),
        ("protein complex of", "PROTEIN", 0.3, True),
        ("aspirin", "CHEMICAL", 0.6, True),
    ]
    assert all(TEXT[entity["start"] : entity["end"]] == entity["text"] for entity in document["entities"])


def test_many_texts_types_and_threshold(client: TestClient) -> None:
    texts = ["aspirin", "", {"id": "b", "text": "aspirin and NOD2"}, {"text": "nothing"}]
    answer = ask(client, texts=texts, types=["GENE", "CHEMICAL"], threshold=0.7)
    assert [(document["id"], [e["text"] for e in document["entities"]]) for document in answer["documents"]] == [
        ("1", []),
        ("2", []),
        ("b", ["NOD2"]),
        ("4", []),
    ]


@pytest.mark.parametrize("name, ending", [("bioc", ".json"), ("pubtator", ".pubtator")])
def test_files_are_read_again(client: TestClient, tmp_path: Path, name: str, ending: str) -> None:
    texts = [{"id": "a", "text": TEXT}, {"id": "b", "text": "aspirin"}]
    response = client.post("/annotate", json={"texts": texts, "format": name, "threshold": 0.35})
    assert response.status_code == 200
    assert response.headers["content-disposition"] == f"attachment; filename=entities{ending}"
    path = tmp_path / f"answer{ending}"
    path.write_bytes(response.content)
    documents = list(read_documents(name, path))
    assert [document.doc_id for document in documents] == ["a", "b"]
    found = [(mention.label, documents[0].text[mention.start : mention.end]) for mention in documents[0].mentions]
    assert sorted(found) == [
        ("CHEMICAL", "aspirin"),
        ("COMPLEX", "NOD2 protein complex"),
        ("DISEASE", "Crohn disease"),
        ("GENE", "NOD2"),
        ("GENE", "NOD2"),
    ]


def test_table_has_no_formula(client: TestClient) -> None:
    response = client.post("/annotate", json={"texts": [{"id": "=1+1", "text": "aspirin"}], "format": "csv"})
    assert response.headers["content-type"].startswith("text/csv")
    assert response.content.decode("utf-8-sig").splitlines() == [
        "document,passage,section,start,end,text,type,score,flat,identifiers",
        "'=1+1,,,0,7,aspirin,CHEMICAL,0.6,True,",
    ]


@pytest.mark.parametrize(
    "body, status, words",
    [
        (b"no JSON", 422, "not the JSON"),
        (b"", 422, "not the JSON"),
        (b"[1]", 422, "not the JSON"),
        (b'"text"', 422, "not the JSON"),
        (b"[" * 90_000, 400, "not the JSON"),
        (b'{"text": "\xff"}', 400, "not the JSON"),
        (b"{}", 422, "no texts"),
        (b'{"texts": []}', 422, "no texts"),
        (b'{"text": "a", "texts": ["b"]}', 422, "both text and texts"),
        (b'{"text": null}', 422, "no texts"),
        (b'{"text": 1}', 422, "value of text "),
        (b'{"texts": ["a", 1]}', 422, "texts[1]"),
        (b'{"texts": [{"id": 1, "text": "a"}]}', 422, "texts[0]"),
        (rb'{"text": "half \ud83d"}', 422, "text has half a surrogate pair"),
        (rb'{"texts": ["a", "half \udc00"]}', 422, "texts[1] has half"),
        (rb'{"texts": [{"id": "\udc00", "text": "a"}]}', 422, "surrogate"),
        (b'{"text": "a", "treshold": 1}', 422, "no key 'treshold'"),
        (rb'{"text": "a", "\ud83d": 1}', 422, "a key has half"),
        (b'{"text": "a", "threshold": 2}', 422, "threshold"),
        (b'{"text": "a", "threshold": NaN}', 422, "threshold"),
        (b'{"text": "a", "threshold": "0.5"}', 422, "threshold"),
        (b'{"text": "a", "format": "docx"}', 422, "allowed: json, bioc, pubtator, csv"),
        (b'{"text": "a", "types": ["GENES"]}', 422, "'GENES'; allowed: CHEMICAL"),
        (b'{"text": "a", "types": "GENE"}', 422, "types"),
        (json.dumps({"texts": ["a"] * 10_000}).encode(), 413, "10,000 texts where 20"),
        (json.dumps({"text": "a" * 5_001}).encode(), 413, "5,001 characters where 5,000"),
        (b'{"text": "' + b"a" * 200_000 + b'"}', 413, "bytes where 100,000"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_requests_are_refused_in_one_sentence(client: TestClient, body: bytes, status: int, words: str) -> None:
    response = client.post("/annotate", content=body, headers={"Content-Type": "application/json"})
    assert words in refusal(response, status)
    assert len(ask(client, text="aspirin")["documents"][0]["entities"]) == 1


def test_other_addresses_and_methods(client: TestClient) -> None:
    assert client.get("/nope").status_code == 404
    assert client.get("/../service.py").status_code == 404
    assert client.get("/annotate").status_code in (404, 405)
    body = {"content": b'{"text": "a"}', "headers": {"Content-Type": "text/plain"}}
    assert "Content-Type: application/json" in refusal(client.post("/annotate", **body), 422)


@pytest.mark.parametrize(
    "part, seconds, status, words",
    [(b"a" * 600, 5, 413, b"1,200 bytes where 1,000 are allowed"), (None, 0.01, 408, b"took more than 0.01 seconds")],
)
def test_a_body_without_end_is_given_up(part: Optional[bytes], seconds: float, status: int, words: bytes) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        if part is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    async def fails(*_: Any) -> None:
        raise AssertionError("the application was called")

    scope = {"type": "http", "method": "POST", "headers": []}
    asyncio.run(BodyLimit(fails, Limits(body=1_000, seconds=seconds))(scope, receive, send))
    assert sent[0]["status"] == status
    assert words in sent[1]["body"]


def test_a_text_on_which_the_pipeline_fails_spoils_no_other(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        texts = ["aspirin", "boom", "NOD2"] * 2
        responses = list(pool.map(lambda text: client.post("/annotate", json={"text": text}), texts))
    assert [response.status_code for response in responses] == [200, 500, 200] * 2
    assert "secret" not in refusal(responses[1], 500)


def test_an_answer_that_takes_too_long(nlp: Language) -> None:
    with TestClient(make_app(nlp, limits=Limits(seconds=0.05), batch_wait=1)) as client:
        response = client.post("/annotate", json={"text": "aspirin"})
        assert "took more than 0.05 seconds" in refusal(response, 503)
        assert response.headers["retry-after"] == "1"


def test_too_many_waiting_texts(nlp: Language) -> None:
    with TestClient(make_app(nlp, max_waiting=3)) as client:
        assert "try again later" in refusal(client.post("/annotate", json={"texts": ["a"] * 4}), 503)
        assert len(ask(client, texts=["a"] * 3)["documents"]) == 3


def test_requests_of_several_clients_are_one_batch(nlp: Language) -> None:
    with TestClient(make_app(nlp, batch_wait=1, batch_size=12)) as client, ThreadPoolExecutor(12) as pool:
        texts = [f"{'x' * number} aspirin" for number in range(12)]
        answers = list(pool.map(lambda text: ask(client, text=text), texts))
        assert [answer["documents"][0]["entities"][0]["start"] for answer in answers] == list(range(1, 13))
        metrics = client.get("/metrics").text
    assert 'bioner_batch_texts_bucket{le="8.0"} 0.0' in metrics
    assert "bioner_batch_texts_sum 12.0" in metrics


def test_health_readiness_and_metrics(client: TestClient) -> None:
    ask(client, text="aspirin")
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json()["status"] == "ready"
    client.get("/x1")
    metrics = client.get("/metrics").text
    assert 'bioner_requests_total{path="/annotate",status="200"} 1.0' in metrics
    assert 'bioner_requests_total{path="other",status="404"} 1.0' in metrics
    assert 'bioner_entities_total{type="CHEMICAL"} 1.0' in metrics
    assert "bioner_waiting_texts 0.0" in metrics


def test_not_ready_after_the_end(nlp: Language) -> None:
    app = make_app(nlp)
    with TestClient(app):
        pass
    assert "try again" in refusal(TestClient(app).get("/ready"), 503)


def test_openapi(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert {"/annotate", "/health", "/ready", "/metrics"} == set(schema["paths"])
    assert {"200", "408", "413", "422", "503"} == set(schema["paths"]["/annotate"]["post"]["responses"])
    assert client.get("/docs").status_code == 404  # that page would load scripts from elsewhere


def test_page_needs_nothing_from_outside(client: TestClient) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for name in ("", "page.css", "page.js", "icon.svg"):
        response = client.get(f"/{name}")
        assert response.status_code == 200
        assert "//" not in response.text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")
        for unsafe in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "style=", "onclick"):
            assert unsafe not in response.text
    data = client.get("/page.json").json()
    assert data["types"] == ["CHEMICAL", "COMPLEX", "DISEASE", "GENE", "PROTEIN"]
    assert len(data["examples"]) == 8 and data["examples"][0].keys() == {"id", "text"}
    assert "assets/abstracts" in PROJECT  # so that wheels have the examples


def test_entities_in_the_place_of_spans() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GENE", "pattern": "NOD2", "id": "NCBI:64127"}])
    with TestClient(make_app(nlp, spans_key="ents")) as client:
        [entity] = ask(client, text="See NOD2", threshold=0.9, types=["GENE"])["documents"][0]["entities"]
    assert (entity["text"], entity["score"], entity["flat"]) == ("NOD2", None, True)


def test_pipelines_without_entities_are_refused(nlp: Language) -> None:
    with pytest.raises(BionerError, match=r"does not set doc.spans\['bioner'\]; keys that it sets: none"):
        make_app(spacy.blank("en"))
    with pytest.raises(BionerError, match=r"sets: bioner, ents"):
        make_app(nlp, spans_key="sc")


def test_a_port_in_use_is_an_error() -> None:
    with listen("127.0.0.1", 0) as bound:
        assert isinstance(bound, socket.socket)
        port = bound.getsockname()[1]
        with pytest.raises(BionerError, match=f"Cannot listen at .*, port {port} .*in use"):
            listen("127.0.0.1", port)
    with pytest.raises(BionerError, match="Cannot listen at"):
        listen("nowhere.invalid", 1)
