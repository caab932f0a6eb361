"""Eigenvalues that are equal at the value, and split along the curve: block by block, to the degree where they part.

Let A(t) be Hermitian, and μ an eigenvalue of A_0 of multiplicity m. In the basis that makes A(t) block diagonal its
block is μ + t B(t) with a Hermitian m × m series B, whose eigenvectors are what those of A(t) tend to as t goes to
zero. So the same is done to B, of one degree less, and so on (Walter & Lehmann, "Algorithmic differentiation of linear
algebra functions", Optim. Meth. Softw. 28, 2013; van der Aa, ter Morsche & Mattheij, "Computation of eigenvalue and
eigenvector derivatives for a general complex-valued eigensystem", Electron. J. Linear Algebra 16, 2007).

What splits at degree s determines its vectors up to degree K − s; above it they turn no more than their length asks
for, which no function of all of the block sees. Several directions share one value, and so they must share its vectors.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import series
from ..algebra import Part
from ..errors import NonsmoothPoint
from ..kinds import Value
from ..operand import Operand, primal, visible
from .matrices import adjoint, identity, product

__all__ = [
    "Blocks", "block_series", "blocks_of", "constant_in_blocks", "diagonal_of", "eigen_series", "less", "size",
    "sizes_of_sums", "split", "unsettled",
]  # fmt: skip

Coefficients = Sequence[Any]
_DIGITS = 8  # units in the last place of the largest, within which values are equal
_OF_DERIVATIVES = 0.75  # of all digits, in which derivatives are


class Blocks:
    """Which values are equal: those with the same label.

    Attributes:
        labels: (…, n) whole numbers.
        same: (…, n, n), whether i and j are in one block.
        alone: (…, n), whether it is in no block of more than one.
    """

    def __init__(self, labels: Any) -> None:
        self.labels = labels
        self.same = labels[..., :, None] == labels[..., None, :]
        self.alone = np.sum(self.same, axis=-1) == 1

    def named(self, w: Value) -> str:
        """The first block, in words."""
        for index in np.ndindex(self.labels.shape[:-1]):
            for places in _blocks(self.labels[index]):
                where = f" of matrix {index}" if index else ""
                numbers = ", ".join(map(str, places))
                return f"values {numbers}{where} are equal ({primal(w)[(*index, places[0])]:.6g})"
        return "some values are equal"


def blocks_of(name: str, w: Value, scale: Any = None) -> Blocks | None:
    """The blocks of values in order that are equal; None where all are distinct, as a trace takes it, with an alarm."""
    numbers = primal(w)
    n = numbers.shape[-1]
    if n < 2 or (not isinstance(numbers, Operand) and not numbers.size):
        return None
    if isinstance(numbers, Operand):  # where they are equal, the function itself runs
        equal: Any = np.any(np.abs(np.diff(numbers, axis=-1)) <= _limit(numbers, n, None))
        equal._alarm()
        return None
    apart = np.abs(np.diff(numbers, axis=-1)) > _limit(numbers, n, scale)
    if bool(np.all(apart)):
        return None
    if not visible(numbers):
        raise NonsmoothPoint(
            f'{name}: there are equal values, and on a device they are not split; use x.to_device("cpu")'
        )
    return Blocks(np.cumsum(np.concatenate([np.zeros_like(apart[..., :1]), apart], axis=-1), axis=-1))


def _limit(numbers: Value, n: int, scale: Any) -> Any:
    """What is zero of a difference of values; of derivatives, with the errors of others in them, of a given scale."""
    eps = np.finfo(numbers.dtype).eps
    if scale is not None:
        return eps**_OF_DERIVATIVES * scale
    return max(_DIGITS, n) * eps * np.max(np.abs(numbers), axis=-1, keepdims=True)


def diagonal_of(m: Value) -> Any:
    """The real diagonal of a Hermitian matrix."""
    return np.real(np.diagonal(m, 0, -2, -1))


def constant_in_blocks(name: str, g: Value, blocks: Blocks, w: Value) -> None:
    """Raises where numbers that belong to equal values differ: the function then tells these values apart."""
    numbers = primal(g)
    if not visible(numbers):
        return
    ties = np.abs(numbers[..., None, :] - numbers[..., :, None])
    size = np.max(np.abs(numbers), axis=-1, initial=0.0)[..., None, None]
    if np.any(np.where(blocks.same, ties, 0.0) > 64 * numbers.shape[-1] * np.finfo(numbers.dtype).eps * size):
        raise NonsmoothPoint(
            f"{name}: {blocks.named(w)}, and the function tells them apart: it has no gradient there. Functions of all "
            "of them have one (np.linalg.det, np.trace, a sum over all of them); along one curve they split "
            "(dn.taylor, dn.derivative, dn.jvp)"
        )


# ── series ────────────────────────────────────────────────────────────────────────────────────────


def eigen_series(
    name: str, order: int, v: Any, w: Value, a: Coefficients, vectors: str = "shared", sizes: Coefficients = ()
) -> tuple[list[Any], list[Any]]:
    """A V = V Λ: the coefficients of Λ and, if they are asked for, of V, from the eigenvectors at the value.

    In their basis, and with blocks M in place of Λ where values are equal, (U_k)_ij (w_j − w_i) = (S_k)_ij outside of
    the blocks and M_k = S_k inside, with S_k = Σ_{j≥1} Ã_j U_{k−j} − Σ_{0<j<k} U_{k−j} M_j; inside U_k is Hermitian, by
    Uᴴ U = 1.

    Args:
        vectors: whether they are asked for: "" if not, "shared" if those at the value must be the same along all
            directions, "each" if every direction may have its own.
        sizes: of what each coefficient was computed from, if not its own.
    """
    if not order:
        return [w], [v]
    blocks = blocks_of(name, w, scale=sizes[0][..., None] if sizes else None)
    last = order if vectors or blocks is not None else order - 1
    m, u, sums = block_series(order, v, w, a, blocks, last)
    if blocks is None:
        return [w, *(0 * w if type(x) is int else x for x in m)], [v @ c for c in u] if vectors else []
    known = [*map(np.maximum, sizes or [*map(size, a)], map(size, sums))]
    sizes = sizes_of_sums(known, [*map(size, u)], [*map(size, m)])
    values, turned = split(name, order, w, m, blocks, sizes, vectors)
    return [w, *values], [v @ product(u, turned, k) for k in range(order + 1)] if vectors else []


def block_series(
    order: int, v: Any, w: Value, a: Coefficients, blocks: Blocks | None, last: int
) -> tuple[list[Any], list[Any], list[Any]]:
    """M_1, M_2, …, diagonals where there are no blocks; 1, U_1, U_2, … to the degree `last`; and Ã."""
    n = v.shape[-1]
    inside = identity(n, w) if blocks is None else blocks.same
    gaps = np.where(inside, 1.0, w[..., None, :] - w[..., :, None])
    moved = [a[0], *(c if type(c) is int else adjoint(v) @ c @ v for c in a[1:])]
    u: list[Any] = [identity(n, v, v.dtype) + 0 * v]
    m: list[Any] = []
    adjoints = [adjoint(u[0])]
    for k in range(1, order + 1):
        s = product(moved, u, k, 1)
        s = less(s, series.total(_scaled(u[k - j], m[j - 1], blocks) for j in range(1, k) if type(m[j - 1]) is not int))
        if type(s) is int:
            m.append(0)
            u.append(0 * u[0])
            adjoints.append(u[k])
            continue
        m.append(diagonal_of(s) if blocks is None else _hermitian(np.where(inside, s, 0.0)))
        if k > last:
            break
        on: Any = product(adjoints, u, k, 1, k - 1)
        if type(on) is not int:
            on = -0.5 * (_hermitian(on) if blocks is not None else diagonal_of(on)[..., None, :])
        u.append(np.where(inside, on, s / gaps))
        adjoints.append(adjoint(u[k]))
    return m, u, moved


def less(s: Value, back: Value) -> Any:
    """s − back, either of which may be the structural zero."""
    return s if type(back) is int else -back if type(s) is int else s - back


def _scaled(u: Value, m: Value, blocks: Blocks | None) -> Any:
    """U M, of which the diagonal is given where there are no blocks."""
    return u * m[..., None, :] if blocks is None else u @ m


def _hermitian(m: Value) -> Any:
    return 0.5 * (m + adjoint(m))


def size(x: Value) -> Any:
    """The largest entry of each matrix."""
    if isinstance(x, Part):
        return sum((size(c) for c in x.terms.values()), 0.0)
    return 0.0 if type(x) is int else np.max(np.abs(x), axis=(-2, -1), initial=0.0)


def sizes_of_sums(a: Coefficients, u: Coefficients, m: Coefficients) -> list[Any]:
    """Those of A_j U_{k−j} and M_j U_{k−j}, of which the blocks of degree k = 1, 2, … are sums."""
    m = [0.0, *m]
    return [
        sum(a[j] * u[k - j] for j in range(min(k + 1, len(a)))) + sum(m[j] * u[k - j] for j in range(1, k))
        for k in range(1, len(m))
    ]


def split(
    name: str,
    order: int,
    w: Value,
    m: Coefficients,
    blocks: Blocks,
    sizes: Coefficients,
    vectors: str,
    descending: bool = False,
) -> tuple[list[Any], list[Any]]:
    """The eigenvalues and eigenvectors of block diagonal Hermitian series.

    Args:
        w: the values, equal within blocks.
        m: the coefficients 1, 2, …, `order`; their blocks are read.
        sizes: of what these were computed from.
        vectors: as for `eigen_series`.
        descending: the order of the values.

    Returns:
        The coefficients 1, 2, … of the values, and 0, 1, 2, … of the vectors.
    """
    if any(isinstance(x, Operand) for x in m):
        raise NonsmoothPoint(
            f"{name}: {blocks.named(w)}, and split along a curve, of which neither a gradient nor a derivative of a "
            "derivative is there; take one jet of a higher order (dn.taylor, dn.derivative(f, n)), or the derivative "
            "along a curve of the gradient (dn.hvp)"
        )
    if any(isinstance(x, Part) for x in m):
        return _together(name, w, m, blocks, sizes)
    n, dtype = w.shape[-1], np.result_type(w, *(x for x in m if type(x) is not int))
    shape = np.broadcast_shapes(blocks.same.shape, *(np.shape(x) for x in m))
    planes = np.zeros((order, *shape), dtype)
    limits = np.zeros((order, *shape[:-2]))
    for k in range(order):
        planes[k], limits[k] = m[k], sizes[k]
    values = np.real(np.diagonal(planes, 0, -2, -1)).copy().reshape(order, -1, n)
    turned = np.zeros((order + 1, values.shape[1], n, n), dtype)
    turned[0] = np.eye(n)
    planes, limits, step = planes.reshape(order, -1, n, n), limits.reshape(order, -1), -1 if descending else 1
    labels = np.broadcast_to(blocks.labels, shape[:-1]).reshape(-1, n)
    for pattern, of in _patterns(labels):  # all matrices with the same blocks at once
        for places in _blocks(pattern):
            rows, columns = places[:, None], places[::step]
            lam, q = _of_block(name, order, planes[:, of[:, None, None], rows, places], limits[:, of])
            values[:, of[:, None], columns] = lam
            turned[:, of[:, None, None], rows, columns] = q
    values, turned = values.reshape(order, *shape[:-1]), turned.reshape(order + 1, *shape)
    if vectors == "shared" and len(shape) > blocks.same.ndim:
        _check_shared(name, turned[0], blocks, w)
        return list(values), [turned[0, 0], *turned[1:]]
    return list(values), list(turned)


def _patterns(labels: Any) -> Iterator[tuple[Any, Any]]:
    """The different rows of labels, and where they stand."""
    rows, at = np.unique(labels, axis=0, return_inverse=True)
    for i, row in enumerate(rows):
        yield row, np.flatnonzero(at.reshape(-1) == i)


def _blocks(labels: Any) -> list[Any]:
    """The places of each block of more than one value."""
    found = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return [places for places in found if len(places) > 1]


def _of_block(name: str, order: int, block: Any, sizes: Any) -> tuple[Any, Any]:
    """Those of blocks μ + t B(t), by the series B, and the last coefficient of the vectors by their length."""
    now, basis = np.linalg.eigh(block[0])
    lam, q = eigen_series(name, order - 1, basis, now, [*block], "each", [*sizes])
    length = sum((adjoint(q[j]) @ q[order - j] for j in range(1, order)), 0 * q[0])
    return lam, [*q, q[0] @ (-0.5 * length)]


def _check_shared(name: str, first: Any, blocks: Blocks, w: Value) -> None:
    """Raises where the vectors at the value, (P, …, n, n), differ by the direction."""
    eps = np.finfo(first.dtype).eps
    if np.any(np.abs(first - first[:1]) > np.sqrt(eps)):
        raise NonsmoothPoint(
            f"{name}: {blocks.named(w)}, and split into other vectors along each of {len(first)} directions; ask for "
            "one direction at a time"
        )


def _together(name: str, w: Value, m: Coefficients, blocks: Blocks, sizes: Coefficients) -> tuple[list[Any], list[Any]]:
    """In several variables: of blocks that stay together, multiples of the identity, to all degrees."""
    inside = blocks.same & ~identity(w.shape[-1], w)
    values: list[Any] = []
    for x, size in zip(m, sizes, strict=True):
        if type(x) is int:
            values.append(x)
            continue
        limit = _limit(w, w.shape[-1], np.max(size))
        terms = list(x.terms.values()) if isinstance(x, Part) else [x]
        for c in terms:
            entries = np.real(np.diagonal(c, 0, -2, -1))
            apart = np.abs(entries[..., None, :] - entries[..., :, None]) * blocks.same
            if np.any(np.abs(c) * inside > limit) or np.any(apart > limit):
                raise NonsmoothPoint(
                    f"{name}: {blocks.named(w)}, and several variables at once take them apart, where they are no "
                    "smooth functions; along one curve they split (dn.taylor, dn.directional, dn.derivative(f, n))"
                )
        values.append(diagonal_of(x))
    return values, [identity(w.shape[-1], w, w.dtype)]


def unsettled(name: str, w: Value, v: Value, blocks: Blocks, axis: int = -1) -> Any:
    """Vectors of a jet, the columns (or rows, axis −2), such that raise where single ones of a block are asked for."""
    planes = getattr(w, "planes", None)
    if planes is None or not visible(planes):
        return v  # of what is recorded, the sweep decides
    order = w.order
    apart = np.abs(planes[..., None, :] - planes[..., :, None])
    size = np.max(np.abs(planes), axis=(0, -1), initial=0.0)[..., None, None]
    parted = apart > _limit(planes, w.shape[-1], size)
    degrees = np.where(np.any(parted, axis=0), np.argmax(parted, axis=0), order + 1)  # at which they part
    degree = int(np.max(np.where(blocks.same & ~identity(w.shape[-1], degrees), degrees, 0)))
    known = order - degree
    if degree > order:
        when = "stay so to the order of the jet: their vectors may be any of one space, and single ones have no"
        rest = "derivatives"
    else:
        when = f"part at degree {degree}: single vectors have known derivatives to order {known} only, as those of"
        rest = f"v.truncate({known}), v the result, and for higher ones begin with a jet of a higher order"
    others = v.shape[axis] - w.shape[-1]  # of a full set of singular vectors, which are in no block
    labels = np.concatenate([blocks.labels, np.full((*w.shape[:-1], others), -1) - np.arange(others)], axis=-1)
    return v._unsettled(
        labels, axis, known,
        f"{name}: {blocks.named(w)}, and {when} {rest}. Products with all of them have all derivatives (v @ v.T of the "
        "block, v * f(w) @ v.T)",
    )  # fmt: skip
