"""Texts of several requests in one batch."""

import threading
from collections.abc import Callable, Iterator

import pytest

from bioner_spacy.serving.service_batches import Batcher, TooManyWaiting, Waiting


class Recorder:
    """Annotates by upper case, when it may, and remembers batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may = threading.Event()
        self.may.set()

    def __call__(self, waiting: list[Waiting]) -> list[str]:
        self.may.wait(10)
        texts = [text for text, _ in waiting]
        self.batches.append(texts)
        if "bad" in texts:
            raise ValueError("bad")
        return [text.upper() for text in texts]


def waiting(*texts: str) -> list[Waiting]:
    return [Waiting(text) for text in texts]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def make(recorder: Recorder) -> Iterator[Callable[..., Batcher[str]]]:
    """Makes batchers that have not begun; they are stopped at the end."""
    made: list[Batcher[str]] = []

    def make(**settings: object) -> Batcher[str]:
        made.append(Batcher(recorder, **{"wait": 0.0, **settings}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    recorder.may.set()
    for batcher in made:
        batcher.stop()


def test_requests_take_turns(make: Callable[..., Batcher[str]], recorder: Recorder) -> None:
    batcher = make(batch_size=3)
    many, one = batcher.submit(waiting("a", "b", "c", "d")), batcher.submit(waiting("x"))
    batcher.start()
    assert [future.result(10) for future in [*many, *one]] == ["A", "B", "C", "D", "X"]
    assert recorder.batches == [["a", "x", "b"], ["c", "d"]]


def test_long_texts_end_a_batch(make: Callable[..., Batcher[str]], recorder: Recorder) -> None:
    batcher = make(batch_characters=5)
    futures = batcher.submit(waiting("aaaa", "bbbb", "cccc"))
    batcher.start()
    assert [future.result(10) for future in futures] == ["AAAA", "BBBB", "CCCC"]
    assert recorder.batches == [["aaaa", "bbbb"], ["cccc"]]


def test_a_bad_text_fails_alone(make: Callable[..., Batcher[str]], recorder: Recorder) -> None:
    batcher = make()
    good, bad = batcher.submit(waiting("a", "b")), batcher.submit(waiting("bad"))
    batcher.start()
    assert [future.result(10) for future in good] == ["A", "B"]
    with pytest.raises(ValueError, match="bad"):
        bad[0].result(10)
    assert batcher.submit(waiting("c"))[0].result(10) == "C"
    assert batcher.is_alive


def test_cancelled_texts_are_not_annotated(make: Callable[..., Batcher[str]], recorder: Recorder) -> None:
    batcher = make()
    first, second = batcher.submit(waiting("a", "b"))
    assert first.cancel()
    batcher.start()
    assert second.result(10) == "B"
    assert recorder.batches == [["b"]]


def test_limit_of_waiting_texts(make: Callable[..., Batcher[str]]) -> None:
    batcher = make(max_waiting=2)
    futures = batcher.submit(waiting("a", "b"))
    with pytest.raises(TooManyWaiting):
        batcher.submit(waiting("c"))
    batcher.start()
    assert [future.result(10) for future in futures] == ["A", "B"]
    assert batcher.submit(waiting("c"))[0].result(10) == "C"
    assert batcher.submit([]) == []


def test_stop_annotates_what_waits(make: Callable[..., Batcher[str]]) -> None:
    batcher = make(wait=60)
    batcher.start()
    futures = batcher.submit(waiting("a", "b"))
    batcher.stop()
    assert [future.result(0) for future in futures] == ["A", "B"]
    assert not batcher.is_alive
    with pytest.raises(TooManyWaiting):
        batcher.submit(waiting("c"))
