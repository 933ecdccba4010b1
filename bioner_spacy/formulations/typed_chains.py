"""Sums over, and the best of, all BIO sequences of several types, in a time proportional to the number of types.

An I follows only a tag of its own type, and how a transition from one mention to the next is scored does not depend on
their types. What leads to a B is then a sum over all tags before it, the same for each type, so that the recursions of
Viterbi and of the forward-backward algorithm (Rabiner 1989) need not look at all pairs of tags. Tags are numbered as
in `TagFormulation`: O, then B and I of each type in turn.

Texts follow one another in a chain. Chains advance in parallel, one token at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy
from thinc.api import get_array_module

from ..types import Array
from .chains import NEVER

TRANSITIONS = ("OO", "OB", "BO", "BB", "BI", "IO", "IB", "II")
"""Kinds of transitions, in the order of their scores: the letter of the tag before, and of the tag."""

OF_ALL_TYPES = {"OO", "BB", "IB"}
"""Those of one score for all types; the others have a score for each type."""


def transition_names(types: Sequence[str]) -> list[tuple[str, str]]:
    """Tag before and tag of each transition score of a task; letters alone for those of all types.

    Args:
        types: names of the T types.

    Returns:
        3 + 5 T names.
    """
    names: list[tuple[str, str]] = []
    for kind in TRANSITIONS:
        before, after = kind[0], kind[1]
        if kind in OF_ALL_TYPES:
            names.append((before, after))
        else:
            names += [
                (before if before == "O" else f"{before}-{name}", after if after == "O" else f"{after}-{name}")
                for name in types
            ]
    return names


def n_types_of(n_scores: int) -> int:
    """Number T of types of a task, from the number 4 + 7 T of its scores of tags and transitions."""
    return (n_scores - 4) // 7


def n_transitions(n_types: int) -> int:
    """Number of the transition scores of a task of so many types."""
    return len(OF_ALL_TYPES) + (len(TRANSITIONS) - len(OF_ALL_TYPES)) * n_types


def transition_number(before: Any, after: Any, n_types: int) -> Any:
    """Number of the score of a transition between two tags that BIO allows; arrays of tags give arrays."""
    widths = numpy.array([1 if kind in OF_ALL_TYPES else n_types for kind in TRANSITIONS])
    kind = 3 * _letter(before) + _letter(after) - (before > 0)
    # The type is that of the tag which is not O, and both have the same where neither is.
    of_type = (numpy.maximum(before, after) - 1) // 2
    return (numpy.cumsum(widths) - widths)[kind] + numpy.where(widths[kind] == 1, 0, of_type)


def _letter(tag: Any) -> Any:
    """0 for O, 1 for B and 2 for I."""
    return (tag > 0) * (1 + (tag + 1) % 2)


class _Sums(NamedTuple):
    """Logarithms of sums for the tags of a token, or of many: (..., K) for O, and (..., K, T) for B and I."""

    outside: Any
    begin: Any
    inside: Any

    def total(self) -> Any:
        """(..., K) sum over all tags."""
        return _log_add(self.outside, _log_sum(self.begin), _log_sum(self.inside))

    def at(self, n: Any) -> "_Sums":
        """The sums of some tokens."""
        return _Sums(*(sums[n] for sums in self))


@dataclass(frozen=True)
class TypedChains:
    """N tokens of each of K chains of T types.

    Attributes:
        tags: scores of tags.
        transitions: scores of the transitions to each token by their kinds, (N, K), or (N, K, T) if they depend on the
            type.
        begins: (N, K) bool, whether a token begins a text: an O precedes it.
    """

    tags: _Sums
    transitions: dict[str, Any]
    begins: Any

    @classmethod
    def make(cls, tags: Any, transitions: Any, begins: Any, kept: Any) -> "TypedChains":
        """Chains with some tokens that add nothing.

        Args:
            tags: (N, K, 1 + 2 T) scores of tags.
            transitions: (N, K, 3 + 5 T) scores of transitions.
            begins: (N, K) bool, whether a token begins a text.
            kept: (N, K) bool, false for tokens that add nothing.
        """
        xp = get_array_module(tags)
        tags = xp.where(kept[:, :, None], tags.astype("float64"), NEVER)
        transitions = xp.where(kept[:, :, None], transitions.astype("float64"), 0.0)
        n_types, of_kinds, offset = tags.shape[2] // 2, {}, 0
        for kind in TRANSITIONS:
            of_all = kind in OF_ALL_TYPES
            width = 1 if of_all else n_types
            part = transitions[:, :, offset : offset + width]
            of_kinds[kind] = xp.ascontiguousarray(part[:, :, 0] if of_all else part)
            offset += width
        outside = xp.where(kept, tags[:, :, 0], 0.0)
        tags = _Sums(outside, xp.ascontiguousarray(tags[:, :, 1::2]), xp.ascontiguousarray(tags[:, :, 2::2]))
        return cls(tags, of_kinds, begins | ~kept)

    def marginals(self) -> "TypedMarginals":
        """The forward-backward algorithm."""
        xp = get_array_module(self.begins)
        n_tokens, n_chains, n_types = self.tags.begin.shape
        shapes = ((n_tokens, n_chains), *((n_tokens, n_chains, n_types),) * 2)
        # Up to the tags before each token, and up to and with each token.
        entering, forward = (_Sums(*map(xp.empty, shapes)) for _ in range(2))
        sums = self._before_first()
        for n in range(n_tokens):
            sums = self._enter(n, sums, sums.total())
            of_kinds, emitted = self._at(n), self.tags.at(n)
            for kept, value in zip(entering, sums):
                kept[n] = value
            to_outside = _log_add(
                sums.outside + of_kinds["OO"],
                _log_sum(sums.begin + of_kinds["BO"]),
                _log_sum(sums.inside + of_kinds["IO"]),
            )
            from_mention = xp.logaddexp(_log_sum(sums.begin) + of_kinds["BB"], _log_sum(sums.inside) + of_kinds["IB"])
            to_begin = xp.logaddexp(sums.outside[:, None] + of_kinds["OB"], from_mention[:, None])
            to_inside = xp.logaddexp(sums.begin + of_kinds["BI"], sums.inside + of_kinds["II"])
            sums = _Sums(to_outside + emitted.outside, to_begin + emitted.begin, to_inside + emitted.inside)
            for kept, value in zip(forward, sums):
                kept[n] = value
        log_z = sums.total()

        # From each token on, with it and behind it; and behind B and I of mentions that end there.
        onward, behind = (_Sums(*map(xp.zeros, shapes)) for _ in range(2))
        ending = _Sums(behind.outside, *(xp.zeros(shapes[1]) for _ in range(2)))
        for n in range(n_tokens - 1, -1, -1):
            for kept, emitted_n, value in zip(onward, self.tags, behind):
                kept[n] = emitted_n[n] + value[n]
            if n == 0:
                break
            after, of_kinds, at_start = onward.at(n), self._at(n), self.begins[n]
            any_begin = _log_sum(after.begin)
            outside = xp.logaddexp(of_kinds["OO"] + after.outside, _log_sum(of_kinds["OB"] + after.begin))
            behind.outside[n - 1] = outside
            for end, whole, letter in zip(ending[1:], behind[1:], "BI"):
                leaves = xp.logaddexp(
                    of_kinds[letter + "O"] + after.outside[:, None], (of_kinds[letter + "B"] + any_begin)[:, None]
                )
                end[n - 1] = xp.where(at_start[:, None], outside[:, None], leaves)
                goes_on = xp.where(at_start[:, None], NEVER, of_kinds[letter + "I"] + after.inside)
                whole[n - 1] = xp.logaddexp(end[n - 1], goes_on)
        return TypedMarginals(self, entering, forward, log_z, onward, behind, ending)

    def best_path(self) -> Array:
        """Viterbi (1967): (N, K) the tags with the highest sum of scores."""
        xp = get_array_module(self.begins)
        n_tokens, n_chains, n_types = self.tags.begin.shape
        chains = xp.arange(n_chains)
        # The best tag before an O, and before a B of each type; and whether the one before an I is an I.
        to_outside = xp.zeros((n_tokens, n_chains), dtype="int64")
        to_begin = xp.zeros((n_tokens, n_chains, n_types), dtype="int64")
        from_inside = xp.zeros((n_tokens, n_chains, n_types), dtype=bool)
        best, last = self._before_first(), xp.zeros(n_chains, dtype="int64")
        for n in range(n_tokens):
            best = self._enter(n, best, _highest(best, xp)[0])
            of_kinds = self._at(n)
            leaving = _Sums(best.outside + of_kinds["OO"], best.begin + of_kinds["BO"], best.inside + of_kinds["IO"])
            of_outside, to_outside[n] = _highest(leaving, xp)
            no_outside = xp.full(n_chains, 2 * NEVER)
            between = _Sums(no_outside, best.begin + of_kinds["BB"][:, None], best.inside + of_kinds["IB"][:, None])
            of_mention, mention = _highest(between, xp)
            of_begin = best.outside[:, None] + of_kinds["OB"]
            to_begin[n] = xp.where(of_begin >= of_mention[:, None], 0, mention[:, None])
            to_inside = best.begin + of_kinds["BI"], best.inside + of_kinds["II"]
            from_inside[n] = to_inside[1] > to_inside[0]
            # Where a text begins, the last tag of the one before is the best alone.
            to_outside[n] = xp.where(self.begins[n], last, to_outside[n])
            to_begin[n] = xp.where(self.begins[n][:, None], last[:, None], to_begin[n])
            best = _Sums(
                of_outside + self.tags.outside[n],
                xp.maximum(of_begin, of_mention[:, None]) + self.tags.begin[n],
                xp.maximum(*to_inside) + self.tags.inside[n],
            )
            last = _highest(best, xp)[1]
        result = xp.zeros((n_tokens, n_chains), dtype="int64")
        if n_tokens:
            result[-1] = last
        for n in range(n_tokens - 1, 0, -1):
            tag = result[n]
            of_type = xp.maximum(tag - 1, 0) // 2
            going_on = 1 + 2 * of_type + from_inside[n, chains, of_type]
            arrived = xp.where(tag == 0, to_outside[n], to_begin[n, chains, of_type])
            result[n - 1] = xp.where((tag > 0) & (tag % 2 == 0), going_on, arrived)
        return result

    def _before_first(self) -> _Sums:
        """Sums before the first token, which are O."""
        xp = get_array_module(self.begins)
        never = xp.full(self.tags.begin.shape[1:], NEVER)
        return _Sums(xp.zeros(self.begins.shape[1]), never, never)

    def _enter(self, n: int, sums: _Sums, total: Any) -> _Sums:
        """Sums up to the tags before token n; where a text begins with it, that is an O, whatever the text before
        ended with."""
        xp = get_array_module(self.begins)
        at_start = self.begins[n]
        outside = xp.where(at_start, total, sums.outside)
        return _Sums(outside, *(xp.where(at_start[:, None], NEVER, mention) for mention in sums[1:]))

    def _at(self, n: int) -> dict[str, Any]:
        """Scores of the transitions to token n."""
        return {kind: scores[n] for kind, scores in self.transitions.items()}


@dataclass(frozen=True)
class TypedMarginals:
    """Logarithms of sums over the sequences of chains.

    Attributes:
        chains: the chains.
        entering: up to the tags before each token, with an O before a text.
        forward: up to the tags of each token.
        log_z: (K,) over all sequences.
        onward: from the tags of each token on.
        behind: behind the tags of each token.
        ending: behind tags of each token whose mention ends there.
    """

    chains: TypedChains
    entering: _Sums
    forward: _Sums
    log_z: Any
    onward: _Sums
    behind: _Sums
    ending: _Sums

    def tags(self) -> Any:
        """(N, K, 1 + 2 T) probabilities of tags."""
        xp = get_array_module(self.log_z)
        n_tokens, n_chains, n_types = self.forward.begin.shape
        p = xp.empty((n_tokens, n_chains, 1 + 2 * n_types))
        p[:, :, 0] = xp.exp(self.forward.outside + self.behind.outside - self.log_z)
        p[:, :, 1::2] = xp.exp(self.forward.begin + self.behind.begin - self.log_z[:, None])
        p[:, :, 2::2] = xp.exp(self.forward.inside + self.behind.inside - self.log_z[:, None])
        return p

    def transitions(self) -> Any:
        """(N, K, 3 + 5 T) probabilities of transitions."""
        xp = get_array_module(self.log_z)
        before = dict(zip("OBI", self.entering))
        after = dict(zip("OBI", self.onward))
        log_p = []
        for kind in TRANSITIONS:
            if kind in OF_ALL_TYPES:
                sums = [
                    of[letter] if letter == "O" else _log_sum(of[letter]) for of, letter in zip((before, after), kind)
                ]
            else:
                sums = [
                    of[letter][..., None] if letter == "O" else of[letter] for of, letter in zip((before, after), kind)
                ]
            total = sums[0] + self.chains.transitions[kind] + sums[1]
            log_p.append(total[..., None] if kind in OF_ALL_TYPES else total)
        return xp.exp(xp.concatenate(log_p, axis=2) - self.log_z[:, None])

    def spans(self, starts: Array, ends: Array, numbers: Array, types: Array) -> Array:
        """(S,) probability of each span to be a mention: to begin, to go on, and to end where it does; on the CPU.

        Args:
            starts: (S,) first token.
            ends: (S,) token behind the last one.
            numbers: (S,) number of the chain.
            types: (S,) number of the type.
        """
        xp = get_array_module(self.log_z)
        chains, lasts = self.chains, ends - 1
        log_p = self.forward.begin[starts, numbers, types] - self.log_z[numbers]
        last = lasts, numbers, types
        log_p += xp.where(lasts == starts, self.ending.begin[last], self.ending.inside[last])
        for width in range(1, int((ends - starts).max(initial=1))):
            wide = ends - starts > width
            place = starts[wide] + width, numbers[wide], types[wide]
            log_p[wide] += chains.transitions["BI" if width == 1 else "II"][place] + chains.tags.inside[place]
        return xp.exp(log_p)


def _highest(sums: _Sums, xp: Any) -> tuple[Any, Any]:
    """(K,) highest of the sums, and its tag."""
    best, tag = sums.outside, xp.zeros(sums.outside.shape, dtype="int64")
    chains = xp.arange(len(best))
    for letter, values in enumerate(sums[1:], start=1):
        of_type = values.argmax(axis=1)
        value = values[chains, of_type]
        tag = xp.where(value > best, 2 * of_type + letter, tag)
        best = xp.maximum(best, value)
    return best, tag


def _log_add(*sums: Any) -> Any:
    """Logarithm of a sum, from logarithms of its three parts."""
    xp = get_array_module(sums[0])
    return xp.logaddexp(xp.logaddexp(sums[0], sums[1]), sums[2])


def _log_sum(values: Any) -> Any:
    """Logarithm of the sum over the last axis, from logarithms."""
    xp = get_array_module(values)
    top = values.max(axis=-1)
    return top + xp.log(xp.exp(values - top[..., None]).sum(axis=-1))
