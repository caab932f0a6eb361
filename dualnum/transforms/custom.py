"""Rules of one's own: the derivative of a function as the user knows it, constants, and recomputation."""

import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import update_wrapper
from typing import Any

import numpy as np
import optree

from .. import containers
from ..backend import is_array
from ..errors import InvalidType, InvalidValue, NotDifferentiable
from ..jets.jet import Jet
from ..jets.operations import fitting, zero_of
from ..jets.planes import readonly
from ..kinds import Value
from ..operand import Operand, highest, library, operands, primal, visible
from ..operand.constants import frozen
from ..primitives.elementwise import Elementwise
from ..primitives.operation import Operation
from ..primitives.table import Series, by_derivative, recurrence
from ..tape.recorded import Recorded
from . import vjp
from .batch import Batch

__all__ = ["CustomDerivative", "checkpoint", "custom_derivative", "stop_gradient"]


class CustomDerivative(Operation):
    """A function with one rule for all modes and orders, made by `custom_derivative`; see there for an example.

    Rules are decorators, the first two for functions each entry of which depends on that of the arguments alone.

    - ``@f.derivative``: (x, …) ↦ f'(x), for several arguments a tuple, by ufuncs, operators and ``np.where``;
    - ``@f.series``: (order, value, *coefficients) ↦ coefficients of the result, as in `dualnum.series`;
    - ``@f.push_forward``: (primals, tangents) ↦ the tangent of the result, linear in the tangents (one that calls f on
      tangents costs the reverse mode a call for each entry of the arguments: better a pull-back then);
    - ``@f.pull_back``: (cotangent, value, *arguments) ↦ the cotangent of the argument, of several a tuple.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise InvalidType(f"custom_derivative: expected a function, not a {type(function).__name__}")
        update_wrapper(self, function)
        super().__init__(str(getattr(function, "__name__", "f")), function, None, self._pull_back, push=self._pushed)
        self._primitive: Any = None
        self._push: Callable[..., Any] | None = None
        self._pull: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"<custom_derivative {self.name}>"

    # ── the rules ────────────────────────────────────────────────────────────────────────────────

    def derivative(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers `rule` as f' of a function that works element by element, and gives it back."""
        self._unruled()
        count = self._arity(rule)

        def partial(i: int) -> Callable[..., Any]:
            def one(*xs: Any) -> Any:
                slope = rule(*xs)
                if slope is None or (count > 1 and not (isinstance(slope, tuple) and len(slope) == count)):
                    given = "None" if slope is None else f"a {type(slope).__name__}"
                    expected = "f'(x)" if count == 1 else f"a tuple of {count} partial derivatives"
                    raise InvalidType(f"{self.name}: its derivative returned {given}; expected {expected}")
                return slope if count == 1 else slope[i]

            return one

        self._primitive = Elementwise(self.value, count, ruled=True)
        by_derivative(self._primitive, *map(partial, range(count)))
        return rule

    def series(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers `rule` as the recurrence of a function that works element by element, and gives it back."""
        self._unruled()
        self._primitive = Elementwise(self.value, self._arity(rule, 2), ruled=True)
        recurrence(self._primitive, _whole(self.name, rule))
        return rule

    def push_forward(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers `rule` as the derivative, a linear map of tangents, and gives it back."""
        self._unruled()
        self._push = rule
        return rule

    def pull_back(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Registers `rule` as the transpose of the derivative, a linear map of a cotangent, and gives it back."""
        self._unruled()
        self._pull = rule
        return rule

    def _unruled(self) -> None:
        if self._primitive or self._push or self._pull:
            raise InvalidValue(f"{self.name}: it has a rule already; one serves all modes and orders")

    def _arity(self, rule: Callable[..., Any], more: int = 0) -> int:
        """Of how many arguments the function is, by the account of a rule that takes some more, or else by its own."""
        possible, its = _arities(self.value), _arities(rule)
        if its is None and possible is None:
            raise InvalidValue(f"{self.name}: it cannot be seen how many arguments it takes; name them, without a star")
        if its is None:
            return possible[-1]  # type: ignore[index]
        count = its[-1] - more
        if possible is not None and count not in possible:
            raise InvalidValue(f"{self.name}: its rule takes {its[-1]} arguments; expected {possible[-1] + more}")
        return count

    # ── the call ─────────────────────────────────────────────────────────────────────────────────

    def __call__(self, *args: Any) -> Any:
        if self._primitive is not None:
            own = next((x for x in args if isinstance(x, (Operand, Series))), None)
            if own is None:
                return self.value(*args)
            return own.__array_ufunc__(self._primitive, "__call__", *args)
        top = highest(operands(args))
        if isinstance(top, Batch):  # each of its points may carry derivatives
            return top._operation(self, args)
        if not isinstance(top, (Jet, Recorded)):  # a trace goes through the function
            return self.value(*args)
        if self._push is None and self._pull is None:
            raise NotDifferentiable(
                f"{self.name}: it has no rule yet; decorate one with @{self.name}.derivative, .series, .push_forward "
                "or .pull_back"
            )
        return top._operation(self, args)

    def _pushed(self, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
        if self._push is not None:
            tangent = self._push(tuple(primals), tuple(tangents))
            if tangent is None:
                raise InvalidType(f"{self.name}: its push-forward returned None; expected the tangent of the result")
            return tangent
        # the transpose of the pull-back, which is linear in its cotangent
        value = self(*primals)

        def pulled(u: Value) -> tuple[Any, ...]:
            found = self._pull_back((), u, value, *primals)
            return tuple(zero_of(x, value) if c is None else c for c, x in zip(found, primals, strict=True))

        return vjp(pulled, zero_of(value, *primals))[1](tuple(tangents))

    def _pull_back(self, wanted: Sequence[bool], cotangent: Value, value: Value, *arguments: Any) -> tuple[Any, ...]:
        if self._pull is None:
            return self._turned_around(cotangent, value, arguments)
        # the sweep may hand the same arrays on to others
        pulled: Any = self._pull(*map(readonly, (cotangent, value, *arguments)))
        if pulled is None:
            raise InvalidType(f"{self.name}: its pull-back returned None; expected a cotangent for each argument")
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
        # it may have kept what it gives: the caller of a gradient gets an array of its own
        return tuple(c.copy() if is_array(c) and not isinstance(c, np.generic) else c for c in pulled)

    def _turned_around(self, cotangent: Value, value: Value, arguments: Sequence[Any]) -> tuple[Any, ...]:
        """The transpose of the push-forward, which is linear in its tangents."""
        if self in _turning.get():
            raise _Circular

        def push(*tangents: Any) -> Any:
            return fitting(self.name, self._pushed(arguments, tangents), value)

        xp = library(value, *arguments)
        zeros = [xp.zeros(np.shape(x), getattr(x, "dtype", float)) for x in arguments]
        token = _turning.set(_turning.get() | {self})
        try:
            back = vjp(push, *zeros)[1](cotangent)
            return (back,) if len(arguments) == 1 else back
        except _Circular:
            pass
        finally:
            _turning.reset(token)
        results = []
        for i, zero in enumerate(zeros):
            entries = []
            for place in np.ndindex(zero.shape):
                unit = zero.copy()
                unit[place] = 1
                entries.append(np.sum(cotangent * push(*zeros[:i], unit, *zeros[i + 1 :])))
            results.append(np.reshape(np.stack(entries), zero.shape) if entries else zero)
        return tuple(results)


def _whole(name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A series rule that is asked, where it gives few coefficients, whether there would be more of longer operands."""
    linear: set[int] = set()  # the orders to which that is known

    def checked(order: int, value: Value, *operands: Sequence[Any]) -> Any:
        y = rule(order, value, *operands)
        if not isinstance(y, (list, tuple)) or not 0 < len(y) <= order + 1:
            given = f"{len(y)} coefficients" if isinstance(y, (list, tuple)) else f"a {type(y).__name__}"
            raise InvalidType(
                f"{name}: its series rule gave {given} for order {order}; expected a list of at most {order + 1}, the "
                "value first"
            )
        if 1 < len(y) <= order and order not in linear:
            longer = [[*u, *[0.0 * u[0]] * (order + 1 - len(u))] if len(u) > 1 else u for u in operands]
            found = len(rule(order, value, *longer))
            if found <= order:
                raise InvalidValue(
                    f"{name}: its series rule gave {found} coefficients for order {order}; expected {order + 1}, from "
                    "the value to the last one (those may be left out that vanish because the arguments' do)"
                )
            linear.add(order)
        return y

    return checked


class _Circular(Exception):
    """A push-forward that calls its own function on tangents was to be turned around to turn it around."""


_turning: ContextVar[frozenset[CustomDerivative]] = ContextVar("turning", default=frozenset())


def _arities(function: Callable[..., Any]) -> range | None:
    """With how many arguments by position a function can be called; None where it does not say."""
    if isinstance(function, np.ufunc):
        return range(function.nin, function.nin + 1)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # one of C
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    by_position = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return range(sum(p.default is p.empty for p in by_position), len(by_position) + 1)


def custom_derivative(function: Callable[..., Any]) -> CustomDerivative:
    """Lets a function have a derivative rule of one's own.

    Args:
        function: of arrays, given by position, to one array.

    Returns:
        The function, and the decorators for its rule: see `CustomDerivative`.

    Raises:
        InvalidType: it is no function; a rule returns something else than it should.
        InvalidValue: it has a rule already; a rule takes another number of arguments, or gives another shape.
        NotDifferentiable: it is called with derivatives before it has a rule.

    Example:
        >>> @custom_derivative
        ... def softplus(x):
        ...     return np.logaddexp(x, 0.0)
        >>> @softplus.derivative
        ... def _(x):
        ...     return 1 / (1 + np.exp(-x))
        >>> dn.derivative(softplus, 2)(0.5), dn.grad(softplus)(0.5)
        (np.float64(0.235004), np.float64(0.622459))
    """
    return CustomDerivative(function)


def stop_gradient(x: Value) -> Any:
    """x as a constant: the plain values, without any derivatives.

    Args:
        x: an array, jet or variable, or a nested container of them.

    Returns:
        The same structure of arrays, shapes and types as they are.

    Example:
        >>> dn.grad(lambda x: x * stop_gradient(x))(3.0)
        np.float64(3.0)
    """
    return containers.map_leaves(primal, x)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, recorded as one step: what happens inside is computed again by the reverse sweep instead of kept.

    Args:
        f: a function of arrays (or nested containers of arrays), by keyword as well, to one array.

    Returns:
        The same function. It costs one more evaluation of f, and saves the memory of its record.

    Raises:
        InvalidType: f is no function.
        InvalidValue: f uses a variable that is no argument, gives no single array, or another value the second time.

    Example:
        >>> dn.grad(lambda x: np.sum(checkpoint(lambda x: np.exp(np.sin(x)))(x)))(np.array([0.5]))
        array([1.41742])
    """
    if not callable(f):
        raise InvalidType(f"checkpoint: f is a {type(f).__name__}; expected a function of arrays")

    def stepped(*args: Any, **kwargs: Any) -> Any:
        leaves: list[Any]
        leaves, structure = containers.flatten((args, kwargs), none_is_leaf=True)
        top = highest(leaves)
        if not isinstance(top, Recorded):
            return f(*args, **kwargs)
        leaves = [frozen(x) if is_array(x) else x for x in leaves]
        places = [i for i, x in enumerate(leaves) if isinstance(x, Operand)]
        values, parents = top._parts([leaves[i] for i in places])

        def on_leaves(*xs: Any) -> Any:
            filled = list(leaves)
            for i, x in zip(places, xs, strict=True):
                filled[i] = x
            args, kwargs = optree.tree_unflatten(structure, filled)
            return f(*args, **kwargs)

        y = on_leaves(*values)
        if isinstance(y, (tuple, list, dict)) or not hasattr(y, "dtype"):
            given = "None" if y is None else f"a {type(y).__name__}"
            raise InvalidValue(f"checkpoint: f returned {given}; expected one array")
        if isinstance(y, Recorded) and y.scope is top.scope:
            raise InvalidValue("checkpoint: f uses a variable that is not among its arguments; pass it as one")
        if not any(parents):
            return top._new(y, None)

        some = _entries(y)

        def pull(g: Value, y: Value, *xs: Any) -> Any:
            again, back = vjp(on_leaves, *xs)
            if not _agree(some, _entries(again)):
                raise InvalidValue(
                    "checkpoint: f gave another value when it was computed again for the reverse sweep; something that "
                    "it reads has changed (an array that was written to, a random generator): make it an argument"
                )
            pulled = back(g)
            return (pulled,) if len(xs) == 1 else pulled

        return top._recorded(getattr(f, "__name__", "f"), parents, pull, (None, *values), y)

    return update_wrapper(stepped, f, updated=())


def _entries(y: Value) -> Any:
    """Some entries of the value of y, by which it is known again; None where it is not known yet, or on a device."""
    y = primal(y)
    if not visible(y):
        return None
    y = np.ravel(y) if np.size(y) <= _ENTRIES else y.flat[:: y.size // _ENTRIES]
    return y.copy() if isinstance(y, np.ndarray) else y


_ENTRIES = 4096


def _agree(a: Value, b: Value) -> bool:
    """Whether they are the same but for roundings."""
    if a is None or b is None:
        return True
    if a.shape != b.shape:
        return False
    close = 16 * float(np.finfo(a.dtype).eps) ** 0.5 if a.dtype.kind in "fc" else 0.0
    size = np.abs(a[np.isfinite(a)])
    return bool(np.allclose(a, b, rtol=close, atol=close * size.max() if size.size else 0.0, equal_nan=True))
