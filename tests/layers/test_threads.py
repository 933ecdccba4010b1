"""Threads of torch in processes that others start."""

import multiprocessing
import os

import pytest
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from bioner_spacy.layers import limit_threads


@Language.component("threads_of_a_test")
def count_threads(doc: Doc) -> Doc:
    if os.environ["METHOD_OF_A_TEST"] == "spawn":
        limit_threads()  # as the component does
    doc.user_data["threads"] = torch.get_num_threads()
    return doc


def put_threads(queue: "multiprocessing.Queue[int]") -> None:
    queue.put(torch.get_num_threads())


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_of_a_pipeline_have_one_thread_and_other_processes_keep_theirs(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    monkeypatch.setenv("METHOD_OF_A_TEST", method)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    torch.set_num_threads(3)
    context = multiprocessing.get_context(method)
    monkeypatch.setattr("spacy.language.mp", context)
    try:
        nlp = spacy.blank("en")
        nlp.add_pipe("threads_of_a_test")
        assert [doc.user_data["threads"] for doc in nlp.pipe(["a", "b"], n_process=2)] == [1, 1]
        queue: multiprocessing.Queue[int] = context.Queue()
        own = context.Process(target=put_threads, args=(queue,))
        own.start()
        assert queue.get(timeout=120) > 1
        own.join()
    finally:
        torch.set_num_threads(before)
