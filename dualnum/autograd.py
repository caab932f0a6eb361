"""The imperative style of PyTorch's tutorials, on NumPy arrays.

A variable made here records what is done with it wherever that happens; `backward` sweeps back and adds to the
`grad` of the leaves. Variables stand below jets made by hand, so that jets may have them as coefficients.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .backend import as_floating, to_device
from .errors import InvalidType, InvalidValue, dropped
from .levels import Scope, recording
from .operand import Operand, primal
from .tape import Node, is_recording, not_recording, sweep
from .variable import Variable as Recorded

__all__ = ["Variable", "grad", "no_grad", "variable"]


class Variable(Recorded):
    """An array that records the operations on it, to be made with `variable`.

    Attributes:
        grad: the sum of the gradients that `backward` found, an array (a variable with create_graph=True); None
            before. Leaves have one, and what was asked to `retain_grad`.
        grad_fn: the operation that made it, such as ``<MultiplyBackward>``; None for a leaf.
        is_leaf: whether no recorded operation made it.
        requires_grad: whether it depends on a variable to differentiate by; it can be set on leaves.
        data: the value, a read-only array; it can be set on leaves.
    """

    __slots__ = ()

    # ── the record ───────────────────────────────────────────────────────────────────────────────

    @property
    def grad_fn(self) -> Node | None:
        return None if self.is_leaf else self._node

    @property
    def is_leaf(self) -> bool:
        return self._node is None or not self._node.parents

    @property
    def requires_grad(self) -> bool:
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not self.is_leaf:
            raise InvalidValue("requires_grad: it can be set on leaves only; use x.detach() for a constant")
        if not wanted:
            self._node = None
        elif self._node is None:
            self._node = _leaf(self._value)

    def requires_grad_(self, wanted: bool = True) -> "Variable":
        """Sets requires_grad, and gives the variable back."""
        self.requires_grad = wanted
        return self

    @property
    def grad(self) -> Any:
        return None if self._node is None else getattr(self._node, "grad", None)

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if self._node is None:
            raise InvalidValue("grad: the variable does not require one; make it with requires_grad=True")
        if gradient is not None and np.shape(gradient) != self.shape:
            raise InvalidValue(f"grad: the gradient has shape {np.shape(gradient)}; expected {self.shape}")
        self._node.grad = gradient if gradient is None or isinstance(gradient, Operand) else np.asarray(gradient)

    def retain_grad(self) -> None:
        """Lets `backward` keep the gradient of this variable, although it is no leaf."""
        if self._node is None:
            raise InvalidValue("retain_grad: the variable does not require a gradient")
        if not hasattr(self._node, "grad"):
            self._node.grad = None

    def zero_grad(self) -> None:
        """Forgets the gradient that was collected."""
        if self._node is not None:
            self._node.grad = None

    def detach(self) -> "Variable":
        """The same value as a constant."""
        return self._new(self._read(), None)  # type: ignore[no-any-return]

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Adds ∂(Σ gradient·y)/∂x to the `grad` of every leaf x that y depends on.

        Args:
            gradient: of the shape of y; it may be left out for a single number.
            retain_graph: keep the record for another sweep; as create_graph when left out.
            create_graph: record the sweep itself, so that the gradients can be differentiated.

        Raises:
            InvalidValue: y is no single number and no gradient is given; the record was given up by an earlier
                sweep; y depends on no variable.

        Example:
            >>> x = variable(3.0)
            >>> (3 * x**2).backward()
            >>> x.grad
            array(18.)
        """
        found = _swept([self], [gradient], (), retain_graph, create_graph, "backward", True)
        for node, g in found:
            before = getattr(node, "grad", None)
            g = g if create_graph else _own(g)
            node.grad = g if before is None else before + g

    # ── the value ────────────────────────────────────────────────────────────────────────────────

    @property
    def data(self) -> Any:
        return self.value

    @data.setter
    def data(self, value: Any) -> None:
        value = value if isinstance(value, np.ndarray) else as_floating(primal(value), "data", "the value")
        if value.shape != self.shape:
            raise InvalidValue(f"data: the value has shape {value.shape}; expected {self.shape}")
        self._value = np.array(value, self.dtype)

    def numpy(self) -> Any:
        """The value as an array, of a variable that requires no gradient."""
        if self._node is not None:
            raise dropped("numpy() of a variable that requires a gradient", "x.detach().numpy(), or x.data")
        return self.value

    def item(self, *args: Any) -> Any:
        """The value of a single number, as Python's."""
        return primal(self).item(*args)

    def tolist(self) -> Any:
        """The value as nested lists."""
        return primal(self).tolist()

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._node is not None and not self._node.parents and is_recording():
            raise InvalidValue(
                "x[…] = value: x is a leaf that requires a gradient; assign within `with no_grad():`, or to np.copy(x)"
            )
        node = self._node
        super().__setitem__(index, value)
        if not is_recording():
            self._node = node  # still the variable that it was

    def __repr__(self) -> str:
        value = np.array2string(primal(self), separator=", ", prefix="variable(")
        if self.is_leaf:
            return f"variable({value}{', requires_grad=True' if self.requires_grad else ''})"
        return f"variable({value}, grad_fn={self._node!r})"


def _leaf(value: Any) -> Node:
    return Node("variable", (), None, (), value.shape, value.dtype)


def variable(data: Any, requires_grad: bool = True, *, dtype: Any = None, device: str | None = None) -> Variable:
    """A variable to differentiate by, with a copy of the data; integers become floats.

    Args:
        data: a number, nested lists, an array, or a variable, whose value is taken.
        requires_grad: whether to record what depends on it.

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
    if not isinstance(data, Operand):
        data = np.array(to_device(as_floating(data, "variable", "data"), device), dtype)
    new = object.__new__(Variable)
    new._value = data
    new._node = _leaf(data) if requires_grad else None
    new._writes = None
    new.scope = scope
    return new


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients ∂(Σ grad_outputs·outputs)/∂inputs, without touching any `grad`.

    Args:
        outputs, inputs: a variable, or a sequence of them.
        grad_outputs: as many, of the shapes of the outputs; None for single numbers.
        retain_graph: keep the record for another sweep; as create_graph when left out.
        create_graph: record the sweep itself: the gradients are variables, which can be differentiated.
        allow_unused: give None for an input on which the outputs do not depend, instead of raising.

    Returns:
        A tuple with a gradient for each input.

    Example:
        >>> x = variable([1.0, 2.0])
        >>> (f_x,) = grad(x**3, x, np.ones(2), create_graph=True)
        >>> (f_xx,) = grad(f_x, x, np.ones(2))
        >>> f_x.data, f_xx
        (array([ 3., 12.]), array([ 6., 12.]))
    """
    outs = [outputs] if isinstance(outputs, Operand) else list(outputs)
    ins = [inputs] if isinstance(inputs, Operand) else list(inputs)
    given = (
        [None] * len(outs)
        if grad_outputs is None
        else [grad_outputs]
        if isinstance(outputs, Operand) and not isinstance(grad_outputs, (tuple, list))
        else list(grad_outputs)
    )
    if len(given) != len(outs):
        raise InvalidValue(f"grad: {len(outs)} outputs and {len(given)} grad_outputs; expected as many")
    for x in ins:
        if not isinstance(x, Variable) or x._node is None:
            raise InvalidValue("grad: an input does not require a gradient; make it with requires_grad=True")
    nodes = [x._node for x in ins]
    found = {node.number: g for node, g in _swept(outs, given, nodes, retain_graph, create_graph, "grad", False)}
    results = []
    for k, node in enumerate(nodes):
        if node.number not in found and not allow_unused:
            raise InvalidValue(
                f"grad: the outputs do not depend on input {k}; pass allow_unused=True to get None for it"
            )
        g = found.get(node.number)
        results.append(g if g is None or create_graph else _own(g))
    return tuple(results)


def _own(g: Any) -> Any:
    """An array of its own."""
    return np.array(g) if not isinstance(g, Operand) else g


def _swept(
    outputs: Sequence[Any],
    cotangents: Sequence[Any],
    wanted: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
    name: str,
    collect: bool,
) -> list[tuple[Node, Any]]:
    seeds = []
    for y, g in zip(outputs, cotangents, strict=True):
        if not isinstance(y, Variable):
            raise InvalidType(f"{name}: an output is a {type(y).__name__}; expected a variable")
        y._read()
        if y._node is None:
            raise InvalidValue(f"{name}: an output depends on no variable that requires a gradient")
        if g is None:
            if y.size != 1:
                raise InvalidValue(
                    f"{name}: the output has shape {y.shape}; a gradient is implied for a single number only: give "
                    f"{'gradient' if name == 'backward' else 'grad_outputs'}=np.ones_like(y.data), say"
                )
            g = np.ones(y.shape, y.dtype)
        elif not isinstance(g, Operand):
            g = as_floating(g, name, "a gradient of an output").astype(y.dtype, copy=False)
        if np.shape(g) != y.shape:
            raise InvalidValue(f"{name}: a gradient of an output has shape {np.shape(g)}; expected {y.shape}")
        if not create_graph and isinstance(g, Variable):
            g = g._read()
        seeds.append((y._node, y._new(g, None) if create_graph and not isinstance(g, Variable) else g))
    retain = create_graph if retain_graph is None else retain_graph
    wrap = outputs[0]._new if create_graph else None
    return sweep(seeds, wanted, retain=retain, wrap=wrap, collect=collect)


@contextmanager
def no_grad() -> Iterator[None]:
    """Nothing is recorded inside: what is computed there is constant, and leaves may be assigned to.

    Example:
        >>> w = variable([1.0, 2.0])
        >>> np.sum(w**2).backward()
        >>> with no_grad():
        ...     w -= 0.1 * w.grad
        >>> w.data
        array([0.8, 1.6])
    """
    with not_recording():
        yield
