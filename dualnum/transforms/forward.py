"""Forward transforms: push a jet through a function and read its coefficients.

Arguments and results may be nested tuples, lists and dicts of arrays (optree). Every transform opens
a level of its own, so transforms nest in any order without confusing their perturbations.
"""

from collections.abc import Callable, Sequence
from functools import partial
from sys import modules
from typing import Any

import numpy as np
import optree

from .. import containers
from ..algebra import check_order, factorial_times, warn_of_underflow
from ..backend import as_floating
from ..errors import InvalidType, InvalidValue, LevelError
from ..jets.jet import Jet
from ..jets.seeding import seed
from ..kinds import Value
from ..operand import Operand, away, operands, promoted
from ..operand.levels import Scope, open_scope, require_alive, same_scope
from .transformed import Argnums, _check_callable, _named, _positions, everything

__all__ = ["derivative", "directional", "jvp", "taylor"]


def derivative(
    f: Callable[..., Any], order: int = 1, *, argnums: Argnums = 0, device: str | None = None
) -> Callable[..., Any]:
    """The k-th derivative of f, elementwise: x ↦ dᵏ/dtᵏ f(x + t) at t = 0.

    All entries of x move together: of an f that adds them up, such as np.sum(x**2), it is the sum of the gradient's
    entries; the gradient itself is `dn.grad(f)`.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same.
        order: k ≥ 0.
        argnums: which positional arguments vary, all together with t; one index or several.
        device: "cpu", "cuda" or "cuda:N", to which arguments are moved; they stay where they are when left out.

    Returns:
        A function of the same arguments. Its result has the structure, shapes and types of f's.

    Raises:
        InvalidType: an argument is not made of numbers, f returns something that is no array, order is no integer.
        InvalidValue: order is negative; argnums names no argument, or one twice.
        LevelError: a jet of an outer call is kept and used after that call ended.

    Source:
        Siskind & Pearlmutter, "Nesting forward-mode AD in a functional framework", Higher-Order Symb. Comput. 21, 2008.

    Example:
        >>> derivative(np.sin, 2)(0.5), -np.sin(0.5)
        (np.float64(-0.4794255386), np.float64(-0.4794255386))
        >>> derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(1.0)
        np.float64(1.0)
    """
    order = check_order(order, "derivative")

    def transformed(*args: Any, **kwargs: Any) -> Any:
        ones = _map_chosen(lambda x: None, args, argnums, "derivative")
        return _run(f, args, kwargs, ones, order, "derivative", lambda y, own: _derivative_of(y, own, order))

    return _named(transformed, f, "derivative", argnums, partial(derivative, order=order, argnums=argnums), device)


def taylor(
    f: Callable[..., Any],
    order: int,
    *,
    direction: Value = None,
    directions: Value = None,
    argnums: Argnums = 0,
    device: str | None = None,
) -> Callable[..., Any]:
    """The Taylor coefficients of t ↦ f(x + t·v) at t = 0: a_k = (1/k!) dᵏf/dtᵏ.

    Args:
        f, argnums, device: as for `derivative`; with several argnums the directions are a tuple of as many.
        order: K ≥ 0, the highest coefficient.
        direction: v, with the structure of the varying argument; all ones when left out.
        directions: P directions in one pass, each array with P in front of its shape.

    Returns:
        A function of the same arguments, to f's structure of arrays (K+1, *shape), or (P, K+1, *shape) of P directions.

    Raises:
        InvalidValue: direction and directions are both given, or do not fit the argument; else as for `derivative`.

    Source:
        Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapter 13.

    Example:
        >>> taylor(np.exp, 3)(0.5) / np.exp(0.5)
        array([1.    , 1.    , 0.5   , 0.1667])
    """
    order = check_order(order, "taylor")
    if device is not None:
        direction, directions = everything((direction, directions), device)
    if direction is not None and directions is not None:
        raise InvalidValue("taylor: both direction and directions are given; expected one of them")

    def transformed(*args: Any, **kwargs: Any) -> Any:
        many = directions is not None
        given = directions if many else direction
        if given is None:
            vs = _map_chosen(lambda x: None, args, argnums, "taylor")
        else:
            vs = _matched(given, args, argnums, "taylor", "directions" if many else "direction")
        read = lambda y, own: _coefficients_of(y, own, order, vs, many)  # noqa: E731
        return _run(f, args, kwargs, vs, order, "taylor", read, many)

    remake = partial(taylor, order=order, direction=direction, directions=directions, argnums=argnums)
    return _named(transformed, f, "taylor", argnums, remake, device)


def directional(
    f: Callable[..., Any], order: int = 1, *, argnums: Argnums = 0, device: str | None = None
) -> Callable[..., Any]:
    """The k-th directional derivative: (x, v) ↦ dᵏ/dtᵏ f(x + t·v) at t = 0; arguments as for `derivative`.

    Returns:
        A function of f's positional arguments and then v, which has the structure of the varying argument (a tuple of
        as many for several argnums) and broadcasts to its shapes. The result has the structure and shapes of f's.

    Raises:
        InvalidType, InvalidValue: as for `derivative`, and where v is left out, or does not fit the argument.

    Example:
        >>> directional(lambda x: np.sum(x**3), 2)(np.array([1.0, 2.0]), np.array([1.0, 0.5]))
        np.float64(9.0)
    """
    return _directional(f, check_order(order, "directional"), argnums, "directional", device)


def _directional(
    f: Callable[..., Any], order: int, argnums: Argnums, name: str, device: str | None = None
) -> Callable[..., Any]:
    def transformed(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise InvalidType(f"{name}: {len(args)} arguments; expected f's arguments and then the direction v")
        *args_, v = args
        vs = _matched(v, args_, argnums, name, "the direction")
        return _run(f, args_, kwargs, vs, order, name, lambda y, own: _derivative_of(y, own, order))

    return _named(transformed, f, name, argnums, partial(directional, order=order, argnums=argnums), device, 1)


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], *, device: str | None = None
) -> tuple[Any, Any]:
    """The value and the Jacobian-vector product: f(x), ∂f(x)·v.

    Args:
        f: a function of arrays (or nested containers of arrays) to the same.
        primals: its positional arguments, as a tuple or list.
        tangents: one v for each of them, of the same structure and shapes.
        device: as for `derivative`.

    Returns:
        The two, each with the structure, shapes and types of f's result.

    Raises:
        InvalidType, InvalidValue: as for `derivative`, and where primals and tangents are no tuples or lists that fit.

    Example:
        >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 10.0))
        (np.float64(12.0), np.float64(34.0))
    """
    _check_callable(f, "jvp")
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise InvalidType(f"jvp: {name} is a {type(given).__name__}; expected a tuple of f's arguments")
    if len(primals) != len(tangents):
        raise InvalidValue(f"jvp: {len(primals)} primals and {len(tangents)} tangents; expected as many")
    if device is not None:
        primals, tangents = everything((tuple(primals), tuple(tangents)), device)
    if "cupy" in modules and (there := away((primals, tangents))) is not None:
        with there:
            return jvp(f, primals, tangents)
    if len(primals) == 1 and _is_leaf(primals[0]) and _is_leaf(tangents[0]):  # the usual call
        vs = {0: [_array(tangents[0], "jvp", "tangents")]}
    else:
        vs = _matched(tuple(tangents), primals, tuple(range(len(primals))), "jvp", "tangents")
    read = lambda y, own: (_value_of(y, own), _derivative_of(y, own, 1))  # noqa: E731
    value, tangent = _run(f, primals, {}, vs, 1, "jvp", read, pairs=True)
    return value, tangent


# ── the common way through f ─────────────────────────────────────────────────────────────────────


def _run(
    f: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    vs: dict[int, Any],
    order: int,
    name: str,
    read: Callable[[Any, bool], Any],
    many: bool = False,
    pairs: bool = False,
) -> Any:
    """Seeds the chosen arguments, calls f, and reads every array of its result; `pairs` as a pair of results."""
    with open_scope(f"{name} of {getattr(f, '__name__', 'f')}") as scope:
        seeded = list(args)
        for i, v in vs.items():
            leaves, structure = _flatten(args[i])
            seeds = [_seed(x, w, order, scope, name, i, many) for x, w in zip(leaves, v, strict=True)]
            seeded[i] = seeds[0] if structure is _LEAF else optree.tree_unflatten(structure, seeds)
        result = _returned(f(*seeded, **kwargs), name)
        if _is_leaf(result):
            return read(*_owned(result, scope, name))
        arrays, structure = containers.flatten(result)
        found = [read(*_owned(y, scope, name)) for y in arrays]
        if pairs:
            return tuple(optree.tree_unflatten(structure, [pair[k] for pair in found]) for k in (0, 1))
        return optree.tree_unflatten(structure, found)


_LEAVES = frozenset((float, int, np.ndarray, np.float64))
_LEAF: Any = optree.tree_structure(0)  # type: ignore[arg-type]


def _is_leaf(x: Value) -> bool:
    """Whether x is one array or number; others may be as well."""
    return type(x) in _LEAVES or isinstance(x, Operand)


def _flatten(x: Value) -> tuple[list[Any], Any]:
    return ([x], _LEAF) if _is_leaf(x) else containers.flatten(x)


def _returned(result: Any, name: str) -> Any:
    """What f returned, if it returned something."""
    if result is None:
        raise InvalidType(f"{name}: f returned None; expected arrays or containers of arrays (is there a return?)")
    return result


def _seed(x: Value, v: Value, order: int, scope: Scope, name: str, position: int, many: bool) -> Jet:
    for given in (x, v):
        if isinstance(given, Operand):
            require_alive(given.scope)
            if given.scope.level >= scope.level:  # of a transform that runs in another thread
                same_scope(given.scope, scope)
    if not isinstance(x, Operand):
        x = as_floating(x, name, f"argument {position}")
    return seed(x, order, None if many else v, v if many else None, scope, name)


def _owned(y: Value, scope: Scope, name: str) -> tuple[Any, bool]:
    """One array of f's result, and whether it is a jet of this scope: else it is a constant of this one,
    although it may be a jet of an outer one.
    """
    if isinstance(y, Jet) and y.scope is scope:
        return y, True
    if isinstance(y, Operand):
        require_alive(y.scope)
        if y.scope.level > scope.level:
            raise LevelError(
                f"{name}: f returned an operand of {y.scope.name}, which ends with this call; "
                "return its .value, .coeffs or .derivative(k)"
            )
        if y.scope.level == scope.level:
            same_scope(y.scope, scope)
        return promoted(y), False
    if isinstance(y, (str, bytes)) or callable(y):
        raise InvalidType(f"{name}: f returned a {type(y).__name__}; expected arrays or containers of arrays")
    return as_floating(y, name, "f's result")[()], False


def _value_of(y: Value, own: bool) -> Any:
    return y.planes[0] if own else y


def _derivative_of(y: Value, own: bool, order: int) -> Any:
    """y⁽ᵏ⁾, exact zeros where the result does not depend on the argument."""
    if not own:
        return y if order == 0 else np.zeros_like(y)[()]
    if order <= y.extent:
        warn_of_underflow("derivative", order, y.planes)
    return factorial_times(order, y.planes[order])


def _coefficients_of(y: Value, own: bool, order: int, vs: dict[int, Any], many: bool) -> Any:
    if not many:
        return y.planes if own else _constant_coefficients(y, order)
    count = next(w.shape[0] for v in vs.values() for w in v)
    if not own:
        one = _constant_coefficients(y, order)
        return np.stack([one] * count)
    return np.stack([np.stack([y.planes[i] for i in y.algebra.powers(p)]) for p in range(count)])


def _constant_coefficients(y: Value, order: int) -> Any:
    return np.stack([y, *[np.zeros_like(y)] * order])


def _map_chosen(make: Callable[[Any], Any], args: Sequence[Any], argnums: Argnums, name: str) -> dict[int, Any]:
    return {i: [make(x) for x in _flatten(args[i])[0]] for i in _positions(argnums, args, name)}


def _matched(given: Any, args: Sequence[Any], argnums: Argnums, name: str, what: str) -> dict[int, Any]:
    """The given directions, one list of arrays for each varying argument, checked against its structure."""
    positions = _positions(argnums, args, name)
    each = (given,) if not isinstance(argnums, Sequence) else given
    if isinstance(argnums, Sequence) and (not isinstance(given, (tuple, list)) or len(given) != len(positions)):
        raise InvalidValue(f"{name}: {what} must be a tuple of {len(positions)}, one for each of argnums {argnums}")
    matched = {}
    for i, v in zip(positions, each, strict=True):
        matched[i] = _alike(v, _flatten(args[i])[1], name, what, f"argument {i}")
    return matched


def _alike(given: Any, structure: Any, name: str, what: str, model: str) -> list[Any]:
    """The arrays of what is given, checked to have the structure of its model."""
    leaves, its_structure = _flatten(given)
    if structure is _LEAF and its_structure is _LEAF:
        return [_array(given, name, what)]
    nested_list = isinstance(given, (list, tuple)) and structure.num_nodes == 1 and next(operands(given), None) is None
    bare = structure.num_nodes == 1 and containers.is_one_array(its_structure)
    bare = bare or (its_structure.num_nodes == 1 and containers.is_one_array(structure))
    if structure != its_structure and bare:
        its_structure = structure  # labels are no part of the numbers
    elif structure != its_structure and nested_list:
        leaves, its_structure = [given], structure  # a nested list stands for one array
    if structure != its_structure:
        raise InvalidValue(
            f"{name}: {what} has the structure {_described(its_structure)}, {model} has {_described(structure)}; "
            "expected the same"
        )
    return [_array(x, name, what) for x in leaves]


def _array(x: Value, name: str, what: str) -> Any:
    return x if isinstance(x, Operand) else as_floating(x, name, what)


def _described(structure: Any) -> str:
    """A structure in words, its arrays as asterisks."""
    if structure.num_nodes == 1:
        return "one array" if structure.num_leaves else "None"
    return str(structure).removeprefix("PyTreeSpec(").removesuffix(")").partition(", namespace=")[0]
