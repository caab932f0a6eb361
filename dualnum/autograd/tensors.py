"""What PyTorch's tensors have and variables have not: the error says what to write."""

from typing import NoReturn

import numpy as np

from ..errors import NoAttribute
from ..operand import ndarray
from ..operand.ndarray import Ndarray

__all__ = ["missing"]

_FUNCTIONS = (("np", np), ("np.linalg", np.linalg))
_INSTEAD = {
    "clone": "x.copy()", "numel": "x.size", "dim": "x.ndim", "pow": "x**p", "mm": "x @ y", "mv": "x @ y",
    "bmm": "x @ y", "float": "x.astype(np.float32)", "double": "x.astype(np.float64)",
    "to": "x.to_device(…), x.astype(…), or variable(data, device=…, dtype=…)",
    "cuda": "x.to_device('cuda')", "cpu": "x.to_device('cpu')",
    "t": "x.T", "unsqueeze": "np.expand_dims(x, axis)", "permute": "x.transpose(…)",
    "expand": "np.broadcast_to(x, shape)", "sigmoid": "1 / (1 + np.exp(-x))", "relu": "np.maximum(x, 0)",
    "detach_": "x = x.detach()",
}  # fmt: skip


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
