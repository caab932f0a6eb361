"""Order: sorting, searching, counting and sets. Values decide, and the entries move with their coefficients.

Entries of equal value keep their order (the sort is stable), and of equal values `unique` and the set
functions take the first occurrence. What is a position, a count or a decision is a plain array.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import InvalidType, NotDifferentiable
from ..kinds import Axis, Value
from ..operand import Moving, Operand, implements, linear, operands, primal
from ..operand.constants import frozen
from . import adjoints
from .arguments import on_values
from .keywords import with_value

# ── orders ───────────────────────────────────────────────────────────────────────────────────────

on_values(np.argsort, np.argpartition, np.lexsort, np.searchsorted, np.digitize)
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


@implements(np.sort_complex)
def sort_complex(a: Value) -> Any:
    return np.sort(a).astype(np.result_type(a.dtype, np.complex64))


@implements(np.partition)
def partition(a: Value, kth: Any, axis: Axis = -1, kind: Any = "introselect", order: Any = None) -> Any:
    """The k-th value in its place, smaller ones before it; NumPy leaves open how these are ordered."""
    _no_fields(order, "partition")
    a, axis = _along(a, axis)
    return np.take_along_axis(a, np.argpartition(primal(a), kth, axis=axis, kind=kind), axis)


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


# ── counts ───────────────────────────────────────────────────────────────────────────────────────


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Value, bins: Any = 10, range: Any = None, weights: Value = None) -> Any:
    """Constant where they are given; equal steps from the least to the greatest entry move with these."""
    native = np.histogram_bin_edges(primal(a), primal(bins), primal(range), primal(weights))
    if isinstance(bins, Operand):
        return bins
    low, high = (np.min(a), np.max(a)) if range is None else range
    if np.ndim(bins) or not any(isinstance(limit, Operand) for limit in (low, high)):
        return native
    if isinstance(bins, str):
        raise NotDifferentiable(f"histogram: bins is {bins!r}, which looks at the data; give a number or the edges")
    if primal(low) == primal(high):
        low, high = low - 0.5, high + 0.5
    return with_value(np.linspace(low, high, len(native)), native)


@implements(np.bincount)
def bincount(x: Value, /, weights: Value = None, minlength: int = 0) -> Any:
    """Linear in the weights."""
    if isinstance(x, Operand):
        raise InvalidType("bincount: x carries derivatives; expected integers, as x.value.astype(int)")
    x = frozen(x)
    return linear(lambda w: np.bincount(x, w, minlength), weights, adjoint=Moving(lambda g: np.take(g, x), omits=False))


def _counting(function: Callable[..., Any], *samples: str) -> None:
    """A histogram counts by value, in bins that are constants; it is linear in the weights."""
    names = (*samples, "bins", "range", "density", "weights")

    @implements(function)
    def count(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        moving = any(True for _ in operands([given[name] for name in samples])) and _follow_data(function, given)
        moving = moving or any(True for _ in operands([given.get("bins"), given.get("range")]))
        if moving and (function is not np.histogram or given.get("density") or given.get("weights") is not None):
            raise NotDifferentiable(
                f"{function.__name__}: the edges of the bins carry derivatives here (they follow the data where bins "
                "is a number without range=), and for that there is no rule; give the edges, or a range"
            )
        weights = given.pop("weights", None)
        options = {name: primal(value) for name, value in given.items()}
        if not isinstance(weights, Operand):
            counts, *edges = function(weights=weights, **options)
            if moving:
                edges = [np.histogram_bin_edges(given["a"], given.get("bins", 10), given.get("range"))]
            return counts, *edges
        if options.get("density"):
            raise NotDifferentiable(
                f"{function.__name__}: density= with weights that carry derivatives has no rule; divide the "
                "weighted counts by their sum and the widths of the bins"
            )
        _, *edges = function(weights=primal(weights), **options)
        back = adjoints.histogram(*_by_axis(edges, *(options[name] for name in samples)))
        return linear(lambda w: function(weights=w, **options)[0], weights, adjoint=back), *edges


def _by_axis(edges: Any, *samples: Any) -> tuple[Any, Any]:
    """The samples and the edges of a histogram, axis by axis: of histogramdd both are one argument."""
    if not isinstance(edges[0], (tuple, list)):
        return [np.asarray(x) for x in samples], edges
    (x,) = samples
    return np.transpose(x) if np.ndim(x) == 2 and hasattr(x, "shape") else np.atleast_2d(x), edges[0]


def _follow_data(function: Callable[..., Any], given: dict[str, Any]) -> bool:
    """Whether the edges are worked out from the data: for a number of bins without a range."""
    bins: Any = given.get("bins", 10)
    limits = given.get("range")
    if limits is not None and (function is np.histogram or all(r is not None for r in limits)):
        return False
    if isinstance(bins, str) or not np.iterable(bins):
        return True
    if function is np.histogram or (function is np.histogram2d and len(list(bins)) > 2):  # edges, for both axes
        return False
    return any(not np.iterable(b) for b in bins)


_counting(np.histogram, "a")
_counting(np.histogram2d, "x", "y")
_counting(np.histogramdd, "sample")
