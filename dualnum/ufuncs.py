"""How a jet runs a ufunc: its call, its keywords, and its methods reduce, accumulate, outer, reduceat, at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from . import series
from .backend import floating_dtype, is_array, plain
from .errors import DualnumError, InvalidIndex, InvalidType, InvalidValue, NotDifferentiable, dropped
from .kernel import launch
from .kernel.pulled import pulled as launch_pulled
from .operand import Operand, highest, implementation, primal
from .primitives.table import Mend, Row, lookup

if TYPE_CHECKING:
    from .jet import Jet

__all__ = ["apply", "check_kinks", "constant", "evaluate", "kink_mode", "nonsmooth", "pulled"]

_kinks: ContextVar[str] = ContextVar("nonsmooth", default="subgradient")
kink_mode = _kinks.get


class NonsmoothPoint(DualnumError, ArithmeticError):
    """A derivative was asked for at a kink while `nonsmooth("raise")` was in force."""


@contextmanager
def nonsmooth(mode: str) -> Iterator[None]:
    """What happens at kinks (abs at 0, ties of maximum, jumps of floor), within a ``with`` block.

    Args:
        mode: "subgradient" (the default: the documented subgradient stands in) or "raise" (a
            `NonsmoothPoint` reports the elements that sit on a kink).

    Example:
        >>> np.abs(jet([-2.0, 0.0], order=1)).derivative()
        array([-1.,  0.])
        >>> with nonsmooth("raise"):
        ...     np.abs(jet([-2.0, 0.0], order=1))
        Traceback (most recent call last):
        dualnum.ufuncs.NonsmoothPoint: absolute: no derivative at the elements [(1,)]; they sit on a kink
    """
    if mode not in ("subgradient", "raise"):
        raise InvalidValue(f'nonsmooth: mode is {mode!r}; expected "subgradient" or "raise"')
    token = _kinks.set(mode)
    try:
        yield
    finally:
        _kinks.reset(token)


def apply(top: "Jet", ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """ufunc.method(*inputs, **kwargs) on the level of `top`."""
    if ufunc.signature is not None:  # a generalized ufunc is an array function
        product = implementation(ufunc)
        if product is None or method != "__call__":
            raise NotDifferentiable(f"{ufunc.__name__}.{method}: dualnum has no rule for it; use np.einsum")
        return product(*inputs, **kwargs)
    row = lookup(ufunc)
    if row.kind == "predicate":
        return _on_values(ufunc, method, inputs, kwargs)
    if method == "__call__":
        return top._primitive(row, inputs) if not kwargs else _call(top, row, inputs, **kwargs)
    return _METHODS[method](ufunc, *inputs, **kwargs)


def _on_values(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if any(isinstance(o, Operand) for o in kwargs.get("out", ())):
        raise InvalidType(f"{ufunc.__name__}: out= is a jet, but the result has no derivatives; give a plain array")
    if method == "at":
        raise InvalidType(f"{ufunc.__name__}.at: truth values cannot be written into a jet; use it on a plain array")
    return getattr(ufunc, method)(*map(primal, inputs), **kwargs)


def evaluate(top: "Jet", row: Row, inputs: tuple[Any, ...]) -> Any:
    """One primitive on jets of this level and constants."""
    mine = [top._is_mine(x, row.name) for x in inputs]
    operands = [x if own else constant(row, x) for x, own in zip(inputs, mine, strict=True)]
    check_kinks(row, inputs)
    fused = _fused(top, row, operands, mine) if any(mine) else None  # out= alone may be a jet
    if fused is not None and not fused[1]:
        return fused[0]
    recorded = _recorded(top, row, operands, mine) if fused is None and any(mine) else None
    if recorded is not None:
        return recorded
    ndim = max(getattr(x, "ndim", 0) for x in operands)
    with np.errstate(all="ignore"):
        try:
            parts = [x._parts(ndim) if own else [x] for x, own in zip(operands, mine, strict=True)]
            result = row.expand(top.order, *parts) if fused is None else fused[0]._parts(ndim)
            if row.mend is not None and top.order:
                result = _mended(row.mend, top.order, result, parts)
        except (ValueError, TypeError) as error:
            if isinstance(error, DualnumError):
                raise
            kind = InvalidValue if isinstance(error, ValueError) else InvalidType
            shapes = ", ".join(str(np.shape(x)) for x in inputs)
            raise kind(f"{row.name}: {error} (operands of shape {shapes})") from None
    if row.ufunc.nout == 1:
        return top._join(result)
    return tuple(top._join(parts) for parts in result)


def _mended(mend: Mend, order: int, result: list[Any], operands: list[list[Any]]) -> list[Any]:
    """The result with the points redone at which the row's own rule fails, if there are any."""
    where = mend.where(result[0], *(u[0] for u in operands))
    if isinstance(where, Operand):  # no numbers to look at yet
        where._alarm()
        return result
    if any(isinstance(u[0], Operand) for u in operands):
        return result
    if not where.any():
        return result
    return series.select(order, result[0], where, mend.rule(order, result[0], *operands), result)


def _fused(top: "Jet", row: Row, operands: Sequence[Any], mine: Sequence[bool]) -> Any:
    """The primitive as one kernel, and whether its mend must follow.

    None where the operands are no plain arrays or no program can be written.
    """
    if row.rule is None or not isinstance(row.ufunc, np.ufunc):
        return None
    given = _given(operands, mine)
    if given is None:
        return None
    try:
        results = launch.evaluate(row, top.order, given, top.algebra.size, top.algebra.directions)
    except ValueError as error:
        shapes = ", ".join(str(np.shape(x)) for x in operands)
        raise InvalidValue(f"{row.name}: {error} (operands of shape {shapes})") from None
    if results is None:
        return None
    jets = tuple(top._like(planes, [degree]) for planes, degree in results[0])
    return jets[0] if row.ufunc.nout == 1 else jets, results[1]


def _given(operands: Sequence[Any], mine: Sequence[bool]) -> list[Any] | None:
    """Operands as kernels take them; None where one is no array of NumPy."""
    given: list[Any] = []
    for x, own in zip(operands, mine, strict=True):
        if own:
            if type(x._planes) is not np.ndarray:
                return None
            given.append(launch.Planes(x._planes, x._support[0] + 1))
        elif type(x) is np.ndarray and x.ndim:
            given.append(launch.Planes(x[None], 1))
        elif isinstance(x, Operand) or not isinstance(x, (float, int, complex, np.generic, np.ndarray)):
            return None
        else:
            given.append(x)
    return given


def pulled(top: "Jet", function: Any, operands: Sequence[Any]) -> tuple[Any, ...] | None:
    """A pull-back on jets of this level and constants as one kernel, or None."""
    read = [x for x in operands if x is not None]
    given = _given(read, [top._is_mine(x, "pull-back") for x in read])
    if given is None:
        return None
    known = iter(given)
    planes = [None if x is None else next(known) for x in operands]
    numbers = [x.item() if isinstance(x, (np.generic, np.ndarray)) else x for x in planes]
    made = launch_pulled(function, top.order, numbers, top.algebra.size, top.algebra.directions)
    if made is None:
        return None
    return tuple(operands[c] if type(c) is int else None if c is None else top._like(c[0], [c[1]]) for c in made)


def _recorded(top: "Jet", row: Row, operands: Sequence[Any], mine: Sequence[bool]) -> Any:
    """The primitive as one step of what the planes are, if that knows how (variables do); else None."""
    if top.algebra.directions is not None or row.ufunc.nout > 1 or not isinstance(row.ufunc, np.ufunc):
        return None
    planes = [x._planes if own else x for x, own in zip(operands, mine, strict=True)]
    below = highest(planes)
    if below is None:
        return None
    counts = [x._support[0] + 1 if own else 0 for x, own in zip(operands, mine, strict=True)]
    result = below._stacked(row, top.order, planes, counts)
    return None if result is None else top._like(result[0], [result[1]])


_LARGEST = int(np.finfo(float).max)


def constant(row: Row, x: Any) -> Any:
    """x as a coefficient; lists become arrays, what is no number is refused."""
    if type(x) is int and not -_LARGEST <= x <= _LARGEST:
        raise InvalidValue(f"{row.name}: an operand is an integer of {x.bit_length()} bits, which no float64 holds")
    if isinstance(x, (Operand, float, int, complex)):
        return x
    if not is_array(x):
        x = np.asarray(x)
    if x.dtype.kind not in "fcbiu":
        raise InvalidType(f"{row.name}: an operand has dtype {x.dtype}; expected numbers")
    return plain(x, row.name, "an operand")


def check_kinks(row: Row, inputs: tuple[Any, ...]) -> None:
    """Raises where `nonsmooth("raise")` is in force and an element sits on a kink of the primitive."""
    if row.kink is None or kink_mode() != "raise":
        return
    on_kink = np.asarray(row.kink(*map(primal, inputs)))
    if on_kink.any():
        places = [tuple(map(int, i)) for i in np.argwhere(on_kink)[:5]]
        more = "" if on_kink.sum() <= 5 else f" and {int(on_kink.sum()) - 5} more"
        raise NonsmoothPoint(f"{row.name}: no derivative at the elements {places}{more}; they sit on a kink")


def _call(
    top: "Jet",
    row: Row,
    inputs: tuple[Any, ...],
    out: tuple[Any, ...] | None = None,
    where: Any = True,
    dtype: Any = None,
    casting: Any = "same_kind",
    order: Any = "K",
    subok: bool = True,
    signature: Any = None,
) -> Any:
    """The call with keywords: cast, evaluate, write."""
    if signature is not None:
        raise NotDifferentiable(f"{row.name}: signature= is not supported for jets; use dtype=")
    where = _booleans(row, where)
    if order not in ("K", "A", "C", "F"):
        raise InvalidValue(f'{row.name}: order is {order!r}; expected "K", "A", "C" or "F"')
    if casting not in _CASTINGS:
        raise InvalidValue(f"{row.name}: casting is {casting!r}; expected one of {', '.join(_CASTINGS)}")
    if dtype is not None:
        dtype = floating_dtype(dtype, row.name)
        inputs = tuple(_cast(row, x, dtype, casting) for x in inputs)
        result = top._primitive(row, inputs) if any(isinstance(x, Operand) for x in inputs) else row.ufunc(*inputs)
    else:
        result = top._primitive(row, inputs)
    results = result if isinstance(result, tuple) else (result,)
    if out is None:
        if where is not True:
            results = tuple(np.where(where, r, 0.0) for r in results)
    else:
        _check_out(top, row, out, results, casting)
        results = tuple(r if o is None else _write(o, r, where) for o, r in zip(out, results, strict=True))
    return results if isinstance(result, tuple) else results[0]


_CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe")


def _booleans(row: Row, where: Any) -> Any:
    """where= as NumPy takes it: booleans only."""
    if isinstance(where, Operand):
        raise InvalidType(f"{row.name}: where= is an operand with derivatives; expected booleans")
    if where is True:
        return True
    where = where if is_array(where) else np.asarray(where)
    if where.dtype.kind != "b":
        raise InvalidType(f"{row.name}: where= has dtype {where.dtype}; expected booleans")
    return where


def _cast(row: Row, x: Any, dtype: np.dtype[Any], casting: Any) -> Any:
    if isinstance(x, (bool, int, float, complex)):
        return x
    x = x if isinstance(x, Operand) or is_array(x) else np.asarray(x)
    if not np.can_cast(x.dtype, dtype, casting):
        raise InvalidType(f"{row.name}: cannot cast from {x.dtype} to {dtype} with casting={casting!r}; use astype")
    return x.astype(dtype)


def _check_out(top: "Jet", row: Row, out: tuple[Any, ...], results: tuple[Any, ...], casting: Any) -> None:
    """Everything that could go wrong with out=, before anything is written."""
    for o, r in zip(out, results, strict=True):
        if o is None:
            continue
        if isinstance(r, Operand) and not top._is_mine(o, f"{row.name}: out="):
            raise dropped(
                f"{row.name}: out= of type {type(o).__name__}, which cannot hold derivatives,",
                "the result without out=, or out=np.zeros_like(jet)",
            )
        if np.broadcast_shapes(np.shape(r), np.shape(o)) != np.shape(o):
            raise InvalidValue(f"{row.name}: the result has shape {np.shape(r)}, out= has shape {np.shape(o)}")
        if not np.can_cast(r.dtype, o.dtype, casting):
            raise InvalidType(
                f"{row.name}: cannot cast the result from {r.dtype} to {o.dtype} of out= with casting={casting!r}"
            )


def _write(out: Any, result: Any, where: Any) -> Any:
    if where is True:
        out[...] = result
    else:
        mask = np.broadcast_to(where, np.shape(out))
        out[mask] = np.broadcast_to(result, np.shape(out))[mask]
    return out


# ── methods ──────────────────────────────────────────────────────────────────────────────────────


def _axis(axis: Any, ndim: int) -> int:
    return int(np.lib.array_utils.normalize_axis_index(axis, ndim))


def _finish(ufunc: np.ufunc, result: Any, out: Any) -> Any:
    """Writes the result of a method into out=, if one was given."""
    if out is None or out[0] is None:
        return result
    return np.positive(result, out=out)


def _operand(ufunc: np.ufunc, method: str, x: Any, dtype: Any) -> Any:
    """The array that a method works on, in the type it is to work in."""
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise InvalidValue(f"{ufunc.__name__}.{method}: only ufuncs of two inputs and one output have this method")
    if not isinstance(x, Operand) and not is_array(x):
        x = np.asarray(x)
    return x if dtype is None else x.astype(floating_dtype(dtype, f"{ufunc.__name__}.{method}"))


def _reduce(
    ufunc: np.ufunc, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **kwargs: Any
) -> Any:
    """Folds an axis: by the array function where NumPy has one, else element after element."""
    x = _operand(ufunc, "reduce", x, dtype)
    # NumPy itself says which axes exist and may be folded together
    ufunc.reduce(np.ones((1,) * x.ndim), axis=axis)
    axis = axis if x.ndim else None
    whole = _REDUCTIONS.get(ufunc)
    if whole is not None:
        return _finish(ufunc, whole(x, axis=axis, keepdims=keepdims, **kwargs), out)
    if kwargs.get("where", True) is not True:
        raise NotDifferentiable(f"{ufunc.__name__}.reduce: where= is not supported for jets; use np.where first")
    given = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = sorted({_axis(a, x.ndim) for a in given}, reverse=True)
    initial = kwargs.get("initial")
    result = x
    if not axes:
        result = _alone(ufunc, x) if initial is None else ufunc(initial, x)
    for a in axes:  # initial comes first of all, once
        result = _fold(ufunc, np.moveaxis(result, a, 0), initial if a == axes[-1] else None)
    if keepdims:
        result = np.expand_dims(result, tuple(axes))
    return _finish(ufunc, result, out)


def _alone(ufunc: np.ufunc, x: Any) -> Any:
    """What a fold makes of a single element: NumPy gives hypot(0, x), and in memory of its own."""
    return np.absolute(x) if ufunc is np.hypot else np.copy(x)


def _fold(ufunc: np.ufunc, x: Any, initial: Any) -> Any:
    """f(… f(f(initial, x[0]), x[1]) …, x[−1])."""
    if initial is None and len(x) == 0:
        initial = ufunc.identity
        if initial is None:
            raise InvalidValue(f"{ufunc.__name__}.reduce: an empty axis, and the function has no identity")
    if initial is None and len(x) == 1:
        return _alone(ufunc, x[0])
    result, first = (x[0], 1) if initial is None else (np.full_like(x, initial, shape=x.shape[1:]), 0)
    for i in range(first, len(x)):
        result = ufunc(result, x[i])
    return result


def _accumulate(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    x = _operand(ufunc, "accumulate", x, dtype)
    if x.ndim == 0:
        raise InvalidType(f"{ufunc.__name__}.accumulate: the operand has no axes; expected one at least")
    if ufunc is np.add:
        return _finish(ufunc, np.cumsum(x, axis=axis), out)
    moved = np.moveaxis(x, _axis(axis, x.ndim), 0)
    results = [moved[0]] if len(moved) else []
    for i in range(1, len(moved)):
        results.append(ufunc(results[-1], moved[i]))
    return _finish(ufunc, np.moveaxis(np.stack(results), 0, axis) if results else x, out)


def _outer(ufunc: np.ufunc, a: Any, b: Any, **kwargs: Any) -> Any:
    """ufunc of every element of a with every element of b."""
    if ufunc.nin != 2:
        raise InvalidValue(f"{ufunc.__name__}.outer: only ufuncs of two inputs have this method")
    a = a if isinstance(a, Operand) else np.asarray(a)
    return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **kwargs)


def _reduceat(ufunc: np.ufunc, x: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """Folds the slices between consecutive indices (a single element where they do not increase)."""
    x = _operand(ufunc, "reduceat", x, dtype)
    if x.ndim == 0:
        raise InvalidType(f"{ufunc.__name__}.reduceat: the operand has no axes; expected one at least")
    moved = np.moveaxis(x, _axis(axis, x.ndim), 0)
    indices = [int(i) for i in np.asarray(indices)]
    if any(not 0 <= i < len(moved) for i in indices):
        raise InvalidIndex(f"{ufunc.__name__}.reduceat: indices are {indices}; expected 0 ≤ index < {len(moved)}")
    ends = [*indices[1:], len(moved)][: len(indices)]
    results = [ufunc.reduce(moved[i:j], axis=0) if i < j else moved[i] for i, j in zip(indices, ends, strict=True)]
    return _finish(ufunc, np.moveaxis(np.stack(results) if results else moved[:0], 0, axis), out)


def _at(ufunc: np.ufunc, x: Any, indices: Any, *b: Any) -> None:
    """x[indices] = ufunc(x[indices], b), in place, once for each time that an index occurs."""
    if not isinstance(x, Operand):
        raise dropped(f"{ufunc.__name__}.at on a plain array", "a jet as its first argument")
    flat = np.arange(x.size).reshape(x.shape)[indices]
    values = np.broadcast_to(b[0], flat.shape) if b else None
    changed: Any = np.copy(np.ravel(x))  # an error on the way leaves x as it was
    for position in np.ndindex(*flat.shape):
        i = int(flat[position])
        changed[i] = ufunc(changed[i]) if values is None else ufunc(changed[i], values[position])
    x[...] = np.reshape(changed, x.shape)


_REDUCTIONS: dict[np.ufunc, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
}  # fmt: skip
_METHODS: dict[str, Any] = {
    "reduce": _reduce, "accumulate": _accumulate, "outer": _outer, "reduceat": _reduceat, "at": _at,
}  # fmt: skip
