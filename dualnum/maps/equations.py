"""Functions that are defined by equations: all derivatives of x(p) with g(x, p) = 0, from a solved x.

An iteration x ← x − A⁻¹ g(x, p) with the Jacobian A = ∂g/∂x of the point, which is factored once, is right to one
degree more each time, in the arithmetic of whatever carries the derivatives of p: jets, variables of a record, traces,
one inside the other. It takes as many iterations as p has degrees, and one in which roundings settle.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import optree
from numpy.lib.array_utils import normalize_axis_index

from .. import containers
from ..backend import as_floating
from ..errors import InvalidType, InvalidValue, ours
from ..functions.matrices import solver
from ..jets.jet import Jet
from ..jets.planes import peeled
from ..jets.seeding import jet, seed
from ..jets.variables import jets
from ..kinds import Value
from ..operand import Operand, is_jet, library, primal
from ..operand.levels import open_scope
from ..primitives.operation import Operation
from .points import check_regular, named

__all__ = ["fixed_point", "implicit"]


def implicit(
    g: Callable[[Any, Any], Any],
    x: Value,
    p: Any,
    *,
    axis: int | None = None,
    order: int | None = None,
    tol: float | None = None,
) -> Any:
    """The function x(p) that solves g(x, p) = 0, with all derivatives that p carries, from a solved x.

    Args:
        g: (x, p) ↦ an array of x's shape.
        x: the solution at the values of p, plain numbers; one step of Newton's method is added.
        p: the parameters: what `jets` and `jet` make, variables that are recorded, or plain numbers; a tuple, list or
            dict of such.
        axis: of x, whose entries along it belong together; each entry is a point of its own when left out.
        order: of plain p, an array or a flat tuple, list or dict of such, of which `jet` or `jets` are made first.
        tol: the length of Newton's step, relative to 1 + |x|, that a solution may be off; √eps when left out.

    Returns:
        x of the same shape, with the derivatives that p carries.

    Raises:
        InvalidType: x is not made of numbers, or is not plain; g gives something else.
        InvalidValue: x does not solve g at a point; ∂g/∂x is singular there; g gives another shape, or mixes entries of
            x that are points of their own.
        InvalidAxis: x has no such axis.
        LevelError: order is given, and p carries derivatives of this level.

    Source:
        Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 15.4; Christianson, "Reverse
        accumulation and attractive fixed points", Optim. Methods Softw. 3, 1994.

    Example:
        >>> x = implicit(lambda x, p: x**3 + p * x - 10.0, 2.0, dn.jet(1.0, order=2))
        >>> x.derivatives() * np.array([1.0, 13.0, 13.0**3])
        array([ 2., -2.,  4.])
    """
    return _Equation("implicit", g, x, axis).at(_parameters("implicit", p, order), tol)


def fixed_point(
    f: Callable[[Any, Any], Any],
    x: Value,
    p: Any,
    *,
    axis: int | None = None,
    order: int | None = None,
    tol: float | None = None,
    maxiter: int = 1000,
) -> Any:
    """The solution x(p) of x = f(x, p) by iteration, with all derivatives that p carries, as those of `implicit`.

    Args:
        f: (x, p) ↦ an array of x's shape.
        x: where to begin, plain numbers.
        p, axis, order: as for `implicit`.
        tol: how much x may still change, relative to 1 + |x|; 4 eps when left out.
        maxiter: iterations at most.

    Returns:
        x of the same shape, with the derivatives that p carries.

    Raises:
        InvalidType, InvalidAxis, LevelError: as for `implicit`.
        InvalidValue: as for `implicit`, and where the iteration does not come to rest.

    Source:
        Christianson, "Reverse accumulation and attractive fixed points", Optim. Methods Softw. 3, 1994.

    Example:
        >>> x = fixed_point(lambda x, p: np.cos(p * x), 0.5, dn.jet(1.0, 2))
        >>> x.value, x.derivative(1) * (1 + np.sin(x.value)) / (x.value * np.sin(x.value))
        (np.float64(0.7390851332), np.float64(-1.0))
    """
    p = _parameters("fixed_point", p, order)
    leaves, structure = containers.flatten(p)

    def iterate(x: Any, *leaves: Any) -> Any:
        return _at_rest(f, x, optree.tree_unflatten(structure, leaves), tol, maxiter)

    x = Operation("fixed_point", iterate, None, _no_rule)(_plain("fixed_point", x), *map(primal, leaves))
    return _Equation("fixed_point", lambda x, p: x - f(x, p), x, axis).at(p, None)


def _no_rule(*args: Any) -> Any:
    raise NotImplementedError  # it only sees numbers, or a trace of them


def _at_rest(f: Callable[[Any, Any], Any], x: Any, p: Any, tol: float | None, maxiter: int) -> Any:
    tol = 4 * float(np.finfo(x.dtype).eps) if tol is None else tol
    for _ in range(maxiter):
        new = primal(_shaped("fixed_point", f(x, p), x))
        if isinstance(new, Operand):
            raise InvalidValue("fixed_point: f uses a traced array that is not among its arguments; pass it as p")
        moving = np.abs(new - x) > tol * (1 + np.abs(new))
        x = library(x).asarray(new, x.dtype)[()]
        if not moving.any():
            return x
    raise InvalidValue(
        f"fixed_point: after {maxiter} iterations x still changes at {named(np.argwhere(moving))}; expected an "
        "iteration that contracts: begin nearer, solve another way and take dn.implicit, or raise tol or maxiter"
    )


class _Equation:
    """g(x, p) = 0 around plain numbers x."""

    def __init__(self, name: str, g: Callable[[Any, Any], Any], x: Value, axis: int | None) -> None:
        self.name = name
        self.g = g
        self.x = _plain(name, x)
        try:
            self.axis = None if axis is None else normalize_axis_index(axis, self.x.ndim)
        except (TypeError, ValueError) as error:
            raise ours(error, name) from None

    def residual(self, x: Any, p: Any) -> Any:
        return _shaped(self.name, self.g(x, p), x)

    def jacobian(self, p: Any) -> Any:
        """∂g/∂x, of points apart (…,), else (…, n, n)."""
        x, xp = self.x, library(self.x)
        n = 1 if self.axis is None else x.shape[self.axis]
        directions = None
        if self.axis is not None:
            units = xp.eye(n, dtype=x.dtype).reshape(n, *(n if i == self.axis else 1 for i in range(x.ndim)))
            directions = np.broadcast_to(units, (n, *x.shape))
        with open_scope(self.name) as scope:
            y = self.residual(seed(x, 1, None, directions, scope, self.name), p)
            own = isinstance(y, Jet) and y.scope is scope
            planes = primal(y.planes[1 : n + 1] if own else xp.zeros((n, *x.shape), x.dtype))
        return planes[0] if self.axis is None else np.moveaxis(planes, (0, self.axis + 1), (-1, -2))

    def at(self, p: Any, tol: float | None) -> Any:
        """x with the derivatives that p carries."""
        a = self.jacobian(containers.map_leaves(primal, p))
        matrices = a[..., None, None] if self.axis is None else a
        check_regular(matrices, f"{self.name}: ∂g/∂x is singular at {{}}; expected a solution around which x is unique")
        solve = self._solver(a)
        x, left = self.x, None
        while left is None or left >= 0:
            step = solve(self.residual(x, p))
            if left is None:
                self._check_solved(step, tol)
                left = _degrees(step)
            x = x - step
            left -= 1
        self._check_settled(x, step)
        return x

    def _solver(self, a: Any) -> Callable[[Any], Any]:
        axis = self.axis
        if axis is None:
            return lambda r: r / a
        solve = solver(a)
        return lambda r: np.moveaxis(solve(np.moveaxis(r, axis, -1)[..., None])[..., 0], -1, axis)

    def _check_solved(self, step: Any, tol: float | None) -> None:
        x, step = primal(self.x), primal(step)
        if isinstance(x, Operand) or isinstance(step, Operand):  # traced
            return
        tol = float(np.sqrt(np.finfo(x.dtype).eps)) if tol is None else tol
        off = np.abs(step) > tol * (1 + np.abs(x))
        if np.any(off):
            far = float(np.max(np.abs(step)))
            raise InvalidValue(
                f"{self.name}: x does not solve g(x, p) = 0 at {named(np.argwhere(off))}: a step of Newton's method is "
                f"{far:.2g} long; expected a solution, or a larger tol"
            )

    def _check_settled(self, x: Any, step: Any) -> None:
        """The last step changes nothing but roundings, if the Jacobian was that of g."""
        x, step = (peeled(y)[0] for y in (x, step))
        if isinstance(x, Operand) or isinstance(step, Operand) or np.shape(x) != np.shape(step):
            return
        largest = np.maximum(np.where(np.isfinite(x), np.abs(x), 1.0).max(), 1.0) if x.size else 1.0
        if np.any(np.abs(step) > np.sqrt(np.finfo(x.dtype).eps) * largest):
            raise InvalidValue(
                f"{self.name}: the derivatives do not solve g(x, p) = 0; expected a g that is smooth and treats each "
                "entry of x alone, or with axis= the entries along that axis"
            )


def _plain(name: str, x: Value) -> Any:
    """The numbers of x; of a traced one the trace."""
    if isinstance(x, Operand):
        if primal(x) is not x:
            raise InvalidType(
                f"{name}: x carries derivatives; expected plain numbers, since those of the solution follow from p: "
                "give x.value, or dn.stop_gradient(x)"
            )
        return x
    return as_floating(x, name, "x")


def _shaped(name: str, y: Any, x: Any) -> Any:
    y = y if isinstance(y, Operand) else as_floating(y, name, "the result of the function")
    if tuple(y.shape) != tuple(np.shape(x)):
        raise InvalidValue(f"{name}: the function gives shape {tuple(y.shape)} for x of shape {np.shape(x)}")
    return y


def _parameters(name: str, p: Any, order: int | None) -> Any:
    """p, as starting jets where an order is given."""
    if order is None:
        return p
    if isinstance(p, dict):
        return dict(zip(p, jets(**p, order=order), strict=True))
    if isinstance(p, (tuple, list)):
        return type(p)(jets(*p, order=order))
    return jet(p, order)


def _degrees(x: Any) -> int:
    """The highest total degree of all levels of derivatives of x."""
    if is_jet(x):
        return int(x.algebra.order) + _degrees(x.planes)
    return 0 if not isinstance(x, Operand) or x.value is x else 1 + _degrees(x.value)
