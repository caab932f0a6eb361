"""The processor and its libraries: what LLVM compiles for, object code, and code that is loaded."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

__all__ = ["Compiled", "Host", "assembly", "compile_object", "host", "host_key", "load_object"]


@dataclass(frozen=True)
class Host:
    """What the processor and its libraries offer."""

    cpu: str
    features: str
    vector_bytes: int
    mvec_letter: str | None  # of libmvec's mangled names for this width
    mvec: Any
    fuses: bool  # a multiply-add is one instruction

    def lanes(self, dtype: np.dtype[Any]) -> int:
        return self.vector_bytes // dtype.itemsize


HIDE_LIBMVEC = False  # a test switch: pretend that the vector library is not there
LESSER = ""  # another: the name of a processor that can do less than the one at hand


@cache
def _llvm() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    try:
        llvm.load_library_permanently("libm.so.6")
    except RuntimeError:  # it has another name here
        from ctypes.util import find_library  # which imports subprocess, and runs programs

        libm = find_library("m")
        if libm:
            llvm.load_library_permanently(libm)
    return llvm


@cache
def _host(hide_libmvec: bool, lesser: str) -> Host:
    llvm = _llvm()
    flags = llvm.get_host_cpu_features()
    name, features = lesser or llvm.get_host_cpu_name(), "" if lesser else flags.flatten()
    if lesser:
        flags = dict.fromkeys(("avx2", "fma"), lesser == "haswell")
    x86 = llvm.get_process_triple().startswith(("x86_64", "amd64"))
    if x86 and flags.get("avx512f") and flags.get("avx512dq") and flags.get("avx512vl"):
        width, letter = 64, "e"
    elif x86 and flags.get("avx2") and flags.get("fma"):
        width, letter = 32, "d"
    else:
        width, letter = 16, "b" if x86 else "n"
    if width == 64:
        features += ",-prefer-256-bit"
    try:
        mvec = None if hide_libmvec else ctypes.CDLL("libmvec.so.1")
    except OSError:
        mvec = None
    return Host(name, features, width, letter if mvec else None, mvec, width > 16 or not x86)


def host() -> Host:
    return _host(HIDE_LIBMVEC, LESSER)


def host_key() -> tuple[str, ...]:
    """Everything outside a program that its object code depends on."""
    import llvmlite

    h = host()
    return (llvmlite.__version__, h.cpu, h.features, str(h.vector_bytes), str(h.mvec_letter))


def _new_machine() -> Any:
    """A target machine of the host's; each engine owns one."""
    llvm = _llvm()
    h = host()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(cpu=h.cpu, features=h.features, opt=2, codemodel="jitdefault", jit=True)


@cache
def _machine(hide_libmvec: bool, lesser: str) -> Any:
    """The one that code is compiled with."""
    return _new_machine()


# ── compiling and loading ────────────────────────────────────────────────────────────────────────


class Compiled:
    """Machine code that is loaded: callable, and unloaded with the object."""

    def __init__(self, object_code: bytes, signature: Sequence[Any]) -> None:
        llvm = _llvm()
        module = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(module, _new_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(object_code))
        self._engine.finalize_object()
        address = self._engine.get_function_address("kernel")
        self.call = ctypes.CFUNCTYPE(ctypes.c_int32, *signature)(address)
        self.call.owner = self  # type: ignore[attr-defined]  # the code lives as long as anyone can call it


def compile_object(text: str) -> bytes:
    """LLVM text to object code."""
    llvm = _llvm()
    module = llvm.parse_assembly(text)
    module.verify()
    _add_symbols(text)
    return bytes(_machine(HIDE_LIBMVEC, LESSER).emit_object(module))


def load_object(object_code: bytes, text: str, types: Sequence[Any]) -> Compiled:
    _add_symbols(text)
    return Compiled(object_code, types)


_added: set[str] = set()


def _add_symbols(text: str) -> None:
    """Tells LLVM where libmvec's functions are."""
    mvec = host().mvec
    if mvec is None:
        return
    for line in text.splitlines():
        if line.startswith("declare") and "@_ZGV" in line:
            name = line.split("@")[1].split("(")[0]
            if name not in _added:
                _llvm().add_symbol(name, ctypes.cast(getattr(mvec, name), ctypes.c_void_p).value)
                _added.add(name)  # only now: another thread may be about to load code that needs it


def assembly(text: str) -> str:
    """The machine's assembly for LLVM text, to look at."""
    llvm = _llvm()
    return str(_machine(HIDE_LIBMVEC, LESSER).emit_assembly(llvm.parse_assembly(text)))
