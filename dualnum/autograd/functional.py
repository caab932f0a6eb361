"""Derivatives of functions of variables, as in torch.autograd.functional: by sweeps over a record of one call.

With create_graph=True the results are variables, which can be differentiated again, by the inputs as well; otherwise
arrays. `dn.jacobian`, `dn.hessian`, `dn.jvp`, `dn.vjp`, `dn.hvp` and `dn.vhp` are the transforms, which nest, compile
and go forward where that is shorter.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backend import as_floating
from ..errors import InvalidType, InvalidValue
from ..operand import Operand, primal
from ..tape.step import recording_is
from .functions import grad
from .sweeps import described
from .variable import Variable, variable

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

_ROWS = 1 << 22  # entries of a block of cotangents that are swept together


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian ∂y/∂x of func at the inputs, of shape (*y.shape, *x.shape).

    Args:
        func: a function of variables to a variable, or to a tuple of them.
        inputs: an array or variable, or a tuple of them, the arguments of func.
        create_graph: the result is made of variables, to be differentiated again.
        strict: raise where an output does not depend on an input, in place of zeros.
        vectorize: without effect: rows are always swept together.
        strategy: "reverse-mode" or "forward-mode", of which the first is taken in any case.

    Returns:
        One array for an input and an output; else a tuple, of tuples where both are several: [output][input].

    Raises:
        InvalidType: an input is not made of numbers; func returns something else than variables.
        InvalidValue: with strict, an output does not depend on an input; strategy is another word.

    Example:
        >>> dn.autograd.functional.jacobian(lambda x, y: x**2 * y, (np.array([1.0, 2.0]), np.array([3.0, 4.0])))[0]
        array([[ 6.,  0.],
               [ 0., 16.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise InvalidValue(f'jacobian: strategy is {strategy!r}; expected "reverse-mode" or "forward-mode"')
    xs, single = _inputs(inputs, create_graph, "jacobian")
    ys, alone = _called(func, xs, strict, "jacobian")
    rows = []
    for i, y in enumerate(ys):
        blocks: list[tuple[Any, ...]] = []
        size, step = y.size, max(1, _ROWS // max(y.size, 1))
        for start in range(0, size, step) if y.requires_grad else ():
            units = np.eye(min(step, size - start), size, start, y.dtype).reshape(-1, *y.shape)
            blocks.append(grad(y, xs, [units], True, create_graph, True, is_grads_batched=True))
        row = []
        for j, x in enumerate(xs):
            parts = [block[j] for block in blocks]
            if not parts or parts[0] is None:
                _refuse(strict, "jacobian", f"output {i} does not depend on input {j}")
                row.append(_zeros((*y.shape, *x.shape), x, create_graph))
                continue
            if strict and create_graph and not parts[0].requires_grad:
                _refuse(strict, "jacobian", f"the Jacobian of output {i} does not depend on input {j}")
            whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
            row.append(np.reshape(whole, (*y.shape, *x.shape)))
        rows.append(_whole(row, single))
    return _whole(rows, alone)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian ∂²y/∂x∂x' of a scalar function at the inputs, of shape (*x.shape, *x'.shape).

    Arguments as for `jacobian`, func with one number for a result, outer_jacobian_strategy as strategy there.

    Returns:
        One array for an input; of several a tuple of tuples, [x][x'].

    Raises:
        InvalidType, InvalidValue: as for `jacobian`, and where func returns no single number.

    Example:
        >>> dn.autograd.functional.hessian(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
        array([[ 6.,  0.],
               [ 0., 12.]])
    """
    single = not isinstance(inputs, tuple)

    def gradient(*xs: Any) -> Any:
        (y,), _ = _called(func, xs, strict, "hessian", True)
        found = grad(y, xs, create_graph=True, allow_unused=True) if y.requires_grad else (None,) * len(xs)
        for j, g in enumerate(found):
            if g is None:
                _refuse(strict, "hessian", f"the function does not depend on input {j}")
        return _whole([_zeros(x.shape, x, True) if g is None else g for g, x in zip(found, xs, strict=True)], single)

    return jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value y of func and the product vᵀ ∂y/∂x.

    Arguments as for `jacobian`, and v with the shapes of the outputs, left out for a single number.

    Returns:
        y, and the product with the structure and shapes of the inputs.

    Raises:
        InvalidType, InvalidValue: as for `jacobian`, and where v does not fit.

    Example:
        >>> dn.autograd.functional.vjp(lambda x: x**3, np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        (array([1., 8.]), array([  3., 120.]))
    """
    xs, single = _inputs(inputs, create_graph, "vjp")
    ys, alone = _called(func, xs, strict, "vjp")
    vs = _directions(v, ys, alone, "vjp", "the output of the function")
    found = _swept(ys, xs, vs, create_graph, strict, "vjp")
    return _given(ys, alone, create_graph), _whole(found, single)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value y of func and the product ∂y/∂x v, by two sweeps: the first is linear in its cotangent.

    Arguments as for `jacobian`, and v with the shapes of the inputs, left out for a single number.

    Returns:
        y, and the product with the structure and shapes of y.

    Raises:
        InvalidType, InvalidValue: as for `jacobian`, and where v does not fit.

    Example:
        >>> dn.autograd.functional.jvp(lambda x: x**3, np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        (array([1., 8.]), array([  3., 120.]))
    """
    xs, single = _inputs(inputs, create_graph, "jvp")
    vs = _directions(v, xs, single, "jvp", "the input of the function")
    ys, alone = _called(func, xs, strict, "jvp")
    found = _pushed(ys, xs, vs, create_graph, strict, "jvp")
    return _given(ys, alone, create_graph), _whole(found, alone)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value y of a scalar function and the product vᵀ ∇²y, by a sweep over the sweep.

    Arguments as for `hessian`, and v with the shapes of the inputs, left out for a single number.

    Returns:
        y, and the product with the structure and shapes of the inputs.

    Raises:
        InvalidType, InvalidValue: as for `hessian`, and where v does not fit.

    Example:
        >>> dn.autograd.functional.vhp(lambda x: x[0] ** 2 * x[1], np.array([3.0, 5.0]), np.array([1.0, 0.5]))
        (array(45.), array([13.,  6.]))
    """
    return _second(func, inputs, v, create_graph, strict, "vhp", _swept)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The value y of a scalar function and the product ∇²y v, by three sweeps; `vhp` gives it by two.

    Arguments, result and errors as for `vhp`.

    Returns:
        y, and the product with the structure and shapes of the inputs.

    Example:
        >>> dn.autograd.functional.hvp(lambda x: x[0] ** 2 * x[1], np.array([3.0, 5.0]), np.array([1.0, 0.5]))
        (array(45.), array([13.,  6.]))
    """
    return _second(func, inputs, v, create_graph, strict, "hvp", _pushed)


def _second(
    func: Callable[..., Any],
    inputs: Any,
    v: Any,
    create_graph: bool,
    strict: bool,
    name: str,
    product: Callable[..., Any],
) -> tuple[Any, Any]:
    """A product of the Jacobian of the gradient."""
    xs, single = _inputs(inputs, create_graph, name)
    vs = _directions(v, xs, single, name, "the input of the function")
    ys, _ = _called(func, xs, strict, name, True)
    gradient = _swept(ys, xs, [None], True, strict, name)
    return _given(ys, True, create_graph), _whole(product(gradient, xs, vs, create_graph, strict, name), single)


# ── the common way ───────────────────────────────────────────────────────────────────────────────


def _inputs(inputs: Any, create_graph: bool, name: str) -> tuple[tuple[Any, ...], bool]:
    """The inputs as variables to differentiate by, and whether there is one that is no tuple."""
    single = not isinstance(inputs, tuple)
    xs = []
    for x in (inputs,) if single else inputs:
        if isinstance(x, Operand) and not isinstance(x, Variable):
            raise InvalidType(f"{name}: an input is {described(x)}; expected arrays or variables (or dn.{name})")
        connected = isinstance(x, Variable) and x.requires_grad and create_graph
        with recording_is(True):
            xs.append(np.copy(x) if connected else variable(primal(x)))
    if not xs:
        raise InvalidValue(f"{name}: there are no inputs; expected an array, a variable, or a tuple of them")
    return tuple(xs), single


def _called(
    func: Callable[..., Any], xs: Sequence[Any], strict: bool, name: str, scalar: bool = False
) -> tuple[list[Any], bool]:
    """What the function gives, as variables, and whether it is one that is no tuple."""
    if not callable(func):
        raise InvalidType(f"{name}: func is a {type(func).__name__}; expected a function of variables")
    with recording_is(True):
        results = func(*xs)
    alone = not isinstance(results, tuple)
    ys = []
    for i, y in enumerate((results,) if alone else results):
        if y is None or isinstance(y, (str, list, dict)) or (isinstance(y, Operand) and not isinstance(y, Variable)):
            given = "None" if y is None else described(y)
            raise InvalidType(f"{name}: func returned {given}; expected a variable or a tuple of variables")
        y = y if isinstance(y, Variable) else variable(as_floating(y, name, "func's result"), False)
        if not y.requires_grad:
            _refuse(strict, name, f"output {i} does not depend on the inputs")
        ys.append(y)
    if scalar and (not alone or ys[0].size != 1):
        raise InvalidValue(f"{name}: func returned {_shapes(ys)}; expected a single number")
    return ys, alone


def _shapes(ys: Sequence[Any]) -> str:
    return f"an array of shape {ys[0].shape}" if len(ys) == 1 else f"{len(ys)} arrays"


def _directions(v: Any, like: Sequence[Any], single: bool, name: str, what: str) -> list[Any]:
    if v is None:
        if len(like) != 1 or like[0].size != 1:
            raise InvalidValue(f"{name}: v may be left out only where {what} is a single number; give v")
        return [np.ones(like[0].shape, like[0].dtype)]
    vs = list(v) if isinstance(v, tuple) else [v]
    if len(vs) != len(like):
        raise InvalidValue(f"{name}: v has {len(vs)} arrays; expected {len(like)}, as many as {what}")
    vs = [v if isinstance(v, Operand) else as_floating(v, name, "v") for v in vs]
    for w, x in zip(vs, like, strict=True):
        if np.shape(w) != x.shape:
            raise InvalidValue(f"{name}: v has shape {np.shape(w)}; expected {x.shape}, that of {what}")
    return vs


def _swept(
    ys: Sequence[Any], xs: Sequence[Any], vs: Sequence[Any], create_graph: bool, strict: bool, name: str
) -> list[Any]:
    """vᵀ ∂y/∂x, zeros where there is no dependence."""
    moving = [(y, v) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
    found: Sequence[Any] = (None,) * len(xs)
    if moving:
        found = grad([y for y, _ in moving], xs, [v for _, v in moving], True, create_graph, True)
    for j, g in enumerate(found):
        if g is None or (create_graph and not g.requires_grad and strict):
            _refuse(strict, name, f"the result does not depend on input {j}")
    return [_zeros(x.shape, x, create_graph) if g is None else g for g, x in zip(found, xs, strict=True)]


def _pushed(
    ys: Sequence[Any], xs: Sequence[Any], vs: Sequence[Any], create_graph: bool, strict: bool, name: str
) -> list[Any]:
    """∂y/∂x v: the sweep is linear in its cotangents u, and this is the sweep back over that."""
    us = [variable(np.zeros(y.shape, y.dtype)) for y in ys]
    with recording_is(True):
        pulled = _swept(ys, xs, us, True, strict, name)
    return _swept(pulled, us, vs, create_graph, strict, name)


def _refuse(strict: bool, name: str, what: str) -> None:
    if strict:
        raise InvalidValue(f"{name}: {what}; leave strict out to get zeros")


def _zeros(shape: tuple[int, ...], x: Any, create_graph: bool) -> Any:
    zeros = np.zeros(shape, x.dtype)
    return variable(zeros, False) if create_graph else zeros


def _whole(parts: Sequence[Any], single: bool) -> Any:
    return parts[0] if single else tuple(parts)


def _given(ys: Sequence[Any], alone: bool, create_graph: bool) -> Any:
    """The values: variables where the graph is wanted."""
    return _whole([y if create_graph else np.array(primal(y)) for y in ys], alone)
