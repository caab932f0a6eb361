"""How an operand runs a ufunc: its call, its keywords, and its methods reduce, accumulate, outer, reduceat, at."""

from typing import Any

import numpy as np

from ..backend import floating_dtype, is_array
from ..errors import InvalidIndex, InvalidType, InvalidValue, NotDifferentiable, dropped
from ..kinds import Axis, DType, Index, Value
from ..operand import Operand, implementation, primal
from ..operand.culprit import called
from .table import Row, lookup

__all__ = ["apply"]


def apply(top: Operand, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
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
    for o in kwargs.get("out", ()):
        if isinstance(o, Operand):
            raise InvalidType(
                f"{ufunc.__name__}: out= is {called(o)}, but the result has no derivatives; give a plain array"
            )
    if method == "at":
        given = next(x for x in inputs if isinstance(x, Operand))
        raise InvalidType(
            f"{ufunc.__name__}.at: truth values cannot be written into {called(given)}; use it on a plain array"
        )
    return getattr(ufunc, method)(*map(primal, inputs), **kwargs)


def _call(
    top: Operand,
    row: Row,
    inputs: tuple[Any, ...],
    out: tuple[Any, ...] | None = None,
    where: Any = True,
    dtype: DType = None,
    casting: Any = "same_kind",
    order: Any = "K",
    subok: bool = True,
    signature: Any = None,
) -> Any:
    """The call with keywords: cast, evaluate, write."""
    if signature is not None:
        raise NotDifferentiable(f"{row.name}: signature= is not supported; use dtype=")
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
        shape = np.broadcast_shapes(*(np.shape(o) for o in out if o is not None), *map(np.shape, results))
        results = tuple(
            _spread(r, shape) if o is None else _write(o, r, where) for o, r in zip(out, results, strict=True)
        )
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


def _cast(row: Row, x: Value, dtype: np.dtype[Any], casting: Any) -> Any:
    if isinstance(x, (bool, int, float, complex)):
        return x
    x = x if isinstance(x, Operand) or is_array(x) else np.asarray(x)
    if not np.can_cast(x.dtype, dtype, casting):
        raise InvalidType(f"{row.name}: cannot cast from {x.dtype} to {dtype} with casting={casting!r}; use astype")
    return x.astype(dtype)


def _check_out(top: Operand, row: Row, out: tuple[Any, ...], results: tuple[Any, ...], casting: Any) -> None:
    """Everything that could go wrong with out=, before anything is written."""
    for o, r in zip(out, results, strict=True):
        if o is None:
            continue
        if isinstance(r, Operand) and not top._is_mine(o, f"{row.name}: out="):
            raise dropped(
                f"{row.name}: out= of type {type(o).__name__}, which cannot hold derivatives,",
                "the result without out=, or out=np.zeros_like(x)",
            )
        if np.broadcast_shapes(np.shape(r), np.shape(o)) != np.shape(o):
            raise InvalidValue(f"{row.name}: the result has shape {np.shape(r)}, out= has shape {np.shape(o)}")
        if not np.can_cast(r.dtype, o.dtype, casting):
            raise InvalidType(
                f"{row.name}: cannot cast the result from {r.dtype} to {o.dtype} of out= with casting={casting!r}"
            )


def _spread(result: Any, shape: tuple[int, ...]) -> Any:
    """A result in the shape that the other output has given to both."""
    return result if np.shape(result) == shape else np.copy(np.broadcast_to(result, shape))


def _write(out: Value, result: Any, where: Any) -> Any:
    if where is True:
        out[...] = result
    else:
        mask = np.broadcast_to(where, np.shape(out))
        out[mask] = np.broadcast_to(result, np.shape(out))[mask]
    return out


# ── methods ──────────────────────────────────────────────────────────────────────────────────────


def _axis(axis: Axis, ndim: int) -> int:
    return int(np.lib.array_utils.normalize_axis_index(axis, ndim))


def _finish(ufunc: np.ufunc, result: Any, out: Value) -> Any:
    """Writes the result of a method into out=, if one was given."""
    if out is None or out[0] is None:
        return result
    return np.positive(result, out=out)


def _operand(ufunc: np.ufunc, method: str, x: Value, dtype: DType) -> Any:
    """The array that a method works on, in the type it is to work in."""
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise InvalidValue(f"{ufunc.__name__}.{method}: only ufuncs of two inputs and one output have this method")
    if not isinstance(x, Operand) and not is_array(x):
        x = np.asarray(x)
    return x if dtype is None else x.astype(floating_dtype(dtype, f"{ufunc.__name__}.{method}"))


def _reduce(
    ufunc: np.ufunc,
    x: Value,
    axis: Axis = 0,
    dtype: DType = None,
    out: Value = None,
    keepdims: bool = False,
    **kwargs: Any,
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
        raise NotDifferentiable(f"{ufunc.__name__}.reduce: where= is not supported; use np.where first")
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


def _alone(ufunc: np.ufunc, x: Value) -> Any:
    """What a fold makes of a single element: NumPy gives hypot(0, x), and in memory of its own."""
    return np.absolute(x) if ufunc is np.hypot else np.copy(x)


def _fold(ufunc: np.ufunc, x: Value, initial: Value) -> Any:
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


def _accumulate(ufunc: np.ufunc, x: Value, axis: int = 0, dtype: DType = None, out: Value = None) -> Any:
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


def _outer(ufunc: np.ufunc, a: Value, b: Value, **kwargs: Any) -> Any:
    """ufunc of every element of a with every element of b."""
    if ufunc.nin != 2:
        raise InvalidValue(f"{ufunc.__name__}.outer: only ufuncs of two inputs have this method")
    a = a if isinstance(a, Operand) else np.asarray(a)
    return ufunc(np.reshape(a, np.shape(a) + (1,) * np.ndim(b)), b, **kwargs)


def _reduceat(ufunc: np.ufunc, x: Value, indices: Index, axis: int = 0, dtype: DType = None, out: Value = None) -> Any:
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


def _at(ufunc: np.ufunc, x: Value, indices: Index, *b: Any) -> None:
    """x[indices] = ufunc(x[indices], b), in place, once for each time that an index occurs."""
    if not isinstance(x, Operand):
        raise dropped(
            f"{ufunc.__name__}.at on a plain array",
            "what carries derivatives, such as np.zeros_like(x), as its first argument",
        )
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
