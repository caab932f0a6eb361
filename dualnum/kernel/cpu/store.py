"""What was compiled is kept: in memory, bounded, and as object code in the user's cache directory.

The directory is ``$DUALNUM_CACHE_DIR``, or ``dualnum`` in the user's cache directory; ``DUALNUM_CACHE=0``
switches it off. Entries are named by a hash of the LLVM text and of the host (processor, features, llvmlite),
written beside and renamed, so that two processes cannot disturb each other; one that cannot be read is ignored.
A directory that has grown past its limit loses the entries that were read or written longest ago.
"""

import contextlib
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..bounded import Bounded
from . import host

__all__ = ["directory", "kernel", "object_code", "offered"]

_MAGIC = b"dualnum object 1\n"
_FILES = 4096  # entries that are kept on disk, looked after at every so many writes
_EVERY = 256
_writes = itertools.count(1)


_loaded: Bounded[str, host.Compiled] = Bounded(1024)
_offered: ContextVar[Mapping[str, bytes]] = ContextVar("offered", default=MappingProxyType({}))


def kernel(text: str, types: Sequence[Any]) -> Callable[..., int]:
    """The function that LLVM text describes: from memory, from the directory, or compiled now."""
    digest = _digest(text)
    loaded = _loaded.get(digest)
    if loaded is None:
        code = _offered.get().get(digest) or object_code(text)[1]
        loaded = _loaded.put(digest, host.load_object(code, text, types))
    return loaded.call


def object_code(text: str) -> tuple[str, bytes]:
    """The name of an entry, and its object code: from the directory, or compiled now."""
    digest = _digest(text)
    path = _path(digest)
    code = _read(path) if path else None
    if code is None:
        code = host.compile_object(text)
        if path:
            _write(path, code)
    return digest, code


@contextlib.contextmanager
def offered(codes: Mapping[str, bytes]) -> Iterator[None]:
    """Inside, these entries are taken for such as the directory has."""
    token = _offered.set(codes)
    try:
        yield
    finally:
        _offered.reset(token)


def _digest(text: str) -> str:
    name: str = _sha256("\n".join((text, *host.host_key())).encode()).hexdigest()
    return name


def _sha256(data: bytes) -> Any:
    from hashlib import sha256  # which loads a library of its own

    return sha256(data)


def directory() -> Path | None:
    """Where object code is kept on disk, or None where it is switched off."""
    if os.environ.get("DUALNUM_CACHE", "1") == "0":
        return None
    named = os.environ.get("DUALNUM_CACHE_DIR")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "dualnum" if base else None


def _path(digest: str) -> Path | None:
    where = directory()
    return where / f"{digest}.o" if where else None


def _read(path: Path) -> bytes | None:
    """The object code of an entry, or None where it is missing or damaged."""
    try:
        entry = path.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):  # it was of use just now
        os.utime(path)
    head, check, code = entry[: len(_MAGIC)], entry[len(_MAGIC) : len(_MAGIC) + 32], entry[len(_MAGIC) + 32 :]
    return code if head == _MAGIC and check == _sha256(code).digest() else None


def _write(path: Path, code: bytes) -> None:
    """Keeps an entry; a directory that cannot be written to is no error."""
    from tempfile import mkstemp  # which imports all that compresses

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + _sha256(code).digest() + code)
            os.replace(name, path)
        except OSError:
            os.unlink(name)
        if next(_writes) % _EVERY == 0:
            _tidy(path.parent)
    except OSError:
        pass


def _tidy(where: Path) -> None:
    """Removes the oldest entries above the limit."""
    with os.scandir(where) as found:
        entries = sorted((entry.stat().st_mtime, entry.path) for entry in found if entry.name.endswith(".o"))
    for _, path in entries[:-_FILES]:
        with contextlib.suppress(OSError):  # another process was quicker
            os.unlink(path)
