r"""The best set in thousands of draws at once, exactly, without an integer program for each.

1. Good sets are found by local moves in some of the draws, tried in all, and moved on from there: a lower bound per
   draw.
2. Prices on benefits ($\lambda$), prerequisites ($\pi$) and the budget ($\mu$) give an upper bound per draw,

   $$L = \sum_k (V_k - \lambda_k) + \sum_i \max(0, r_i) + \mu \cdot budget, \qquad
     r_i = \sum_k \lambda_k c_{ik} - C_i - \mu e_i + \text{prices of the prerequisites i takes part in}$$

3. Deciding against the sign of $r_i$ lowers the bound by $|r_i|$; a benefit filled beyond 1, or one that the options
   still open cannot fill, lowers it further. All sets whose lost bound stays within the gap between the two are listed,
   option by option for all draws together, and the best one is kept. What is not listed cannot win.

Pricing ends where listing is cheaper: once few options can still go either way. Only a draw that never gets there is
worth a second, thorough round of moves. None of this changes an answer, only how long the lists are.

References
----------
Fisher (1981), The Lagrangian relaxation method for solving integer programming problems, Management Science 27.

"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assessments.scoring.choice import TIE_DAYS, Array, Flags, Problem, best_set, net_days, prerequisites

# A gain below this is rounding.
ROUNDING = 1e-9
# Sets are packed into one 64-bit word; more options than this go to the integer program.
MOST_OPTIONS = 62
# Partial sets held at once. A draw that alone needs a quarter of this goes to the integer program.
MOST_SETS = 2_000_000
# Draws worked on together, so that memory stays bounded.
CHUNK = 2000
PRICE_STEPS = 80
# Part of the options that may still go either way when pricing ends; found by trying.
FEW = 1 / 3
# One draw in so many begins its moves at the empty set, the others at the sets found in these.
SAMPLE = 16
# How strongly prices of prerequisites move against prices of benefits; found by trying.
PREREQUISITE_STEP = 0.05

Index = NDArray[np.intp]
Words = NDArray[np.uint64]


def best_sets(problem: Problem) -> Flags:
    """The best set in each draw.

    Parameters
    ----------
    problem
        D draws over n options.

    Returns
    -------
    Flags of the members, shape (D, n). The same sets, up to equally good ones, as `choice.best_set` draw by draw.

    """
    draws = len(problem.worths)
    chosen = np.zeros((draws, problem.size), dtype=bool)
    if problem.size > MOST_OPTIONS:
        for d in range(draws):
            chosen[d] = best_set(problem, d)
    elif problem.size > 0:
        for start in range(0, draws, CHUNK):
            part = slice(start, start + CHUNK)
            chosen[part] = _best_sets(problem.rows(part))
    return chosen


def _best_sets(problem: Problem) -> Flags:
    chosen = np.zeros((len(problem.worths), problem.size), dtype=bool)
    needed = prerequisites(problem.size, problem.requires)
    _improve(problem.rows(slice(None, None, SAMPLE)), chosen[::SAMPLE], needed)
    _borrow(problem, chosen)
    _add_and_drop(problem, chosen, needed)
    value = _net(problem, chosen)
    prices = _prices(problem, value)
    hard = np.flatnonzero(~_few_left(prices.reduced, prices.bound - value))
    if len(hard):
        part, better = problem.rows(hard), chosen[hard]
        _borrow(part, better)
        _improve(part, better, needed)
        chosen[hard] = better
    _search(problem, chosen, needed, prices)
    return chosen


def _improve(problem: Problem, chosen: Flags, needed: Flags) -> None:
    """All local moves, in place, as long as a draw gains."""
    _add_and_drop(problem, chosen, needed)
    if problem.budget is not None:
        _swap(problem, chosen, needed)
        _add_and_drop(problem, chosen, needed)


def _net(problem: Problem, chosen: Flags) -> Array:
    return np.asarray(net_days(problem, chosen) - TIE_DAYS * chosen.sum(axis=-1))


def _fits(problem: Problem, efforts: Array) -> Flags:
    if problem.budget is None:
        return np.ones(efforts.shape, dtype=bool)
    return np.asarray(efforts <= problem.budget + ROUNDING)


def _add_and_drop(problem: Problem, chosen: Flags, needed: Flags) -> None:
    """Add an option with all it needs, or drop one with all that need it, as long as a draw gains."""
    value = _net(problem, chosen)
    active: Index = np.arange(len(chosen))
    while len(active):
        part, now = problem.rows(active), chosen[active]
        moves = np.where(now[:, :, None], now[:, None, :] & ~needed.T, now[:, None, :] | needed)
        members = moves.astype(float)
        had = np.minimum(1, members @ part.shares)
        net = (had @ part.worths[:, :, None])[..., 0] - (members @ (part.costs + TIE_DAYS)[:, :, None])[..., 0]
        if problem.budget is not None:
            net[~_fits(problem, (members @ part.efforts[:, :, None])[..., 0])] = -np.inf
        best = net.argmax(axis=1)
        gained = np.flatnonzero(net[np.arange(len(active)), best] > value[active] + ROUNDING)
        active = active[gained]
        chosen[active] = moves[gained, best[gained]]
        value[active] = net[gained, best[gained]]


def _swap(problem: Problem, chosen: Flags, needed: Flags) -> None:
    """Exchange one member nobody depends on for one option whose prerequisites are there. Matters under a budget."""
    n = problem.size
    others = (needed & ~np.eye(n, dtype=bool)).astype(float)
    waiting: Index = np.arange(len(chosen))
    while len(waiting):
        moved = []
        for active in np.array_split(waiting, max(1, len(waiting) * n * n // 2_000_000)):
            part, members = problem.rows(active), chosen[active].astype(float)
            leaves = chosen[active] & ~(members @ others > 0)
            enters = ~chosen[active] & ~((1 - members) @ others.T > 0)
            had = (members[:, None] @ part.shares)[:, 0]
            gain = np.repeat((part.costs + TIE_DAYS)[:, :, None], n, axis=2) - (part.costs + TIE_DAYS)[:, None, :]
            for k in range(part.worths.shape[1]):
                after = had[:, k, None, None] - part.shares[:, :, None, k] + part.shares[:, None, :, k]
                gain += part.worths[:, k, None, None] * (np.minimum(1, after) - np.minimum(1, had[:, k, None, None]))
            spent = (members * part.efforts).sum(axis=1)[:, None, None]
            allowed = leaves[:, :, None] & enters[:, None, :] & ~needed.T
            allowed &= _fits(problem, spent - part.efforts[:, :, None] + part.efforts[:, None, :])
            gain = np.where(allowed, gain, -np.inf).reshape(len(active), -1)
            best = gain.argmax(axis=1)
            gained = np.flatnonzero(gain[np.arange(len(active)), best] > ROUNDING)
            chosen[active[gained], best[gained] // n] = False
            chosen[active[gained], best[gained] % n] = True
            moved.append(active[gained])
        waiting = np.concatenate(moved)


def _borrow(problem: Problem, chosen: Flags, most: int = 400) -> None:
    """Try in every draw the sets that won most often elsewhere.

    One small product per draw on purpose: after a large one the threads of a matrix library wait for the next, busily.
    """
    sets, counts = np.unique(chosen, axis=0, return_counts=True)
    sets = sets[np.argsort(-counts)[:most]]
    members = sets.astype(float)
    step = max(1, 4_000_000 // max(1, members.shape[0] * problem.worths.shape[1]))
    for start in range(0, len(chosen), step):
        part, now = problem.rows(slice(start, start + step)), chosen[start : start + step]
        had = np.minimum(1, members @ part.shares)
        net = (had @ part.worths[:, :, None])[..., 0] - (members @ (part.costs + TIE_DAYS)[:, :, None])[..., 0]
        if problem.budget is not None:
            net[~_fits(problem, (members @ part.efforts[:, :, None])[..., 0])] = -np.inf
        best = net.argmax(axis=1)
        gained = net[np.arange(len(now)), best] > _net(part, now) + ROUNDING
        now[gained] = sets[best[gained]]


@dataclass(frozen=True, slots=True)
class _Prices:
    """Upper bound per draw, with the reduced worths r_i and the prices of benefits that gave it."""

    bound: Array
    reduced: Array
    benefit: Array


def _few_left(reduced: Array, gap: Array) -> Flags:
    """Draws in which few options can still go either way, given r_i, shape (D, n), and the gap between the bounds."""
    return np.asarray((np.abs(reduced) <= gap[:, None]).sum(axis=1) <= FEW * reduced.shape[1])


def _prices(problem: Problem, value: Array) -> _Prices:
    """Lower the upper bound by subgradient steps on the prices; the budget's price is exact in each step.

    Draws run along the last axis here, and a draw whose bound is met, decides most options or no longer moves is left
    alone. Products are sums over short axes on purpose: threads of a matrix library cost more than they save at this
    size.
    """
    draws, n, _ = problem.shares.shape
    bound, reduced, benefit = np.full(draws, np.inf), np.zeros((draws, n)), 0.7 * problem.worths
    rows: Index = np.arange(draws)
    price = benefit.T.copy()
    pair_price = np.zeros((len(problem.requires), draws))
    pace, stuck = np.ones(draws), np.zeros(draws, dtype=int)
    shares, costs, efforts, worths = _draws_last(problem, rows)
    for step in range(PRICE_STEPS):
        if step % 5 == 0:
            gap = bound[rows] - value[rows]
            kept = (gap > ROUNDING) & (pace > 0.01) & ~_few_left(reduced[rows], gap)
            if not kept.any():
                break
            if not kept.all():
                rows, price, pair_price = rows[kept], price[:, kept], pair_price[:, kept]
                pace, stuck = pace[kept], stuck[kept]
                shares, costs, efforts, worths = _draws_last(problem, rows)
        gross = np.einsum("nkd,kd->nd", shares, price) - costs
        for p, (i, j) in enumerate(problem.requires):
            gross[i] -= pair_price[p]
            gross[j] += pair_price[p]
        budget_price, taken = _price_of_budget(gross, efforts, problem.budget)
        net = gross - budget_price * efforts
        total = (worths - price).sum(axis=0) + np.maximum(net, 0).sum(axis=0)
        if problem.budget is not None:
            total += budget_price * problem.budget
        lower = total < bound[rows] - ROUNDING
        better = rows[lower]
        bound[better], reduced[better], benefit[better] = total[lower], net[:, lower].T, price[:, lower].T
        stuck = np.where(lower, 0, stuck + 1)
        pace[stuck >= 5] *= 0.6
        stuck[stuck >= 5] = 0
        slope = np.einsum("nkd,nd->kd", shares, taken) - 1
        pair_slope = np.array([taken[j] - taken[i] for i, j in problem.requires]).reshape(pair_price.shape)
        steepness = (slope**2).sum(axis=0) + PREREQUISITE_STEP * (pair_slope**2).sum(axis=0)
        length = pace * np.maximum(total - value[rows], 1e-6) / np.maximum(steepness, 1e-12)
        price = np.clip(price - length * slope, 0, worths)
        pair_price = np.maximum(pair_price - length * PREREQUISITE_STEP * pair_slope, 0)
    return _Prices(bound, reduced, benefit)


def _draws_last(problem: Problem, rows: Index) -> tuple[Array, Array, Array, Array]:
    """Shares (n, K, D), costs (n, D), efforts (n, D) and worths (K, D) of some draws."""
    return (
        np.ascontiguousarray(problem.shares[rows].transpose(1, 2, 0)),
        np.ascontiguousarray((problem.costs[rows] + TIE_DAYS).T),
        np.ascontiguousarray(problem.efforts[rows].T),
        np.ascontiguousarray(problem.worths[rows].T),
    )


def _price_of_budget(gross: Array, efforts: Array, budget: float | None) -> tuple[Array, Array]:
    """Price per day of budget that clears it, and how much of each option is then taken (one may be taken in part)."""
    wanted = (gross > 0).astype(float)
    if budget is None:
        return np.zeros(gross.shape[1]), wanted
    efforts = np.maximum(efforts, 1e-9)
    rate = np.where(gross > 0, gross / efforts, -1)
    order = np.argsort(-rate, axis=0)
    used = np.take_along_axis(efforts * wanted, order, axis=0)
    filled = np.cumsum(used, axis=0)
    short = filled[-1] > budget
    last = np.argmax(filled > budget, axis=0)[None]
    before = np.take_along_axis(filled - used, last, axis=0)
    part = np.clip((budget - before) / np.maximum(np.take_along_axis(used, last, axis=0), 1e-12), 0, 1)
    taken_in_order = (np.arange(len(gross))[:, None] < last).astype(float)
    np.put_along_axis(taken_in_order, last, part, axis=0)
    taken = np.zeros_like(gross)
    np.put_along_axis(taken, order, taken_in_order, axis=0)
    price = np.take_along_axis(rate, np.take_along_axis(order, last, axis=0), axis=0)[0]
    return np.where(short, np.maximum(price, 0), 0), np.where(short, taken * wanted, wanted)


@dataclass(slots=True)
class _Partial:
    """Partial sets of many draws, one row each."""

    draw: Index
    lost: Array
    had: Array
    paid: Array
    spent: Array
    members: Words
    decided: Words

    def take(self, rows: Index | Flags) -> _Partial:
        return _Partial(
            self.draw[rows], self.lost[rows], self.had[rows], self.paid[rows], self.spent[rows], self.members[rows],
            self.decided[rows],
        )  # fmt: skip

    def joined(self, other: _Partial) -> _Partial:
        return _Partial(*(np.concatenate([getattr(self, f), getattr(other, f)]) for f in self.__slots__))


def _search(problem: Problem, chosen: Flags, needed: Flags, prices: _Prices) -> None:
    """List every set the bound cannot rule out and keep the best per draw, in place."""
    value = _net(problem, chosen)
    gap = prices.bound - value - ROUNDING
    # The most decisive option of each draw comes first, so that the wrong side is ruled out at once.
    order = np.argsort(-np.abs(prices.reduced), axis=1)
    penalty = np.abs(prices.reduced)
    ordered = np.take_along_axis(problem.shares, order[:, :, None], axis=1)
    later = ordered[:, ::-1].cumsum(axis=1)[:, ::-1] - ordered
    bits: Words = np.uint64(1) << np.arange(problem.size, dtype=np.uint64)
    needs_bits, needed_by_bits = _packed(needed, bits), _packed(needed.T, bits)
    open_draws = np.flatnonzero(gap > 0)
    m = len(open_draws)
    sets = _Partial(
        open_draws, np.zeros(m), np.zeros((m, problem.worths.shape[1])), np.zeros(m), np.zeros(m),
        np.zeros(m, dtype=np.uint64), np.zeros(m, dtype=np.uint64),
    )  # fmt: skip
    hard: list[int] = []
    for level in range(problem.size):
        option = order[sets.draw, level]
        bit = bits[option]
        against, wanted = penalty[sets.draw, option], prices.reduced[sets.draw, option] > 0
        limit = gap[sets.draw]
        without = (sets.lost + against * wanted <= limit) & (needed_by_bits[option] & sets.members == 0)
        with_it = (sets.lost + against * ~wanted <= limit) & (needs_bits[option] & sets.decided & ~sets.members == 0)
        with_it &= _fits(problem, sets.spent + problem.efforts[sets.draw, option])
        sets.decided = sets.decided | bit
        grown, left = sets.take(with_it), sets.take(without)
        left.lost = left.lost + (against * wanted)[without]
        grown.lost = grown.lost + (against * ~wanted)[with_it]
        grown.members = grown.members | bit[with_it]
        grown.had = grown.had + problem.shares[grown.draw, option[with_it]]
        grown.paid = grown.paid + problem.costs[grown.draw, option[with_it]] + TIE_DAYS
        grown.spent = grown.spent + problem.efforts[grown.draw, option[with_it]]
        sets = left.joined(grown)
        over = np.maximum(0, sets.had - 1) * prices.benefit[sets.draw]
        short = np.maximum(0, 1 - sets.had - later[sets.draw, level])
        wasted = (over + short * (problem.worths - prices.benefit)[sets.draw]).sum(axis=1)
        sets = sets.take(sets.lost + wasted <= gap[sets.draw])
        if len(sets.draw) > MOST_SETS:
            sets = _set_aside(sets, hard)
    net = (problem.worths[sets.draw] * np.minimum(1, sets.had)).sum(axis=1) - sets.paid
    rank = np.lexsort((net, sets.draw))
    last = rank[np.append(np.diff(sets.draw[rank]) != 0, True)] if len(rank) else rank
    better = last[net[last] > value[sets.draw[last]] + ROUNDING]
    chosen[sets.draw[better]] = (sets.members[better][:, None] & bits) > 0
    for d in hard:
        chosen[d] = best_set(problem, d)


def _packed(flags: Flags, bits: Words) -> Words:
    return np.asarray(np.where(flags, bits, np.uint64(0)).sum(axis=1), dtype=np.uint64)


def _set_aside(sets: _Partial, hard: list[int]) -> _Partial:
    """Give the draws with the most open sets to the integer program until the rest fits again."""
    draws, counts = np.unique(sets.draw, return_counts=True)
    falling = np.argsort(-counts)
    left = len(sets.draw) - np.cumsum(counts[falling])
    given = draws[falling[: np.argmax(left <= MOST_SETS // 2) + 1]]
    hard.extend(given.tolist())
    return sets.take(~np.isin(sets.draw, given))
