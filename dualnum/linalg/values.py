"""SciPy's functions of plain matrices, asked for when they are needed."""

from typing import Any, NoReturn

import numpy as np

from ..errors import not_on_device
from ..kinds import Value
from ..operand import highest, library
from ..primitives.operation import Operation

__all__ = ["scipy_of", "scipy_of_each"]


def scipy_of(name: str, *arrays: Value, **keywords: Any) -> Any:
    """SciPy's function of these arrays, or of those that a trace stands for.

    Of the functions that are asked for here CuPy has none that is needed.
    """
    if library(*arrays) is not np:
        raise not_on_device(name, f"CuPy has no {name}")
    top = highest(arrays)
    if top is not None:
        return top._operation(Operation(name, lambda *xs: scipy_of(name, *xs, **keywords), None, _no_rule), arrays)
    import scipy.linalg

    return getattr(scipy.linalg, name)(*arrays, **keywords)


def _no_rule(*args: Any) -> NoReturn:
    raise AssertionError("SciPy's function of something that carries derivatives")


def scipy_of_each(name: str, a: Value, *more: Any) -> Any:
    """The same of every matrix of a batch, in the precision of the matrices."""
    if a.ndim == 2 and a.size:
        found = scipy_of(name, a, *more)
    elif a.size:
        each = [scipy_of(name, a[place], *more) for place in np.ndindex(a.shape[:-2])]
        found = np.reshape(np.stack(each), a.shape)
    else:
        found = np.array(a, dtype=np.result_type(a, np.float32))
    if a.dtype.kind not in "fc":
        return found
    if found.dtype.kind == "c" and a.dtype.kind == "f" and a.size:  # SciPy measures roundings in double precision
        if np.max(np.abs(found.imag)) <= 1000 * np.finfo(a.dtype).eps * np.max(np.abs(found)):
            found = found.real
    dtype = np.result_type(a.dtype, np.complex64) if found.dtype.kind == "c" else a.dtype
    return found.astype(dtype, copy=False)
