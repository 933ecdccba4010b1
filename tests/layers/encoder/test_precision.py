"""Whether to compute in bfloat16: what follows from each outcome of the trial."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Optional

import numpy
import pytest
import torch
from thinc.api import Optimizer
from tiny_encoder import make_docs, make_encoder, own_encoder, token_vectors

from bioner_spacy.errors import BionerError, BionerWarning
from bioner_spacy.layers.encoder import precision
from bioner_spacy.layers.encoder.precision import bfloat16_enabled

CPU = torch.device("cpu")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the trial needs fork")


def killed_by(number: int) -> Callable[[], None]:
    def child() -> None:
        # pytest's own handler would print the stacks of all threads.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    return child


FASTER: Callable[[], None] = lambda: os._exit(0)  # noqa: E731
SLOWER: Callable[[], None] = lambda: os._exit(1)  # noqa: E731


@pytest.fixture
def set_trial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Replaces what the child process does, on a CPU that reports bfloat16 units."""

    def set_child(child: Callable[[], None]) -> None:
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
        monkeypatch.setattr(precision, "_run_trial", child)
        precision._try_on_cpu.cache_clear()

    yield set_child
    precision._try_on_cpu.cache_clear()


@needs_fork
@pytest.mark.parametrize(
    "child, outcome",
    [
        (FASTER, True),
        (SLOWER, False),
        (lambda: os._exit(7), False),
        (killed_by(signal.SIGILL), None),
        (killed_by(signal.SIGSEGV), None),
        (killed_by(signal.SIGALRM), False),
    ],
    ids=["faster", "slower", "error", "illegal instruction", "segmentation fault", "too long"],
)
def test_outcome_decides(
    child: Callable[[], None], outcome: Optional[bool], set_trial: Callable[[Callable[[], None]], None]
) -> None:
    set_trial(child)
    assert precision._try_on_cpu() is outcome
    assert bfloat16_enabled("auto", CPU) is (outcome is True)
    assert bfloat16_enabled("float32", CPU) is False
    if outcome is None:
        with pytest.raises(BionerError, match="precision is bfloat16, .* crashes on this machine"):
            bfloat16_enabled("bfloat16", CPU)
    else:
        assert bfloat16_enabled("bfloat16", CPU) is True


@needs_fork
def test_trial_is_made_once(set_trial: Callable[[Callable[[], None]], None]) -> None:
    set_trial(FASTER)
    assert bfloat16_enabled("auto", CPU)
    precision._run_trial = SLOWER
    assert bfloat16_enabled("auto", CPU)


def test_no_trial_where_it_is_not_asked_for(
    set_trial: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_trial(FASTER)
    monkeypatch.delattr(os, "fork", raising=False)
    assert bfloat16_enabled("float32", CPU) is False
    assert bfloat16_enabled("auto", torch.device("mps")) is False
    assert bfloat16_enabled("bfloat16", torch.device("mps")) is True
    # Without fork there is no trial: bfloat16 is left to those who ask for it.
    assert bfloat16_enabled("auto", CPU) is False


def test_no_trial_without_units(
    set_trial: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_trial(FASTER)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert bfloat16_enabled("auto", CPU) is False


@pytest.mark.parametrize("native", [True, False])
def test_cuda_decides_by_what_the_device_reports(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation
    )
    assert bfloat16_enabled("auto", torch.device("cuda")) is native
    assert bfloat16_enabled("bfloat16", torch.device("cuda")) is True


@needs_fork
def test_crash_of_the_trial_leaves_the_encoder_in_float32(
    set_trial: Callable[[Callable[[], None]], None], tiny_bert: str
) -> None:
    set_trial(killed_by(signal.SIGILL))
    docs = make_docs("gene cell")
    automatic, exact = make_encoder(tiny_bert, precision="auto"), make_encoder(tiny_bert)
    assert (automatic.predict(docs).doc_data[0].tensors[0] == exact.predict(docs).doc_data[0].tensors[0]).all()
    with pytest.raises(BionerError, match="set it to auto or float32"):
        make_encoder(tiny_bert, precision="bfloat16")


def test_trial_on_this_machine_ends() -> None:
    precision._try_on_cpu.cache_clear()
    assert precision._try_on_cpu() in (True, False, None)


needs_vnni = pytest.mark.skipif(
    not getattr(torch.cpu, "_is_vnni_supported", lambda: False)(), reason="the CPU does not multiply 8-bit integers"
)


@needs_vnni
def test_int8_predicts_about_the_same_in_any_batch(tiny_bert: str) -> None:
    docs = make_docs("BRCA1 mutations cause breast cancer", "Naloxone", "Aspirin and warfarin caused bleeding " * 9)
    exact, int8 = make_encoder(tiny_bert), make_encoder(tiny_bert, precision="int8")
    found = token_vectors(int8, docs)
    for vectors, expected, doc in zip(found, token_vectors(exact, docs), docs):
        assert not numpy.array_equal(vectors, expected)
        assert numpy.linalg.norm(vectors - expected) < 0.05 * numpy.linalg.norm(expected)
        assert numpy.allclose(token_vectors(int8, [doc])[0], vectors, atol=1e-5)


@needs_vnni
def test_int8_predicts_with_the_weights_that_were_learnt(tiny_bert: str) -> None:
    docs = make_docs("BRCA1 mutations cause breast cancer")
    model = own_encoder(tiny_bert, precision="int8")
    before = model.predict(docs)[0]
    vectors, backprop = model.begin_update(docs)
    backprop([vectors[0] * 0 + 1])
    model.finish_update(Optimizer(learn_rate=0.1))
    assert not numpy.allclose(model.predict(docs)[0], before, atol=0.01)
    # Stored weights are those of training.
    assert model.to_bytes() == own_encoder(tiny_bert).from_bytes(model.to_bytes()).to_bytes()


@pytest.fixture
def no_memory_of_units() -> Iterator[None]:
    precision.int8_supported.cache_clear()
    yield
    precision.int8_supported.cache_clear()


@pytest.mark.usefixtures("no_memory_of_units")
def test_int8_where_bfloat16_is_faster_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: True, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    with pytest.warns(BionerWarning, match="bfloat16 is faster"):
        assert precision.int8_supported()


@pytest.mark.usefixtures("no_memory_of_units")
def test_int8_without_support_is_reported(tiny_bert: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False, raising=False)
    docs = make_docs("BRCA1")
    with pytest.warns(BionerWarning, match="does not multiply 8-bit integers"):
        [found] = token_vectors(make_encoder(tiny_bert, precision="int8"), docs)
    assert numpy.array_equal(found, token_vectors(make_encoder(tiny_bert, precision="auto"), docs)[0])


def test_int8_is_for_layers_of_bert(tiny_electra: str) -> None:
    docs = make_docs("BRCA1")
    vectors = [token_vectors(make_encoder(tiny_electra, precision=name), docs)[0] for name in ("int8", "auto")]
    assert numpy.array_equal(*vectors)
