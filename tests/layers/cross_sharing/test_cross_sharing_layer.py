"""Features of tasks against the plain equations, and what a task's loss reaches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy
import pytest
from finite_differences import differences
from plain_cross_sharing import plain_blocks
from thinc.api import Model, fix_random_seed
from thinc.types import Ragged

from bioner_spacy.errors import BionerError
from bioner_spacy.layers.cross_sharing import model as cross_sharing
from bioner_spacy.layers.cross_sharing.model import VARIANTS, CrossSharing, Structure, resize_tasks

HIDDEN, WIDTH, N_INPUTS = 3, 2, 3
LENGTHS = [3, 0, 1, 4]


def build(variant: str, n_tasks: int = 3, orthogonality: float = 0.0, dtype: str = "float64") -> Model:
    """An initialised layer without a zero among its weights; in double precision, for finite differences."""
    fix_random_seed(0)
    model = CrossSharing(Structure(variant, HIDDEN, WIDTH), orthogonality)
    model.set_dim("nK", n_tasks)
    model.initialize(X=make_tokens())
    for name in model.param_names:
        model.set_param(name, numpy.random.uniform(-0.8, 0.8, model.get_param(name).shape).astype(dtype))
    return model


def make_tokens(lengths: Sequence[int] = LENGTHS, dtype: str = "float64") -> Ragged:
    rng = numpy.random.default_rng(0)
    return Ragged(rng.normal(size=(sum(lengths), N_INPUTS)).astype(dtype), numpy.array(lengths, dtype="i"))


def documents(tokens: Ragged) -> list[Any]:
    return numpy.split(tokens.dataXd, numpy.cumsum(tokens.lengths)[:-1])


def block(model: Model, array: Any, name: Any) -> Any:
    """Columns of the features of a task, or of "S"."""
    k = array.shape[1] // WIDTH - 1 if name == "S" else name
    return array[:, k * WIDTH : (k + 1) * WIDTH]


def check_features(model: Model, tokens: Ragged) -> None:
    features = model.predict(tokens)
    plain = [plain_blocks(model, x) for x in documents(tokens) if len(x)]
    assert features.shape == (len(tokens.dataXd), len(plain[0]) * WIDTH)
    for name in plain[0]:
        expected = numpy.concatenate([blocks[name] for blocks in plain])
        numpy.testing.assert_allclose(block(model, features, name), expected, atol=1e-10)


@pytest.mark.parametrize("n_tasks", [1, 2, 4])
@pytest.mark.parametrize("variant", VARIANTS)
def test_features_are_those_of_the_equations(variant: str, n_tasks: int) -> None:
    check_features(build(variant, n_tasks), make_tokens())


def test_one_task_has_no_gate() -> None:
    gated, plain = build("cs", 1), build("sp", 1)
    for name in plain.param_names:
        plain.set_param(name, gated.get_param(name))
    numpy.testing.assert_array_equal(gated.predict(make_tokens()), plain.predict(make_tokens()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_documents_are_independent_of_one_another(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where they are computed in several groups."""
    model, tokens = build(variant), make_tokens([3, 0, 1, 5, 2, 2])
    alone = [model.predict(Ragged(x, numpy.array([len(x)], dtype="i"))) for x in documents(tokens) if len(x)]
    numpy.testing.assert_allclose(model.predict(tokens), numpy.concatenate(alone), atol=1e-12)
    monkeypatch.setattr(cross_sharing, "GROUP_TOKENS", 5)
    numpy.testing.assert_allclose(model.predict(tokens), numpy.concatenate(alone), atol=1e-12)


def test_long_documents_are_read_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token has the features that it has in the window in whose core it stands; two windows, which share four tokens."""
    monkeypatch.setattr(cross_sharing, "WINDOW", 6)
    monkeypatch.setattr(cross_sharing, "OVERLAP", 2)
    model, tokens = build("cs"), make_tokens([8, 3])
    features, x = model.predict(tokens), tokens.dataXd
    for start, end, begin, stop in [(0, 6, 0, 4), (2, 8, 4, 8)]:
        expected = plain_blocks(model, x[start:end])
        for name, values in expected.items():
            ours = block(model, features, name)[begin:stop]
            numpy.testing.assert_allclose(ours, values[begin - start : stop - start], atol=1e-10)
    numpy.testing.assert_allclose(block(model, features, "S")[8:], plain_blocks(model, x[8:])["S"], atol=1e-10)


def test_no_tokens() -> None:
    model = build("cs")
    features, backprop = model.begin_update(make_tokens([0, 0]))
    assert features.shape == (0, 4 * WIDTH)
    assert backprop(features).dataXd.shape == (0, N_INPUTS)


# -- gradients


def check_gradients(model: Model, tokens: Ragged, d_features: Any, loss: Callable[[], float]) -> None:
    _, backprop = model.begin_update(tokens)
    dX = backprop(d_features)
    assert dX.lengths.tolist() == tokens.lengths.tolist()
    numpy.testing.assert_allclose(dX.dataXd, differences(tokens.dataXd, loss), atol=1e-6)
    for name in model.param_names:
        numpy.testing.assert_allclose(model.get_grad(name), differences(model.get_param(name), loss), atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_by_finite_differences(variant: str) -> None:
    model, tokens = build(variant, 2), make_tokens()
    d_features = numpy.random.default_rng(1).normal(size=model.predict(tokens).shape)
    check_gradients(model, tokens, d_features, lambda: float((model.predict(tokens) * d_features).sum()))


def plain_non_orthogonality(features: Any, scope: Any) -> float:
    """Sum over tasks of the squared Frobenius norm of the mean of S_i T_ki' over the tokens i in the scope of k."""
    total = 0.0
    for k, in_scope in enumerate(scope):
        tokens = features[in_scope]
        if len(tokens):
            T, S = tokens[:, k * WIDTH : (k + 1) * WIDTH], tokens[:, -WIDTH:]
            total += float((numpy.mean([numpy.outer(s, t) for s, t in zip(S, T)], axis=0) ** 2).sum())
    return total


def test_gradients_with_orthogonality_by_finite_differences() -> None:
    """Task 0 learns from the first document, task 1 from all, task 2 from none."""
    weight = 0.5
    model, tokens = build("adv", 3, orthogonality=weight), make_tokens()
    scope = numpy.array([[True] * 3 + [False] * 5, [True] * 8, [False] * 8])
    d_features = numpy.random.default_rng(1).normal(size=(8, 4 * WIDTH))
    for k, in_scope in enumerate(scope):
        block(model, d_features, k)[~in_scope] = 0.0

    def loss() -> float:
        features = model.predict(tokens)
        return float((features * d_features).sum()) + weight * plain_non_orthogonality(features, scope)

    check_gradients(model, tokens, d_features, loss)


@pytest.mark.parametrize("variant", [variant for variant in VARIANTS if variant != "adv"])
def test_orthogonality_is_for_the_adversarial_variant_only(variant: str) -> None:
    gradients = []
    for weight in (0.0, 5.0):
        model, tokens = build(variant, orthogonality=weight), make_tokens()
        _, backprop = model.begin_update(tokens)
        gradients.append(backprop(numpy.ones_like(model.predict(tokens))).dataXd)
    numpy.testing.assert_array_equal(*gradients)


# -- scope: what the loss of one task reaches


@pytest.mark.parametrize("variant", ["stm", "sp", "adv", "cs"])
def test_what_the_loss_of_one_task_reaches(variant: str) -> None:
    """The private layers of the others only where they are looked at through its gate, and their gates never."""
    model, tokens = build(variant, orthogonality=0.5), make_tokens()
    features, backprop = model.begin_update(tokens)
    d_features = numpy.zeros_like(features)
    block(model, d_features, 1)[:] = 1.0
    backprop(d_features)
    through_gate = variant == "cs"
    for name in model.param_names:
        gradient = model.get_grad(name)
        gradient = gradient.swapaxes(0, 1) if name in cross_sharing.DIRECTED else gradient
        assert gradient[1].any()
        for other in (0, 2):
            assert gradient[other].any() == (through_gate and name not in cross_sharing.GATE)
        if variant == "adv" and name not in cross_sharing.GATE:
            assert gradient[3].any()


@pytest.mark.parametrize("variant", VARIANTS)
def test_where_nothing_is_learnt_every_gradient_is_zero(variant: str) -> None:
    model, tokens = build(variant, orthogonality=0.5), make_tokens()
    features, backprop = model.begin_update(tokens)
    assert not backprop(numpy.zeros_like(features)).dataXd.any()
    assert not any(model.get_grad(name).any() for name in model.param_names)


# -- other lists of tasks


@pytest.mark.parametrize("sources", [[0, 1, 2, None], [None, 0, None, 1, 2], [None, None]])
@pytest.mark.parametrize("variant", VARIANTS)
def test_tasks_that_stay_keep_their_features(variant: str, sources: list[Any]) -> None:
    old, tokens = build(variant, dtype="f"), make_tokens(dtype="f")
    new = CrossSharing(Structure(variant, HIDDEN, WIDTH))
    resize_tasks(old, new, sources)
    before, after = old.predict(tokens), new.predict(tokens)
    if variant != "stm":
        numpy.testing.assert_allclose(block(new, after, "S"), block(old, before, "S"), atol=1e-6)
    for k, source in enumerate(sources if variant != "fs" else []):
        for j in range(3):
            is_same = numpy.allclose(block(new, after, k), block(old, before, j), atol=1e-6)
            assert is_same == (source == j)


def test_the_gate_of_a_new_task_sees_all_and_the_others_what_they_saw() -> None:
    new = CrossSharing(Structure("cs", HIDDEN, WIDTH))
    resize_tasks(build("cs", 2), new, [0, None, 1])
    assert new.attrs["others"] == [[2], [0, 2], [0]]


# -- loading


@pytest.mark.parametrize("variant", VARIANTS)
def test_round_trip(variant: str) -> None:
    model, tokens = build(variant, dtype="f"), make_tokens(dtype="f")
    loaded = CrossSharing(Structure(variant, HIDDEN, WIDTH)).from_bytes(model.to_bytes())
    numpy.testing.assert_array_equal(loaded.predict(tokens), model.predict(tokens))
    assert loaded.attrs == model.attrs


@pytest.mark.parametrize("wanted", [("sp", HIDDEN, WIDTH), ("cs", HIDDEN + 1, WIDTH), ("cs", HIDDEN, WIDTH + 1)])
def test_weights_of_other_settings_are_refused(wanted: tuple[str, int, int]) -> None:
    with pytest.raises(BionerError, match="are for variant cs, hidden 3, width 2, and its settings ask for variant"):
        CrossSharing(Structure(*wanted)).from_bytes(build("cs").to_bytes())


@pytest.mark.parametrize("settings", [("css", 3, 2), ("cs", 0, 2), ("cs", 3, 0)])
def test_impossible_settings_are_refused(settings: tuple[str, int, int]) -> None:
    with pytest.raises(BionerError, match="allowed:"):
        Structure(*settings)
