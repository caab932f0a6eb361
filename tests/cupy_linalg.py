"""CuPy's linear algebra for a stand-in without cuSOLVER: NumPy's on the host, with the arguments and results of CuPy's.

What is left out on purpose is what CuPy lacks: keywords, the broadcasting of leading axes, and results with names.
CuPy's functions do not wait for the device; how often these do is `WAITS`.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["WAITS", "substitutes", "waits"]

WAITS = [0]


def waits() -> int:
    """How often the host has waited for a device, which only a stand-in can tell."""
    stand_in = sys.modules.get("fakegpu")
    return stand_in.STATS["sync"] + stand_in.STATS["d2h"] if stand_in else 0


def substitutes(cp: Any) -> dict[str, Callable[..., Any]]:
    """Functions for cupy.linalg, by name."""

    def of(function: Callable[..., Any], *arrays: Any, **options: Any) -> Any:
        for x in arrays:
            if not isinstance(x, cp.ndarray):
                raise TypeError(f"cupy.linalg only supports cupy.ndarray, not {type(x)}")
        before = waits()
        result = function(*map(cp.asnumpy, arrays), **options)
        WAITS[0] += waits() - before
        return tuple(map(cp.asarray, result)) if isinstance(result, tuple) else cp.asarray(result)

    def solve(a: Any, b: Any) -> Any:
        if b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
            raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
        return of(np.linalg.solve, a, b)

    def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
        return of(np.linalg.svd, a, full_matrices=full_matrices, compute_uv=compute_uv)

    def eig(a: Any) -> Any:
        w, v = of(np.linalg.eig, a)
        return w.astype(complex), v.astype(complex)

    def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
        return of(np.linalg.lstsq, a, b, rcond=rcond)

    return {
        "solve": solve,
        "inv": lambda a: of(np.linalg.inv, a),
        "det": lambda a: of(np.linalg.det, a),
        "slogdet": lambda a: of(np.linalg.slogdet, a),
        "cholesky": lambda a: of(np.linalg.cholesky, a),
        "qr": lambda a, mode="reduced": of(np.linalg.qr, a, mode=mode),
        "svd": svd,
        "eigh": lambda a, UPLO="L": of(np.linalg.eigh, a, UPLO=UPLO),
        "eigvalsh": lambda a, UPLO="L": of(np.linalg.eigvalsh, a, UPLO=UPLO),
        "eig": eig,
        "eigvals": lambda a: eig(a)[0],
        "lstsq": lstsq,
        "matrix_rank": lambda M, tol=None: of(np.linalg.matrix_rank, M, tol=tol),
        "pinv": lambda a, rcond=1e-15: of(np.linalg.pinv, a, rcond=rcond),
    }
