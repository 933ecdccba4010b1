"""Files of soft targets, and means over teachers."""

from pathlib import Path
from typing import Any

import numpy
import pytest
from safetensors.numpy import load_file, save_file

from bioner_spacy.errors import BionerError
from bioner_spacy.tasks import Task
from bioner_spacy.training.soft_targets import (
    SoftTargets,
    TaughtCorpus,
    TaughtTask,
    mean_targets,
    read_origin,
    read_targets,
    soft_targets_file,
    teacher_names,
    write_targets,
)

ORIGIN = {"docbin": "abc", "teacher": "def"}
GENE = Task("GENE", ("GENE",))


def taught(tokens: list[int], *corpora: str, seed: int = 0, types: tuple[str, ...] = ("GENE",)) -> TaughtTask:
    n_tags = 1 + 2 * len(types)
    p = numpy.random.default_rng(seed).random((len(tokens), n_tags, n_tags))
    for i in range(2, n_tags, 2):
        p[:, [j for j in range(n_tags) if j not in (i - 1, i)], i] = 0.0
    p /= p.sum(axis=(1, 2), keepdims=True)
    return TaughtTask(types, corpora, numpy.array(tokens, dtype="int64"), p.astype("float16"))


def targets(*tasks: TaughtTask, known: Any = (True, True, True)) -> SoftTargets:
    """Of three records of 4, 2 and 3 tokens."""
    return SoftTargets(tasks, numpy.array([4, 2, 3]), numpy.array(known, dtype=bool))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = soft_targets_file(tmp_path, "genes", "train", "one")
    path.parent.mkdir()
    write_targets(path, targets(taught([1, 5], "genes"), taught([], "a", "b", types=("A", "B"))), ORIGIN)
    return path


def test_what_is_written_is_read(file: Path) -> None:
    read = read_targets(file, docbin="abc")
    assert read_origin(file) == ORIGIN
    assert teacher_names(file.parents[1], "genes", "train") == ["one"]
    assert read.lengths.tolist() == [4, 2, 3] and read.known.all()
    one, other = read.tasks
    assert one.tokens.tolist() == [1, 5] and (one.transitions == taught([1, 5]).transitions).all()
    assert (one.types, one.corpora, other.types, other.corpora) == (("GENE",), ("genes",), ("A", "B"), ("a", "b"))
    assert other.transitions.shape == (0, 5, 5)


def test_other_documents_are_refused(file: Path) -> None:
    with pytest.raises(BionerError, match="one.soft.safetensors were made for other documents"):
        read_targets(file, docbin="abd")


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("0.tokens", lambda tokens: tokens + 7, "tokens that the corpus does not have"),
        ("0.tokens", lambda tokens: tokens[::-1].copy(), "tokens that the corpus does not have"),
        ("0.transitions", lambda p: p * 2, "no probabilities"),
        ("0.transitions", lambda p: p * numpy.float16("nan"), "no probabilities"),
        ("0.transitions", lambda p: p[:, ::-1].copy(), "no probabilities of BIO tags"),
        ("0.transitions", lambda p: p[:1], "of the shape"),
        ("known", lambda known: known[:2], "contradict"),
        ("lengths", None, "lengths"),
    ],
)
def test_altered_files_are_refused(file: Path, name: str, change: Any, problem: str) -> None:
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as opened:
        metadata = opened.metadata()
    arrays = load_file(file)
    if change is None:
        del arrays[name]
    else:
        arrays[name] = change(arrays[name])
    save_file(arrays, file, metadata=metadata)
    with pytest.raises(BionerError, match=f"holds no soft targets.*{problem}"):
        read_targets(file, docbin="abc")


def test_other_files_are_refused(file: Path) -> None:
    content = file.read_bytes()
    for broken in (b"", b"soft targets", content[:-3], content[:20]):
        file.write_bytes(broken)
        with pytest.raises(BionerError, match="holds no soft targets"):
            read_targets(file, docbin="abc")
    save_file({"lengths": numpy.zeros(2)}, file)
    with pytest.raises(BionerError, match="holds no soft targets .version None"):
        read_targets(file, docbin="abc")
    with pytest.raises(BionerError, match="The soft targets .*two.soft.safetensors .* do not exist"):
        read_targets(soft_targets_file(file.parents[1], "genes", "train", "two"), docbin="abc")


@pytest.mark.parametrize("split", ["devel", "test"])
def test_there_are_none_for_evaluation(tmp_path: Path, split: str) -> None:
    with pytest.raises(BionerError, match=f"for the split train alone, not for '{split}'"):
        soft_targets_file(tmp_path, "genes", split, "one")


@pytest.mark.parametrize("name", ["", "..", "a/b", "../a", "a b", ".hidden", "a\n"])
def test_names_of_teachers_are_no_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(BionerError, match="cannot be part of a file name"):
        soft_targets_file(tmp_path, "genes", "train", name)


def dense(tokens: Any, p: Any, n_tokens: int = 9) -> Any:
    result = numpy.zeros((n_tokens, 3, 3))
    result[:, 0, 0] = 1.0
    result[tokens] = p
    return result


def test_mean_over_teachers_counts_what_one_leaves_out_as_outside() -> None:
    one, other = taught([1, 5], seed=1), taught([0, 5, 8], seed=2)
    found = dense(*mean_targets([one, other]))
    expected = (dense(one.tokens, one.transitions) + dense(other.tokens, other.transitions)) / 2
    numpy.testing.assert_allclose(found, expected, atol=1e-3)
    assert mean_targets([one])[1] is one.transitions


def test_documents_get_their_part() -> None:
    one = taught([1, 3, 5, 8], "genes")
    corpus = TaughtCorpus("genes", [targets(one)])
    tokens, p = corpus.document(4, 9, GENE, supervised=True) or (None, None)
    assert tokens.tolist() == [1, 4]
    numpy.testing.assert_allclose(p, one.transitions[2:], atol=1e-3)
    assert p.sum(axis=(1, 2)) == pytest.approx(1.0, abs=1e-6)


def test_records_that_a_teacher_has_not_read_are_not_taught() -> None:
    corpus = TaughtCorpus("genes", [targets(taught([1], "genes")), targets(taught([2]), known=[True, False, True])])
    for begin, end, known in ((0, 4, True), (0, 5, False), (4, 6, False), (6, 9, True)):
        assert (corpus.document(begin, end, GENE, supervised=False) is not None) == known


def test_teachers_are_those_of_the_types_and_in_the_scope_those_of_the_corpus() -> None:
    own, other = taught([1], "genes"), taught([2], "proteins")
    both = taught([3], "genes", types=("GENE", "PROTEIN"))
    corpus = TaughtCorpus("genes", [targets(own, both), targets(other)])

    def tokens(task: Task, supervised: bool, of: TaughtCorpus = corpus) -> Any:
        said = of.document(0, 9, task, supervised=supervised)
        return None if said is None else said[0].tolist()

    assert tokens(GENE, True) == [1] and tokens(GENE, False) == [1, 2]
    assert tokens(Task("PROTEIN", ("PROTEIN",)), False) is None
    assert tokens(Task("genes", ("GENE", "PROTEIN"), "genes"), True) == [3]
    assert tokens(Task("proteins$GENE", ("GENE",), "proteins"), False) == [2]
    elsewhere = TaughtCorpus("drugs", [targets(own), targets(other)])
    assert tokens(GENE, True, elsewhere) is None and tokens(GENE, False, elsewhere) == [1, 2]
    assert not elsewhere.teaches(GENE, supervised=True) and elsewhere.teaches(GENE, supervised=False)
