"""Counts: how many entries there are of a kind or in a bin, and the sums of their weights, which may vary."""

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from .. import backend
from ..backend import to_device
from ..errors import InvalidType, InvalidValue, NotDifferentiable, not_on_device
from ..kinds import Value
from ..operand import Moving, Operand, as_array, implements, library, linear, operands, primal, visible
from ..operand.constants import frozen
from . import adjoints
from .creation import between
from .keywords import array, with_value


@implements(np.bincount)
def bincount(x: Value, /, weights: Value = None, minlength: int = 0) -> Any:
    """Linear in the weights."""
    if isinstance(x, Operand):
        raise InvalidType("bincount: x carries derivatives; expected integers, as x.value.astype(int)")
    x = array(frozen(x), weights)
    if library(x) is not np:  # a look tells the length of the result
        size = int(to_device(np.max(x) + 1, "cpu")) if x.size else 0
        return adjoints.sums_at(x, weights.astype(float), max(size, minlength))
    return linear(lambda w: np.bincount(x, w, minlength), weights, adjoint=Moving(lambda g: np.take(g, x), omits=False))


# ── histograms ───────────────────────────────────────────────────────────────────────────────────


@implements(np.histogram_bin_edges)
def histogram_bin_edges(a: Value, bins: Any = 10, range: Any = None, weights: Value = None) -> Any:
    """Constant where they are given; equal steps from the least to the greatest entry move with these."""
    values = primal(a)
    if library(values) is np:
        native = np.histogram_bin_edges(values, primal(bins), primal(range), primal(weights))
    else:
        native = _edges(values, primal(bins), primal(range))
    if isinstance(bins, Operand):
        return bins
    low, high = (np.min(a), np.max(a)) if range is None else range
    if np.ndim(bins) or not any(isinstance(limit, Operand) for limit in (low, high)):
        return native
    if isinstance(bins, str):
        raise NotDifferentiable(f"histogram: bins is {bins!r}, which looks at the data; give a number or the edges")
    return with_value(np.linspace(*_apart(low, high), len(native)), native)


def _apart(low: Value, high: Value) -> tuple[Any, Any]:
    """The limits of bins, which are moved apart where they are equal."""
    equal = primal(low) == primal(high)
    if visible(equal):
        return (low - 0.5, high + 0.5) if equal else (low, high)
    return np.where(equal, low - 0.5, low), np.where(equal, high + 0.5, high)


def _counting(function: Callable[..., Any], *samples: str) -> None:
    """A histogram counts by value, and is linear in the weights; edges that move do not change the counts."""
    names = (*samples, "bins", "range", "density", "weights")

    @implements(function)
    def count(*args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        weights, density = given.pop("weights", None), given.pop("density", None)
        moving = any(True for _ in operands([given[name] for name in samples])) and _follow_data(function, given)
        moving = moving or any(True for _ in operands([given.get("bins"), given.get("range")]))
        options = {name: primal(value) for name, value in given.items()}
        plain = function if library(*options.values(), weights) is np else partial(_on_device, function)
        if not moving and not isinstance(weights, Operand):
            return plain(weights=weights, density=density, **options)
        counts, *edges = plain(weights=primal(weights), **options)
        if isinstance(weights, Operand):
            back = adjoints.histogram(*_by_axis(edges, *(options[name] for name in samples)))
            counts = linear(lambda w: plain(weights=w, **options)[0], weights, adjoint=back)
        if moving:
            each = [np.histogram_bin_edges(*one) for one in zip(*_apiece(function, **given), strict=True)]
            edges = [each] if function is np.histogramdd else each
        if density:
            counts = _densities(counts, edges[0] if function is np.histogramdd else edges)
        return counts, *edges


def _densities(counts: Any, edges: Sequence[Any]) -> Any:
    """Counts by their sum and the volumes of the bins."""
    total = np.sum(counts)
    for i, e in enumerate(edges):
        counts = counts / np.reshape(np.diff(e), (-1,) + (1,) * (counts.ndim - 1 - i))
    return counts / total


def _apiece(
    function: Callable[..., Any],
    a: Value = None,
    bins: Any = 10,
    range: Any = None,
    sample: Value = None,
    **pair: Value,
) -> tuple[Any, Any, Any]:
    """The samples, the bins and the ranges of a histogram, one for each of its axes."""
    if function is np.histogram:
        return [np.ravel(a)], [bins], [range]
    samples = list(pair.values()) if pair else list(np.transpose(sample) if hasattr(sample, "shape") else sample)
    each: Any = bins if np.iterable(bins) else [bins] * len(samples)
    bins = [bins, bins] if pair and len(each) > 2 else each
    if len(bins) != len(samples):
        raise InvalidValue(f"{function.__name__}: {len(bins)} bins are given for {len(samples)} axes; expected as many")
    return samples, bins, [None] * len(samples) if range is None else range


def _by_axis(edges: Any, *samples: Any) -> tuple[Any, Any]:
    """The samples and the edges of a histogram, axis by axis: of histogramdd both are one argument."""
    if not isinstance(edges[0], (tuple, list)):
        return [as_array(x, edges) for x in samples], edges
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

# ── histograms on a device ───────────────────────────────────────────────────────────────────────


def _on_device(function: Callable[..., Any], density: Any = False, weights: Value = None, **given: Any) -> Any:
    """NumPy's histograms by searching and adding: CuPy's look at the data and at the edges."""
    samples, bins, ranges = _apiece(function, **given)
    edges = [_edges(x, b, limits) for x, b, limits in zip(samples, bins, ranges, strict=True)]
    counts = _counts(samples, edges, None if weights is None else np.ravel(weights))
    if function is not np.histogram:
        counts = counts.astype(float)
    if density:
        counts = _densities(counts, edges)
    elif function is np.histogram and weights is None:
        counts = counts.astype(np.intp)
    return (counts, edges) if function is np.histogramdd else (counts, *edges)


def _counts(samples: Sequence[Any], edges: Sequence[Any], weights: Any) -> Any:
    positions, inside = adjoints.binned(samples, edges)
    shape = tuple(len(e) - 1 for e in edges)
    place = positions[0]
    for i, n in zip(positions[1:], shape[1:], strict=True):
        place = place * n + i
    if weights is None:
        weights = np.ones_like(place, float)
    size = prod(shape)
    return backend.sums_at(np.where(inside, place, size), weights, size + 1)[:size].reshape(shape)


def _edges(x: Value, bins: Any, limits: Any) -> Any:
    """The edges for a number of bins, or as they are given."""
    if isinstance(bins, str):
        raise not_on_device("histogram", f"bins={bins!r} looks at the data")
    if np.ndim(bins):
        return as_array(bins, x)
    low, high = _apart(*((np.min(x), np.max(x)) if limits is None else map(float, limits)))
    return between(as_array(low, x), as_array(high, x), int(bins) + 1, True, None, 0)
