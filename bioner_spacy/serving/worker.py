"""The worker process of `pool.Process`.

Large imports come after the start of the thread that detects the end of the parent.
"""

import os
import pickle
import queue
import sys
import threading
import traceback
from typing import Any


def work() -> None:
    """Do tasks from standard input, and write results to the original standard output."""
    tasks, results = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # redirect output of libraries
    received: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def receive() -> None:
        while head := tasks.read(8):
            received.put(tasks.read(int.from_bytes(head, "big")))
        os._exit(1)  # the parent has ended

    threading.Thread(target=receive, daemon=True).start()

    def send(kind: str, content: Any) -> None:
        results.write(pickle.dumps((kind, content)))
        results.flush()

    from ..errors import BionerError
    from .annotator import Annotator

    annotator = Annotator(pickle.loads(received.get()))
    annotator.on_progress = lambda documents, tokens: send("progress", (documents, tokens))
    while True:
        method, arguments = pickle.loads(received.get())
        try:
            _ = annotator.nlp
            send("loaded", None)
            send("done", getattr(annotator, method)(*arguments))
        except (BionerError, OSError, MemoryError) as error:
            send("error", error)
        except Exception:
            send("error", RuntimeError(traceback.format_exc()))
