r"""Running sums and means over everything, over a window and with fading, exact to the last bit.

Each class takes numbers in blocks and returns the value after each of them. Cutting the same numbers into other blocks
changes nothing: floating-point sums are always formed in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class RunningMean:
    r"""Mean of all numbers so far, in the form River's `stats.Mean` computes it.

    $$\bar{x}_n = \bar{x}_{n-1} + \frac{1}{n} (x_n - \bar{x}_{n-1})$$

    Examples
    --------
    >>> RunningMean().add([1.0, 2.0, 6.0]).tolist()
    [1.0, 1.5, 3.0]

    References
    ----------
    [^1]: West, D. H. D. (1979). Updating mean and variance estimates: An improved method.
    """

    def __init__(self) -> None:
        self.count = 0.0
        self.mean = 0.0

    def add(self, numbers: Sequence[float]) -> Floats:
        """Take numbers; return the mean after each."""
        weights = (1.0 / np.arange(self.count + 1.0, self.count + len(numbers) + 1.0)).tolist()
        mean = self.mean
        means = []
        for weight, number in zip(weights, numbers, strict=True):
            mean += weight * (number - mean)
            means.append(mean)
        self.count, self.mean = self.count + len(numbers), mean
        return np.array(means)


class RunningVariance:
    r"""Sum of squared distances to the mean, in the form River's `stats.Var` computes it (Welford).

    $$S_n = S_{n-1} + (x_n - \bar{x}_{n-1}) (x_n - \bar{x}_n)$$
    """

    def __init__(self) -> None:
        self.count = 0.0
        self.mean = 0.0
        self.squares = 0.0

    def add(self, numbers: Sequence[float]) -> Floats:
        """Take numbers; return River's estimate of the total sum of squares after each."""
        counts = np.arange(self.count + 1.0, self.count + len(numbers) + 1.0)
        mean, squares = self.mean, self.squares
        sums = []
        for weight, number in zip((1.0 / counts).tolist(), numbers, strict=True):
            before = mean
            mean += weight * (number - mean)
            squares += (number - before) * (number - mean)
            sums.append(squares)
        self.count, self.mean, self.squares = self.count + len(numbers), mean, squares
        # As River does: divided by n - 1 and multiplied again, which need not give the same number back.
        rest = counts - 1
        totals: Floats = rest * np.divide(np.array(sums), rest, out=np.zeros(len(sums)), where=rest > 0)
        return totals


class WindowSum:
    r"""Sum over the last `size` numbers, without the drift of adding and subtracting.

    The stream is cut into blocks of `size`. The window that ends at offset $r$ of block $b$ is the end of block $b - 1$
    and the start of block $b$, so its sum is one of the first block's sums from behind plus one of the second's sums
    from the front:

    $$W = \sum_{j > r} x_{b-1, j} + \sum_{j \le r} x_{b, j}$$

    Parameters
    ----------
    size
        Length of the window.

    Examples
    --------
    >>> WindowSum(2).add(np.array([1.0, 2.0, 6.0])).tolist()
    [1.0, 3.0, 8.0]
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._tails = np.zeros(size + 1)
        self._block = np.empty(0)
        self._sum = 0.0

    def add(self, numbers: Floats) -> Floats:
        """Take numbers; return the sum of the window after each."""
        sums = np.empty(len(numbers))
        start = 0
        while start < len(numbers):
            filled = len(self._block)
            part = numbers[start : start + self.size - filled]
            heads = np.cumsum(np.concatenate(([self._sum], part)))[1:]
            stop = start + len(part)
            sums[start:stop] = self._tails[filled + 1 : filled + len(part) + 1] + heads
            self._block = np.concatenate((self._block, part))
            self._sum = float(heads[-1])
            if len(self._block) == self.size:
                self._tails = np.concatenate((np.cumsum(self._block[::-1])[::-1], [0.0]))
                self._block = np.empty(0)
                self._sum = 0.0
            start = stop
        return sums


class FadingMean:
    r"""Mean in which a number counts $\alpha$ times as much with each one after it.

    $$S_n = x_n + \alpha S_{n-1}, \qquad N_n = 1 + \alpha N_{n-1}, \qquad M_n = S_n / N_n$$

    Parameters
    ----------
    factor
        $\alpha$, below 1; $1 - 1/w$ remembers about as long as a window of $w$.

    Examples
    --------
    >>> FadingMean(0.5).add([1.0, 0.0]).tolist()
    [1.0, 0.3333333333333333]

    References
    ----------
    [^1]: Gama, J., Sebastião, R. and Rodrigues, P. P. (2013). On evaluating stream learning algorithms.
    """

    def __init__(self, factor: float) -> None:
        self.factor = factor
        self._sum = 0.0
        self._weight = 0.0

    def add(self, numbers: Sequence[float]) -> Floats:
        """Take numbers; return the fading mean after each."""
        factor, total, weight = self.factor, self._sum, self._weight
        totals, weights = [], []
        for number in numbers:
            total = number + factor * total
            weight = 1.0 + factor * weight
            totals.append(total)
            weights.append(weight)
        self._sum, self._weight = total, weight
        means: Floats = np.array(totals) / np.array(weights)
        return means


class Counts:
    """How often each of some things happened, over everything and over the last `size` events.

    Parameters
    ----------
    size
        Length of the window.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.events = 0
        self._totals: Integers = np.zeros(0, dtype=np.int64)

    def add(self, happened: npt.NDArray[np.bool_], seen: int) -> tuple[Integers, Integers]:
        """Take events.

        Parameters
        ----------
        happened
            One row per thing, one column per event. The first `seen` columns are the last events of before, as many as
            the window still holds; rows may be added later, at the end.
        seen
            How many columns were taken before.

        Returns
        -------
        The counts after each new event, over everything and over the window, one row per thing.
        """
        if len(happened) > len(self._totals):
            more = np.zeros(len(happened) - len(self._totals), dtype=np.int64)
            self._totals = np.concatenate((self._totals, more))
        sums = np.zeros((len(happened), happened.shape[1] + 1), dtype=np.int64)
        np.cumsum(happened, axis=1, out=sums[:, 1:])
        new = happened.shape[1] - seen
        ends = sums[:, seen + 1 :]
        totals = ends - sums[:, seen : seen + 1] + self._totals[:, None]
        lengths = np.minimum(np.arange(seen + 1, seen + new + 1), self.size)
        starts = np.arange(seen + 1, seen + new + 1) - lengths
        windows = ends - sums[:, starts]
        if new:
            self._totals = totals[:, -1].copy()
        self.events += new
        return totals, windows
