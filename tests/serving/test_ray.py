"""Runs on a Ray cluster of several nodes on this machine, of which a worker is killed and a node is lost."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bioner_spacy.errors import BionerError
from bioner_spacy.serving import ray_pool, shards
from bioner_spacy.serving.apply import apply

ray = pytest.importorskip("ray", reason="extra ray")
pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(pipeline: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes with a CPU each; the first has no more to do than the second."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    settings = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100 << 20}
    made = Cluster(initialize_head=True, head_node_args=settings)
    made.add_node(num_cpus=1, object_store_memory=100 << 20)
    made.wait_for_nodes()
    try:
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in sorted(folder.glob("0*/*"))}


def test_nothing_is_lost_and_nothing_comes_twice(
    cluster: Any, pipeline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As folders of files, so that these travel too. Another start has nothing to do, with or without Ray."""
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"slow text {number} NOD2\n" for number in range(36)).replace("text 8 ", "kill 8 "))
    killed = Path(pipeline).with_name("killed")
    killed.touch()  # so that this process is not
    settings: dict[str, Any] = {"format": "brat", "shard_size": 3}
    apply(pipeline, texts, tmp_path / "expected", **settings)
    killed.unlink()
    monkeypatch.setattr(ray_pool, "START_SECONDS", 60)
    record, lost = shards.Run.record, cluster.list_all_nodes()[-1]

    def record_and_lose(self: shards.Run, *args: Any) -> None:
        record(self, *args)
        if len(self._shards) == 4:
            Thread(target=cluster.remove_node, args=(lost,), kwargs={"allow_graceful": False}).start()

    monkeypatch.setattr(shards.Run, "record", record_and_lose)
    address = {"engine": "ray", "address": cluster.address, "n_process": 2}
    assert apply(pipeline, texts, tmp_path / "out", **settings, **address) == (36, 36, 0)
    assert killed.exists() and len(cluster.list_all_nodes()) == 1
    assert content(tmp_path / "out") == content(tmp_path / "expected") and content(tmp_path / "out")
    before = (tmp_path / "out/00001-0001").stat().st_mtime_ns
    for again in (settings, {**settings, **address}):
        assert apply(pipeline, texts, tmp_path / "out", **again) == (36, 36, 0)
    assert (tmp_path / "out/00001-0001").stat().st_mtime_ns == before


def test_errors_come_from_actors_and_addresses(pipeline: str, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("boom\n")
    settings: dict[str, Any] = {"engine": "ray", "format": "brat"}
    with pytest.raises(BionerError, match="The Ray cluster 127.0.0.1:1 cannot be used"):
        apply(pipeline, tmp_path / "texts.txt", tmp_path / "out", address="127.0.0.1:1", **settings)
    try:
        with pytest.raises(BionerError, match="document 1 cannot be annotated .*a fault of the pipeline"):
            apply(pipeline, tmp_path / "texts.txt", tmp_path / "out", strict=True, **settings)
    finally:
        ray.shutdown()
