"""A batch: what stands for one point in a function that `vmap` runs once for all of them.

It lives on a level of its own, as jets and variables do, and shows the shape of one point; the points lie along the
first axis of what it holds, an array or an operand of a lower level. Ufuncs, and functions that have one axis more in
front as well, run once for all points; every other function runs for each point, and its results are stacked.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
import optree
from numpy.lib.array_utils import normalize_axis_tuple

from ..algebra import Part
from ..backend import device_of, is_array
from ..errors import NotDifferentiable
from ..kinds import DType, Index, Value
from ..operand import Operand, highest, library, operands, primal, visible
from ..operand.index import as_tuple
from ..operand.levels import Scope
from ..operand.rearrangement import Rearrangement
from ..primitives.table import lookup
from .batching import RULES

__all__ = ["Batch", "NotBatchable"]


class NotBatchable(Exception):
    """What a batch cannot do as one: a branch on its numbers, or a point at which a rule has cases."""


class Batch(Operand):
    """The points along the first axis of an array, as one of them."""

    __slots__ = ("points", "scope")

    def __init__(self, points: Value, scope: Scope) -> None:
        self.points = points
        self.scope = scope

    @property
    def value(self) -> Any:
        """A batch carries no derivatives of its own; here it is without those of lower levels."""
        below = primal(self.points)
        return self if below is self.points else self._new(below)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(np.shape(self.points)[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = self.points.dtype
        return dtype

    @property
    def device(self) -> str:
        """Where the points are."""
        return str(device_of(self.points))

    def __repr__(self) -> str:
        return f"Batch({len(self.points)} points, shape={self.shape}, dtype={self.dtype})"

    # ── what is asked of its numbers ─────────────────────────────────────────────────────────────

    def _refused(self, *args: Any) -> NoReturn:
        raise NotBatchable

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __array__ = __contains__ = __setitem__ = _refused
    item = tolist = fill = sort = _refused
    put: Any = _refused

    def _alarm(self) -> None:
        if isinstance(self.points, Operand):
            self.points._alarm()
        elif np.any(self.points):
            raise NotBatchable

    def _seldom(self) -> bool:
        if isinstance(self.points, Operand):
            return self.points._seldom()
        self._alarm()
        return False

    def _is_mine(self, x: Value, name: str = "") -> bool:
        return isinstance(x, Batch) and x.scope is self.scope

    def _strong(self) -> "Batch":
        return self

    # ── all points at once ───────────────────────────────────────────────────────────────────────

    def _new(self, points: Value) -> "Batch":
        return Batch(points, self.scope)

    def _in_front(self, x: Value, ndim: int) -> Any:
        """The points of x, with axes behind the first as NumPy adds them; what is the same at all points as it is."""
        if not self._is_mine(x):
            return x
        missing = ndim - x.ndim
        return np.reshape(x.points, (len(x.points), *(1,) * missing, *x.shape)) if missing > 0 else x.points

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if Part in map(type, inputs):  # whose coefficients such as this may be
            return NotImplemented
        top: Any = highest((*inputs, *kwargs.get("out", ())))
        if not self._is_mine(top):
            return top.__array_ufunc__(ufunc, method, *inputs, **kwargs)
        if "out" in kwargs or "where" in kwargs:
            raise NotBatchable
        if method != "__call__" or getattr(ufunc, "signature", None) is not None:
            if ufunc is np.matmul and method == "__call__" and not kwargs:
                return self._matmul(*inputs)
            if method == "reduce":
                return self._reduced(ufunc.reduce, *inputs, **{"axis": 0, **kwargs})
            return self._each(getattr(ufunc, method), inputs, kwargs)
        return self._ufunc(ufunc, method, inputs, kwargs)

    def _ufunc(self, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        inputs = tuple(np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs)
        ndim = max(map(np.ndim, inputs))
        given = [self._in_front(x, ndim) for x in inputs]
        result = ufunc(*given, **kwargs)
        _plain_points(ufunc, given)
        return tuple(map(self._new, result)) if isinstance(result, tuple) else self._new(result)

    def _primitive(self, row: Any, inputs: tuple[Any, ...]) -> Any:
        return self._ufunc(row.ufunc, "__call__", inputs, {})

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if Part in types:
            return NotImplemented
        top: Any = highest(operands((args, kwargs)))
        if not self._is_mine(top):
            return top.__array_function__(function, types, args, kwargs)
        rule = RULES.get(function)
        if rule is not None:
            result = rule(self, function, *args, **kwargs)
            if result is not NotImplemented:
                return result
        return self._each(function, args, kwargs)

    def __getitem__(self, index: Index) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        several = [i for i in parts if not (i is None or i is Ellipsis or isinstance(i, (int, slice, np.integer)))]
        if any(isinstance(i, (Operand, list)) for i in several) or (several and len(parts) > 1):
            return self._each(lambda x, i: x[i], (self, index), {})
        return self._new(self.points[(slice(None), *parts)])

    def astype(self, dtype: DType, casting: Any = "unsafe", copy: bool = True) -> Any:
        return self._new(self.points.astype(dtype))

    def copy(self, order: str = "C") -> Any:
        return self._new(self.points.copy())

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    # ── point by point ───────────────────────────────────────────────────────────────────────────

    def _each(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """function(*args, **kwargs) at every point, the results stacked."""
        if kwargs.get("out") is not None:
            raise NotBatchable
        leaves: list[Any]
        leaves, structure = optree.tree_flatten((args, kwargs), none_is_leaf=True)  # type: ignore[arg-type]
        mine = [self._is_mine(x) for x in leaves]
        results, shapes = [], []
        for i in range(len(self.points)):
            at = [x.points[i] if own else x for x, own in zip(leaves, mine, strict=True)]
            its_args, its_kwargs = optree.tree_unflatten(structure, at)
            ys, shape = optree.tree_flatten(function(*its_args, **its_kwargs), none_is_leaf=True)
            results.append(ys)
            shapes.append(shape)
        if any(s != shapes[0] for s in shapes):
            raise NotBatchable
        return optree.tree_unflatten(shapes[0], [self._joined(ys) for ys in zip(*results, strict=True)])

    def _joined(self, ys: Sequence[Any]) -> Any:
        """The results of the points as a batch; what is no array must be the same at all of them."""
        if all(isinstance(y, Operand) or is_array(y) for y in ys):
            if any(np.shape(y) != np.shape(ys[0]) for y in ys):
                raise NotBatchable
            return self._new(np.stack(ys))
        if any(y != ys[0] for y in ys):
            raise NotBatchable
        return ys[0]

    def _linear(self, function: Any, data: tuple[Any, ...], adjoint: Any = None, stacked: Any = None) -> Any:
        if stacked is not None and len(data) == 1:
            return self._new(stacked(self.points))
        return self._each(function, data, {})

    def _rearrange(self, function: Any, data: tuple[Any, ...]) -> Any:
        moves = Rearrangement(function, [np.broadcast_to(np.empty((), x.dtype), np.shape(x)) for x in data])
        count = len(self.points)
        full = [x.points if self._is_mine(x) else np.broadcast_to(x, (count, *np.shape(x))) for x in data]
        return self._new(moves.gathered(full))

    def _placed(self, index: Index, shape: tuple[int, ...]) -> Any:
        index, shape = (slice(None), *as_tuple(index)), (len(self.points), *shape)
        if isinstance(self.points, Operand):
            placed = self.points._placed(index, shape)
            return None if placed is None else self._new(placed)
        zeros = library(self.points).zeros(shape, self.points.dtype)
        zeros[index] = self.points
        return self._new(zeros)

    def _batched(self, function: Callable[[Any, int], Any], adjoint: Any = None) -> Any:
        return self._new(function(self.points, 1))

    def _bilinear(self, function: Any, a: Value, b: Value, adjoints: Any = None, stacked: Any = None) -> Any:
        if stacked is not None and self._is_mine(a) != self._is_mine(b):
            mine = self._is_mine(a)
            return self._new(stacked[0](a.points, b) if mine else stacked[1](a, b.points))
        return self._each(function, (a, b), {})

    def _operation(self, operation: Any, args: tuple[Any, ...]) -> Any:
        return self._each(operation, args, {})

    # ── rules ────────────────────────────────────────────────────────────────────────────────────

    def _matmul(self, a: Value, b: Value) -> Any:
        """Vectors become matrices, so that the points are one axis more in front of these."""
        if np.ndim(a) == 0 or np.ndim(b) == 0:
            return self._each(np.matmul, (a, b), {})
        column, row = np.ndim(b) == 1, np.ndim(a) == 1
        a, b = (a[None, :] if row else a), (b[:, None] if column else b)
        ndim = max(np.ndim(a), np.ndim(b))
        y = np.matmul(self._in_front(a, ndim), self._in_front(b, ndim))
        y = y[..., 0] if column else y
        return self._new(y[..., 0] if row and column else y[..., 0, :] if row else y)

    def _reduced(self, function: Any, a: Value, *args: Any, axis: Any = None, **kwargs: Any) -> Any:
        """A reduction along the axes of one point."""
        if args or not self._is_mine(a) or not set(kwargs) <= {"keepdims", "ddof", "dtype", "initial"}:
            return self._each(function, (a, *args), {"axis": axis, **kwargs})
        axes = tuple(range(a.ndim)) if axis is None else normalize_axis_tuple(axis, a.ndim)
        if not axes:
            return self._each(function, (a,), {"axis": axis, **kwargs})
        return self._new(function(a.points, axis=tuple(i + 1 for i in axes), **kwargs))


def _plain_points(ufunc: Any, given: Sequence[Any]) -> None:
    """Raises where a point has a case of its own in the rule of the ufunc: a kink, a mend, a zero of a modulus."""
    values = [primal(x) for x in given]
    if not all(visible(v) for v in values):
        return
    try:
        row = lookup(ufunc)
    except NotDifferentiable:
        return
    with np.errstate(all="ignore"):
        if row.kink is not None and np.any(row.kink(*values)):
            raise NotBatchable
        if row.mend is None and row.even is None and row.of_squares is None:
            return
        y = row.ufunc(*values)
        if row.mend is not None and np.any(row.mend.where(y, *values)):
            raise NotBatchable
        if (row.even is not None or row.of_squares is not None) and not np.all(y):
            raise NotBatchable
