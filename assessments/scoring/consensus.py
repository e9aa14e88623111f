"""Do the experts agree? Judged on their own votes, never on what the model makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

Array = NDArray[np.float64]
Scale = Literal["nominal", "ordinal", "interval", "ratio"]
THIRDS = ((1, 3), (4, 6), (7, 9))


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the votes on one option say.

    `outcome` is ``for``, ``against`` or ``uncertain``; `counts` are votes in 1-3, 4-6 and 7-9; `share` is the largest
    of them as a part of all votes.
    """

    votes: int
    median: float | None
    p30: float | None
    p70: float | None
    spread: float | None
    allowed: float | None
    disagreement: bool
    outcome: Literal["for", "against", "uncertain", "no votes"]
    counts: tuple[int, int, int]
    share: float


NO_VOTES = Agreement(0, None, None, None, None, None, False, "no votes", (0, 0, 0), 0.0)


def rand_ucla(votes: Sequence[float]) -> Agreement:
    r"""Agreement by the RAND/UCLA rule with the interpercentile range adjusted for symmetry.

    $$IPR = P_{70} - P_{30}, \quad AI = |5 - (P_{30} + P_{70}) / 2|, \quad IPRAS = 2.35 + 1.5 \cdot AI$$

    There is disagreement if IPR > IPRAS. Without it, a median of at least 7 is "for" and of at most 3 "against".

    Parameters
    ----------
    votes
        Votes 1..9 of those who voted.

    Returns
    -------
    Agreement; "no votes" if nobody voted.

    Examples
    --------
    >>> found = rand_ucla([2, 4, 6, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 9, 9])
    >>> found.median, found.spread, round(found.allowed, 1), found.outcome
    (7.0, 1.0, 6.1, 'for')

    References
    ----------
    Fitch et al. (2001), The RAND/UCLA Appropriateness Method User's Manual.

    """
    if not votes:
        return NO_VOTES
    values = np.asarray(votes, dtype=float)
    p30, median, p70 = (float(value) for value in np.percentile(values, [30, 50, 70]))
    spread, allowed = p70 - p30, 2.35 + 1.5 * abs(5 - (p30 + p70) / 2)
    disagreement = spread > allowed
    outcome: Literal["for", "against", "uncertain"] = "uncertain"
    if not disagreement and median >= 7:
        outcome = "for"
    elif not disagreement and median <= 3:
        outcome = "against"
    low, middle, high = (int(((values >= a) & (values <= b)).sum()) for a, b in THIRDS)
    share = max(low, middle, high) / len(values)
    return Agreement(len(values), median, p30, p70, spread, allowed, disagreement, outcome, (low, middle, high), share)


@dataclass(frozen=True, slots=True)
class Concordance:
    """Kendall's W with its test; `raters` and `items` are those with complete data."""

    w: float
    chi2: float
    p: float
    raters: int
    items: int


def kendall_w(ratings: Array) -> Concordance | None:
    r"""Do raters put the items in the same order? Kendall's W, corrected for ties.

    $$W = \frac{12 \sum_i (R_i - \bar R)^2}{m^2 (n^3 - n) - m \sum_e T_e}, \qquad T_e = \sum_t (t^3 - t)$$

    with m raters, n items, rank sums R_i and ties of t equal ranks. A small p says the order is not by chance; it does
    not say that people agree.

    Parameters
    ----------
    ratings
        Shape (m, n), ``nan`` where missing. Items not rated by all are left out.

    Returns
    -------
    The concordance, or ``None`` with fewer than two raters or items or if every rater tied everything.

    Examples
    --------
    >>> kendall_w(np.array([[1.0, 2, 3], [1, 2, 3]])).w
    1.0

    References
    ----------
    Kendall and Babington Smith (1939), The problem of m rankings.

    """
    complete = ratings[:, ~np.isnan(ratings).any(axis=0)]
    m, n = complete.shape
    if m < 2 or n < 2:
        return None
    ties = 0.0
    sums = np.zeros(n)
    for row in complete:
        _, places, counts = np.unique(row, return_inverse=True, return_counts=True)
        ties += float((counts**3 - counts).sum())
        sums += (np.cumsum(counts) - (counts - 1) / 2)[places]  # equal ratings share the mean of their ranks
    possible = m**2 * (n**3 - n) - m * ties
    if possible <= 0:
        return None
    w = float(12 * ((sums - sums.mean()) ** 2).sum() / possible)
    statistic = m * (n - 1) * w
    return Concordance(w, statistic, float(chdtrc(n - 1, statistic)), m, n)


def krippendorff_alpha(ratings: Array, scale: Scale = "ordinal") -> float | None:
    r"""Do raters give the same levels? Krippendorff's alpha; ratings may be missing.

    $$\alpha = 1 - D_o / D_e$$

    with observed and expected disagreement from the coincidences of pairs of values within items. Low when nearly all
    ratings are alike and high, even though people agree.

    Parameters
    ----------
    ratings
        Shape (raters, items), ``nan`` where missing.
    scale
        How far apart two values are: nominal, ordinal, interval or ratio.

    Returns
    -------
    Alpha, or ``None`` if no item has two ratings or all ratings are the same.

    Examples
    --------
    >>> krippendorff_alpha(np.array([[1.0, 2, 3], [1, 2, 3]]))
    1.0

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's alpha-reliability.

    """
    values = np.unique(ratings[~np.isnan(ratings)])
    coincidences = np.zeros((len(values), len(values)))
    for item in ratings.T:
        present = item[~np.isnan(item)]
        if len(present) > 1:
            counts = (present[:, None] == values).sum(axis=0).astype(float)
            coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(present) - 1)
    totals = coincidences.sum(axis=0)
    apart = _distances(values, totals, scale)
    expected = (np.outer(totals, totals) * apart).sum()
    if totals.sum() < 2 or expected == 0:
        return None
    return float(1 - (totals.sum() - 1) * (coincidences * apart).sum() / expected)


def _distances(values: Array, totals: Array, scale: Scale) -> Array:
    """Squared distance between each two values."""
    if scale == "nominal":
        return 1 - np.eye(len(values))
    gap = values[:, None] - values
    if scale == "interval":
        return np.asarray(gap**2)
    if scale == "ratio":
        total = values[:, None] + values
        return np.asarray(np.divide(gap, total, out=np.zeros_like(gap), where=total != 0) ** 2)
    below = np.cumsum(totals) - totals / 2
    return np.asarray((below[:, None] - below) ** 2)


@dataclass(frozen=True, slots=True)
class ContentValidity:
    """I-CVI per item, their average, and the part of items all experts call relevant."""

    items: tuple[float | None, ...]
    average: float | None
    universal: float | None


def content_validity(relevant: Sequence[Sequence[bool | None]]) -> ContentValidity:
    """Content validity: the part of experts who call each item relevant.

    Parameters
    ----------
    relevant
        One row per item with each expert's yes, no or ``None`` for no answer, which is left out.

    Examples
    --------
    >>> content_validity([[True, True, False], [True, True, True]])
    ContentValidity(items=(0.6666666666666666, 1.0), average=0.8333333333333333, universal=0.5)

    References
    ----------
    Polit and Beck (2006), The content validity index, Research in Nursing and Health 29.

    """
    items: list[float | None] = []
    for row in relevant:
        answers = [answer for answer in row if answer is not None]
        items.append(sum(answers) / len(answers) if answers else None)
    known = [item for item in items if item is not None]
    if not known:
        return ContentValidity(tuple(items), None, None)
    return ContentValidity(tuple(items), sum(known) / len(known), sum(item == 1 for item in known) / len(known))


@dataclass(frozen=True, slots=True)
class RoundState:
    """Whether another round is called for: `reason` is ``consensus``, ``stable``, ``last round`` or ``open``."""

    finished: bool
    reason: Literal["consensus", "stable", "last round", "open"]
    agreed: tuple[str, ...]
    moved: Mapping[str, int]


def round_state(
    votes: Mapping[str, Mapping[str, int]],
    before: Mapping[str, Mapping[str, int]] | None,
    number: int,
    *,
    threshold: float = 0.75,
    stable_points: float = 1.0,
    maximum: int = 3,
) -> RoundState:
    """Should the panel go on? It stops at consensus on everything, when votes have settled, or at the last round.

    Parameters
    ----------
    votes, before
        Option to expert to vote 1..9, in this round and the one before.
    number
        Number of this round, from 1.
    threshold
        Share of votes in one third of the scale that counts as agreed, in the absence of disagreement.
    stable_points
        Largest move of a vote that has settled.
    maximum
        Most rounds.

    Examples
    --------
    >>> round_state({"testing": {"a": 8, "b": 2}}, {"testing": {"a": 7, "b": 2}}, 2).reason
    'stable'

    """
    found = {slug: rand_ucla(list(given.values())) for slug, given in votes.items()}
    agreed = tuple(slug for slug, a in found.items() if a.votes and a.share >= threshold and not a.disagreement)
    earlier = before or {}
    pairs = {
        slug: [(given[e], earlier[slug][e]) for e in given if e in earlier.get(slug, {})]
        for slug, given in votes.items()
    }
    moved = {slug: sum(now != then for now, then in both) for slug, both in pairs.items()}
    settled = any(pairs.values()) and all(abs(a - b) <= stable_points for both in pairs.values() for a, b in both)
    if votes and len(agreed) == len(votes):
        return RoundState(True, "consensus", agreed, moved)
    if settled:
        return RoundState(True, "stable", agreed, moved)
    if number >= maximum:
        return RoundState(True, "last round", agreed, moved)
    return RoundState(False, "open", agreed, moved)
