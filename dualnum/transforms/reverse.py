"""Reverse transforms: record a function on variables, and sweep back over the record.

The values of the variables may themselves be jets, variables of an outer transform or tracers; so the
transforms nest with each other and with the forward ones in any order, and `jit` compiles them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from sys import modules
from typing import Any

import numpy as np
import optree

from .. import collector, containers
from ..backend import as_floating, is_array, namespace
from ..devices import apart as devices_apart
from ..devices import several
from ..errors import InvalidType, InvalidValue
from ..kinds import Value
from ..memory import is_whole
from ..operand import Operand, away, library, primal, promoted
from ..operand.constants import frozen
from ..operand.levels import Scope, open_scope
from ..tape.recorded import Recorded, own
from ..tape.step import Step
from ..tape.sweep import sweep
from .forward import _alike, _flatten, _returned
from .transformed import Argnums, _check_callable, _named, _positions, placed

__all__ = ["grad", "value_and_grad", "vjp"]


def grad(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, device: str | None = None
) -> Callable[..., Any]:
    """The gradient of a scalar function: x ↦ ∂f/∂x, by one sweep back, whatever the size of x.

    Args:
        f: a function of arrays (or nested containers of arrays) to one real number. It may fill a buffer anew that
            it has used, if that is short; a longer one (64 KiB) is locked until the sweep has read it again, and
            NumPy raises where f writes to it.
        argnums: which positional arguments vary; one index, or several for a tuple of gradients.
        has_aux: f returns (value, more), and the gradient comes as (gradient, more).
        device: as for `derivative`.

    Returns:
        A function of the same arguments; its result has the structure, shapes and types of the varying
        argument, exact zeros where f does not depend on it. For a complex argument z = a + ib it is
        ∂f/∂a − i ∂f/∂b.

    Raises:
        InvalidValue: f returns an array with axes; argnums names no argument, or one twice.
        InvalidType: f returns no real number (but a complex one, an integer, None), or with has_aux no pair; an
            argument is not made of numbers.

    Source:
        Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 3.

    Example:
        >>> grad(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
        array([ 3., 12.])
    """
    return _grad(f, argnums, has_aux, "grad", device)


def _grad(
    f: Callable[..., Any], argnums: Argnums, has_aux: bool, name: str, device: str | None = None
) -> Callable[..., Any]:
    both = _value_and_grad(f, argnums, has_aux, name)

    def transformed(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return _named(transformed, f, name, argnums, partial(grad, argnums=argnums, has_aux=has_aux), device)


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, device: str | None = None
) -> Callable[..., Any]:
    """The value and the gradient of a scalar function, from one evaluation and one sweep: x ↦ (f(x), ∂f/∂x).

    Arguments, gradient and errors as for `grad`.

    Returns:
        A function of the same arguments; the value has the type of f's, and with has_aux it is ((f(x), more), ∂f/∂x).

    Example:
        >>> value_and_grad(lambda x: np.sum(x**2))(np.array([3.0, 4.0]))
        (np.float64(25.0), array([6., 8.]))
    """
    return _value_and_grad(f, argnums, has_aux, "value_and_grad", device)


def _value_and_grad(
    f: Callable[..., Any], argnums: Argnums, has_aux: bool, name: str, device: str | None = None
) -> Callable[..., Any]:
    full_name = f"{name} of {getattr(f, '__name__', 'f')}"

    def transformed(*args: Any, **kwargs: Any) -> Any:
        with open_scope(full_name) as scope, collector.seldom():
            record = Arguments(args, argnums, scope, name)
            result = f(*record.args, **kwargs)
            aux = None
            if has_aux:
                result, aux = _pair(result, name)
                aux = containers.map_leaves(lambda y: _lowered(y, scope), aux, none_is_leaf=True)
            y = own(result, scope)
            if y is None:
                result = containers.alone(result)
                y = own(result, scope)
            value = _scalar(result if y is None else y._value, name)
            if y is None:
                floats(result, name)
            if y is None:
                gradient = record.collect([])
            else:
                seeds: list[Any] = [(y._step, _one(value))]
                gradient = record.collect(sweep(seeds, record.steps))
        return ((value, aux) if has_aux else value), gradient

    return _named(transformed, f, name, argnums, partial(value_and_grad, argnums=argnums, has_aux=has_aux), device)


def _one(value: Value) -> Any:
    """The cotangent of a number: 1 in its type, where it is."""
    xp = np if type(value) is np.float64 else library(value)
    return value.dtype.type(1) if xp is np else xp.ones((), value.dtype)


def floats(y: Value, name: str) -> Any:
    """What f returned, which must not be an integer or a truth value."""
    kind = np.result_type(y).kind
    if kind in "biu":
        given = "a truth value" if kind == "b" else "an integer"
        raise InvalidType(
            f"{name}: f returned {given}, which has no gradient; expected a float: what was compared or counted does "
            "not carry derivatives on (np.where, or the entries at np.argmax, do); dn.derivative gives zeros"
        )
    return y


def _pair(result: Any, name: str) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise InvalidType(f"{name}: has_aux=True, but f returned no pair; expected (value, more)")
    return result


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False, device: str | None = None) -> tuple[Any, ...]:
    """The value and the pull-back: f(x) and ȳ ↦ ȳᵀ ∂f/∂x, which can be called many times.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same.
        primals: its positional arguments.
        has_aux: f returns (value, more), and the result is (value, pull-back, more).
        device: "cpu", "cuda" or "cuda:N", to which the primals and each cotangent are moved.

    Returns:
        f(x) and a function of a cotangent with the structure and shapes of f(x); it gives the cotangent of the
        argument, a tuple of them where there are several.

    Raises:
        InvalidValue: there are no arguments; a cotangent has another structure or shape than f's result.
        InvalidType: an argument is not made of numbers, or f returns something that is no array.

    Source:
        As for `grad`.

    Example:
        >>> y, pull = vjp(lambda x: x**2, np.array([1.0, 2.0]))
        >>> pull(np.array([1.0, 10.0]))
        array([ 2., 40.])
    """
    if device is None:
        return _vjp(f, primals, has_aux, "vjp")
    value, pull, *aux = placed(_vjp, device, lambda args: (1,))(f, primals, has_aux, "vjp")
    return value, placed(pull, device, lambda args: range(len(args))), *aux


def _vjp(f: Callable[..., Any], primals: Sequence[Any], has_aux: bool, name: str) -> tuple[Any, ...]:
    _check_callable(f, name)
    if not primals:
        raise InvalidValue(f"{name}: no arguments are given; expected those of f")
    if "cupy" in modules and (device := away(primals)) is not None:
        with device:
            return _vjp(f, primals, has_aux, name)
    with open_scope(f"{name} of {getattr(f, '__name__', 'f')}", lasting=True) as scope, collector.seldom():
        record = Arguments(primals, tuple(range(len(primals))), scope, name)
        result = f(*record.args)
        aux: tuple[Any, ...] = ()
        if has_aux:
            result, more = _pair(result, name)
            apart = lambda y: _copied(_lowered(y, scope)) if isinstance(y, Recorded) else y  # noqa: E731
            aux = (containers.map_leaves(apart, more, none_is_leaf=True),)
        leaves, structure = _flatten(_returned(result, name))
        variables = [own(y, scope) for y in leaves]
        # the record keeps values for the pull-back: what the caller gets is apart from them
        values = [_lowered(y, scope) for y in leaves]
        values = [y if v is None else _copied(y) for y, v in zip(values, variables, strict=True)]
        values = [y if isinstance(y, Operand) else as_floating(y, name, "f's result")[()] for y in values]

    def pull(cotangents: Any) -> Any:
        if "cupy" in modules and (device := away((cotangents,))) is not None:
            with device:
                return pull(cotangents)
        given = _alike(cotangents, structure, name, "the cotangent", "f's result")
        seeds = []
        for g, y, variable in zip(given, values, variables, strict=True):
            if tuple(g.shape) != tuple(y.shape):
                raise InvalidValue(f"{name}: a cotangent has shape {g.shape}; expected {y.shape}, that of f's result")
            together = type(g) is type(y) and not several()
            if not together and is_array(primal(y)) and (elsewhere := devices_apart(name, g, y)) is not None:
                raise elsewhere
            if variable is not None and variable._step is not None:
                seeds.append((variable._step, g if g.dtype == y.dtype or g.dtype.kind == "c" else g.astype(y.dtype)))
        found = record.collect(sweep(seeds, record.steps, retain=True), given)
        return found[0] if len(primals) == 1 else found

    return optree.tree_unflatten(structure, values), pull, *aux


# ── the record of one call ───────────────────────────────────────────────────────────────────────


class Arguments:
    """The arguments of one call with variables in the chosen places, and how to read their cotangents."""

    def __init__(self, args: Sequence[Any], argnums: Argnums, scope: Scope, name: str) -> None:
        self.args = list(args)
        self.single = type(argnums) is int or not isinstance(argnums, Sequence)
        # what they are now: an assignment to a variable gives it another value and step
        self.values: list[Any] = []
        self.steps: list[Step] = []
        self.structures: list[tuple[int, Any]] = []  # of each argument: how many leaves, in which structure
        if type(argnums) is int and 0 <= argnums < len(args):
            x = args[argnums]
            kind = type(x)
            if (kind is np.ndarray and x.dtype.kind == "f") or kind is float or isinstance(x, Operand):  # usually
                leaf = promoted(x) if isinstance(x, Operand) else np.float64(x) if kind is float else x
                self.args[argnums] = self._leaf(leaf, scope)
                self.structures.append((1, None))
                return
        for i in _positions(argnums, args, name):
            x = args[i]
            leaves, structure = ([x], None) if type(x) is np.ndarray else _flatten(x)
            variables = []
            for leaf in leaves:
                if not isinstance(leaf, Operand):
                    leaf = as_floating(leaf, name, f"argument {i}")
                else:
                    leaf = promoted(leaf)
                variables.append(self._leaf(leaf, scope))
            self.structures.append((len(leaves), structure))
            self.args[i] = variables[0] if structure is None else optree.tree_unflatten(structure, variables)

    def _leaf(self, x: Value, scope: Scope) -> Recorded:
        variable = Recorded.leaf(frozen(x), scope)
        self.values.append(x)
        self.steps.append(variable._step)  # type: ignore[arg-type]
        return variable

    def collect(self, swept: list[tuple[Step, Any]], given: Sequence[Any] = ()) -> Any:
        """The cotangents in the structure of the arguments, zeros where there are none.

        The sweep hands a cotangent on as it is where it may: none is one that was `given`, or that of two arguments.
        """
        if self.single and len(self.steps) == 1 and self.structures[0][1] is None and not given:  # the usual call
            return _own_memory(swept[0][1] if swept else None, self.values[0])
        found = {step.number: cotangent for step, cotangent in swept}
        cotangents: list[Any] = []
        taken = set(map(id, given))
        for x, n in zip(self.values, self.steps, strict=True):
            cotangent = _own_memory(found.get(n.number), x)
            cotangents.append(_copied(cotangent) if id(cotangent) in taken else cotangent)
            taken.add(id(cotangent))
        results, start = [], 0
        for count, structure in self.structures:
            its = cotangents[start : start + count]
            results.append(its[0] if structure is None else optree.tree_unflatten(structure, its))
            start += count
        return results[0] if self.single else tuple(results)


def _own_memory(cotangent: Value, x: Value) -> Any:
    """A cotangent that nothing else refers to; zeros for None."""
    if cotangent is None:
        return np.zeros_like(x) if isinstance(x, Operand) else namespace(x).zeros(x.shape, x.dtype)[()]
    if type(cotangent) is np.ndarray:
        if cotangent.ndim == 0:
            return cotangent[()]  # a number
        if not (is_whole(cotangent) and cotangent.flags.writeable):
            return cotangent.copy()
    elif not isinstance(cotangent, (Operand, np.generic)) and cotangent.base is not None:  # a view on a device
        return cotangent.copy()
    return cotangent


def _copied(x: Value) -> Any:
    """A copy of what can be written to: not of numbers, nor of what is traced."""
    return x.copy() if isinstance(x, np.ndarray) or not isinstance(primal(x), Operand) else x


def _lowered(y: Value, scope: Scope) -> Any:
    """y without the record of this scope."""
    own(y, scope)
    return y._read() if isinstance(y, Recorded) and y.scope is scope else y


def _scalar(value: Value, name: str) -> Any:
    """The value of the function to differentiate: one real number."""
    if type(value) is np.float64:
        return value
    if not isinstance(value, Operand):
        if isinstance(value, (str, bytes, dict, list, tuple)) or callable(value) or value is None:
            given = "None" if value is None else f"a {type(value).__name__}"
            more = " (has_aux=True for (value, more))" if name in ("grad", "value_and_grad") else ""
            raise InvalidType(f"{name}: f returned {given}; expected one number{more}")
        value = as_floating(value, name, "f's result")
    if value.shape != ():
        instead = "dn.jacobian(f) or dn.vjp(f, x)" if "grad" in name else "dn.jacobian(dn.jacobian(f))"
        shape = tuple(value.shape)
        raise InvalidValue(
            f"{name}: f returned an array of shape {shape}; expected one number: use np.sum(…), or {instead}"
        )
    if value.dtype.kind == "c":
        raise InvalidType(f"{name}: f returned a complex number; expected a real one: use np.real(…) or np.abs(…)")
    return value
