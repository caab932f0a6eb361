"""Functions that work element by element and are no ufuncs: sinc, i0, and the root that norms are made of.

The first two are entire, and their Taylor coefficients at a point come from three-term relations that are
stable in one direction only. Where that is downwards, the recurrence starts so far up that the guess
it starts from no longer shows (Miller's algorithm; Gautschi, "Computational aspects of three-term
recurrence relations", SIAM Review 9, 1967). It starts at the same place for a whole block of
coefficients, so that a coefficient does not depend on how many are wanted.
"""

from collections.abc import Callable, Iterator, Sequence
from math import factorial, pi
from typing import Any

import numpy as np

from .. import series
from ..kinds import Coefficient
from ..operand import Operand
from .table import POSITIVE, by_coefficients, recurrence

__all__ = ["I0", "ROOT_OF_PRODUCT", "SINC", "Elementwise"]

Coefficients = Sequence[Any]


class Elementwise:
    """A function that works element by element, with what the table asks of a ufunc (kernels ask more)."""

    signature = None
    nout = 1

    def __init__(self, function: Callable[..., Any], nin: int = 1, native: bool = False, ruled: bool = False) -> None:
        self.function = function
        self.nin = nin
        self.native = native  # a function of NumPy's, which programs for a device may name
        self.ruled = ruled  # its derivatives are those of the row, which those of its body need not be
        self.__name__ = function.__name__

    def __call__(self, *args: Any) -> Any:
        for x in args if self.ruled else ():
            if isinstance(x, Operand) and x.value is not x:
                return x.__array_ufunc__(self, "__call__", *args)  # type: ignore[arg-type]
        graph = getattr(args[0], "graph", None) if self.native else None
        return self.function(*args) if graph is None else graph.node(self, *args)

    def __repr__(self) -> str:
        return f"<{self.__name__}, element by element>"


def _blocks(order: int, first: int) -> Iterator[tuple[int, int]]:
    """The coefficients 1 … order in blocks (low, high], each twice as far as the one before."""
    low, high = 0, first
    while low < order:
        yield low, high
        low, high = high, 2 * high


def _bounded(x: Coefficient, limit: float) -> Any:
    """x where |x| ≤ limit, and 0 elsewhere."""
    return np.where(np.abs(x) <= limit, x, 0.0)


# ── sin(πx)/(πx) ─────────────────────────────────────────────────────────────────────────────────


def _sinc(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    """With z = πx, g(z) = sin z/z and s = sin:  z g⁽ᵏ⁾ + k g⁽ᵏ⁻¹⁾ = s⁽ᵏ⁾, upwards for k ≤ |z| and else downwards."""
    z = pi * x
    sin, cos = np.sin(z), np.cos(z)
    s = (sin, cos, -sin, -cos)  # the derivatives of the sine, in turn
    far = np.where(np.abs(z) < 1, 1.0, z)
    g = value
    upwards = [g]
    for k in range(1, order + 1):
        g = (s[k % 4] - k * g) / far
        upwards.append(g)
    slopes = [value]
    for low, high in _blocks(order, 4):
        near = _bounded(z, high)
        g = 0.0
        downwards = {}
        for k in range(high + 24 + 8 * high // 5, low + 1, -1):
            g = (s[k % 4] - near * g) / k
            downwards[k - 1] = g
        slopes += [np.where(np.abs(z) < k, downwards[k], upwards[k]) for k in range(low + 1, min(order, high) + 1)]
    scale = 1.0
    outer = [value]
    for k in range(1, order + 1):
        scale *= pi / k
        outer.append(slopes[k] * scale)
    return outer


# ── the modified Bessel function ─────────────────────────────────────────────────────────────────

_LARGEST = 800.0  # beyond it I_0 overflows


def _i0(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    """I_0⁽ᵏ⁾ = 2⁻ᵏ Σ_j (k over j) I_{k−2j} (DLMF 10.29.5), all terms of one sign, from the ratios r_n = I_n/I_{n−1}.

    r_n = x/(2n + x r_{n+1}) (DLMF 10.33.1), downwards from the bounds of Amos, "Computation of modified
    Bessel functions and their ratios", Math. Comp. 28, 1974.
    """
    x = np.minimum(np.maximum(x, -_LARGEST), _LARGEST)
    bessel = [value]  # I_0, I_1, …
    for low, high in _blocks(order, 32):
        n = high + 150
        r = x / (n - 0.5 + np.hypot(n + 0.5, x))
        ratios = {}
        for n in range(high + 149, low, -1):
            r = x / (2 * n + x * r)
            ratios[n] = r
        for n in range(low + 1, min(order, high) + 1):
            bessel.append(bessel[-1] * ratios[n])
    outer = [value]
    for k in range(1, order + 1):
        # I_n = I_{−n}: the terms j and k − j are equal
        pairs = series.total(bessel[k - 2 * j] * (2.0 * _binomial_share(k, j)) for j in range((k + 1) // 2))
        outer.append(pairs if k % 2 else pairs + bessel[0] * _binomial_share(k, k // 2))
    return outer


def _binomial_share(k: int, j: int) -> float:
    """(k over j)/(2ᵏ k!), rounded once."""
    return 1 / ((1 << k) * factorial(j) * factorial(k - j))


# ── roots of products ────────────────────────────────────────────────────────────────────────────


def root_of_product(u: Coefficient, s: Coefficient) -> Any:
    """√(s u) for a constant s > 0, where the product may leave the range."""
    return np.sqrt(u / s) * s


def _root_of_product(order: int, value: Coefficient, u: Coefficients, s: Coefficients) -> list[Any]:
    """y² = s u:  y_k = ½ ((s/y_0) u_k − Σ_{j=1}^{k−1} y_j ŷ_{k−j}),  ŷ = y/y_0, as in `series.hypot`."""
    squares = [s[0] / value * c for c in u]
    y, scaled = [value], [1.0]
    for k in range(1, order + 1):
        rest = series.total(y[j] * scaled[k - j] for j in range(1, k))
        y.append(0.5 * (series.less(squares, k, rest) if k > 1 else squares[1]))
        scaled.append(y[k] / value)
    return y


SINC: Any = Elementwise(np.sinc, native=True)
I0: Any = Elementwise(np.i0, native=True)
ROOT_OF_PRODUCT: Any = Elementwise(root_of_product, 2)
by_coefficients(SINC, _sinc)
by_coefficients(I0, _i0)
recurrence(ROOT_OF_PRODUCT, _root_of_product, domain=POSITIVE, sample=(0.2, 3.0))
