"""Which namespace an array belongs to, and what may become a coefficient.

With `devices` the only module that knows of CuPy, and it imports it only when memory on a device comes from elsewhere:
an array that comes from CuPy brings the module with it (``sys.modules``).
"""

import re
import sys
from types import ModuleType
from typing import Any

import numpy as np

from .errors import InvalidType, InvalidValue, NotOnDevice, not_on_device
from .kinds import DType, Value

__all__ = [
    "as_floating", "asked", "contiguous", "cuda_device", "cupy", "device_of", "floating_dtype", "imported", "is_array",
    "lacking", "namespace", "occurs", "plain", "resolved", "sums_at", "to_device", "writable",
]  # fmt: skip

_NUMERIC = "fc"  # dtype kinds that carry derivatives
_PROMOTED = "biu"  # dtype kinds that become the default float


def cupy() -> Any:
    """The module CuPy, or None as long as nobody has imported it."""
    return sys.modules.get("cupy")


def namespace(*arrays: Any) -> ModuleType:
    """The array module (numpy or cupy) that the arrays belong to."""
    cupy = sys.modules.get("cupy")
    if cupy is not None and any(isinstance(a, cupy.ndarray) for a in arrays):
        return cupy
    return np


def asked(default: Any, **keywords: Any) -> dict[str, Any]:
    """The keywords that differ from their default: CuPy's functions have not all of those that NumPy's have."""
    return {name: x for name, x in keywords.items() if x is not default and x != default}


def is_array(x: Value) -> bool:
    """Whether x is an array of NumPy or CuPy, or a NumPy scalar."""
    return isinstance(x, (np.ndarray, np.generic)) or namespace(x) is not np


def occurs(mask: Value) -> bool:
    """Whether truth values hold anywhere, as far as that can be told at no cost: a rule may skip what does not occur.

    Of what lies on a device or is a symbol of a program, and is not looked at, it is taken that they do: there
    every case is computed, and the masks choose.
    """
    if isinstance(mask, (bool, np.ndarray, np.generic)):
        return bool(np.any(mask))
    return getattr(mask, "constant", None) is not False


def plain(x: Value, function: str, argument: str) -> Any:
    """The array x without what a subclass of ndarray adds (np.memmap), where that changes no meaning.

    Raises `InvalidType` for np.matrix, whose products are other ones, and for masked arrays, whose mask
    would be lost.
    """
    if type(x) is np.ndarray or not isinstance(x, np.ndarray):
        return x
    if isinstance(x, np.matrix):
        raise InvalidType(f"{function}: {argument} is an np.matrix; give an array (np.asarray(m), and @ for products)")
    if isinstance(x, np.ma.MaskedArray):
        raise InvalidType(
            f"{function}: {argument} is a masked array, whose mask would be lost; give x.filled(…), and np.where for "
            "what the mask leaves out"
        )
    return x.view(np.ndarray)


def contiguous(x: Value) -> Any:
    """x in one piece; itself where it is."""
    return namespace(x).ascontiguousarray(x)


def writable(x: Value) -> bool:
    """Whether entries of an array can be assigned (those of CuPy's always can)."""
    return bool(getattr(x.flags, "writeable", True))


def as_floating(x: Value, function: str, argument: str) -> Any:
    """x as an array of floats (or complex numbers) in its own namespace; shared where it already is one.

    What is no array but a number stays a number, of NumPy's. What another library has on a CUDA device
    (``__cuda_array_interface__``, DLPack) becomes an array of CuPy's over the same memory.

    Integers and booleans become the default float, as in ``np.true_divide``. Raises `InvalidType`
    for what is no array of numbers.
    """
    kind = type(x)
    if kind is np.ndarray and x.dtype.kind in _NUMERIC:
        return x
    if kind is float:
        return np.float64(x)
    number = not is_array(x)
    if number:
        try:
            foreign = _on_device(x, f"{function}: {argument}")
            number = foreign is None
            x = np.asarray(x) if number else foreign
        except InvalidValue:
            raise
        except ValueError as error:  # ragged nested lists
            raise InvalidValue(f"{function}: {argument} is not a rectangular array ({error})") from None
        except RuntimeError as error:  # a tensor of PyTorch that records
            raise InvalidType(f"{function}: {argument} is a {type(x).__name__} that gives no array ({error})") from None
    x = plain(x, function, argument)
    kind = x.dtype.kind
    if kind in _NUMERIC or kind in _PROMOTED:
        x = x if kind in _NUMERIC else x.astype(namespace(x).float64)
        return x[()] if number else x
    raise InvalidType(
        f"{function}: {argument} has dtype {x.dtype}, which carries no derivatives; "
        "give real or complex numbers (for example x.astype(float))"
    )


def floating_dtype(dtype: DType, function: str) -> np.dtype[Any]:
    """dtype, if coefficients can have it."""
    try:
        checked: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise InvalidType(f"{function}: dtype is {dtype!r}; expected a real or complex type") from None
    if checked.kind not in "fc":
        raise InvalidType(
            f"{function}: dtype is {checked}, which carries no derivatives; expected a real or complex type, or "
            "x.value for the values"
        )
    return checked


_LACKING = re.compile(
    r"no implementation found for 'numpy\.([\w.]+)' .*cupy|NotImplemented from __array_ufunc__\(<ufunc '(\w+)'>"
    r"|Unsupported dtype (float128|complex256)|Wrong type \(.*\) of arguments for (?:cupy|cupyx_scipy_special)_(\w+)"
)


def lacking(error: Exception, function: str) -> NotOnDevice | None:
    """The error of ours for one that says what CuPy lacks; None for others."""
    if "cupy" not in sys.modules:
        return None
    if isinstance(error, NotImplementedError) and _raised_in(error).startswith("cupy"):
        return not_on_device(function, f"CuPy does not do this ({error})")
    found = _LACKING.search(str(error)) if isinstance(error, (TypeError, ValueError)) else None
    if found is None:
        return None
    which = f"{found[4]} of these types" if found[4] else found[1] or found[2] or found[3]
    return not_on_device(function, f"CuPy has no {which}")


def _raised_in(error: Exception) -> str:
    """The module that raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))


def sums_at(positions: Any, weights: Any, size: int) -> Any:
    """The sums of the weights at each of the positions 0 … size − 1; on a device without a look at them."""
    xp = namespace(weights)
    if xp is not np:
        sums = xp.zeros(size, weights.dtype)
        parts = [(sums.real, weights.real), (sums.imag, weights.imag)] if sums.dtype.kind == "c" else [(sums, weights)]
        for into, added in parts:
            np.add.at(into, positions, added)
        return sums
    if weights.dtype.kind == "c":
        sums = np.bincount(positions, weights.real, size) + 1j * np.bincount(positions, weights.imag, size)
    else:
        sums = np.bincount(positions, weights, size)
    return sums.astype(weights.dtype, copy=False)


# ── devices ──────────────────────────────────────────────────────────────────────────────────────


def device_of(x: Value) -> str:
    """ "cpu", or "cuda:N" for an array that lives on a GPU."""
    device = getattr(x, "device", "cpu")
    return device if isinstance(device, str) else f"cuda:{device.id}"


def to_device(x: Value, device: str | None) -> Any:
    """The array x on the named device ("cpu", "cuda", "cuda:1"); x itself when device is None or where it is."""
    if device is None or device == device_of(x) or (device := resolved(device)) == device_of(x):
        return x
    if device == "cpu":
        return x.get()
    with cuda_device(device):
        return cupy().array(x)


def resolved(device: Any) -> str:
    """The full name of a device that is there: "cpu" or "cuda:N", of "cuda" that of CuPy's current one."""
    if isinstance(device, str) and device == "cpu":
        return "cpu"
    kind, _, number = device.partition(":") if isinstance(device, str) else ("", "", "")
    if kind != "cuda" or (number and not number.isdecimal()):
        raise InvalidValue(f'device is {device!r}; expected "cpu", "cuda" or "cuda:N"')
    runtime = imported(f"device is {device!r}").cuda.runtime
    try:
        count, reason = runtime.getDeviceCount(), ""
    except runtime.CUDARuntimeError as error:  # no driver, or one that is too old
        count, reason = 0, f" ({error})"
    if not count:
        raise InvalidValue(
            f"device is {device!r}, but CuPy finds no CUDA device{reason}; it takes an NVIDIA GPU and its driver "
            "(nvidia-smi shows both). dn.best_device() is the device to use where there may be none"
        )
    if number and int(number) >= count:
        raise InvalidValue(f"device is {device!r}; expected one of {', '.join(f'cuda:{i}' for i in range(count))}")
    return f"cuda:{int(number) if number else runtime.getDevice()}"


def cuda_device(name: str) -> Any:
    """CuPy's object for a device by its full name."""
    return cupy().cuda.Device(int(name.removeprefix("cuda:")))


def imported(wanted: str) -> Any:
    """The module CuPy; `wanted` begins the error that says what is missing."""
    try:
        import cupy as module
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            raise
        raise InvalidValue(
            f"{wanted}, but CuPy is not installed; pip install 'dualnum[cuda13]' (or cuda12). dn.best_device() is the "
            "device to use where there may be none"
        ) from None
    except ImportError as error:
        raise InvalidValue(f"{wanted}, but CuPy is installed and cannot be imported: {str(error).strip()}") from error
    return module


_DLPACK_CUDA = (2, 13)  # kDLCUDA, kDLCUDAManaged


def _on_device(x: Value, name: str) -> Any:
    """What another library has on a CUDA device, as an array of CuPy's over its memory; None of what is on the host."""
    if hasattr(x, "__cuda_array_interface__"):
        return imported(f"{name} is on a CUDA device").asarray(x)
    if hasattr(x, "__dlpack_device__") and x.__dlpack_device__()[0] in _DLPACK_CUDA:
        return imported(f"{name} is on a CUDA device").from_dlpack(x)
    if isinstance(x, (list, tuple)) and cupy() is not None and any(isinstance(item, cupy().ndarray) for item in x):
        return cupy().asarray(x)  # CuPy collects its own, NumPy does not
    return None
