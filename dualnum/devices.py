"""Devices: which there are, where arrays are put, and what CuPy's own functions are called in NumPy.

Nothing is moved that nobody asked for. CuPy is imported when a device is named, or by whoever has arrays on one.
"""

import importlib
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

from .backend import cuda_device, cupy, device_of, imported, resolved
from .errors import InvalidType
from .kinds import Value

__all__ = [
    "apart", "best_device", "chosen", "devices", "numpy_function", "several", "use_device", "within",
]  # fmt: skip


# ── where arrays are put ─────────────────────────────────────────────────────────────────────────


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
            cuda_device(self._device).use()
        _chosen.set(None if self._device == "cpu" else self._device)

    def __repr__(self) -> str:
        return f"use_device({self._device!r})"

    def __exit__(self, *exception: Any) -> None:
        _chosen.set(self._before)
        if self._current is not None:
            self._current.use()


def several() -> bool:
    """Whether CuPy is in use, and finds more devices than one."""
    return cupy() is not None and _count() > 1


@cache
def _count() -> int:
    try:
        return int(cupy().cuda.runtime.getDeviceCount())
    except cupy().cuda.runtime.CUDARuntimeError:
        return 0


def within(device: str) -> AbstractContextManager[Any]:
    """A device as CuPy's current one within a ``with`` block: what is made there lies on it."""
    return nullcontext() if device == "cpu" else cuda_device(device)


def apart(function: str, *arrays: Value) -> InvalidType | None:
    """The error for arrays that lie on several devices; None where they lie together. Numbers lie everywhere."""
    placed = (x for x in arrays if hasattr(x, "dtype") and not isinstance(x, np.generic))
    places = list(dict.fromkeys(map(device_of, placed)))
    if len(places) < 2:
        return None
    return InvalidType(
        f"{function}: the operands are on {' and '.join(places)}, and nothing is moved unasked; write "
        f'x.to_device("{places[-1]}") for what is on {places[0]}, or x.to_device("{places[0]}") for the other'
    )


# ── which devices there are ──────────────────────────────────────────────────────────────────────


def best_device() -> str:
    """The device to compute on: the GPU where there is one.

    Returns:
        The name of a device, "cuda" where CuPy is installed and finds one, else "cpu".

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
