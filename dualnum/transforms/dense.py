"""Dense derivatives: Jacobians and Hessians, many directions in one pass.

Forward, a jet with P directions carries P columns through one evaluation. Backward, the sweep is linear in
its cotangent, so a cotangent with P directions gives P rows in one sweep. The Hessian is the gradient's
Jacobian: the gradient of a jet with P directions, forward over reverse.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import optree

from ..backend import as_floating
from ..errors import InvalidValue
from ..jets.jet import Jet
from ..jets.seeding import seed
from ..kinds import Value
from ..operand import Operand, library
from ..operand.levels import open_scope
from .forward import _flatten, _owned, _returned
from .reverse import _grad, _vjp
from .transformed import Argnums, _named, _positions

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev", "blocks", "unit_blocks"]

# Directions at once: so many that the planes of one array of the size of x or of the result take about this
# many bytes, for a record holds many such arrays.
_BUDGET = 1 << 24


def jacobian(
    f: Callable[..., Any], argnums: Argnums = 0, *, mode: str | None = None, device: str | None = None
) -> Callable[..., Any]:
    """The Jacobian: x ↦ ∂f_i/∂x_j, of shape (*f(x).shape, *x.shape).

    Args:
        f: a function of arrays (or nested containers of arrays) to the same.
        argnums: which positional arguments vary; several give a tuple of Jacobians.
        mode: "forward" (a pass for blocks of columns), "reverse" (a sweep for blocks of rows); when left out
            the one with the smaller dimension, which costs an evaluation of f to find out.
        device: as for `derivative`.

    Returns:
        A function of the same arguments. For containers: f's structure, and in it that of the argument.

    Raises:
        InvalidValue: mode is another word; argnums names no argument, or one twice.
        InvalidType: an argument is not made of numbers, or f returns something that is no array.

    Example:
        >>> jacobian(lambda x: np.array([2.0, 3.0]) * x[0] * x[1])(np.array([5.0, 7.0]))
        array([[14., 10.],
               [21., 15.]])
    """
    if mode not in (None, "forward", "reverse"):
        raise InvalidValue(f'jacobian: mode is {mode!r}; expected "forward", "reverse" or None')

    def transformed(*args: Any, **kwargs: Any) -> Any:
        chosen = mode or _better_mode(f, args, kwargs, argnums)
        return (_jacfwd if chosen == "forward" else _jacrev)(f, argnums, "jacobian")(*args, **kwargs)

    return _named(transformed, f, "jacobian", argnums, partial(jacobian, argnums=argnums, mode=mode), device)


def _better_mode(f: Callable[..., Any], args: Any, kwargs: Any, argnums: Argnums) -> str:
    columns = sum(_size(x) for i in _positions(argnums, args, "jacobian") for x in _flatten(args[i])[0])
    if columns == 1:
        return "forward"
    rows = sum(_size(y) for y in _flatten(f(*args, **kwargs))[0])
    return "forward" if columns <= rows else "reverse"


def _size(x: Value) -> int:
    return int(np.prod(np.shape(x)))


def jacfwd(f: Callable[..., Any], argnums: Argnums = 0, *, device: str | None = None) -> Callable[..., Any]:
    """The Jacobian by columns, in forward mode: jets with as many directions as x has entries.

    Arguments, result and errors as for `jacobian`.

    Example:
        >>> jacfwd(lambda x: np.stack([x[0] * x[1], x[1] ** 2]))(np.array([2.0, 3.0]))
        array([[3., 2.],
               [0., 6.]])
    """
    return _jacfwd(f, argnums, "jacfwd", device)


def _jacfwd(f: Callable[..., Any], argnums: Argnums, name: str, device: str | None = None) -> Callable[..., Any]:
    def transformed(*args: Any, **kwargs: Any) -> Any:
        results = [_columns(f, args, kwargs, i, name) for i in _positions(argnums, args, name)]
        return tuple(results) if isinstance(argnums, Sequence) else results[0]

    return _named(transformed, f, name, argnums, partial(jacfwd, argnums=argnums), device)


def _columns(f: Callable[..., Any], args: Any, kwargs: Any, position: int, name: str) -> Any:
    """∂f/∂(argument at this position)."""
    leaves, structure = _flatten(args[position])
    leaves = [x if isinstance(x, Operand) else as_floating(x, name, f"argument {position}") for x in leaves]
    blocks: list[list[Any]] = []  # for each leaf of x, the columns of each leaf of the result
    out_structure: Any = None
    for which, x in enumerate(leaves):
        columns: list[list[Any]] = []
        for directions in unit_blocks(x):
            with open_scope(f"{name} of {getattr(f, '__name__', 'f')}") as scope:
                jets = list(leaves)
                jets[which] = seed(x, 1, None, directions, scope)
                filled = list(args)
                filled[position] = optree.tree_unflatten(structure, jets)
                ys, out_structure = _flatten(_returned(f(*filled, **kwargs), name))
                owned = [_owned(y, scope, name) for y in ys]
                columns.append(
                    [y.planes[y.algebra.block(1)] if own else _zeros(y, len(directions)) for y, own in owned]
                )
        blocks.append(
            [
                _shaped(_last(_joined(parts, len(ys) == 1)), (*parts[0].shape[1:], *x.shape))
                for parts in zip(*columns, strict=True)
            ]
        )
    entries = [
        optree.tree_unflatten(structure, [block[k] for block in blocks]) for k in range(len(blocks[0]) if blocks else 0)
    ]
    return optree.tree_unflatten(out_structure, entries)


def unit_blocks(x: Value) -> Iterator[Any]:
    """A unit direction for every entry of x, as many at once as the budget allows: shape (P, *x.shape)."""
    size, xp = _size(x), library(x)
    for start, stop in blocks(size, size):
        yield xp.eye(stop - start, size, start, x.dtype).reshape(stop - start, *np.shape(x))


def blocks(count: int, size: int, widest: int | None = None) -> Iterator[tuple[int, int]]:
    """The directions in blocks (start, stop), as many at once as the budget allows for arrays of this size."""
    step = max(1, min(count, _BUDGET // max(1, 8 * size), count if widest is None else widest))
    for start in range(0, max(count, 1), step):
        yield start, min(start + step, count)


def _last(x: Value) -> Any:
    """x with its first axis at the end."""
    return x if x.ndim == 1 else np.moveaxis(x, 0, -1)


def _joined(parts: Sequence[Any], alone: bool) -> Any:
    """The blocks in one array that nobody else has; a single one as it is, if it is `alone` and no broadcast."""
    (first, *more) = parts
    if alone and not more and type(first) is np.ndarray and first.flags.writeable and 0 not in first.strides:
        return first
    return np.concatenate(parts)


def _first(y: Jet) -> Any:
    """The coefficients of degree 1, along all directions."""
    return y.planes[y.algebra.block(1)]


def _has_directions(y: Value, scope: Any) -> bool:
    return isinstance(y, Jet) and y.scope is scope


def _zeros(y: Value, count: int) -> Any:
    return library(y).zeros((count, *np.shape(y)), y.dtype)


def jacrev(f: Callable[..., Any], argnums: Argnums = 0, *, device: str | None = None) -> Callable[..., Any]:
    """The Jacobian by rows, in reverse mode: one record, swept with blocks of cotangents.

    Arguments, result and errors as for `jacobian`.

    Example:
        >>> jacrev(lambda x: np.stack([x[0] * x[1], x[1] ** 2]))(np.array([2.0, 3.0]))
        array([[3., 2.],
               [0., 6.]])
    """
    return _jacrev(f, argnums, "jacrev", device)


def _jacrev(f: Callable[..., Any], argnums: Argnums, name: str, device: str | None = None) -> Callable[..., Any]:
    def transformed(*args: Any, **kwargs: Any) -> Any:
        positions = _positions(argnums, args, name)

        def chosen(*xs: Any) -> Any:
            filled = list(args)
            for i, x in zip(positions, xs, strict=True):
                filled[i] = x
            return f(*filled, **kwargs)

        value, pull = _vjp(chosen, [args[i] for i in positions], False, name)
        ys, out_structure = _flatten(value)
        entries = [_rows(pull, ys, out_structure, which) for which in range(len(ys))]
        if len(positions) == 1:
            entries = [(e,) for e in entries]
        results = [optree.tree_unflatten(out_structure, [e[k] for e in entries]) for k in range(len(positions))]
        return tuple(results) if isinstance(argnums, Sequence) else results[0]

    return _named(transformed, f, name, argnums, partial(jacrev, argnums=argnums), device)


def _rows(pull: Callable[[Any], Any], ys: list[Any], structure: Any, which: int) -> Any:
    """The pull-backs of the unit cotangents of one array of the result, in the structure of the arguments."""
    y = ys[which]
    blocks: list[list[Any]] = []
    its_structure: Any = None
    for units in unit_blocks(y):
        with open_scope("jacrev") as scope:
            zeros: list[Any] = [library(other).zeros(np.shape(other), other.dtype) for other in ys]
            zeros[which] = seed(zeros[which], 1, None, units, scope)
            xs, its_structure = _flatten(pull(optree.tree_unflatten(structure, zeros)))
            blocks.append([_first(x) if _has_directions(x, scope) else _zeros(x, len(units)) for x in xs])
    rows = [_joined(parts, len(xs) == 1) for parts in zip(*blocks, strict=True)]
    return optree.tree_unflatten(its_structure, [_shaped(r, (*np.shape(y), *r.shape[1:])) for r in rows])


def _shaped(x: Value, shape: tuple[int, ...]) -> Any:
    """An array in this shape; a number, where that has no axes."""
    if not shape:
        return x[(0,) * x.ndim]
    return x if x.shape == shape else np.reshape(x, shape)


def hessian(f: Callable[..., Any], argnums: Argnums = 0, *, device: str | None = None) -> Callable[..., Any]:
    """The Hessian of a scalar function: x ↦ ∂²f/∂x_i∂x_j, of shape (*x.shape, *x.shape).

    The gradient of a jet with many directions: one recorded evaluation and one sweep for a block of columns.

    Args:
        f: a function of arrays (or nested containers of arrays) to one real number.
        argnums: which positional arguments vary; several give a tuple of tuples, ∂²f/∂x∂y at `[x][y]`.
        device: as for `derivative`.

    Returns:
        A function of the same arguments. For containers: the structure of the argument, and in it once more.

    Raises:
        InvalidValue, InvalidType: as for `grad`.

    Example:
        >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
        array([[10.,  6.],
               [ 6.,  0.]])
    """
    gradient = _named(_grad(f, argnums, False, "hessian"), f, "gradient")
    transformed = _jacfwd(gradient, argnums, "hessian")
    return _named(transformed, f, "hessian", argnums, partial(hessian, argnums=argnums), device)
