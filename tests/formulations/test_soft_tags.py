"""What teachers teach tag heads: against the enumeration of all tag sequences, by finite differences, and exactly nothing."""

from dataclasses import replace
from typing import Any

import numpy
import pytest
from finite_differences import slope
from gold_batches import TASKS, make_gold, random_gold
from test_crf import all_sequences, sequence_score, tags_of

from bioner_spacy.formulations.crf import CRFFormulation
from bioner_spacy.formulations.soft_tags import bio_transitions
from bioner_spacy.formulations.tags import TagFormulation
from bioner_spacy.types import BARRED, Gold, SpanArrays, Taught

LENGTHS = [3, 1, 0, 2]
FORMULATION = CRFFormulation(TASKS)
COLUMNS = {name: i for i, name in enumerate(FORMULATION.columns)}
ONES = numpy.ones(len(TASKS))


def random_scores(seed: int, scale: float = 2.0) -> Any:
    return numpy.random.default_rng(seed).normal(scale=scale, size=(sum(LENGTHS), len(FORMULATION.columns)))


def taught(scores: Any, *, share: float = 0.0, across: float = 0.0, known: Any = True, most: float = 1.1) -> Taught:
    """What a teacher with these scores says."""
    said = FORMULATION.transitions(scores, numpy.array(LENGTHS), most=most)
    all_known = numpy.zeros((sum(LENGTHS), len(TASKS)), dtype=bool) | known
    return Taught(all_known, [tokens for tokens, _ in said], [p for _, p in said], share, across)


def loss_of(gold: Gold, scores: Any, weights: Any = ONES) -> tuple[Any, Any]:
    return FORMULATION.loss(scores, FORMULATION.targets(gold)[0], weights)


def sequences(k: int, scores: Any) -> tuple[list[tuple[str, ...]], Any]:
    """All tag sequences of a text for a task, and their scores."""
    found = all_sequences(TASKS[k], len(scores))
    return found, numpy.array([sequence_score(FORMULATION, TASKS[k], scores, tags) for tags in found])


def texts() -> list[tuple[int, slice]]:
    """Number and tokens of each text that has any."""
    ends = numpy.cumsum(LENGTHS).tolist()
    return [(d, slice(end - n, end)) for d, (n, end) in enumerate(zip(LENGTHS, ends)) if n]


def certain_scores(*mentions: tuple[int, int, int], column: str = "B") -> Any:
    """Scores of a teacher that sees mentions of one token each, (task, token, type), and is sure of everything."""
    scores = numpy.zeros((sum(LENGTHS), len(COLUMNS)))
    for name, i in COLUMNS.items():
        scores[:, i] = 20.0 * (name[1:] == ("O",))
    for k, token, number in mentions:
        scores[token, COLUMNS[TASKS[k].name, f"{column}-{TASKS[k].types[number]}"]] = 50.0
    return scores


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_of_transitions_are_those_of_all_sequences(seed: int) -> None:
    scores = random_scores(seed)
    for k, (tokens, p) in enumerate(FORMULATION.transitions(scores, numpy.array(LENGTHS), most=1.1)):
        assert tokens.tolist() == list(range(sum(LENGTHS)))
        names = [column[1] for column in FORMULATION.columns if column[0] == TASKS[k].name and len(column) == 2]
        for _, part in texts():
            found, totals = sequences(k, scores[part])
            expected = numpy.zeros((part.stop - part.start, len(names), len(names)))
            for tags, p_tags in zip(found, numpy.exp(totals - numpy.logaddexp.reduce(totals))):
                for i, (before, tag) in enumerate(zip(("O", *tags), tags)):
                    expected[i, names.index(before), names.index(tag)] += p_tags
            numpy.testing.assert_allclose(p[part], expected, atol=1e-9)
            assert not p[:, ~bio_transitions(len(names))].any()


def test_tokens_that_are_surely_outside_are_left_out() -> None:
    scores = certain_scores((0, 1, 0))
    tokens, p = FORMULATION.transitions(scores, numpy.array(LENGTHS), most=0.95)[0]
    assert tokens.tolist() == [1, 2]
    assert p[0, 0, 1] == pytest.approx(1.0) and p[1, 1, 0] == pytest.approx(1.0)
    assert not len(FORMULATION.transitions(scores, numpy.array(LENGTHS), most=0.95)[2][0])


@pytest.mark.parametrize("share", [1.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_loss_in_scope_is_the_mean_over_the_sequences_of_the_teacher(seed: int, share: float) -> None:
    gold, scores, of_teacher = random_gold(numpy.random.default_rng(seed), LENGTHS), random_scores(9), random_scores(8)
    targets, _ = FORMULATION.targets(gold)
    losses, _ = loss_of(replace(gold, taught=taught(of_teacher, share=share)), scores)
    for k in range(len(TASKS)):
        total, n_tokens = 0.0, 0
        for d, part in texts():
            if gold.supervised[d, k]:
                found, values = sequences(k, scores[part])
                p = numpy.exp((said := sequences(k, of_teacher[part])[1]) - numpy.logaddexp.reduce(said))
                chosen = values[found.index(tags_of(FORMULATION, k, targets[0][part, k]))]
                wanted = share * float((p * values).sum()) + (1 - share) * chosen
                total += float(numpy.logaddexp.reduce(values)) - wanted
                n_tokens += part.stop - part.start
        assert losses[k] == pytest.approx(total / max(n_tokens, 1), abs=1e-5)


def test_loss_outside_the_scope_is_weighted_and_of_whole_texts_that_the_teacher_is_sure_of() -> None:
    of_teacher = certain_scores((0, 1, 0))
    of_teacher[4] = of_teacher[5] = 0.0  # it knows nothing of the last text
    scores = random_scores(1)
    gold = make_gold(LENGTHS, [], numpy.zeros((4, 3)))
    losses, gradient = loss_of(replace(gold, taught=taught(of_teacher, across=0.5)), scores)
    for k, wanted in enumerate([("O", "B-DISEASE", "O"), ("O",) * 3, ("O",) * 3]):
        total = 0.0
        for (_, part), tags in zip(texts()[:2], (wanted, ("O",))):
            found, values = sequences(k, scores[part])
            total += float(numpy.logaddexp.reduce(values)) - values[found.index(tags)]
        assert losses[k] == pytest.approx(0.5 * total / 4, abs=1e-4)
    assert gradient[:4].any() and not gradient[4:].any()


@pytest.mark.parametrize("seed", range(2))
def test_gradient_by_finite_differences(seed: int) -> None:
    scores, weights = random_scores(seed), numpy.array([1.0, 2.0, 0.5])
    of_teacher = certain_scores((0, 1, 0), (1, 4, 1)) + random_scores(5, scale=0.3)
    gold = random_gold(numpy.random.default_rng(seed), LENGTHS)
    targets = FORMULATION.targets(replace(gold, taught=taught(of_teacher, share=0.4, across=0.7)))[0]
    assert targets[2].across.any() and targets[2].share.any()
    _, gradient = FORMULATION.loss(scores, targets, weights)

    def loss() -> float:
        return float((FORMULATION.loss(scores, targets, weights)[0] * weights).sum())

    for place in numpy.ndindex(*scores.shape):
        assert gradient[place] == pytest.approx(slope(scores, place, loss, step=1e-2), abs=1e-3)


def test_who_says_what_the_teacher_says_learns_nothing() -> None:
    scores = random_scores(3)
    gold = make_gold(LENGTHS, [])
    _, gradient = loss_of(replace(gold, taught=taught(scores, share=1.0)), scores)
    assert numpy.abs(gradient).max() < 1e-6


def test_settings_at_0_and_texts_that_no_teacher_knows_change_nothing_at_all() -> None:
    gold, scores = random_gold(numpy.random.default_rng(0), LENGTHS), random_scores(1)
    losses, gradient = loss_of(gold, scores)
    for said in (taught(random_scores(2)), taught(random_scores(2), share=1.0, across=1.0, known=False)):
        other_losses, other_gradient = loss_of(replace(gold, taught=said), scores)
        assert (other_losses == losses).all() and (other_gradient == gradient).all()


def test_each_setting_works_alone() -> None:
    gold, scores = random_gold(numpy.random.default_rng(0), LENGTHS), random_scores(1)
    in_scope = numpy.repeat(gold.supervised, LENGTHS, axis=0)
    plain = loss_of(gold, scores)[1]
    for settings, same in (({"share": 0.5}, ~in_scope), ({"across": 0.5}, in_scope)):
        gradient = loss_of(replace(gold, taught=taught(certain_scores((0, 1, 0)), **settings)), scores)[1]
        for k, task in enumerate(TASKS):
            columns = [i for i, column in enumerate(FORMULATION.columns) if column[0] == task.name]
            assert (gradient[same[:, k]][:, columns] == plain[same[:, k]][:, columns]).all()
            assert (gradient[~same[:, k]][:, columns] != plain[~same[:, k]][:, columns]).any() or same[:, k].all()


def with_barred(*rows: tuple[int, int, int, int]) -> Gold:
    barred = SpanArrays(*numpy.array(rows).T, scores=numpy.ones(len(rows), dtype="f"))
    return replace(make_gold(LENGTHS, [], numpy.zeros((4, 3))), barred=barred)


def test_what_is_barred_is_learnt_where_no_teacher_teaches_the_text_and_where_it_contradicts_gold() -> None:
    gold, scores = with_barred((0, 2, 0, 0)), random_scores(1)  # no mention of a disease ends at token 1
    assert (FORMULATION.targets(gold)[0][0] == BARRED).sum() == 1
    plain, (said,) = loss_of(gold, scores), [taught(certain_scores(), across=1.0)]
    unknown = loss_of(replace(gold, taught=replace(said, known=said.known & False)), scores)
    assert (unknown[1] == plain[1]).all() and plain[1].any()
    # The teacher sees no mention in the text: that says more than what is barred, and is all that is learnt.
    agreed = loss_of(replace(gold, taught=said), scores)
    without = loss_of(replace(make_gold(LENGTHS, [], numpy.zeros((4, 3))), taught=said), scores)
    assert (agreed[1] == without[1]).all()
    # It is sure of a mention that ends there: gold goes before teachers.
    wrong = replace(gold, taught=taught(certain_scores((0, 1, 0)), across=1.0))
    soft = FORMULATION.targets(wrong)[0][2]
    assert not soft.across[:3, 0].any() and soft.across[3:, 0].all() and soft.across[:, 1:].all()
    columns = [i for i, column in enumerate(FORMULATION.columns) if column[0] == "DISEASE"]
    assert (loss_of(wrong, scores)[1][:3, columns] == plain[1][:3, columns]).all()


def test_a_text_of_the_student_begins_behind_an_o_whatever_the_teacher_saw_before_it() -> None:
    said = taught(certain_scores((0, 0, 0), (0, 1, 0)), share=1.0)
    p = numpy.zeros((1, 3, 3))
    p[0, 2, 2] = 1.0  # a mention goes on into the third text
    tokens = numpy.append(said.tokens[0], 3)
    order = numpy.argsort(tokens[:-1][tokens[:-1] != 3].tolist() + [3], kind="stable")
    kept = said.tokens[0] != 3
    transitions = numpy.concatenate([said.transitions[0][kept], p])[order]
    said = replace(said, tokens=[numpy.append(said.tokens[0][kept], 3)[order], *said.tokens[1:]])
    said = replace(said, transitions=[transitions, *said.transitions[1:]])
    soft = FORMULATION.targets(replace(make_gold(LENGTHS, []), taught=said))[0][2]
    assert soft.transitions[0][3, 0, 0].tolist() == [0.0, 1.0, 0.0]  # DISEASE is the first task with three tags
    losses, gradient = loss_of(replace(make_gold(LENGTHS, []), taught=said), random_scores(1))
    assert numpy.isfinite(losses).all() and (losses < 100).all() and numpy.isfinite(gradient).all()


def test_no_tokens() -> None:
    none = numpy.zeros(0, dtype="int64")
    said = Taught(numpy.zeros((0, 3), dtype=bool), [none] * 3, [numpy.zeros((0, n, n)) for n in (3, 5, 3)], 1.0, 1.0)
    gold = replace(make_gold([0], []), taught=said)
    losses, gradient = loss_of(gold, numpy.zeros((0, len(COLUMNS))))
    assert not losses.any() and not len(gradient)


def test_other_formulations_have_no_tags_to_teach() -> None:
    assert not hasattr(TagFormulation(TASKS), "transitions")
