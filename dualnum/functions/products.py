"""Products of vectors, matrices and tensors: bilinear, whatever their indices do."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import memory
from ..errors import InvalidMatrix, InvalidType, InvalidValue, NotDifferentiable
from ..kinds import Axis, DType, Value
from ..operand import bilinear, implements, library
from . import adjoints
from .arguments import into
from .keywords import array, cast, present

# ── generalized ufuncs ───────────────────────────────────────────────────────────────────────────


def _gufunc(product: np.ufunc) -> None:
    """matmul and its kin: their call, with the keywords of a ufunc."""
    name = product.__name__
    plain = memory.matmul if name == "matmul" else lambda x, y: _product_of(product, x, y)

    @implements(product)
    def call(
        a: Value, b: Value, /, out: Value = None, *, dtype: DType = None, casting: Any = "same_kind", **keywords: Any
    ) -> Any:
        for word in ("signature", "where"):
            if keywords.pop(word, None) is not None:
                raise NotDifferentiable(f"{name}: {word}= is not supported for operands with derivatives; leave it out")
        keywords.pop("order", None), keywords.pop("subok", None)
        a, b = _as(dtype, a, casting), _as(dtype, b, casting)
        if keywords:
            # NumPy itself says which axes there are
            product(np.ones((1,) * a.ndim), np.ones((1,) * b.ndim), **keywords)
            axes_a, axes_b, axes_out = _axes(**keywords)
            a, b = _to_the_end(a, axes_a), _to_the_end(b, axes_b)
        planes = adjoints.stacked_matmul(a.ndim, b.ndim) if name == "matmul" else None
        result = bilinear(plain, a, b, adjoints.product(name, a.ndim, b.ndim), planes)
        if keywords.get("keepdims"):
            result = np.expand_dims(result, axes_out)
        elif keywords:
            result = np.moveaxis(result, range(-len(axes_out), 0), axes_out)
        return into(out, result, name)


def _product_of(product: np.ufunc, x: Value, y: Value) -> Any:
    """The product of arrays or operands; CuPy has np.matmul alone, of which the others are cases."""
    if library(x, y) is np:
        return product(x, y)
    name = product.__name__
    if name == "matvec":
        return np.matmul(x, y[..., None])[..., 0]
    x = np.conjugate(x)
    if name == "vecdot":
        return np.sum(x * y, axis=-1)
    return np.matmul(x[..., None, :], y)[..., 0, :]


def _axes(axes: Axis = None, axis: Axis = -1, keepdims: bool = False) -> list[tuple[int, ...]]:
    """axes= written out: those of either factor that enter the product, and those of the result that it leaves."""
    if axes is None:
        axes = [axis, axis, axis if keepdims else ()]
    elif len(axes) == 2:
        axes = [*axes, -1 if keepdims else ()]
    return [tuple(along) if np.iterable(along) else (along,) for along in axes]


def _to_the_end(x: Value, axes: tuple[int, ...]) -> Any:
    return np.moveaxis(x, axes, range(-len(axes), 0))


def _as(dtype: DType, x: Value, casting: Any) -> Any:
    x = array(x)
    if dtype is not None and not np.can_cast(x.dtype, dtype, casting):
        raise InvalidType(f"a factor has dtype {x.dtype}, which casting={casting!r} does not turn into {dtype}")
    return cast(x, dtype)


for _product in present("matmul", "vecdot", "matvec", "vecmat"):
    _gufunc(_product)


@implements(np.linalg.matmul)
def linalg_matmul(x1: Value, x2: Value, /) -> Any:
    return np.matmul(x1, x2)


@implements(np.linalg.vecdot)
def linalg_vecdot(x1: Value, x2: Value, /, *, axis: int = -1) -> Any:
    return np.vecdot(x1, x2, axis=axis)  # type: ignore[call-overload]


# ── two factors ──────────────────────────────────────────────────────────────────────────────────


def _two(function: Callable[..., Any], a: Value, b: Value, back: Any, **keywords: Any) -> Any:
    """function(a, b, …), linear in a and in b (conjugation counts as linear: t is real), with its adjoints."""
    return bilinear(lambda x, y: function(x, y, **keywords), a, b, back)


def _contraction(function: Callable[..., Any], a: Value, b: Value, axes_a: Any, axes_b: Any, **keywords: Any) -> Any:
    """A sum over pairs of axes."""
    axes_a, axes_b = (tuple(x) if np.ndim(x) else (int(x),) for x in (axes_a, axes_b))
    return _two(function, a, b, adjoints.tensordot(a.ndim, b.ndim, axes_a, axes_b), **keywords)


@implements(np.dot)
def dot(a: Value, b: Value, out: Value = None) -> Any:
    a, b = array(a), array(b)
    if not a.ndim or not b.ndim:
        return into(out, np.multiply(a, b), "dot")
    if a.ndim <= 2 and b.ndim <= 2 and a.ndim + b.ndim > 2:
        return into(out, np.matmul(a, b), "dot")
    return into(out, _contraction(np.dot, a, b, -1, max(b.ndim - 2, 0)), "dot")


@implements(np.vdot)
def vdot(a: Value, b: Value, /) -> Any:
    a, b = array(a), array(b)
    return _two(np.vdot, a, b, adjoints.vdot(a.shape, b.shape))


@implements(np.inner)
def inner(a: Value, b: Value, /) -> Any:
    a, b = array(a), array(b)
    return _contraction(np.inner, a, b, -1, -1) if a.ndim and b.ndim else np.multiply(a, b)


@implements(np.outer)
def outer(a: Value, b: Value, out: Value = None) -> Any:
    return into(out, np.multiply(np.ravel(array(a))[:, None], np.ravel(array(b))[None, :]), "outer")


@implements(np.linalg.outer)
def linalg_outer(x1: Value, x2: Value, /) -> Any:
    x1, x2 = array(x1), array(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise InvalidValue(f"outer: the factors have shapes {x1.shape} and {x2.shape}; expected one axis each")
    return np.outer(x1, x2)


@implements(np.tensordot, without_axes="array")
def tensordot(a: Value, b: Value, axes: Axis = 2) -> Any:
    a, b = array(a), array(b)
    given = (range(-axes, 0), range(axes)) if np.ndim(axes) == 0 and not isinstance(axes, (tuple, list)) else axes
    return _contraction(np.tensordot, a, b, *given, axes=axes)


@implements(np.linalg.tensordot, without_axes="array")
def linalg_tensordot(x1: Value, x2: Value, /, *, axes: Axis = 2) -> Any:
    return np.tensordot(x1, x2, axes=axes)


@implements(np.kron)
def kron(a: Value, b: Value) -> Any:
    a, b = array(a), array(b)
    return _two(np.kron, a, b, adjoints.kron(a.shape, b.shape))


@implements(np.cross)
def cross(a: Value, b: Value, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Axis = None) -> Any:
    a, b = array(a), array(b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _to_the_end(a, (axisa,)), _to_the_end(b, (axisb,))
    plane = a.shape[-1] == b.shape[-1] == 2  # of plane vectors there is only the third component
    result = _two(np.cross, a, b, adjoints.cross(a.shape[-1], b.shape[-1]))
    return result if plane else np.moveaxis(result, -1, axisc)


@implements(np.linalg.cross)
def linalg_cross(x1: Value, x2: Value, /, *, axis: int = -1) -> Any:
    x1, x2 = array(x1), array(x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise InvalidValue(f"cross: the factors have shapes {x1.shape} and {x2.shape}; expected 3 along axis {axis}")
    return np.cross(x1, x2, axis=axis)


@implements(np.convolve)
def convolve(a: Value, v: Value, mode: Any = "full") -> Any:
    a, v = array(a), array(v)
    return _two(np.convolve, a, v, adjoints.convolution(np.size(a), np.size(v), mode), mode=mode)


@implements(np.correlate)
def correlate(a: Value, v: Value, mode: Any = "valid") -> Any:
    a, v = array(a), array(v)
    return _two(np.correlate, a, v, adjoints.correlation(np.size(a), np.size(v), mode), mode=mode)


# ── chains ───────────────────────────────────────────────────────────────────────────────────────


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Value = None) -> Any:
    """A₁A₂…A_n, in the order with the fewest multiplications (Cormen et al., section 15.2)."""
    factors = [array(x) for x in arrays]
    if len(factors) < 2:
        raise InvalidValue(f"multi_dot: {len(factors)} arrays are given; expected two at least")
    first, last = factors[0].ndim, factors[-1].ndim
    if first == 1:
        factors[0] = factors[0][None, :]
    if last == 1:
        factors[-1] = factors[-1][:, None]
    for x in factors:
        if x.ndim != 2:
            raise InvalidValue(f"multi_dot: an array has {x.ndim} axes; expected matrices (vectors at the ends)")
    product = _chain(factors)
    shape = (() if first == 1 else product.shape[:1]) + (() if last == 1 else product.shape[1:])
    return into(out, np.reshape(product, shape), "multi_dot")


def _chain(factors: list[Any]) -> Any:
    sizes = [factors[0].shape[0], *(x.shape[1] for x in factors)]
    n = len(factors)
    cost = {(i, i): 0 for i in range(n)}
    cut = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = {k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)}
            cut[i, j] = min(costs, key=costs.__getitem__)
            cost[i, j] = costs[cut[i, j]]

    def product(i: int, j: int) -> Any:
        return factors[i] if i == j else np.dot(product(i, cut[i, j]), product(cut[i, j] + 1, j))

    return product(0, n - 1)


@implements(np.linalg.matrix_power)
def matrix_power(a: Value, n: Any) -> Any:
    """aⁿ by repeated squaring."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise InvalidType(f"matrix_power: n is {n!r}; expected an integer")
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise InvalidMatrix(f"matrix_power: a has shape {a.shape}; expected square matrices")
    if n < 0:
        a, n = np.linalg.inv(a), -n
    squares, power = a, None
    while n:
        if n & 1:
            power = squares if power is None else np.matmul(power, squares)
        n >>= 1
        if n:
            squares = np.matmul(squares, squares)
    if power is None:
        power = np.zeros_like(a) + library(a).eye(a.shape[-1], dtype=a.dtype)
    return power


@implements(np.linalg.trace)
def linalg_trace(x: Value, /, *, offset: int = 0, dtype: DType = None) -> Any:
    return np.trace(x, offset, axis1=-2, axis2=-1, dtype=dtype)
