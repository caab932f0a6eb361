"""Sampled functions: differences, integrals, interpolation, phases."""

from typing import Any

import numpy as np

from ..backend import namespace
from ..errors import InvalidType, InvalidValue
from ..kinds import Axis, Value
from ..operand import Operand, as_array, implements, library, linear, primal
from ..operand.constants import frozen
from . import adjoints
from .arguments import NOT_GIVEN
from .keywords import array, axes_of, with_native

# ── differences ──────────────────────────────────────────────────────────────────────────────────


@implements(np.diff)
def diff(a: Value, n: int = 1, axis: int = -1, prepend: Any = NOT_GIVEN, append: Any = NOT_GIVEN) -> Any:
    a = array(a)
    if n == 0:
        return a
    if n < 0:
        raise InvalidValue(f"diff: n is {n}; expected 0 or more")
    if a.ndim == 0:
        raise InvalidValue("diff: the array has no axes; expected one at least")
    (axis,) = axes_of(axis, a.ndim)
    ends = [None if x is NOT_GIVEN else _as_end(x, a, axis) for x in (prepend, append)]
    pieces = [x for x in (ends[0], a, ends[1]) if x is not None]
    if len(pieces) > 1:
        a = np.concatenate(pieces, axis=axis)
    for _ in range(n):
        a = _from(a, axis, 1, None) - _from(a, axis, None, -1)
    return a


def _as_end(x: Value, a: Value, axis: int) -> Any:
    """What is put before or behind a; a number is repeated along the other axes."""
    x = array(x, a)
    return x if x.ndim else np.broadcast_to(x, (*a.shape[:axis], 1, *a.shape[axis + 1 :]))


def _from(a: Value, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    """a[start:stop:step] along an axis."""
    return a[(slice(None),) * axis + (slice(start, stop, step),)]


@implements(np.ediff1d)
def ediff1d(ary: Value, to_end: Any = None, to_begin: Any = None) -> Any:
    ary = np.ravel(array(ary))
    between = ary[1:] - ary[:-1]
    pieces = [None if x is None else np.ravel(array(x, ary)).astype(ary.dtype) for x in (to_begin, to_end)]
    pieces.insert(1, between)
    return np.concatenate([x for x in pieces if x is not None])


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Axis = None, edge_order: Any = 1) -> Any:
    """Linear in f for constant spacings; an equal spacing that carries derivatives divides, as coordinates do."""
    f = array(f)
    axes = axes_of(axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 and len(axes) > 1 and np.ndim(varargs[0])):
        raise InvalidType(f"gradient: {len(varargs)} spacings are given for {len(axes)} axes; expected one for each")
    spacings = varargs * (len(axes) if len(varargs) == 1 else 1) or (1.0,) * len(axes)
    slopes = tuple(_slope(f, h, i, edge_order) for i, h in zip(axes, spacings, strict=True))
    return slopes[0] if len(axes) == 1 else slopes


def _slope(f: Any, h: Value, axis: int, edge_order: Any) -> Any:
    if not isinstance(h, Operand):
        return _differences(f, h, axis, edge_order)
    if h.ndim:
        f = f.astype(float) if f.dtype.kind in "biu" else f
        slopes = np.moveaxis(_uneven(np.moveaxis(f, axis, 0), np.diff(h), edge_order), 0, axis)
        return with_native(slopes, lambda f, h: np.gradient(f, h, axis=axis, edge_order=edge_order), f, h)
    return _differences(f, 1.0, axis, edge_order) / h.astype(f.dtype)


def _differences(f: Any, h: Value, axis: int, edge_order: Any) -> Any:
    """Along one axis a matrix with two or three entries to a row."""
    h = frozen(h)

    def slopes(f: Value, axis: int) -> Any:
        if namespace(f) is np or not np.ndim(h):
            return np.gradient(f, h, axis=axis, edge_order=edge_order)
        return np.moveaxis(_uneven(np.moveaxis(f, axis, 0), np.diff(as_array(h, f)), edge_order), 0, axis)

    def adjoint(g: Value) -> Any:
        matrix = slopes(library(f).eye(f.shape[axis]), 0)
        return np.moveaxis(np.matmul(np.moveaxis(g, axis, -1), matrix), -1, axis)

    return linear(lambda x: slopes(x, axis), f, adjoint=adjoint)


def _uneven(f: Value, steps: Value, edge_order: int) -> Any:
    """np.gradient along the first axis for these steps, of which CuPy's looks whether they are equal."""
    n = edge_order + 1
    if len(f) < n or len(steps) != len(f) - 1:
        raise InvalidValue(
            f"gradient: there are {len(f)} entries and {len(steps) + 1} coordinates; expected as many, {n} at least"
        )
    d = np.reshape(steps, (-1,) + (1,) * (f.ndim - 1))
    slopes = np.diff(f, axis=0) / d
    before, after = d[:-1], d[1:]
    inside = (before * slopes[1:] + after * slopes[:-1]) / (before + after)
    first, last = slopes[:1], slopes[-1:]
    if edge_order == 2:  # of the parabola through three points
        first = first + (first - inside[:1])
        last = last + (last - inside[-1:])
    return np.concatenate([first, inside, last]).astype(f.dtype)


@implements(np.trapezoid)
def trapezoid(y: Value, x: Value = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Σ (y_i + y_{i+1})/2 · (x_{i+1} − x_i)."""
    y = array(y)
    (axis,) = axes_of(axis, y.ndim)
    if x is None:
        d = dx
    else:
        x = array(x)
        d = np.diff(x, axis=0 if x.ndim == 1 else axis)
        if x.ndim == 1:
            d = np.reshape(d, (-1,) + (1,) * (y.ndim - 1 - axis))
    return np.sum(d * (_from(y, axis, 1, None) + _from(y, axis, None, -1)) / 2.0, axis=axis)


# ── interpolation ────────────────────────────────────────────────────────────────────────────────


@implements(np.interp)
def interp(x: Value, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The broken line through (xp, fp), all of which may carry derivatives: the nodes move with xp.

    At a node the slope is that of the piece on its right (at the last node, on its left); beyond the ends
    it is zero.
    """
    x, xp, fp = (array(a, x, xp, fp) for a in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or xp.shape[0] == 0:
        raise InvalidValue(f"interp: xp has shape {xp.shape} and fp has {fp.shape}; expected one equal axis, not empty")
    if period is not None:
        x, xp, fp = _one_period(x, xp, fp, period)
        left = right = None
    if not isinstance(x, Operand) and not isinstance(xp, Operand):
        x, xp = frozen(x), frozen(xp)
        ends = [fp[0] if left is None else left, fp[-1] if right is None else right]

        def adjoint(g: Value) -> tuple[Any, Any, Any]:
            """Each sample weighs the two nodes beside it, and the ends what lies beyond."""
            n = xp.shape[0]
            i = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(n - 2, 0))
            j = np.minimum(i + 1, n - 1)
            weight = np.where(i == j, 0.0, (x - xp[i]) / np.where(i == j, 1.0, xp[j] - xp[i]))
            inside = np.where((x < xp[0]) | (x > xp[-1]), 0.0, g)
            sums = [adjoints.sums_at(np.ravel(k), np.ravel(inside * w), n) for k, w in ((i, 1 - weight), (j, weight))]
            return sums[0] + sums[1], np.sum(np.where(x < xp[0], g, 0.0)), np.sum(np.where(x > xp[-1], g, 0.0))

        return linear(lambda f, a, b: _interp(x, xp, f, a, b), fp, *ends, adjoint=adjoint)
    at, nodes = primal(x), primal(xp)
    n = xp.shape[0]
    if n == 1:
        y = np.broadcast_to(fp[0], x.shape) + 0.0 * x + 0.0 * xp[0]
    else:
        i = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, n - 2)
        slope = (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i])
        # from the nearer end at the last node, which is hit exactly
        last = at == nodes[-1]
        y = np.where(last, fp[-1] + slope * (x - xp[-1]), slope * (x - xp[i]) + fp[i])
    y = np.where(at < nodes[0], fp[0] if left is None else left, y)
    return np.where(at > nodes[-1], fp[-1] if right is None else right, y)


def _interp(x: Value, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    """np.interp, also for values and ends that are operands of a lower level."""
    if not any(isinstance(v, Operand) for v in (fp, left, right)):
        return np.interp(x, xp, fp, left, right)
    y = np.interp(x, xp, fp) if isinstance(fp, Operand) else np.interp(x, xp, fp, fp[0], fp[-1])
    return np.where(x < xp[0], left, np.where(x > xp[-1], right, y))


def _one_period(x: Value, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Everything brought to [0, period), with one node more at either end."""
    if period == 0:
        raise InvalidValue("interp: period is 0; expected another number")
    period = abs(period)
    xp = xp % period
    in_order = np.argsort(xp)
    xp, fp = xp[in_order], fp[in_order]
    xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return x % period, xp, np.concatenate([fp[-1:], fp, fp[:1]])


# ── phases ───────────────────────────────────────────────────────────────────────────────────────


@implements(np.unwrap)
def unwrap(p: Value, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    """Adds whole periods, which the values decide."""
    values = primal(p)
    return p + (np.unwrap(values, discont, axis, period=period) - values)
