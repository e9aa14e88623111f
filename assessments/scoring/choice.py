r"""The best set of principles under prerequisites and a budget.

$$S^* = \arg\max_S \sum_k V_k \min\left(1, \sum_{i \in S} c_{ik}\right) - \sum_{i \in S} C_i$$

subject to $\sum_{i \in S} e_i \le budget$ and every prerequisite of a member being a member.

Three exact methods: `best_set` (one problem, an integer program), `best_sets` (thousands of problems at once, by search
within a bound) and `best_by_enumeration` (small problems; the yardstick the other two are tested against).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from assessments.scoring.benefit import saved_days

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Each member costs this much on top, so that of two equally good sets the smaller one wins in all three methods.
TIE_DAYS = 1e-7


@dataclass(frozen=True, slots=True)
class Problem:
    """One or many choices over the same n options.

    Parameters
    ----------
    worths
        V_k in days, shape (D, K).
    shares
        c_ik, shape (D, n, K).
    costs
        C_i in days, shape (D, n).
    efforts
        e_i in days, what counts against the budget, shape (D, n).
    requires
        Pairs (i, j): option i needs option j.
    budget
        Most effort, or ``None``.

    """

    worths: Array
    shares: Array
    costs: Array
    efforts: Array
    requires: tuple[tuple[int, int], ...] = ()
    budget: float | None = None

    @property
    def size(self) -> int:
        """Number of options."""
        return int(self.shares.shape[1])

    def rows(self, chosen: slice | NDArray[np.intp]) -> Problem:
        """The same options in some of the draws."""
        return Problem(
            self.worths[chosen], self.shares[chosen], self.costs[chosen], self.efforts[chosen], self.requires,
            self.budget,
        )  # fmt: skip


def net_days(problem: Problem, chosen: Array | Flags) -> Array:
    """Days saved minus days spent, per draw. Shape (D,)."""
    members = chosen.astype(float)
    return np.asarray(saved_days(members, problem.worths, problem.shares) - (members * problem.costs).sum(axis=-1))


def prerequisites(size: int, requires: Sequence[tuple[int, int]]) -> Flags:
    """Row i flags everything option i needs, directly or not, and itself. Shape (n, n)."""
    needed: Flags = np.eye(size, dtype=bool)
    for i, j in requires:
        needed[i, j] = True
    for _ in range(size):
        wider = (needed.astype(int) @ needed.astype(int)) > 0
        if (wider == needed).all():
            break
        needed = wider
    return needed


def best_set(problem: Problem, draw: int = 0) -> Flags:
    """The best set in one draw, as an integer program solved by HiGHS.

    Both the minimum and the choice are linear: y_k <= 1 and y_k <= sum_i c_ik z_i with z_i either 0 or 1.

    Returns
    -------
    Flags of the members, shape (n,).

    Examples
    --------
    >>> one = Problem(
    ...     worths=np.array([[10.0]]), shares=np.array([[[0.5], [0.6], [0.4]]]), costs=np.array([[1.0, 2.0, 3.0]]),
    ...     efforts=np.array([[1.0, 2.0, 3.0]]), requires=((0, 2),),
    ... )
    >>> best_set(one).tolist()
    [False, True, True]

    """
    worths, shares, costs = problem.worths[draw], problem.shares[draw], problem.costs[draw]
    n, count = shares.shape
    objective = np.concatenate([costs + TIE_DAYS, -worths])
    rows = [np.hstack([-shares.T, np.eye(count)])]
    upper = [np.zeros(count)]
    for i, j in problem.requires:
        row = np.zeros(n + count)
        row[i], row[j] = 1, -1
        rows.append(row[None])
        upper.append(np.zeros(1))
    if problem.budget is not None:
        rows.append(np.concatenate([problem.efforts[draw], np.zeros(count)])[None])
        upper.append(np.array([problem.budget]))
    result = milp(
        objective,
        integrality=np.concatenate([np.ones(n), np.zeros(count)]),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(np.vstack(rows), -np.inf, np.concatenate(upper)),
        # Presolve costs more than it saves at this size, and HiGHS prints from inside it.
        options={"mip_rel_gap": 0.0, "presolve": False},
    )
    if result.x is None:  # the empty set always fits, so this would be the solver's own failure
        raise RuntimeError(f"the solver found no set: {result.message}")
    return np.asarray(result.x[:n] > 0.5)


def best_by_enumeration(problem: Problem) -> Flags:
    """The best set in each draw by trying all sets; for at most 16 options. Shape (D, n)."""
    n = problem.size
    if n > 16:
        raise ValueError(f"enumeration is for at most 16 options, got {n}")
    sets = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    for i, j in problem.requires:
        sets = sets[~sets[:, i] | sets[:, j]]
    found = np.zeros((len(problem.worths), n), dtype=bool)
    for d in range(len(found)):
        had = np.minimum(1, sets @ problem.shares[d]) @ problem.worths[d]
        net = had - sets @ (problem.costs[d] + TIE_DAYS)
        if problem.budget is not None:
            net[sets @ problem.efforts[d] > problem.budget + 1e-9] = -np.inf
        found[d] = sets[np.argmax(net)]
    return found
