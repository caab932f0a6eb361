"""Rules of one's own: the derivative of a function as the user knows it, constants, and recomputation."""

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np
import optree

from .errors import InvalidType, InvalidValue, NotDifferentiable
from .jet import Jet
from .operand import Operand, highest, operands, primal
from .planes import stack_blocks
from .primitives.elementwise import Elementwise
from .primitives.table import Series, by_derivative, recurrence
from .tape import Node
from .transforms import vjp
from .variable import Variable

__all__ = ["CustomDerivative", "checkpoint", "custom_derivative", "stop_gradient"]


class CustomDerivative:
    """A function with a rule of its own; made by `custom_derivative`.

    One rule serves all modes and orders. Of a function that works element by element (the value of each entry
    depends on that entry of the arguments alone):

    - ``@f.derivative``: (x, …) ↦ f'(x), for several arguments a tuple of partial derivatives, as an expression of
      ufuncs, operators and ``np.where``;
    - ``@f.series``: (order, value, *coefficients) ↦ coefficients of the result, as in `dualnum.series`.

    Of any other function:

    - ``@f.push_forward``: (primals, tangents) ↦ the tangent of the result, linear in the tangents;
    - ``@f.pull_back``: (cotangent, value, *arguments) ↦ the cotangent of the argument, of several a tuple.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise InvalidType(f"custom_derivative: expected a function, not a {type(function).__name__}")
        update_wrapper(self, function)
        self._function = function
        self._primitive: Any = None
        self._push: Callable[..., Any] | None = None
        self._pull: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        return str(getattr(self._function, "__name__", "f"))

    # ── the rules ────────────────────────────────────────────────────────────────────────────────

    def derivative(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers f' of a function that works element by element."""
        self._unruled()
        count = rule.__code__.co_argcount

        def partial(i: int) -> Callable[..., Any]:
            return (lambda *xs: rule(*xs)) if count == 1 else (lambda *xs: rule(*xs)[i])

        self._primitive = Elementwise(self._function, count)
        by_derivative(self._primitive, *map(partial, range(count)))
        return rule

    def series(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers the recurrence of a function that works element by element."""
        self._unruled()
        self._primitive = Elementwise(self._function, rule.__code__.co_argcount - 2)
        recurrence(self._primitive, rule)
        return rule

    def push_forward(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers the derivative as a linear map of tangents."""
        self._unruled()
        self._push = rule
        return rule

    def pull_back(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers the transpose of the derivative, a linear map of a cotangent."""
        self._unruled()
        self._pull = rule
        return rule

    def _unruled(self) -> None:
        if self._primitive or self._push or self._pull:
            raise InvalidValue(f"{self.name}: it has a rule already; one serves all modes and orders")

    # ── the call ─────────────────────────────────────────────────────────────────────────────────

    def __call__(self, *args: Any) -> Any:
        if self._primitive is not None:
            own = next((x for x in args if isinstance(x, (Operand, Series))), None)
            if own is None:
                return self._function(*args)
            return own.__array_ufunc__(self._primitive, "__call__", *args)
        top = highest(operands(args))
        if not isinstance(top, (Jet, Variable)):
            return self._function(*args)
        if self._push is None and self._pull is None:
            raise NotDifferentiable(
                f"{self.name}: it has no rule yet; decorate one with @{self.name}.derivative, .series, .push_forward "
                "or .pull_back"
            )
        return self._on_jets(top, args) if isinstance(top, Jet) else self._recorded(top, args)

    def _pushed(self, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        if self._push is not None:
            return self._push(tuple(primals), tuple(tangents))
        # the transpose of the pull-back, which is linear in its cotangent
        value = self(*primals)
        zero = np.zeros_like(value) if isinstance(value, Operand) else np.zeros(np.shape(value), value.dtype)
        back = vjp(lambda u: self._pulled(u, value, primals), zero)[1]
        return back(tuple(tangents))

    def _pulled(self, cotangent: Any, value: Any, arguments: Sequence[Any]) -> tuple[Any, ...]:
        if self._pull is None:
            push = lambda *tangents: self._pushed(arguments, tangents)  # noqa: E731
            back = vjp(push, *(np.zeros(np.shape(x), getattr(x, "dtype", float)) for x in arguments))[1](cotangent)
            return (back,) if len(arguments) == 1 else back
        pulled: Any = self._pull(cotangent, value, *arguments)
        if not isinstance(pulled, tuple):
            pulled = (pulled,)
        if len(pulled) != len(arguments):
            raise InvalidValue(
                f"{self.name}: its pull-back gives {len(pulled)} cotangents; expected {len(arguments)}, one for each "
                "argument"
            )
        for i, (c, x) in enumerate(zip(pulled, arguments, strict=True)):
            if c is not None and np.shape(c) != np.shape(x):
                raise InvalidValue(
                    f"{self.name}: its pull-back gives a cotangent of shape {np.shape(c)} for argument {i}, whose "
                    f"shape is {np.shape(x)}"
                )
        return tuple(pulled)

    def _recorded(self, top: Variable, args: tuple[Any, ...]) -> Any:
        values, parents = top._parts(args)
        y = self(*values)
        pull = lambda g, y, *xs: self._pulled(g, y, xs)  # noqa: E731
        node = Node(self.name, parents, pull, (y, *values), y.shape, y.dtype) if any(parents) else None
        return top._new(y, node)

    def _on_jets(self, top: Jet, args: tuple[Any, ...]) -> Any:
        """y' = push(x, x') in jets of one order less, along each direction: k y_k = (push(x, D x))_{k−1}."""
        own = [isinstance(x, Jet) and x.scope is top.scope for x in args]
        value = self(*(x._planes[0] if mine else x for x, mine in zip(args, own, strict=True)))
        order, count = top.order, top.algebra.size_of_a_degree
        planes: list[Any] = [None] * (order * count)
        for p in range(count):
            along = [
                [x._planes[0], *(x._planes[1 + k * count + p] for k in range(order))] if mine else x
                for x, mine in zip(args, own, strict=True)
            ]
            for k, plane in enumerate(self._series_along(top, along, own, order)):
                planes[k * count + p] = plane
        return top._like(stack_blocks([(p, 1) for p in (value, *planes)], top.algebra.size, value), [order])

    def _series_along(self, top: Jet, along: Sequence[Any], own: Sequence[bool], order: int) -> list[Any]:
        if order == 0:
            return []
        zero = [None if mine else _zero(x) for x, mine in zip(along, own, strict=True)]
        if order == 1:
            primals = [x[0] if mine else x for x, mine in zip(along, own, strict=True)]
            return [self._pushed(primals, [x[1] if mine else z for x, mine, z in zip(along, own, zero, strict=True)])]
        algebra = type(top.algebra)(order - 1)

        def jet(planes: Sequence[Any]) -> Jet:
            return object.__new__(Jet)._set(np.stack(planes), [order - 1], algebra, top.scope)

        primals = [jet(x[:order]) if mine else x for x, mine in zip(along, own, strict=True)]
        tangents = [
            jet([k * x[k] for k in range(1, order + 1)]) if mine else z
            for x, mine, z in zip(along, own, zero, strict=True)
        ]
        slope = self._pushed(primals, tangents)
        if not (isinstance(slope, Jet) and slope.scope is top.scope):
            return [slope, *[np.zeros_like(slope)] * (order - 1)]
        return [slope._planes[k] / (k + 1) for k in range(order)]


def _zero(x: Any) -> Any:
    return np.zeros_like(x) if isinstance(x, Operand) else np.zeros(np.shape(x), getattr(x, "dtype", float))


def custom_derivative(function: Callable[..., Any]) -> CustomDerivative:
    """Lets a function have a derivative rule of one's own; see `CustomDerivative` for the kinds of rules.

    Example:
        >>> @custom_derivative
        ... def softplus(x):
        ...     return np.logaddexp(x, 0.0)
        >>> @softplus.derivative
        ... def _(x):
        ...     return 1 / (1 + np.exp(-x))
        >>> from dualnum import derivative, grad
        >>> round(float(derivative(softplus, 2)(0.5)), 6), round(float(grad(softplus)(0.5)), 6)
        (0.235004, 0.622459)
    """
    return CustomDerivative(function)


def stop_gradient(x: Any) -> Any:
    """x as a constant: the plain values, without any derivatives (containers of arrays as well).

    Example:
        >>> from dualnum import grad
        >>> grad(lambda x: x * stop_gradient(x))(3.0)
        np.float64(3.0)
    """
    return optree.tree_map(primal, x)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, recorded as one step: what happens inside is computed again by the reverse sweep instead of kept.

    Costs one more evaluation of f and saves the memory of its record. f takes arrays (or nested containers of
    arrays) and gives one array; it must not use variables that are not among its arguments.

    Raises:
        InvalidValue: f uses a variable that is no argument, or does not return one array.

    Example:
        >>> from dualnum import grad
        >>> grad(lambda x: np.sum(checkpoint(lambda x: np.exp(np.sin(x)))(x)))(np.array([0.0]))
        array([1.])
    """

    def stepped(*args: Any) -> Any:
        leaves: list[Any]
        leaves, structure = optree.tree_flatten(args)  # type: ignore[arg-type]
        top = highest(leaves)
        if not isinstance(top, Variable):
            return f(*args)
        places = [i for i, x in enumerate(leaves) if isinstance(x, Operand)]
        values, parents = top._parts([leaves[i] for i in places])

        def on_leaves(*xs: Any) -> Any:
            filled = list(leaves)
            for i, x in zip(places, xs, strict=True):
                filled[i] = x
            return f(*optree.tree_unflatten(structure, filled))

        y = on_leaves(*values)
        if isinstance(y, (tuple, list, dict)) or not hasattr(y, "dtype"):
            raise InvalidValue(f"checkpoint: f returned a {type(y).__name__}; expected one array")
        if isinstance(y, Variable) and y.scope is top.scope:
            raise InvalidValue("checkpoint: f uses a variable that is not among its arguments; pass it as one")
        if not any(parents):
            return top._new(y, None)

        def pull(g: Any, y: Any, *xs: Any) -> Any:
            pulled = vjp(on_leaves, *xs)[1](g)
            return (pulled,) if len(xs) == 1 else pulled

        return top._new(y, Node(getattr(f, "__name__", "f"), parents, pull, (None, *values), y.shape, y.dtype))

    return update_wrapper(stepped, f, updated=())
