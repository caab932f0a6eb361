"""The variable of the imperative style: what PyTorch's tensors are to their tutorials, on NumPy arrays.

It records what is done with it wherever that happens; `backward` sweeps back and adds to the `grad` of the leaves.
"""

import warnings
from collections.abc import Callable
from functools import partial
from sys import modules
from typing import Any

import numpy as np

from ..backend import as_floating, floating_dtype, namespace, to_device
from ..errors import InvalidType, InvalidValue, dropped
from ..kinds import DType, Value
from ..operand import Operand, away, primal, put
from ..operand.levels import Scope, recording
from ..tape.recorded import Recorded
from ..tape.step import Step, is_recording, recording_is
from .sweeps import accumulated, own_array, swept, wanted
from .tensors import Tensor, missing
from .values import Values, as_data

__all__ = ["Variable", "variable"]


class Variable(Tensor, Values):
    """An array that records the operations on it, made by `variable`.

    Leaves are written to within `no_grad`; a copy by `copy.deepcopy` or pickle of a leaf is another leaf.

    Raises:
        InvalidType: the class is called; call `variable`.

    Example:
        >>> w = variable([0.5, 2.0])
        >>> w, np.sum(np.exp(w))
        (variable([0.5, 2. ], requires_grad=True), variable(9.0378, grad_fn=<SumBackward>))
    """

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise InvalidType("Variable: it is made by a function; call dn.autograd.variable(data)")

    # ── the record ───────────────────────────────────────────────────────────────────────────────

    @property
    def grad_fn(self) -> Step | None:
        """The operation that made it, such as ``<MultiplyBackward>``; None for a leaf."""
        return None if self.is_leaf else self._step

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        self._read()
        return self._step is None or not self._step.parents

    @property
    def requires_grad(self) -> bool:
        """Whether it depends on a variable to differentiate by; it can be set on leaves (else `InvalidValue`)."""
        self._read()
        return self._step is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not self.is_leaf:
            raise InvalidValue("requires_grad: it can be set on leaves only; use x.detach() for a constant")
        if not wanted:
            self._step = None
        elif self._step is None:
            self._step = _leaf(self._value)

    def requires_grad_(self, wanted: bool = True) -> "Variable":
        """Sets requires_grad to `wanted`, and gives the variable back; `InvalidValue` where it is no leaf."""
        self.requires_grad = wanted
        return self

    @property
    def grad(self) -> Any:
        """The sum of the gradients that `backward` found, an array of its shape; None before.

        Leaves have one, and what was asked to `retain_grad`; others warn. With create_graph=True it is a variable. It
        can be set, to None or to an array of the same shape (else `InvalidValue`).
        """
        if not self.is_leaf and not hasattr(self._step, "grad"):
            warnings.warn(
                "grad: this variable is no leaf (an operation made it), and backward keeps no gradient for it; call "
                "its retain_grad() before backward, or read the grad of the leaves",
                stacklevel=2,
            )
        gradient: Any = getattr(self._step, "grad", None)
        return gradient

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if self._step is None:
            raise InvalidValue("grad: the variable does not require one; make it with requires_grad=True")
        if gradient is not None and np.shape(gradient) != self.shape:
            raise InvalidValue(f"grad: the gradient has shape {np.shape(gradient)}; expected {self.shape}")
        keep = gradient is None or isinstance(gradient, Operand)
        self._step.grad = gradient if keep else as_floating(gradient, "grad", "the gradient")

    def _is_to_collect(self) -> bool:
        """Whether it is a leaf that requires a gradient."""
        return self.is_leaf and self._step is not None

    def retain_grad(self) -> None:
        """Lets `backward` keep the gradient of this variable, although it is no leaf.

        Raises:
            InvalidValue: the variable requires no gradient.
        """
        self._read()
        if self._step is None:
            raise InvalidValue("retain_grad: the variable does not require a gradient")
        if not hasattr(self._step, "grad"):
            self._step.grad = None

    def zero_grad(self) -> None:
        """Forgets the gradient that was collected."""
        if self._step is not None:
            self._step.grad = None

    def detach(self) -> "Variable":
        """The same value as a constant: a variable that requires no gradient."""
        return self._new(self._read(), None)  # type: ignore[no-any-return]

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Adds ∂(Σ gradient·y)/∂x to the `grad` of every leaf x that y depends on.

        Args:
            gradient: of the shape of y; it may be left out for a single number.
            retain_graph: keep the record for another sweep; as create_graph when left out.
            create_graph: record the sweep itself, so that the gradients can be differentiated.
            inputs: a variable or a sequence of them, whose `grad` alone is added to; they may be no leaves.

        Raises:
            InvalidValue: y is no single number and no gradient is given, or one of another shape; the record was given
                up by an earlier sweep; y depends on no variable; inputs are empty, or require no gradient.
            InvalidType: gradient is not made of numbers; an input is no variable.

        Example:
            >>> x = variable(3.0)
            >>> (3 * x**2).backward()
            >>> x.grad
            array(18.)
        """
        steps: Any = () if inputs is None else wanted([inputs] if isinstance(inputs, Tensor) else inputs, "backward")
        if inputs is not None and not steps:
            raise InvalidValue("backward: inputs are empty; give variables, or leave them out for all leaves")
        for step in steps:
            step.grad = getattr(step, "grad", None)
        accumulated(swept([self], [gradient], steps, retain_graph, create_graph, "backward", not steps), create_graph)

    # ── the value ────────────────────────────────────────────────────────────────────────────────

    @property
    def data(self) -> Any:
        """The value, a read-only array.

        It can be set (x.data -= step) to an array of its shape (else `InvalidValue`), which is not recorded.
        """
        return as_data(self.value)

    @data.setter
    def data(self, value: Value) -> None:
        value = value if isinstance(value, np.ndarray) else as_floating(primal(value), "data", "the value")
        if value.shape != self.shape:
            raise InvalidValue(f"data: the value has shape {value.shape}; expected {self.shape}")
        value = namespace(value).array(value, self.dtype)
        with recording_is(False):
            if self.is_leaf:
                self._replace(self._new(value, None))
            else:
                self[...] = value

    def numpy(self) -> Any:
        """The value as a read-only array, of a variable that requires no gradient.

        Raises:
            DerivativeDropped: it requires one; write x.detach().numpy() or x.data.
            InvalidType: it is on a device; write x.get().
        """
        if self._step is not None:
            raise dropped("numpy() of a variable that requires a gradient", "x.detach().numpy(), or x.data")
        if self.device != "cpu":
            raise InvalidType(f"numpy(): the variable is on {self.device}; write x.get().numpy() for a copy of it")
        return self.value

    def item(self, *args: Any) -> Any:
        """The value of a single number as Python's, or with `args` of one entry: x.item(2), x.item(0, 1).

        Raises:
            InvalidValue: there are more entries, and none is named.
        """
        if self.size != 1 and not args:
            raise InvalidValue(
                f"item: the variable has shape {self.shape}; expected one number: x.item(i) or x.tolist()"
            )
        return primal(self).item(*args)

    def tolist(self) -> Any:
        """The value as nested lists of Python's numbers."""
        return primal(self).tolist()

    def _replace(self, new: Recorded) -> None:
        if self._is_to_collect() and is_recording():
            raise InvalidValue(
                "x[…] = value: x is a leaf that requires a gradient; assign within `with no_grad():`, or to np.copy(x)"
            )
        super()._replace(new)

    def __repr__(self) -> str:
        value = np.array2string(to_device(primal(self), "cpu"), separator=", ", prefix="variable(")
        facts = "" if self.dtype.char in "dD" else f", dtype={self.dtype}"
        facts += "" if self.device == "cpu" else f", device={self.device!r}"
        if self.is_leaf:
            return f"variable({value}{facts}{', requires_grad=True' if self.requires_grad else ''})"
        return f"variable({value}{facts}, grad_fn={self._step!r})"

    def __format__(self, spec: str) -> str:
        """A single number as Python's; an array as its repr."""
        if not self.shape:
            return format(self.item(), spec)
        if spec:
            raise InvalidType(
                f"format: the variable has shape {self.shape}, and {spec!r} is for a number; format its entries, or "
                "np.array2string(x.data, precision=…)"
            )
        return repr(self)

    # ── copies ───────────────────────────────────────────────────────────────────────────────────

    def __deepcopy__(self, memo: Any) -> Any:
        """Of a leaf another leaf, with its gradient; of what was computed a recorded copy."""
        if not self.is_leaf or isinstance(self._value, Operand):
            return np.copy(self)
        value = self._value.copy()
        copied = self._new(value, _leaf(value) if self.requires_grad else None)
        if self.grad is not None:
            copied.grad = own_array(self.grad)
        return copied

    def __reduce__(self) -> Any:
        if not self.is_leaf or isinstance(self._value, Operand):
            raise InvalidType(
                "a variable that was computed cannot be pickled: its record lives in this process; pickle x.data, or "
                "x.detach()"
            )
        return partial(variable, device="cpu" if self.device == "cpu" else None), (self._value, self.requires_grad)


def _in_place(general: Callable[..., Any]) -> Callable[..., Any]:
    """x += y: also a leaf that is a single number stays the variable that it is."""

    def method(self: Variable, other: Value) -> Any:
        result = general(self, other)
        if result is self or not isinstance(result, Variable) or (is_recording() and not self._is_to_collect()):
            return result
        self[...] = result
        return self

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod"):
    setattr(Variable, f"__i{_name}__", _in_place(getattr(Recorded, f"__i{_name}__")))


def _leaf(value: Value) -> Step:
    return Step("variable", (), None, (), value.shape, value.dtype)


def variable(data: Value, requires_grad: bool = True, *, dtype: DType = None, device: str | None = None) -> Variable:
    """A variable to differentiate by, with a copy of the data; integers become floats.

    Args:
        data: a number, nested lists, an array, or a variable, whose value is taken.
        requires_grad: whether to record what depends on it.
        dtype: a real or complex type; that of the data when left out.
        device: "cpu", "cuda" or "cuda:N"; where the data are, or `use_device` says, when left out.

    Returns:
        A `Variable` of the shape of the data, a leaf.

    Raises:
        InvalidType: the data are no numbers, or a jet; dtype is neither real nor complex.
        InvalidValue: the data are a ragged list; there is no such device.

    Example:
        >>> u, v = variable(3.0), variable(4.0)
        >>> f = u**3 + v**2 + 4 * u * v
        >>> f.backward()
        >>> float(u.grad), float(v.grad)
        (43.0, 20.0)
    """
    scope: Scope = recording()
    if isinstance(data, Recorded) and data.scope is scope:
        data = data._read()
    if isinstance(data, Operand) and data.scope.level >= scope.level:
        raise InvalidType(
            f"variable: data is an operand of {data.scope.name}; give its .value, or take the derivative of a "
            "transform (dn.taylor(dn.grad(f), …)) for the series of a gradient"
        )
    data = put(data, device, "variable", "data")
    if "cupy" in modules and (there := away((data,))) is not None:
        with there:
            return variable(data, requires_grad, dtype=dtype)
    if not isinstance(data, Operand):
        data = namespace(data).array(data, None if dtype is None else floating_dtype(dtype, "variable"))
    new = object.__new__(Variable)
    new._value = data
    new._step = _leaf(data) if requires_grad else None
    new._writes = None
    new.scope = scope
    return new


setattr(Variable, "__getattr__", missing)  # noqa: B010  see `Ndarray`
