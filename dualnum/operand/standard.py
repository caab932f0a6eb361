"""NumPy's functions under the names of the array API standard, for libraries that ask an array for its namespace.

NumPy's main namespace is one, and hands operands over; what it makes of an operand by conversion (`asarray`, `astype`)
is said here.
"""

from typing import Any

import numpy as np

from ..kinds import DType
from .ndarray import Ndarray

__all__ = ["NAMESPACE", "Namespace"]


class Namespace:
    """``np``, but that an operand is an array to it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def __dir__(self) -> list[str]:
        return dir(np)

    def __repr__(self) -> str:
        return "<the array API namespace of dualnum: NumPy's functions>"

    def asarray(self, x: Any, /, *, dtype: DType = None, device: Any = None, copy: bool | None = None) -> Any:
        """x itself where it is an operand (a copy of it with copy=True), an array else."""
        if not isinstance(x, Ndarray):
            return np.asarray(x, dtype=dtype, device=device, copy=copy)
        moved: Any = x if device is None else x.to_device(device)  # type: ignore[attr-defined]
        typed = moved if dtype is None or dtype == moved.dtype else moved.astype(dtype)
        return np.copy(typed) if copy and typed is x else typed

    def astype(self, x: Any, dtype: DType, /, *, copy: bool = True, device: Any = None) -> Any:
        """x in another type."""
        if isinstance(x, Ndarray):
            return self.asarray(x, dtype=dtype, device=device, copy=copy)
        return x.astype(dtype, copy=copy)


NAMESPACE = Namespace()
