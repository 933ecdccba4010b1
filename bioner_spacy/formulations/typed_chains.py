"""Sums over, and the best of, all BIO sequences of several types, where transitions do not depend on the type.

A transition has one of eight kinds, such as from O to B, whatever the types of the tags, and I follows on tags of its
own type alone. What leads to a B is then a sum over all tags before it, the same for each type, so that the recursions
of Viterbi and of the forward-backward algorithm (Rabiner 1989) take a time proportional to the number of types, and
not to its square. Tags are numbered as in `TagFormulation`: O, then B and I of each type in turn.

Texts stand one after another in a chain. Chains go on side by side, a token at a time.
"""

from dataclasses import dataclass
from typing import Any

from thinc.api import get_array_module

from ..types import Array
from .chains import NEVER

KINDS = [(before, after) for before in "OBI" for after in "OBI" if (before, after) != ("O", "I")]
"""Kinds of transitions: of the tag before, and of the tag."""
_OO, _OB, _BO, _BB, _BI, _IO, _IB, _II = range(len(KINDS))


def kind_of(before: Any, after: Any) -> Any:
    """Number of the kind of a transition between two tags, in `KINDS`; arrays of tags give arrays."""
    return 3 * _letter(before) + _letter(after) - (before > 0)


def _letter(tag: Any) -> Any:
    """0 for O, 1 for B and 2 for I."""
    return (tag > 0) * (1 + (tag + 1) % 2)


@dataclass(frozen=True)
class TypedChains:
    """N tokens of each of K chains of T types.

    Attributes:
        outside: (N, K) score of O.
        begin: (N, K, T) scores of B.
        inside: (N, K, T) scores of I.
        moves: (N, 8, K) scores of the kinds of transitions to each token.
        begins: (N, K) bool, whether a token begins a text: an O precedes it.
    """

    outside: Any
    begin: Any
    inside: Any
    moves: Any
    begins: Any

    @classmethod
    def make(cls, tags: Any, moves: Any, begins: Any, kept: Any) -> "TypedChains":
        """Chains, of tokens of which some add nothing.

        Args:
            tags: (N, K, 1 + 2 T) scores of tags.
            moves: (N, K, 8) scores of transitions.
            begins: (N, K) bool, whether a token begins a text.
            kept: (N, K) bool, false for tokens that add nothing.
        """
        xp = get_array_module(tags)
        tags = xp.where(kept[:, :, None], tags.astype("float64"), NEVER)
        moves = xp.where(kept[:, :, None], moves.astype("float64"), 0.0).swapaxes(1, 2)
        outside = xp.where(kept, tags[:, :, 0], 0.0)
        return cls(outside, tags[:, :, 1::2], tags[:, :, 2::2], moves, begins | ~kept)

    def marginals(self) -> "TypedMarginals":
        """The forward-backward algorithm."""
        xp = get_array_module(self.outside)
        n_tokens, n_chains, n_types = self.begin.shape
        begin, inside = xp.empty(self.begin.shape), xp.empty(self.begin.shape)
        outside, any_begin, any_inside = (xp.empty((n_tokens, n_chains)) for _ in range(3))
        # Before the first token there is an O.
        before = (xp.zeros(n_chains), *(xp.full(n_chains, NEVER) for _ in range(2)))
        of_types = (xp.full((n_chains, n_types), NEVER),) * 2
        for n in range(n_tokens):
            to_outside, to_begin = self._arrive(n, before)
            outside[n] = to_outside + self.outside[n]
            begin[n] = to_begin[:, None] + self.begin[n]
            inside[n] = self._go_on(n, *of_types) + self.inside[n]
            any_begin[n], any_inside[n] = _log_sum(begin[n]), _log_sum(inside[n])
            before, of_types = (outside[n], any_begin[n], any_inside[n]), (begin[n], inside[n])
        log_z = _log_add(*before)

        # The same backwards: what follows on a tag, for O, and for B and I of each type where the mention ends.
        after_outside, after_begin, after_inside = (xp.zeros((n_tokens, n_chains)) for _ in range(3))
        after_types = xp.zeros((n_tokens, n_chains, n_types)), xp.zeros((n_tokens, n_chains, n_types))
        next_outside, next_begin = (xp.zeros((n_tokens, n_chains)) for _ in range(2))
        for n in range(n_tokens - 1, -1, -1):
            next_outside[n] = self.outside[n] + after_outside[n]
            next_begin[n] = _log_sum(self.begin[n] + after_types[0][n])
            if n == 0:
                break
            moves, at_start = self.moves[n], self.begins[n]
            leave = [
                xp.logaddexp(moves[kind] + next_outside[n], moves[kind + 1] + next_begin[n])
                for kind in (_OO, _BO, _IO)
            ]
            after_outside[n - 1] = leave[0]
            next_inside = self.inside[n] + after_types[1][n]
            for i, (end, kind) in enumerate(((after_begin, _BI), (after_inside, _II))):
                end[n - 1] = xp.where(at_start, leave[0], leave[i + 1])
                goes_on = xp.where(at_start, NEVER, moves[kind])[:, None] + next_inside
                after_types[i][n - 1] = xp.logaddexp(end[n - 1][:, None], goes_on)
        return TypedMarginals(
            self, outside, begin, inside, any_begin, any_inside, log_z, after_outside, *after_types, next_outside,
            next_begin, after_begin, after_inside,
        )  # fmt: skip

    def best_path(self) -> Array:
        """Viterbi (1967): (N, K) the tags with the highest sum of scores."""
        xp = get_array_module(self.outside)
        n_tokens, n_chains, n_types = self.begin.shape
        chains = xp.arange(n_chains)
        best = xp.zeros(n_chains), xp.full((n_chains, n_types), NEVER), xp.full((n_chains, n_types), NEVER)
        # For O and for B, the best tag before; for I of each type, whether that is I.
        to_outside, to_begin = (xp.zeros((n_tokens, n_chains), dtype="int64") for _ in range(2))
        from_inside = xp.zeros((n_tokens, n_chains, n_types), dtype=bool)
        for n in range(n_tokens):
            moves, at_start = self.moves[n], self.begins[n]
            types = [states.argmax(axis=1) for states in best[1:]]
            values = [best[0], *(states[chains, of] for states, of in zip(best[1:], types))]
            tags = xp.stack([xp.zeros_like(chains), 1 + 2 * types[0], 2 + 2 * types[1]])
            arrived = []
            for back, kinds in ((to_outside, (_OO, _BO, _IO)), (to_begin, (_OB, _BB, _IB))):
                ways = xp.stack(
                    [value + xp.where(at_start, moves[kinds[0]], moves[kind]) for value, kind in zip(values, kinds)]
                )
                chosen = ways.argmax(axis=0)
                back[n] = tags[chosen, chains]
                arrived.append(ways[chosen, chains])
            of_begin, of_inside = (best[1 + i] + moves[kind][:, None] for i, kind in enumerate((_BI, _II)))
            from_inside[n] = of_inside > of_begin
            goes_on = xp.where(at_start[:, None], NEVER, xp.maximum(of_begin, of_inside))
            best = arrived[0] + self.outside[n], arrived[1][:, None] + self.begin[n], goes_on + self.inside[n]
        result = xp.zeros((n_tokens, n_chains), dtype="int64")
        if n_tokens:
            states = xp.concatenate([best[0][:, None], xp.stack(best[1:], axis=2).reshape(n_chains, -1)], axis=1)
            result[-1] = states.argmax(axis=1)
        for n in range(n_tokens - 1, 0, -1):
            tag = result[n]
            of_type = xp.maximum(tag - 1, 0) // 2
            going_on = 1 + 2 * of_type + from_inside[n, chains, of_type]
            back = xp.where(tag == 0, to_outside[n], to_begin[n])
            result[n - 1] = xp.where((tag > 0) & (tag % 2 == 0), going_on, back)
        return result

    def _arrive(self, n: int, before: tuple[Any, Any, Any]) -> tuple[Any, Any]:
        """(K,) sums over all ways to an O and to a B of token n, from sums over the tags before it: O, all B, and all
        I."""
        xp = get_array_module(self.outside)
        at_start, moves = self.begins[n], self.moves[n]
        return tuple(  # type: ignore[return-value]
            _log_add(*(sums + xp.where(at_start, moves[kinds[0]], moves[kind]) for sums, kind in zip(before, kinds)))
            for kinds in ((_OO, _BO, _IO), (_OB, _BB, _IB))
        )

    def _go_on(self, n: int, begin: Any, inside: Any) -> Any:
        """(K, T) sums over all ways to an I of token n, from those to B and to I of the token before."""
        xp = get_array_module(self.outside)
        moves = self.moves[n]
        sums = xp.logaddexp(begin + moves[_BI][:, None], inside + moves[_II][:, None])
        return xp.where(self.begins[n][:, None], NEVER, sums)


@dataclass(frozen=True)
class TypedMarginals:
    """Logarithms of sums over sequences: up to and with each token, and from behind it on.

    Attributes:
        chains: the chains.
        outside: (N, K) up to an O.
        begin: (N, K, T) up to a B.
        inside: (N, K, T) up to an I.
        any_begin: (N, K) up to a B of any type.
        any_inside: (N, K) up to an I of any type.
        log_z: (K,) over all sequences.
        after_outside: (N, K) behind an O.
        after_begin: (N, K, T) behind a B.
        after_inside: (N, K, T) behind an I.
        next_outside: (N, K) from an O on.
        next_begin: (N, K) from a B of any type on.
        end_begin: (N, K) behind a B whose mention ends with it, the same for all types.
        end_inside: (N, K) likewise behind an I.
    """

    chains: TypedChains
    outside: Any
    begin: Any
    inside: Any
    any_begin: Any
    any_inside: Any
    log_z: Any
    after_outside: Any
    after_begin: Any
    after_inside: Any
    next_outside: Any
    next_begin: Any
    end_begin: Any
    end_inside: Any

    def tags(self) -> Any:
        """(N, K, 1 + 2 T) probabilities of tags."""
        xp = get_array_module(self.outside)
        n_tokens, n_chains, n_types = self.begin.shape
        p = xp.empty((n_tokens, n_chains, 1 + 2 * n_types))
        p[:, :, 0] = xp.exp(self.outside + self.after_outside - self.log_z)
        p[:, :, 1::2] = xp.exp(self.begin + self.after_begin - self.log_z[:, None])
        p[:, :, 2::2] = xp.exp(self.inside + self.after_inside - self.log_z[:, None])
        return p

    def moves(self) -> Any:
        """(N, K, 8) probabilities of the kinds of transitions."""
        xp = get_array_module(self.outside)
        chains = self.chains
        first = xp.full_like(self.outside[:1], NEVER)
        outside, begin, inside = (
            xp.concatenate([head, sums[:-1]])
            for head, sums in ((xp.zeros_like(first), self.outside), (first, self.any_begin), (first, self.any_inside))
        )
        # What begins a text does so behind an O, whatever the text before ended with.
        outside = xp.where(chains.begins, _log_add(outside, begin, inside), outside)
        begin, inside = (xp.where(chains.begins, NEVER, sums) for sums in (begin, inside))
        log_p = xp.empty((*self.outside.shape, len(KINDS)))
        for sums, to_outside in ((outside, _OO), (begin, _BO), (inside, _IO)):
            log_p[:, :, to_outside] = sums + self.next_outside
            log_p[:, :, to_outside + 1] = sums + self.next_begin
        for sums, kind in ((self.begin, _BI), (self.inside, _II)):
            goes_on = _log_sum(sums[:-1] + chains.inside[1:] + self.after_inside[1:])
            log_p[0, :, kind] = NEVER
            log_p[1:, :, kind] = xp.where(chains.begins[1:], NEVER, goes_on)
        return xp.exp(log_p + chains.moves.swapaxes(1, 2) - self.log_z[:, None])

    def spans(self, starts: Array, ends: Array, numbers: Array, types: Array) -> Array:
        """(S,) probability of each span to be a mention: to begin, to go on, and to end where it does; on the CPU.

        Args:
            starts: (S,) first token.
            ends: (S,) token behind the last one.
            numbers: (S,) number of the chain.
            types: (S,) number of the type.
        """
        xp = get_array_module(self.outside)
        chains, lasts = self.chains, ends - 1
        log_p = self.begin[starts, numbers, types] - self.log_z[numbers]
        log_p += xp.where(lasts == starts, self.end_begin[lasts, numbers], self.end_inside[lasts, numbers])
        for width in range(1, int((ends - starts).max(initial=1))):
            wide = ends - starts > width
            token, number = starts[wide] + width, numbers[wide]
            kind = _BI if width == 1 else _II
            log_p[wide] += chains.moves[token, kind, number] + chains.inside[token, number, types[wide]]
        return xp.exp(log_p)


def _log_add(*sums: Any) -> Any:
    """Logarithm of a sum, from logarithms of its three parts."""
    xp = get_array_module(sums[0])
    return xp.logaddexp(xp.logaddexp(sums[0], sums[1]), sums[2])


def _log_sum(values: Any) -> Any:
    """Logarithm of the sum over the last axis, from logarithms."""
    xp = get_array_module(values)
    top = values.max(axis=-1)
    return top + xp.log(xp.exp(values - top[..., None]).sum(axis=-1))
