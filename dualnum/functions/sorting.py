"""Order: sorting, searching and sets. Values decide, and the entries move with their coefficients.

Entries of equal value keep their order (the sort is stable), and of equal values `unique` and the set
functions take the first occurrence. What is a position or a decision is a plain array.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import InvalidType, not_on_device
from ..kinds import Axis, Value
from ..operand import as_array, implements, library, primal
from .arguments import on_values, stand_in

# ── orders ───────────────────────────────────────────────────────────────────────────────────────

on_values(np.argsort, np.digitize)
on_values(np.argmax, np.argmin, np.nanargmax, np.nanargmin)
on_values(np.any, np.all, np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isin)
on_values(np.isposinf, np.isneginf)


def _along(a: Value, axis: Axis) -> tuple[Any, int]:
    """The array and the axis to sort along; all entries in one line for None."""
    if axis is None:
        a, axis = np.ravel(a), 0
    return a, normalize_axis_index(axis, a.ndim)


def _no_fields(order: Any, name: str) -> None:
    if order is not None:
        raise InvalidType(f"{name}: order= names fields, but an operand with derivatives has none")


@implements(np.sort)
def sort(a: Value, axis: Axis = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """Stable whatever `kind` says, so that the derivatives of entries of equal value are determined."""
    _no_fields(order, "sort")
    a, axis = _along(a, axis)
    return np.take_along_axis(a, np.argsort(primal(a), axis=axis, kind="stable"), axis)


@implements(np.searchsorted)
def searchsorted(a: Value, v: Value, side: Any = "left", sorter: Any = None) -> Any:
    a, v = primal(a), primal(v)
    a, v = as_array(a, v), as_array(v, a)
    return np.searchsorted(a, v, side, sorter)


@implements(np.lexsort)
def lexsort(keys: Any, axis: int = -1) -> Any:
    keys = primal(keys)
    if library(*keys) is np:
        return np.lexsort(keys, axis)
    keys = np.stack(keys) if isinstance(keys, (list, tuple)) else keys  # CuPy's takes one array, and no axis
    if keys.ndim > 2:
        raise not_on_device("lexsort", "CuPy sorts along one axis")
    return np.lexsort(keys)


@implements(np.sort_complex)
def sort_complex(a: Value) -> Any:
    return np.sort(a).astype(np.result_type(a.dtype, np.complex64))


@implements(np.partition)
def partition(a: Value, kth: Any, axis: Axis = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """The k-th value in its place, smaller ones before it; NumPy leaves open how these are ordered."""
    _no_fields(order, "partition")
    a, axis = _along(a, axis)
    return np.take_along_axis(a, _partitioned(primal(a), kth, axis, kind), axis)


@implements(np.argpartition)
def argpartition(a: Value, kth: Any, axis: Axis = -1, kind: Any = "introselect", order: Any = None) -> Any:
    a, axis = _along(a, axis)
    return _partitioned(primal(a), kth, axis, kind)


def _partitioned(values: Value, kth: Any, axis: int, kind: Any) -> Any:
    """np.argpartition; CuPy's sorts as well, and looks at kth on the device."""
    if library(values) is np:
        return np.argpartition(values, kth, axis=axis, kind=kind)
    np.argpartition(stand_in(values.shape[axis : axis + 1]), kth)
    return np.argsort(values, axis=axis)


# ── sets ─────────────────────────────────────────────────────────────────────────────────────────


@implements(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Axis = None,
    **kwargs: Any,
) -> Any:
    """The distinct values, each with the coefficients of its first occurrence."""
    _, first, inverse, counts = np.unique(primal(ar), True, True, True, axis, **kwargs)
    entries = np.take(ar, first, axis=axis)
    asked = zip((return_index, return_inverse, return_counts), (first, inverse, counts), strict=True)
    extras = tuple(result for wanted, result in asked if wanted)
    return (entries, *extras) if extras else entries


@implements(np.unique_values)
def unique_values(x: Value) -> Any:
    return np.unique(x, equal_nan=False)


def _with_entries(function: Callable[..., Any]) -> None:
    """The functions of the array API, which return a named tuple."""

    @implements(function)
    def unique_of(x: Value) -> Any:
        return function(primal(x))._replace(values=np.unique(x, equal_nan=False))


for _function in (np.unique_all, np.unique_counts, np.unique_inverse):
    _with_entries(_function)


@implements(np.intersect1d)
def intersect1d(ar1: Value, ar2: Value, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The values in both, with the coefficients that they have in ar1."""
    _, first, second = np.intersect1d(primal(ar1), primal(ar2), assume_unique, True)
    common = np.take(np.ravel(ar1), first)
    return (common, first, second) if return_indices else common


@implements(np.setdiff1d)
def setdiff1d(ar1: Value, ar2: Value, assume_unique: bool = False) -> Any:
    ar1 = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return np.compress(np.isin(primal(ar1), primal(ar2), assume_unique=True, invert=True), ar1)


@implements(np.setxor1d)
def setxor1d(ar1: Value, ar2: Value, assume_unique: bool = False) -> Any:
    parts = [np.ravel(x) if assume_unique else np.unique(x) for x in (ar1, ar2)]
    entries, counts = np.unique(np.concatenate(parts), return_counts=True)
    return np.compress(counts == 1, entries)


@implements(np.union1d)
def union1d(ar1: Value, ar2: Value) -> Any:
    return np.unique(np.concatenate((ar1, ar2), axis=None))
