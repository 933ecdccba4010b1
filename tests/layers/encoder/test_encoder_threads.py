"""Forward passes side by side in threads."""

import multiprocessing
import threading
from collections.abc import Iterator

import numpy
import pytest
import torch
from tiny_encoder import make_docs, make_encoder, own_encoder, token_vectors

from bioner_spacy.layers.encoder import shim
from bioner_spacy.layers.encoder.threads import map_threads


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_results_are_in_order_and_of_several_threads(three_threads: None) -> None:
    meet = threading.Barrier(3, timeout=60)

    def work(item: int) -> tuple[int, str, int, bool]:
        meet.wait()
        return item, threading.current_thread().name, torch.get_num_threads(), torch.is_inference_mode_enabled()

    with torch.inference_mode():
        results = map_threads(work, range(6))
    assert [result[0] for result in results] == list(range(6))
    assert len({result[1] for result in results[:3]}) == 3
    assert all(result[2:] == (1, True) for result in results)
    assert torch.get_num_threads() == 3
    # Nor has the number of threads to come changed.
    counts: list[int] = []
    later = threading.Thread(
        target=lambda: counts.append((torch.zeros(2**16) + 1).numel() and torch.get_num_threads())
    )
    later.start()
    later.join()
    assert counts == [3]


def test_an_error_in_a_thread_is_raised(three_threads: None) -> None:
    with pytest.raises(ZeroDivisionError):
        map_threads(lambda item: 1 // item, [1, 0])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(three_threads: None) -> None:
    assert map_threads(abs, [-1]) == [1]
    process = multiprocessing.get_context("fork").Process(target=map_threads, args=(abs, [-1, -2]))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_vectors_are_the_same_with_any_number_of_threads(
    tiny_bert: str, three_threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = make_docs("gene", "", "gene mice " * 20, "cell protein mutant", "mice " * 7, " ")
    model = make_encoder(tiny_bert)
    monkeypatch.setattr(shim, "_LEAST_SUBWORDS", 10**6)
    alone = token_vectors(model, docs)
    monkeypatch.setattr(shim, "_LEAST_SUBWORDS", 2)
    passes = []
    monkeypatch.setattr(
        shim, "map_threads", lambda function, items: passes.append(len(items)) or map_threads(function, items)
    )
    for actual, expected in zip(token_vectors(model, docs), alone, strict=True):
        numpy.testing.assert_allclose(actual, expected, atol=1e-5)
    assert passes[0] > 1


@pytest.mark.parametrize("settings", [{}, {"transformer_config": {}}], ids=["no dropout", "dropout"])
def test_gradients_of_threads(
    tiny_bert: str, three_threads: None, monkeypatch: pytest.MonkeyPatch, settings: dict[str, dict[str, float]]
) -> None:
    docs = make_docs("gene", "", "gene mice " * 20, "cell protein mutant", "mice " * 7, " ")
    passes = []
    monkeypatch.setattr(
        shim, "map_threads", lambda function, items: passes.append(len(items)) or map_threads(function, items)
    )

    def gradients(least: int) -> list[torch.Tensor]:
        monkeypatch.setattr(shim, "_LEAST_SUBWORDS", least)
        model = own_encoder(tiny_bert, **settings)
        torch.manual_seed(0)
        for _ in range(2):  # they add up
            vectors, backprop = model.begin_update(docs)
            backprop([numpy.cos(numpy.arange(array.size, dtype="f")).reshape(array.shape) for array in vectors])
        [encoder] = [part for node in model.walk() for part in node.shims]
        found = [parameter.grad for parameter in encoder.transformer.parameters()]
        return [gradient.to_dense() for gradient in found if gradient is not None]

    one, (threads, again) = gradients(10**6), (gradients(2) for _ in range(2))
    assert passes and min(passes) > 1
    for actual, repeated, expected in zip(threads, again, one, strict=True):
        assert torch.equal(actual, repeated)
        if not settings:
            torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-3)
