"""The names of PyTorch's tensors: those that variables have too, and of the others what to write.

What says the same in NumPy's words and costs nothing is there; what means another thing for an array (`size`), writes
in place, or is one of many functions is not, and the error translates it.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ..backend import to_device
from ..errors import InvalidType, InvalidValue, NoAttribute
from ..jets.display import columns, table
from ..kinds import Value
from ..operand import ndarray, primal
from ..operand.ndarray import Ndarray
from ..tape.hooks import Handle
from ..tape.recorded import Recorded

__all__ = ["Tensor", "missing"]

_FUNCTIONS = (("np", np), ("np.linalg", np.linalg))
_INSTEAD = {
    "mm": "x @ y", "mv": "x @ y", "bmm": "x @ y", "matmul": "x @ y", "half": "x.astype(np.float32)",
    "add": "x + y", "sub": "x - y", "mul": "x * y", "div": "x / y", "neg": "-x", "rsqrt": "1 / np.sqrt(x)",
    "cuda": "x.to('cuda')", "t": "x.T", "permute": "x.transpose(…)", "is_cuda": "x.device", "new_zeros": "np.zeros(…)",
    "type": "x.astype(…)", "view_as": "x.reshape(y.shape)", "expand_as": "np.broadcast_to(x, y.shape)",
    "cat": "np.concatenate([x, …])", "chunk": "np.array_split(x, …)", "masked_fill": "np.where(mask, value, x)",
    "gather": "np.take_along_axis(x, index, axis)", "index_select": "np.take(x, index, axis)", "lt": "x < y",
    "gt": "x > y", "eq": "x == y", "ne": "x != y", "ge": "x >= y", "le": "x <= y", "erf": "scipy.special.erf(x)",
    "softmax": "np.exp(x - x.max()) / np.sum(np.exp(x - x.max()))", "logsumexp": "np.logaddexp.reduce(x)",
    "zero_": "x[...] = 0 within `with no_grad():`, and x.zero_grad() (or x.grad[...] = 0) for a gradient",
    "_version": "nothing: what is written later changes no record, so there is no version to compare",
    "expand": "np.broadcast_to(x, shape)", "sigmoid": "1 / (1 + np.exp(-x))", "relu": "np.maximum(x, 0)",
    "detach_": "x = x.detach()",
}  # fmt: skip


class Tensor(Recorded):
    """The methods of tensors that variables have under the same names."""

    __slots__ = ()

    def clone(self) -> Any:
        """A recorded copy: ``np.copy(x)``."""
        return np.copy(self)

    def pow(self, exponent: Value) -> Any:
        """``x**exponent``."""
        return self**exponent

    def unsqueeze(self, dim: int) -> Any:
        """``np.expand_dims(x, dim)``."""
        return np.expand_dims(self, dim)

    def numel(self) -> int:
        """``x.size``."""
        return self.size

    def dim(self) -> int:
        """``x.ndim``."""
        return self.ndim

    def cpu(self) -> Any:
        """``x.to_device("cpu")``."""
        return self.to_device("cpu")

    def float(self) -> Any:
        """``x.astype(np.float32)``."""
        return self.astype(np.float32, copy=False)

    def double(self) -> Any:
        """``x.astype(np.float64)``."""
        return self.astype(np.float64, copy=False)

    def to(self, *wanted: Any, device: str | None = None, dtype: Any = None) -> Any:
        """The variable on a device and in a type, itself where it is: ``x.to("cuda")``, ``x.to(np.float32)``."""
        for given in wanted:
            if isinstance(given, Tensor):
                device, dtype = given.device, given.dtype
            elif isinstance(given, str) and given.partition(":")[0] in ("cpu", "cuda"):
                device = given
            else:
                dtype = given
        moved = self if device is None else self.to_device(device)
        return moved if dtype is None else moved.astype(dtype, copy=False)

    def _repr_html_(self) -> str:
        """A table of the value, and of the gradient that was collected."""
        names, cells = columns(self)
        gradient = getattr(self._step, "grad", None)
        shown = {"value": self} if gradient is None else {"value": self, "grad": gradient}
        rows = [(name, cells(np.asarray(to_device(primal(x), "cpu")))) for name, x in shown.items()]
        facts = [f"shape {self.shape}", str(self.dtype)] + ([] if self.device == "cpu" else [self.device])
        if self._step is not None:
            facts.append(f"grad_fn {self._step!r}" if self._step.parents else "requires_grad")
        return table(f"variable, {', '.join(facts)}", names, rows)

    def register_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """Has `hook` called with each gradient of this variable that a sweep finds; what it gives replaces that.

        Hooks run in their order, before the gradient is added to `grad` (that of `retain_grad` as well), and see a
        variable where create_graph=True records the sweep.

        Args:
            hook: (gradient) → another of its shape, or None to leave it.

        Returns:
            A handle, whose `remove()` takes the hook away.

        Raises:
            InvalidValue: the variable requires no gradient; in the sweep where the hook gives one of another shape.
            InvalidType: the hook is no function.

        Example:
            >>> x = dn.autograd.variable([1.0, 2.0])
            >>> handle = x.register_hook(lambda g: np.clip(g, -5.0, 5.0))
            >>> np.sum(x**3).backward()
            >>> x.grad
            array([3., 5.])
        """
        if not callable(hook):
            raise InvalidType(f"register_hook: the hook is a {type(hook).__name__}; expected a function of a gradient")
        self._read()
        if self._step is None:
            raise InvalidValue("register_hook: the variable does not require a gradient")
        scope = self.scope

        def called(gradient: Any) -> Any:
            new = hook(gradient)
            mine = [isinstance(x, Recorded) and x.scope is scope for x in (gradient, new)]
            return new._read() if mine == [False, True] else new  # a sweep that is not recorded runs on values

        return Handle(self._step, called)


def missing(self: Ndarray, name: str) -> NoReturn:
    """What is raised for an attribute that a variable has not."""
    instead = _INSTEAD.get(name)
    if instead is None and not name.startswith("_") and not hasattr(np.ndarray, name):
        at = next((at for at, module in _FUNCTIONS if callable(getattr(module, name, None))), None)
        if at is not None:
            instead = f"{at}.{name}(x, …)"
        elif name.endswith("_"):
            instead = "an assignment (x += …, x[...] = …), to leaves within `with no_grad():`"
    if instead is not None:
        raise NoAttribute(f"{name}: a variable has no such attribute, it is used as an array of NumPy; write {instead}")
    ndarray.missing(self, name)
