"""Functions with a derivative of one's own in the imperative style, as torch.autograd.Function.

A function is one step of the record, whatever it does inside; several results are parts of one array, so that
`backward` is called once with all their gradients.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..backend import as_floating
from ..errors import InvalidType, InvalidValue, NotDifferentiable
from ..operand import Operand, highest
from ..operand.constants import frozen
from ..tape.recorded import Recorded
from ..tape.step import is_recording
from .variable import variable

__all__ = ["Context", "Function"]


class Context:
    """What `forward` leaves for `backward`: besides what is named here whatever attribute is set.

    Attributes:
        needs_input_grad: for each argument whether a gradient is asked for.
    """

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._given: tuple[Any, ...] = ()
        self._saved: Callable[[], tuple[Any, ...]] | None = None
        self._constant: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *arrays: Any) -> None:
        """Keeps arguments and results, as what they are in the record; and other arrays, as they are now."""
        self._given = arrays

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved, in `backward`."""
        return self._given if self._saved is None else self._saved()

    def mark_non_differentiable(self, *results: Any) -> None:
        """These results are constants."""
        self._constant = results

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (as it does when left alone) or None for a result nothing depends on."""
        self._materialize = value


class Function:
    """A function with a derivative of one's own: subclass it, and call `apply`.

    ``forward(ctx, *args)`` computes the result, one array or a tuple, and leaves in ctx what ``backward(ctx, *grads)``
    needs; that takes the gradients of the results to those of the arguments, as many, None where there is none. Both
    are static methods. With ``setup_context(ctx, inputs, output)`` forward has no ctx. What `backward` does with the
    gradients and with ``ctx.saved_tensors`` is recorded where create_graph=True, and so can be differentiated again.

    Within `dn.grad` and other reverse transforms it works alike; of jets, and so of forward transforms, `backward`
    says nothing: `dn.custom_derivative` makes a rule that serves all modes.

    Raises:
        InvalidType: forward returns no arrays.
        InvalidValue: backward returns another number of gradients, or one of another shape.
        NotDifferentiable: an argument is a jet.

    Example:
        >>> class Cube(dn.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x**3
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return 3 * x**2 * g
        >>> x = dn.autograd.variable([0.5, 2.0])
        >>> np.sum(Cube.apply(x)).backward()
        >>> x.grad
        array([ 0.75, 12.  ])
    """

    setup_context: Any = None

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The result, from ctx (where there is no setup_context) and the arguments."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients of the arguments, from ctx and the gradients `grads` of the results."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *grads)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """The result of `forward` at args, in its shapes and types, recorded with `backward`."""
        top = highest(args)
        ctx: Any = Context()
        if not isinstance(top, Recorded):
            if top is not None and top.algebra is not None:
                raise NotDifferentiable(
                    f"{cls.__name__}.apply: an argument is a jet, and backward is a rule for the reverse mode alone; "
                    "use dn.custom_derivative for one that serves all"
                )
            ctx.needs_input_grad = (False,) * len(args)
            return cls._forward(ctx, args)
        values, parents = top._parts(args)
        ctx.needs_input_grad = tuple(p is not None for p in parents)
        # constants, so that nothing is recorded here, and whatever is below is differentiated as ever
        plain = not any(isinstance(v, Operand) for v in values)
        args = tuple(
            v if p is None else _shown(v) if plain else top._new(v, None) for v, p in zip(values, parents, strict=True)
        )
        results = cls._forward(ctx, args)
        single = not isinstance(results, tuple)
        ys = (results,) if single else results
        moving = [i for i, y in enumerate(ys) if not any(y is c for c in ctx._constant) and _is_moving(y, cls.__name__)]
        outs = list(ys)
        for i, y in enumerate(ys):
            outs[i] = top._new(_own(_value(y, top)), None) if hasattr(y, "dtype") or isinstance(y, float) else y
        if is_recording() and any(parents) and moving:
            packing = _Packing([_value(ys[i], top) for i in moving])
            pull = _pull_back(cls, ctx, top, args, ys, moving, packing)
            whole = top._recorded(cls.__name__, parents, pull, (packing.whole, *values), packing.whole)
            for i, y in zip(moving, packing.apart(whole), strict=True):
                outs[i] = y
        return outs[0] if single else tuple(outs)

    @classmethod
    def _forward(cls, ctx: Context, args: tuple[Any, ...]) -> Any:
        if cls.setup_context is None:
            return cls.forward(ctx, *args)
        results = cls.forward(*args)
        cls.setup_context(ctx, args, results)
        return results


def _is_moving(y: Any, name: str) -> bool:
    """Whether a result can have a gradient."""
    if y is None or isinstance(y, (str, list, dict)):
        given = "None" if y is None else f"a {type(y).__name__}"
        raise InvalidType(f"{name}.forward returned {given}; expected an array or a tuple of arrays")
    return np.result_type(y).kind in "fc"


def _value(y: Any, top: Recorded) -> Any:
    """A result of forward, which was not recorded, without its variable."""
    while isinstance(y, Recorded) and (y.scope is top.scope or y._step is None):
        y = y._read()
    return y if isinstance(y, Operand) else as_floating(y, "Function", "a result of forward") if _floats(y) else y


def _floats(y: Any) -> bool:
    return bool(np.result_type(y).kind in "fc")


def _own(value: Any) -> Any:
    return value if isinstance(value, Operand) else np.array(value)


class _Packing:
    """Several arrays as one; a single one as it is."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.shapes = [tuple(np.shape(v)) for v in values]
        self.types = [np.result_type(v) for v in values]
        self.alone = len(values) == 1
        self.whole = values[0] if self.alone else np.concatenate([np.ravel(v) for v in values])
        if self.alone and not hasattr(self.whole, "shape"):
            self.whole = np.asarray(self.whole)

    def apart(self, whole: Any) -> list[Any]:
        """The arrays in one like it."""
        if self.alone:
            return [whole]
        found, start = [], 0
        for shape, dtype in zip(self.shapes, self.types, strict=True):
            part = np.reshape(np.copy(whole[start : start + prod(shape)]), shape)
            start += prod(shape)
            part = np.real(part) if dtype.kind == "f" and part.dtype.kind == "c" else part
            found.append(part if part.dtype == dtype else part.astype(dtype))
        return found


def _pull_back(
    cls: Any, ctx: Any, top: Recorded, args: Sequence[Any], ys: Sequence[Any], moving: list[int], packing: _Packing
) -> Callable[..., Any]:
    """(cotangent, result, *arguments) → contributions, by the backward of the class."""
    saved = [_place(x, args, ys, moving, top) for x in ctx._given]
    ctx._given = ()
    needed = ctx.needs_input_grad
    shapes = [None if x is None else np.shape(x) for x in args]
    zeros = [None if i in moving else np.zeros(np.shape(y), y.dtype if _floats(y) else float) for i, y in enumerate(ys)]
    scope = top.scope

    def pull(cotangent: Any, whole: Any, *values: Any) -> Any:
        recorded = isinstance(cotangent, Recorded) and cotangent.scope is scope
        shown: Callable[[Any], Any] = (lambda x: x) if isinstance(cotangent, Operand) else _shown

        def found() -> tuple[Any, ...]:
            results = packing.apart(whole)
            places = {"argument": values, "result": results}
            return tuple(shown(x if kind == "constant" else places[kind][x]) for kind, x in saved)

        ctx._saved = found
        grads: list[Any] = [None if z is None or not ctx._materialize else shown(z) for z in zeros]
        for i, g in zip(moving, packing.apart(cotangent), strict=True):
            grads[i] = shown(g)
        pulled = cls.backward(ctx, *grads)
        pulled = pulled if isinstance(pulled, tuple) else (pulled,)
        while len(pulled) > len(needed) and pulled[-1] is None:
            pulled = pulled[:-1]
        if len(pulled) != len(needed):
            raise InvalidValue(
                f"{cls.__name__}.backward returned {len(pulled)} gradients; expected {len(needed)}, one for each "
                "argument of forward, None where there is none"
            )
        contributions: list[Any] = []
        for i, (c, needs, shape) in enumerate(zip(pulled, needed, shapes, strict=True)):
            if c is None or not needs:
                contributions.append(None)
                continue
            c = c if isinstance(c, Operand) else as_floating(c, f"{cls.__name__}.backward", f"gradient {i}")
            if np.shape(c) != shape:
                raise InvalidValue(
                    f"{cls.__name__}.backward returned a gradient of shape {np.shape(c)} for argument {i}; expected "
                    f"{shape}"
                )
            contributions.append(c if recorded else _value(c, top))
        return tuple(contributions)

    return pull


def _shown(x: Any) -> Any:
    """A plain array as a constant variable, with the names of tensors; an operand of a lower level as it is."""
    return (
        x if x is None or isinstance(x, Operand) else _CONSTANT._new(x if hasattr(x, "shape") else np.asarray(x), None)
    )


_CONSTANT = variable(0.0, False)


def _place(x: Any, args: Sequence[Any], ys: Sequence[Any], moving: list[int], top: Recorded) -> tuple[str, Any]:
    """Where what was saved stands in the record: an argument, a result, or a constant, kept as it is now."""
    for i, a in enumerate(args):
        if x is a and isinstance(a, Recorded):
            return "argument", i
    for k, i in enumerate(moving):
        if x is ys[i]:
            return "result", k
    x = _value(x, top) if isinstance(x, Recorded) else x
    return "constant", x if x is None else frozen(x)
