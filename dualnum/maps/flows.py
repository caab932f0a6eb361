"""Flows of differential equations in the arithmetic of whatever the state is made of; of jets their Taylor maps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from .. import containers
from ..algebra import Univariate, check_order
from ..backend import as_floating
from ..errors import InvalidType, InvalidValue
from ..functions.creation import array
from ..jets.jet import Jet
from ..jets.planes import stack_blocks
from ..kinds import Value
from ..operand import Operand, library, operands
from ..operand.levels import Scope, open_scope

__all__ = ["flow", "taylor_step"]

Field = Callable[[Any, Any], Any]


def flow(f: Field, y: Any, t: Any, *, steps: int = 1, method: str = "rk4", order: int = 12) -> Any:
    """The solution of y' = f(t, y) at given times, by steps of fixed length; of jets y the Taylor map of the flow.

    Args:
        f: (t, y) ↦ y', in y's structure.
        y: the state at the first time: an array, jets as `jets` makes them (the map of the flow around the trajectory),
            variables; or a nested container of such.
        t: the times, two or more, in either direction.
        steps: of equal length, between each two times.
        method: "rk4", or "taylor", which takes fewer steps; of maps in several variables it multiplies the planes of
            both series, and takes long to compile.
        order: of "taylor", that in t (see `taylor_step`).

    Returns:
        y at all the times, shape (times, *shape), in y's structure; the first is y itself, and the last [-1].

    Raises:
        InvalidType: times or y are not made of numbers; steps or order is no integer.
        InvalidValue: there are fewer than two times, or no steps; there is no such method; f gives another structure or
            shape than y's.

    Source:
        Berz, Modern Map Methods in Particle Beam Physics, Academic Press 1999, section 5.2; Hairer, Nørsett & Wanner,
        Solving Ordinary Differential Equations I, 2nd ed., Springer 1993, section II.1.

    Example:
        >>> y = dn.jets([1.0, 0.0], order=4, axis=-1)  # position and velocity, and displacements of both
        >>> pendulum = lambda t, y: np.stack([y[1], -np.sin(y[0])])
        >>> end = flow(pendulum, y, [0.0, 0.5], steps=20)[-1]
        >>> end(0.125, 0.25).round(5), flow(pendulum, np.array([1.125, 0.25]), [0.0, 0.5], steps=20)[-1].round(5)
        (array([ 1.13603, -0.20627]), array([ 1.13603, -0.20627]))
    """
    carried = any(True for _ in operands(t))
    times: Any = array(t) if carried else as_floating(t, "flow", "t")
    if times.ndim != 1 or times.shape[0] < 2:
        raise InvalidValue(f"flow: t has shape {tuple(times.shape)}; expected two times or more")
    steps = check_order(steps, "flow")
    if method not in ("rk4", "taylor") or not steps:
        raise InvalidValue(
            f"flow: method is {method!r} with {steps} steps; expected 'rk4' or 'taylor', one step or more"
        )
    field = _Field(f, y, "flow")
    if isinstance(times, np.ndarray):
        times = times.tolist()  # Python's numbers do not widen a state
    elif not carried and field.leaves:
        times = times.astype(field.real)
    states = [field.leaves]
    for i in range(len(times) - 1):
        start, h = times[i], (times[i + 1] - times[i]) / steps
        leaves = states[-1]
        for k in range(steps):
            now = start + k * h
            leaves = (
                _runge_kutta(field, now, leaves, h) if method == "rk4" else _by_series(field, now, leaves, h, order)
            )
        states.append(leaves)
    return field.nested([np.stack(each) for each in zip(*states, strict=True)])


def taylor_step(f: Field, t: Any, y: Any, h: Any, order: int = 12) -> Any:
    """One step of y' = f(t, y) by the Taylor series of the solution in t: Σ_k y_k h^k, (k + 1) y_{k+1} = f_k.

    Args:
        f: (t, y) ↦ y', in y's structure; it is called `order` times, with jets of that order in t.
        t: the time.
        y: the state, as for `flow`.
        h: the length of the step.
        order: K ≥ 1, the last term.

    Returns:
        y at t + h, of the same structure and shapes.

    Raises:
        InvalidType, InvalidValue: as for `flow`.

    Source:
        Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer 1993, section I.8.

    Example:
        >>> taylor_step(lambda t, y: -y, 0.0, np.array([1.0, 2.0]), 0.5) * np.exp(0.5)
        array([1., 2.])
    """
    field = _Field(f, y, "taylor_step")
    return field.nested(_by_series(field, t, field.leaves, h, order))


class _Field:
    """y' = f(t, y) on the arrays of a structure."""

    def __init__(self, f: Field, y: Any, name: str) -> None:
        if not callable(f):
            raise InvalidType(f"{name}: f is a {type(f).__name__}; expected a function of t and y")
        self.f = f
        self.name = name
        leaves, self.structure = containers.flatten(y)
        self.leaves = [x if isinstance(x, Operand) else as_floating(x, name, "y") for x in leaves]

    def nested(self, leaves: list[Any]) -> Any:
        return optree.tree_unflatten(self.structure, leaves)

    @property
    def real(self) -> np.dtype[Any]:
        """The type of real numbers that goes with the state's."""
        return np.zeros((), self.leaves[0].dtype).real.dtype

    def time(self, t: Any) -> Any:
        """The time as an array or operand; a number of Python's in the type of the state."""
        if type(t) in (int, float) and self.leaves:
            return self.real.type(t)
        return t if isinstance(t, Operand) else as_floating(t, self.name, "t")

    def __call__(self, t: Any, leaves: list[Any]) -> list[Any]:
        slopes, structure = containers.flatten(self.f(self.time(t), self.nested(leaves)))
        slopes = [x if isinstance(x, Operand) else as_floating(x, self.name, "f's result") for x in slopes]
        shapes, wanted = [tuple(x.shape) for x in slopes], [tuple(x.shape) for x in leaves]
        if structure != self.structure or shapes != wanted:
            raise InvalidValue(
                f"{self.name}: f gives arrays of shapes {shapes} for a state of shapes {wanted}; expected y' in the "
                "structure and shapes of y"
            )
        return slopes


def _runge_kutta(field: _Field, t: Any, y: list[Any], h: Any) -> list[Any]:
    """The classical method of order 4."""
    half = h / 2
    a = field(t, y)
    b = field(t + half, [x + half * v for x, v in zip(y, a, strict=True)])
    c = field(t + half, [x + half * v for x, v in zip(y, b, strict=True)])
    d = field(t + h, [x + h * v for x, v in zip(y, c, strict=True)])
    sixth = h / 6
    return [x + sixth * (a + 2 * (b + c) + d) for x, a, b, c, d in zip(y, a, b, c, d, strict=True)]


def _by_series(field: _Field, t: Any, y: list[Any], h: Any, order: int) -> list[Any]:
    order = check_order(order, field.name)
    if not order:
        raise InvalidValue(f"{field.name}: order is 0; expected 1 or more")
    coefficients = [[x] for x in y]
    with open_scope(field.name) as scope:
        algebra = Univariate(order)
        now = _jet([_beside(field.time(t), y), 1.0], algebra, scope)
        for k in range(order):
            slopes = field(now, [_jet(c, algebra, scope) for c in coefficients])
            for c, v in zip(coefficients, slopes, strict=True):
                own = isinstance(v, Jet) and v.scope is scope
                c.append((v.planes[k] if own else v if k == 0 else 0 * v) / (k + 1))
    results = []
    for c in coefficients:
        result = c[-1]
        for x in c[-2::-1]:
            result = result * h + x
        results.append(result)
    return results


def _beside(t: Value, y: list[Any]) -> Any:
    """The time where the state is."""
    xp = library(*y)
    return t if xp is np or isinstance(t, Operand) else xp.asarray(t)


def _jet(coefficients: list[Value], algebra: Univariate, scope: Scope) -> Jet:
    """A series of which the first coefficients are known."""
    planes = stack_blocks([(c, 1) for c in coefficients], algebra.size, coefficients[0])
    return object.__new__(Jet)._set(planes, algebra.order, algebra, scope)
