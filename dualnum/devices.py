"""Devices: which there are, where arrays are put, and what CuPy's own functions are called in NumPy.

Nothing is moved that nobody asked for. CuPy is imported when a device is named, or by whoever has arrays on one.
"""

import importlib
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

from .backend import cupy, device_of, imported, namespace
from .errors import InvalidType, InvalidValue
from .kinds import Value

__all__ = [
    "apart", "best_device", "chosen", "devices", "entered", "numpy_function", "resolved", "to_device", "use_device",
]  # fmt: skip


# ── where arrays are put ─────────────────────────────────────────────────────────────────────────


def to_device(x: Value, device: str | None) -> Any:
    """The array x on the named device ("cpu", "cuda", "cuda:1"); x itself when device is None or where it is."""
    if device is None or device == device_of(x) or (device := resolved(device)) == device_of(x):
        return x
    if device == "cpu":
        return x.get()
    with _cuda_device(device):
        return cupy().array(x)


_chosen: ContextVar[str | None] = ContextVar("device", default=None)
chosen = _chosen.get  # where what comes from the host is put, None for there


class use_device(AbstractContextManager["use_device"]):
    """Puts what is made of numbers, lists and arrays of NumPy on this device: from now on, or in a ``with`` block.

    That is what `jet`, `jets`, `dual`, `hyperdual` and `autograd.variable` are given, where they are given no
    ``device=``. Arrays of CuPy stay where they are, and transforms compute where their arguments are. It holds for the
    thread that says so, and makes the device CuPy's current one.

    Args:
        device: "cuda", "cuda:N", or "cpu", which leaves everything where it is.

    Raises:
        InvalidValue: there is no such device; CuPy is not installed, or finds no device.

    Example:
        >>> with use_device(best_device()):  # the GPU where there is one
        ...     y = np.exp(jet([0.5, 2.0], order=1))
        >>> y.device == jet(0.5, device=best_device()).device
        True
    """

    def __init__(self, device: str) -> None:
        self._device = resolved(device)
        self._before = _chosen.get()
        self._current: Any = None
        if self._device != "cpu":
            self._current = cupy().cuda.Device()
            _cuda_device(self._device).use()
        _chosen.set(None if self._device == "cpu" else self._device)

    def __repr__(self) -> str:
        return f"use_device({self._device!r})"

    def __exit__(self, *exception: Any) -> None:
        _chosen.set(self._before)
        if self._current is not None:
            self._current.use()


def entered(x: Value) -> AbstractContextManager[Any]:
    """The device of an array as CuPy's current one within a ``with`` block: what is made there lies beside x."""
    return nullcontext() if namespace(x) is np else x.device


def apart(function: str, *arrays: Value) -> InvalidType | None:
    """The error for arrays that lie on several devices; None where they lie together. Numbers lie everywhere."""
    places = list(dict.fromkeys(device_of(x) for x in arrays if np.ndim(x) or not isinstance(x, np.generic)))
    if len(places) < 2:
        return None
    return InvalidType(
        f"{function}: the operands are on {' and '.join(places)}, and nothing is moved unasked; write "
        f'x.to_device("{places[-1]}") for what is on {places[0]}, or x.to_device("{places[0]}") for the other'
    )


# ── which devices there are ──────────────────────────────────────────────────────────────────────


def best_device() -> str:
    """ "cuda" where CuPy finds a device, else "cpu".

    Example:
        >>> best_device() in ("cuda", "cpu")
        True
    """
    try:
        return "cuda" if imported("the best device is wanted").cuda.runtime.getDeviceCount() else "cpu"
    except Exception:  # no CuPy, no driver, no device: whatever CuPy makes of it, there is none to use
        return "cpu"


def devices() -> list[str]:
    """The devices that can be used here, "cpu" first; CuPy is imported to find the others.

    Example:
        >>> devices()[0]
        'cpu'
    """
    if best_device() == "cpu":
        return ["cpu"]
    runtime = cupy().cuda.runtime
    found = [runtime.getDeviceProperties(i) for i in range(runtime.getDeviceCount())]
    facts = "cuda:{} ({}, {} GiB, compute capability {}.{})"
    return ["cpu"] + [
        facts.format(i, p["name"].decode(), round(p["totalGlobalMem"] / 2**30), p["major"], p["minor"])
        for i, p in enumerate(found)
    ]


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


def _cuda_device(name: str) -> Any:
    return cupy().cuda.Device(int(name.removeprefix("cuda:")))


# ── CuPy's own functions ─────────────────────────────────────────────────────────────────────────


@cache
def numpy_function(kernel: Any) -> Any:
    """The function of NumPy or SciPy that a ufunc of CuPy stands for; None for a kernel of the user's own."""
    if not isinstance(kernel, cupy().ufunc):
        return None
    private = getattr(np, kernel.__name__.removeprefix("cupy_"), None)  # of what is a function there, such as where
    for theirs, ours in (("cupy", "numpy"), ("cupyx.scipy.special", "scipy.special")):
        module = importlib.import_module(theirs)
        name = next((name for name in dir(module) if getattr(module, name, None) is kernel), None)
        if name is not None:
            return getattr(importlib.import_module(ours), name, None)
        if private is not None:
            return private
    return None
