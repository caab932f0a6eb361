"""The adjoints of linear and bilinear functions of NumPy, for the reverse sweep.

Each takes the cotangent of the result to that of an argument, Σ ȳ·f(x) = Σ f*(ȳ)·x without conjugation, and
is written with NumPy's functions. Axes along which an argument was broadcast may stay: the sweep sums them.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from .. import backend
from ..kinds import Axis, Value
from ..memory import matmul
from ..operand import Moving, library, linear
from ..operand.constants import frozen
from .keywords import axes_of

__all__ = [
    "binned", "convolution", "correlation", "cross", "einsum", "histogram", "irfftn", "kron", "product", "running_sum",
    "spread", "sums_at", "tensordot", "transform",
]  # fmt: skip

Adjoint = Callable[[Any], Any]
Adjoints = tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]
Stacked = tuple[Callable[..., Any], Callable[..., Any]]


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────


def spread(axis: Axis, ndim: int, keepdims: Any, where: Any = True, count: Any = None) -> Callable[[Any], Any]:
    """Of a sum (or a mean of `count`): every summand has the cotangent of its sum."""
    if where is not True:
        where = frozen(where)

    def adjoint(g: Value) -> Any:
        if count is not None:
            g = g / count
        if axis is not None and not keepdims:
            g = np.expand_dims(g, axes_of(axis, ndim))
        return g if where is True else np.where(where, g, 0.0)

    return Moving(adjoint, omits=where is not True)


def running_sum(axis: Axis, shape: tuple[int, ...]) -> Callable[[Any], Any]:
    """Of a cumulative sum: the sums of all cotangents from an entry on."""

    def adjoint(g: Value) -> Any:
        along = -1 if axis is None else axis
        return np.reshape(np.flip(np.cumsum(np.flip(g, along), axis=along), along), shape)

    return adjoint


def sums_at(positions: Value, weights: Value, size: int) -> Any:
    """The sums of weights at equal positions, below `size`: `np.bincount`, but that the result is so long."""
    return linear(
        lambda w: backend.sums_at(positions, w, size),
        weights,
        adjoint=Moving(lambda g: np.take(g, positions), omits=False),
    )


def histogram(samples: Sequence[Any], edges: Sequence[Any]) -> Adjoint:
    """Of the weighted counts: every weight has the cotangent of its bin."""
    bins, inside = binned(samples, edges)
    return lambda g: np.where(inside, g[tuple(bins)], 0.0)


def binned(samples: Sequence[Any], edges: Sequence[Any]) -> tuple[list[Any], Any]:
    """In which bins [e_i, e_{i+1}), the last one closed, the samples lie, by axes; and whether in any."""
    bins: list[Any] = []
    inside: Any = True
    for x, e in zip(samples, edges, strict=True):
        last = len(e) - 2
        i = np.where(x == e[-1], last, np.searchsorted(e, x, side="right") - 1)
        inside = inside & (i >= 0) & (i <= last)
        bins.append(np.clip(i, 0, last))
    return bins, inside


# ── products ─────────────────────────────────────────────────────────────────────────────────────


def _row(x: Value) -> Any:
    return x[..., None, :]


def _column(x: Value) -> Any:
    return x[..., :, None]


def _mT(x: Value) -> Any:
    return np.swapaxes(x, -1, -2)


def _matmul(a: int, b: int) -> Adjoints:
    if a == b == 1:
        return np.multiply, np.multiply
    if a == 1:
        to_a = np.matmul if b == 2 else (lambda B, g: np.matmul(B, _column(g))[..., 0])
        return (lambda g, B: to_a(B, g)), (lambda g, x: _column(x) * _row(g))
    if b == 1:
        to_b = np.matmul if a == 2 else (lambda g, A: np.matmul(_mT(A), _column(g))[..., 0])
        return (lambda g, x: _column(g) * x), to_b
    return (lambda g, B: matmul(g, _mT(B))), (lambda g, A: matmul(_mT(A), g))


def stacked_matmul(a: int, b: int) -> Stacked | None:
    """Products of many vectors or matrices, one behind the other, by one matrix: as one product of matrices."""
    if b == 2 and a <= 2:
        return _rows_by, matmul if a == 2 else _by_rows
    if b == 1 and a == 2:
        return matmul, _by_rows
    return None


def _rows_by(xs: Value, b: Value, out: Value = None) -> Any:
    """x·b for the rows of many x."""
    rows = np.reshape(xs, (prod(xs.shape[:-1]), xs.shape[-1]))
    if out is None:
        return np.reshape(matmul(rows, b), (*xs.shape[:-1], b.shape[1]))
    return matmul(rows, b, out.reshape(len(rows), b.shape[1]))


def _by_rows(a: Value, xs: Value, out: Value = None) -> Any:
    """a·x for many vectors x (a matrix), or for many matrices (a vector)."""
    return matmul(xs, np.transpose(a), out) if xs.ndim == 2 else matmul(a, xs, out)


def product(name: str, a: int, b: int) -> Adjoints:
    """Of matmul and its kin, for factors of these numbers of axes."""
    if name == "matmul":
        return _matmul(a, b)
    if name == "vecdot":
        return (lambda g, y: np.conjugate(g[..., None] * y)), (lambda g, x: g[..., None] * np.conjugate(x))
    if name == "matvec":
        return (lambda g, x: _column(g) * _row(x)), (lambda g, A: np.matmul(_mT(A), _column(g))[..., 0])
    assert name == "vecmat"
    return (
        lambda g, A: np.conjugate(np.matmul(A, _column(g))[..., 0]),
        lambda g, x: _column(np.conjugate(x)) * _row(g),
    )


def tensordot(a: int, b: int, axes_a: Sequence[int], axes_b: Sequence[int]) -> Adjoints:
    """Of a sum over pairs of axes: the free axes of a come first in the result, then those of b."""
    axes_a, axes_b = [i % a for i in axes_a], [i % b for i in axes_b]
    free_a, free_b = [i for i in range(a) if i not in axes_a], [i for i in range(b) if i not in axes_b]
    if a == b == 2 and axes_a == [1] and axes_b == [0]:
        return _matmul(2, 2)

    whole = not free_a and not free_b  # then the cotangent is a number

    def to_a(g: Value, b: Value) -> Any:
        summed = (
            g * b if whole else np.tensordot(g, b, (range(len(free_a), g.ndim), free_b))
        )  # then the contracted axes, in b's order
        order = [axes_a[axes_b.index(i)] for i in sorted(axes_b)]
        return np.transpose(summed, np.argsort([*free_a, *order]))

    def to_b(g: Value, a: Value) -> Any:
        summed = a * g if whole else np.tensordot(a, g, (free_a, range(len(free_a))))
        order = [axes_b[axes_a.index(i)] for i in sorted(axes_a)]
        return np.transpose(summed, np.argsort([*order, *free_b]))

    return to_a, to_b


def vdot(shape_a: tuple[int, ...], shape_b: tuple[int, ...]) -> Adjoints:
    return (
        lambda g, b: np.reshape(np.conjugate(g * b), shape_a),
        lambda g, a: np.reshape(g * np.conjugate(a), shape_b),
    )


def kron(shape_a: tuple[int, ...], shape_b: tuple[int, ...]) -> Adjoints:
    """The result is the outer product with the axes of a and b in turn."""
    ndim = max(len(shape_a), len(shape_b))
    full_a, full_b = ((1,) * (ndim - len(s)) + s for s in (shape_a, shape_b))
    pairs = [n for pair in zip(full_a, full_b, strict=True) for n in pair]

    def to_a(g: Value, b: Value) -> Any:
        b = np.reshape(b, [m for n in full_b for m in (1, n)])
        return np.reshape(np.sum(np.reshape(g, pairs) * b, axis=tuple(range(1, 2 * ndim, 2))), shape_a)

    def to_b(g: Value, a: Value) -> Any:
        a = np.reshape(a, [m for n in full_a for m in (n, 1)])
        return np.reshape(np.sum(np.reshape(g, pairs) * a, axis=tuple(range(0, 2 * ndim, 2))), shape_b)

    return to_a, to_b


def cross(m: int, n: int) -> Adjoints:
    """g·(a × b) = a·(b × g) = b·(g × a), of vectors of m and n components; a third that is not there is zero."""

    def of_result(g: Value) -> Any:
        return np.pad(g[..., None], [(0, 0)] * g.ndim + [(2, 0)]) if m == n == 2 else g

    return (
        lambda g, b: np.cross(_in_space(b), of_result(g))[..., :m],
        lambda g, a: np.cross(of_result(g), _in_space(a))[..., :n],
    )


def _in_space(x: Value) -> Any:
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, 3 - x.shape[-1])]) if x.shape[-1] < 3 else x


def convolution(n: int, m: int, mode: Any) -> Adjoints:
    """Of np.convolve of lengths n and m, a window of the full convolution."""
    full = n + m - 1
    length = {"full": full, "same": max(n, m), "valid": max(n, m) - min(n, m) + 1}[_MODES.get(mode, mode)]
    start = {"full": 0, "same": (min(n, m) - 1) // 2, "valid": min(n, m) - 1}[_MODES.get(mode, mode)]
    return _windowed(start, full - start - length)


def correlation(n: int, m: int, mode: Any) -> Adjoints:
    """Of np.correlate, a window of the convolution with the conjugate of v backwards."""
    mode = _MODES.get(mode, mode)
    short = min(n, m)
    start = {"full": 0, "same": short - 1 - short // 2, "valid": short - 1}[mode]
    length = {"full": n + m - 1, "same": max(n, m), "valid": max(n, m) - short + 1}[mode]
    before, after = start, n + m - 1 - start - length
    if n < m:
        before, after = after, before
    to_a, to_b = _windowed(before, after)
    return (
        lambda g, v: to_a(g, np.conjugate(np.flip(v))),
        lambda g, a: np.conjugate(np.flip(to_b(g, a))),
    )


_MODES: dict[Any, str] = {0: "valid", 1: "same", 2: "full", "v": "valid", "s": "same", "f": "full"}


def _windowed(before: int, after: int) -> Adjoints:
    """ā_k = Σ_j ȳ_{k+j} v_j over the full convolution, of which `before` and `after` entries were left out."""

    def adjoint(g: Value, other: Value) -> Any:
        g = np.pad(g, (before, after)) if before or after else g
        return np.convolve(g, np.flip(other), "valid")

    return adjoint, adjoint


def einsum(term_a: str, term_b: str, output: str, shape_a: tuple[int, ...], shape_b: tuple[int, ...]) -> Adjoints:
    """Of a sum over two operands; einsum with the places of the operand and of the result exchanged."""
    return (
        lambda g, b: einsum_adjoint(f"{output},{term_b}", term_a, shape_a, g, b),
        lambda g, a: einsum_adjoint(f"{output},{term_a}", term_b, shape_b, g, a),
    )


def einsum_adjoint(given: str, term: str, shape: tuple[int, ...], *operands: Any) -> Any:
    """The cotangent of the operand of this term: what the others' letters leave, spread over the rest."""
    letters = "".join(dict.fromkeys(term))
    known = "".join(c for c in letters if c in given)
    result = np.einsum(f"{given}->{known}", *operands)
    if len(known) < len(letters):
        lengths = dict(zip(known, result.shape, strict=True))
        result = np.reshape(result, tuple(lengths.get(c, 1) for c in letters))
        result = np.broadcast_to(result, tuple(lengths.get(c, shape[term.index(c)]) for c in letters))
    if len(letters) == len(term):
        return result
    # a letter that occurs twice reads a diagonal only
    grid = [library(result).arange(n).reshape(-1, *(1,) * (len(shape) - 1 - i)) for i, n in enumerate(shape)]
    places = tuple(grid[term.index(c)] for c in letters)
    diagonal = True
    for c, i in zip(term, grid, strict=True):
        diagonal = diagonal & (i == grid[term.index(c)])
    return np.where(diagonal, result[places], 0.0)


# ── Fourier transforms ───────────────────────────────────────────────────────────────────────────


def _fitted(x: Value, shape: tuple[int, ...]) -> Any:
    """x cut or filled with zeros at the ends of its axes."""
    x = x[tuple(slice(0, n) for n in shape)]
    widths = [(0, n - m) for n, m in zip(shape, x.shape, strict=True)]
    return np.pad(x, widths) if any(after for _, after in widths) else x


def transform(function: Callable[..., Any], shape: tuple[int, ...], axes: Axis, norm: Any) -> Callable[..., Any]:
    """Of fftn and ifftn, whose matrices are symmetric; of rfftn, which leaves half of the result out."""
    axes = axes_of(axes, len(shape))

    def adjoint(g: Value, lengths: Sequence[int] | None = None) -> Any:
        if lengths is not None:
            wanted = list(g.shape)
            for i, n in zip(axes, lengths, strict=True):
                wanted[i] = n
            g = _fitted(g, tuple(wanted))
        return _fitted(function(g, axes=axes, norm=norm), shape)

    return adjoint


OTHER: dict[Any, Any] = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def irfftn(shape: tuple[int, ...], axes: Axis, norm: Any, n: int) -> Callable[[Any], Any]:
    """Of irfftn to n entries along its last axis: each but the first (and for even n the middle) stands for two."""
    axes = axes_of(axes, len(shape))
    *others, last = axes

    def adjoint(g: Value) -> Any:
        half = np.conjugate(np.fft.rfft(g, axis=last, norm=OTHER[norm]))
        weights = library(g).full(half.shape[last], 2.0)
        weights[0] = 1.0
        if n % 2 == 0:
            weights[-1] = 1.0
        half = half * np.reshape(weights, (-1,) + (1,) * (len(shape) - 1 - last))
        if others:
            half = np.fft.ifftn(half, axes=others, norm=norm)
        return _fitted(half, shape)

    return adjoint
