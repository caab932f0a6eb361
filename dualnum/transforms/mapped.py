"""Functions that are written for one point, at many: `vmap`."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import optree
from numpy.lib.array_utils import normalize_axis_index

from ..backend import is_array
from ..errors import InvalidType, InvalidValue
from ..operand import Operand
from ..operand.levels import Scope, open_scope
from .batch import Batch, NotBatchable
from .transformed import _named

__all__ = ["vmap"]


def vmap(f: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """A function for one point, at all points along an axis of its arguments: y_i = f(x_i).

    f is run once, on a batch that shows the shape of one point. Ufuncs, reductions, indexing, shapes, products and the
    linear algebra of NumPy are done for all points together; another function, or a primitive of this package, is
    called for each point. Where f looks at numbers (``if x > 0``, an array that is filled), or some point is one where
    derivatives have cases (a tie, a zero of a modulus), f is run point by point instead: always right, and a loop in
    Python. What f does besides its result may so be done more than once.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same.
        in_axes: the axis of the points in each positional argument, None for one that is the same for all points; one
            for all arguments, or a tuple, in which a container stands for that of an argument. Keywords are mapped
            along axis 0.
        out_axes: where the axis of the points stands in the result; one for all arrays of it, or a container as f
            returns; None for what is the same at all points, of which the first is taken.

    Returns:
        A function of the same arguments. Its result has f's structure, shapes with one axis more, and f's types.

    Raises:
        InvalidType: an axis is no integer; an argument that is mapped is no array.
        InvalidValue: no argument is mapped, or there are no points; arguments have different numbers of points; in_axes
            or out_axes do not fit; f returns other structures or shapes at other points.

    Source:
        Frostig, Johnson & Leary, "Compiling machine learning programs via high-level tracing", SysML 2018.

    Example:
        >>> def energy(x, k):
        ...     return k * x[0] ** 2 if x[0] > 0 else 0.5 * x[1] ** 2
        >>> x = np.array([[1.0, 2.0], [-1.0, 3.0], [2.0, 5.0]])
        >>> vmap(dn.grad(energy), in_axes=(0, None))(x, 10.0)
        array([[20.,  0.],
               [ 0.,  3.],
               [40.,  0.]])
    """

    def mapped(*args: Any, **kwargs: Any) -> Any:
        axes = _in_axes(in_axes, args)
        leaves: list[tuple[Any, int | None]] = []
        structures = []
        for i, (x, axis) in enumerate([*zip(args, axes, strict=True), *((x, 0) for x in kwargs.values())]):
            its, structure = optree.tree_flatten(x, none_is_leaf=True)
            leaves += zip(its, _prefix(axis, x, f"in_axes of argument {i}", len(its)), strict=True)
            structures.append((len(its), structure))
        leaves = [(_mapped(x, axis), axis) for x, axis in leaves]
        count = _count(leaves)

        def at(each: list[Any]) -> Any:
            given = iter(each)
            filled = [optree.tree_unflatten(s, [next(given) for _ in range(n)]) for n, s in structures]
            return f(*filled[: len(args)], **dict(zip(kwargs, filled[len(args) :], strict=True)))

        found = _at_once(f, at, leaves, count, out_axes)
        if found is not None:
            return found
        return _stacked([at([_point(x, axis, i) for x, axis in leaves]) for i in range(count)], out_axes)

    return _named(mapped, f, "vmap", 0, partial(vmap, in_axes=in_axes, out_axes=out_axes))


def _at_once(
    f: Callable[..., Any], at: Callable[[list[Any]], Any], leaves: list[tuple[Any, Any]], count: int, out_axes: Any
) -> Any:
    """The results of one call of f on batches; None where the points must be taken one by one."""
    try:
        with open_scope(f"vmap of {getattr(f, '__name__', 'f')}") as scope:
            result = at([x if axis is None else Batch(np.moveaxis(x, axis, 0), scope) for x, axis in leaves])
            ys, structure = optree.tree_flatten(result, none_is_leaf=True)
            axes = _prefix(out_axes, result, "out_axes", structure.num_leaves)
            return optree.tree_unflatten(
                structure, [_placed(y, a, scope, count) for y, a in zip(ys, axes, strict=True)]
            )
    except Exception:  # whatever it is: if it is a mistake of f's, it is made at a point as well
        return None


def _placed(y: Any, axis: Any, scope: Scope, count: int) -> Any:
    """An array of the result, the axis of the points where it belongs."""
    if isinstance(y, Operand) and y.scope.level > scope.level:
        raise NotBatchable
    mine = isinstance(y, Batch) and y.scope is scope
    if axis is None:
        return y.points[0] if mine else y
    if y is None:
        return None
    if not mine:
        y = y if isinstance(y, Operand) else np.asarray(y)
        return np.stack([y] * count, axis=axis)
    normalize_axis_index(int(axis), np.ndim(y.points))
    return np.moveaxis(y.points, 0, axis)


def _point(x: Any, axis: Any, i: int) -> Any:
    return x if axis is None else x[(slice(None),) * axis + (i,)]


def _in_axes(in_axes: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """An entry for each positional argument."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not isinstance(in_axes, tuple):
        return (in_axes,) * len(args)
    if len(in_axes) != len(args):
        raise InvalidValue(f"vmap: in_axes has {len(in_axes)} entries, and there are {len(args)} arguments by position")
    return in_axes


def _prefix(axes: Any, x: Any, what: str, count: int) -> list[Any]:
    """An axis for each leaf of x, from one for all of them or a container of which leaves stand for parts of x."""
    if axes is None or isinstance(axes, (int, np.integer)):
        if isinstance(axes, bool):
            raise InvalidType(f"vmap: {what} is {axes}; expected an integer or None")
        return [axes] * count
    if isinstance(axes, (str, float)):
        raise InvalidType(f"vmap: {what} is {axes!r}; expected an integer, None, or a container of them")
    structure = optree.tree_structure(axes, none_is_leaf=True)
    try:
        parts = structure.flatten_up_to(x)
    except (ValueError, TypeError) as error:
        raise InvalidValue(f"vmap: {what} is {axes!r}, which does not fit a {type(x).__name__}: {error}") from None
    found: list[Any] = []
    for axis, part in zip(optree.tree_leaves(axes, none_is_leaf=True), parts, strict=True):
        found += _prefix(axis, part, what, len(optree.tree_leaves(part, none_is_leaf=True)))
    return found


def _mapped(x: Any, axis: Any) -> Any:
    """An argument's array, if it is mapped."""
    if axis is None:
        return x
    if not isinstance(axis, (int, np.integer)):
        raise InvalidType(f"vmap: an axis is {axis!r}; expected an integer or None")
    if not isinstance(x, Operand) and not is_array(x):
        x = np.asarray(x)
    if not np.ndim(x):
        raise InvalidType("vmap: an argument that is mapped has no axes; write None in its place in in_axes")
    return x


def _count(leaves: list[tuple[Any, Any]]) -> int:
    """How many points there are; the axes become ones counted from the front."""
    sizes = set()
    for i, (x, axis) in enumerate(leaves):
        if axis is not None:
            try:
                axis = normalize_axis_index(int(axis), np.ndim(x))
            except np.exceptions.AxisError:
                raise InvalidValue(f"vmap: in_axes has {axis}, and an argument has shape {np.shape(x)}") from None
            leaves[i] = x, axis
            sizes.add(np.shape(x)[axis])
    if not sizes:
        raise InvalidValue("vmap: no argument is mapped; expected one at least whose entry of in_axes is not None")
    if len(sizes) > 1:
        raise InvalidValue(f"vmap: the arguments have {', '.join(map(str, sorted(sizes)))} points; expected as many")
    count = sizes.pop()
    if not count:
        raise InvalidValue("vmap: there are no points; what f returns, and its shape, cannot be known")
    return int(count)


def _stacked(results: list[Any], out_axes: Any) -> Any:
    """What f returned at all points, in one structure."""
    each = [optree.tree_flatten(y, none_is_leaf=True) for y in results]
    structure = each[0][1]
    if any(s != structure for _, s in each):
        raise InvalidValue("vmap: f returned another structure at another point; expected the same at all of them")
    axes = _prefix(out_axes, results[0], "out_axes", structure.num_leaves)
    joined = []
    for ys, axis in zip(zip(*(leaves for leaves, _ in each), strict=True), axes, strict=True):
        if axis is None or ys[0] is None:
            joined.append(ys[0])
            continue
        if any(np.shape(y) != np.shape(ys[0]) for y in ys):
            raise InvalidValue(
                "vmap: f returned arrays of other shapes at other points; expected the same at all of them"
            )
        try:
            joined.append(np.stack(ys, axis=int(axis)))
        except np.exceptions.AxisError:
            raise InvalidValue(
                f"vmap: out_axes has {axis}, and f returns an array of shape {np.shape(ys[0])}"
            ) from None
    return optree.tree_unflatten(structure, joined)
