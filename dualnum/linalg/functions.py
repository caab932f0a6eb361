"""Functions of a matrix: how they run as primitives, and the exponential with its derivative."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import zip_longest
from math import ceil, inf, lgamma, log2
from typing import Any

import numpy as np

from .. import memory, series
from ..backend import to_device
from ..errors import InvalidValue
from ..functions import matrices
from ..functions.keywords import array, with_native
from ..functions.matrices import adjoint, product, transposed
from ..kinds import Value
from ..operand import Operand, highest, library, primal
from ..primitives.operation import Operation
from .values import scipy_of

__all__ = ["expm", "expm_frechet", "matrix_function", "orders_below"]

Coefficients = Sequence[Any]
Planes = Any  # coefficients, or an array of all of them


def matrix_function(
    name: str,
    value: Callable[[Any], Any],
    expand: Callable[[int, Any, Coefficients], Sequence[Any]],
    may_turn_complex: bool = False,
) -> Operation:
    """f(A) as a primitive, from its series alone: L_f(A, ·), the derivative, is the coefficient 1 of f(A + t E), and
    the transpose of it is L_f(Aᵀ, ·) (Higham, Functions of Matrices, SIAM 2008, 3.2).

    Args:
        name: of the function.
        value: f of arrays.
        expand: (order, f(A_0), coefficients of A) → coefficients of f(A), of which the first is not read.
        may_turn_complex: as for an `Operation`.
    """

    def rule(order: int, y0: Value, a: Coefficients) -> list[Any]:
        return [y0, *expand(order, y0, a)[1:]] if order and len(a) > 1 else [y0]

    def pull(wanted: Sequence[bool], g: Value, y: Value, a: Value) -> list[Any]:
        return [expand(1, transposed(y), [transposed(a), g])[1]]

    return Operation(name, value, rule, pull, may_turn_complex)


# ── the exponential ──────────────────────────────────────────────────────────────────────────────

_TRACED = 64.0  # the norm that is expected of a matrix in a trace


@cache
def _choices(order: int, bits: int) -> list[tuple[int, int, int, float]]:
    """Taylor polynomials of degree q·r: their products of matrices, q, r, and the norm up to which they are right.

    The coefficient of degree k of what is left out is below θ^(m+1−k)/(m+1−k)! beside that of the exponential.
    """
    found, sizes = [], [(i + j, i) for i in range(1, 9 + order) for j in (0, 1)]
    for q, r in sizes[: sizes.index((7, 7)) + 2 * order]:
        left = q * r + 1 - max(order, 1)
        if left > 0:
            found.append((q + r - 2, q, r, 2.0 ** ((lgamma(left + 1) / np.log(2.0) - bits) / left)))
    return found


def _cheapest(order: int, a: Value) -> tuple[int, int, int]:
    """q, r, and how often to halve the matrix, so that all products together are fewest."""
    numbers, bits = primal(a), np.finfo(a.dtype).nmant + 1
    largest: Any = to_device(_norm(numbers), "cpu") if a.size else 0.0
    traced = isinstance(largest, Operand)
    norm = _TRACED if traced else float(largest) if largest < inf else 0.0
    best: tuple[float, int, int, int, float] = (inf, 0, 0, 0, 0.0)
    for count, q, r, limit in _choices(order + orders_below(a), bits):
        halvings = ceil(log2(norm / limit)) if norm > limit else 0
        if count + halvings < best[0]:
            best = count + halvings, q, r, halvings, limit
    _, q, r, halvings, limit = best
    if traced:  # enough for most, else the function itself runs
        np.logical_not(largest <= limit * 2.0**halvings)._alarm()
    return q, r, halvings


def _norm(a: Value) -> Any:
    """A bound of the largest ‖A‖₂, by ‖A‖₂² = ‖AᴴA‖₂ ≤ ‖AᴴA‖₁."""
    with np.errstate(all="ignore"):
        return np.max(np.sum(np.abs(adjoint(a) @ a), axis=-2)) ** 0.5


def orders_below(x: Value) -> int:
    """How often the series may be differentiated again by what its coefficients carry."""
    count = 0
    while isinstance(x, Operand) and (value := x.value) is not x:
        count += getattr(x, "order", 2)  # a record may be swept again
        x = value
    return count


def _exponential_series(order: int, y0: Value, a: Planes) -> list[Any]:
    """exp A = (Σ (A/2ˢ)ʲ/j!)^(2ˢ), the polynomial as Σ_i B_i (A^q)ⁱ with B_i of degree below q.

    In series a system costs as much as five products, so that no Padé approximant is as quick.
    """
    q, r, halvings = _cheapest(order, a[0])
    if all(type(x) is np.ndarray and x.shape == a[0].shape for x in a):
        a = np.stack(a[: order + 1])
    a = a if not halvings else a * 0.5**halvings if type(a) is np.ndarray else [x * 0.5**halvings for x in a]
    powers: list[Any] = [a]
    for _ in range(q - 1):
        powers.append(_times(order, powers[-1], a))
    blocks = _polynomials(order, powers, _weights(q, r, a[0].dtype), a[0])
    y = blocks[-1]
    for block in blocks[-2::-1]:
        y = _times(order, y, powers[-1], block)
    for _ in range(halvings):
        y = _times(order, y, y)
    return [*y, *[0 * y[0]] * (order + 1 - len(y))]


@cache
def _weights(q: int, r: int, dtype: Any) -> Any:
    """1/j! for the powers up to q in r polynomials, the last of which has all of them."""
    weights = np.exp([-lgamma(j + 1.0) for j in range(q * r + 1)])
    rows = np.zeros((r, q + 1))
    rows[:, :q] = weights[:-1].reshape(r, q)
    rows[-1, q] = weights[-1]
    return rows.astype(np.empty(0, dtype).real.dtype)


def _sum(a: Planes, b: Planes) -> Planes:
    return a + b if type(a) is np.ndarray else [series.total(x) for x in zip_longest(a, b, fillvalue=0)]


def _times(order: int, a: Planes, b: Planes, more: Planes = ()) -> Planes:
    """A B + C for series, of plain arrays all planes of B at once."""
    size = min(order + 1, len(a) + len(b) - 1)
    if type(a) is not np.ndarray or type(b) is not np.ndarray:
        y = [product(a, b, k) for k in range(size)]
        return _sum(y, more) if more else y
    planes = np.empty((size, *a.shape[1:]), a.dtype)
    np.matmul(a[0], b[:size], out=planes[: len(b)])
    planes[len(b) :] = 0
    for j in range(1, min(size, len(a))):
        planes[j : j + len(b)] += a[j] @ b[: size - j]
    if len(more):
        planes[: len(more)] += more
    return planes


def _polynomials(order: int, powers: Sequence[Planes], rows: Any, like: Value) -> list[Planes]:
    """w_0 + Σ_j w_j A^j for each row of weights."""
    eye = matrices.identity(like.shape[-1], like, like.dtype)
    if all(type(p) is np.ndarray for p in powers):
        stacked = memory.empty((len(powers) + 1, max(map(len, powers)), *like.shape), like.dtype)
        stacked[0, 0], stacked[0, 1:] = eye, 0
        for part, p in zip(stacked[1:], powers, strict=True):
            part[: len(p)], part[len(p) :] = p, 0
        sums = memory.empty((len(rows), *stacked.shape[1:]), like.dtype)
        np.matmul(rows, stacked.reshape(len(stacked), -1), out=sums.reshape(len(rows), -1))
        return list(sums)
    found = []
    for first, *row in rows.tolist():
        used = [(w, p) for w, p in zip(row, powers, strict=True) if w]
        size = max(len(p) for _, p in used) if used else 1
        block = [series.total(w * p[k] for w, p in used if k < len(p)) for k in range(size)]
        found.append([block[0] + first * eye, *block[1:]])
    return found


def _exponential(a: Value) -> Any:
    return scipy_of("expm", a) if library(a) is np else _exponential_series(0, a, [a])[0]


EXPONENTIAL = matrix_function("expm", _exponential, _exponential_series)


def expm(a: Value) -> Any:
    """The exponential Σ Aᵏ/k! of square matrices.

    The value is SciPy's; the derivatives are those of a Taylor polynomial of A/2ˢ, squared s times, whose degree is
    high enough for all orders that are asked for.

    Args:
        a: (…, n, n), real or complex.

    Returns:
        The matrices of the same shape; of a's type, integers as floats.

    Raises:
        InvalidValue: the matrices are not square.

    On a device the largest norm is looked at, and the value is that of the polynomial.

    Source:
        Higham, Functions of Matrices, SIAM 2008, chapters 4 and 10.

    Example:
        >>> t = dn.jet(0.5, 2)
        >>> dn.linalg.expm(t * np.array([[0.0, 1.0], [-1.0, 0.0]])).derivative(1)[0]
        array([-0.47942554,  0.87758256])
    """
    return EXPONENTIAL(matrices.square("expm", a))


def expm_frechet(
    A: Value, E: Value, method: str | None = None, compute_expm: bool = True, check_finite: bool = True
) -> Any:
    """The exponential of A and its derivative along E, L(A, E) = d/dt exp(A + t E) at t = 0.

    Args:
        A: (…, n, n), real or complex.
        E: of the same shape.
        method: None, "SPS" or "blockEnlarge": how SciPy computes the value.
        compute_expm: without, L(A, E) alone is returned.
        check_finite: whether SciPy looks for NaN and infinities.

    Returns:
        exp A and L(A, E), both of the shape of A.

    Raises:
        InvalidValue: A is not square, or E has another shape.

    Source:
        Al-Mohy & Higham, "Computing the Fréchet derivative of the matrix exponential, with an application to condition
        number estimation", SIAM J. Matrix Anal. Appl. 30, 2009.

    Example:
        >>> e = np.array([[0.0, 1.0], [0.0, 0.0]])
        >>> dn.linalg.expm_frechet(dn.jet(np.diag([0.5, 1.5]), 1, direction=np.eye(2)), e)[1].derivative(1)
        array([[0.        , 2.83296780],
               [0.        , 0.        ]])
    """
    a, e = matrices.square("expm_frechet", A), array(E)
    if a.shape != e.shape:
        raise InvalidValue(f"expm_frechet: A has shape {tuple(a.shape)}, E has {tuple(e.shape)}; expected the same")

    def native(a: Value, e: Value, **keywords: Any) -> Any:
        return scipy_of("expm_frechet", a, e, method=method, check_finite=check_finite, **keywords)

    if highest((a, e)) is None and library(a, e) is np:
        return native(a, e, compute_expm=compute_expm)
    slope = _exponential_series(1, a, [a, e])[1]
    slope = with_native(slope, lambda a, e: native(a, e, compute_expm=False), a, e)
    return (expm(a), slope) if compute_expm else slope
