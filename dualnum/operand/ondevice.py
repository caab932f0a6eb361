"""How an operand is moved between devices, and how CuPy's own functions reach it."""

from typing import Any

import numpy as np

from ..devices import numpy_function
from ..errors import NotDifferentiable
from .ndarray import Ndarray
from .standard import NAMESPACE

__all__ = ["OnDevice"]


class OnDevice(Ndarray):
    """The methods of what has numbers on the host or on a device."""

    __slots__ = ()

    def to_device(self, device: str, /, *, stream: Any = None) -> Any:
        """This on another device ("cpu", "cuda", "cuda:N"), itself where it is there; a cotangent goes back.

        Args:
            device: its name; "cuda" is CuPy's current one.
            stream: None: the copy is made on CuPy's current stream.

        Raises:
            InvalidValue: there is no such device; CuPy is not installed, or finds no device.
        """
        from .linear import moved_by_record

        return moved_by_record(self, device)

    def __array_namespace__(self, /, *, api_version: Any = None) -> Any:
        """The functions of the array API standard on operands: NumPy's."""
        np.empty(0).__array_namespace__(api_version=api_version)  # raises for a version that NumPy does not have
        return NAMESPACE

    def get(self) -> Any:
        """This on the host, as CuPy's arrays have it: ``x.to_device("cpu")``."""
        return self.to_device("cpu")

    def __cupy_override_elementwise_kernel__(self, kernel: Any, *args: Any, **kwargs: Any) -> Any:
        """What CuPy's own ufuncs ask for, where NumPy's ask for `__array_ufunc__`: ``cp.sin(x)`` is ``np.sin(x)``."""
        name = getattr(kernel, "name", "a kernel")
        function = numpy_function(kernel)
        if function is None:
            raise NotDifferentiable(
                f"{name}: dualnum has no rule for this kernel of CuPy's; write it with functions of NumPy, or give it "
                "a rule by dn.custom_derivative"
            )
        inputs, out = args[: kernel.nin], args[kernel.nin :] or (kwargs.pop("out", None),)
        if any(x is not None for x in out):
            kwargs["out"] = out
        if isinstance(function, np.ufunc):  # past NumPy's dispatch, which would ask CuPy's arrays first
            return self.__array_ufunc__(function, "__call__", *inputs, **kwargs)
        return self.__array_function__(function, (), inputs, kwargs)
