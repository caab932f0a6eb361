"""What is different on CuPy's arrays: the column "CuPy" of docs/coverage.md, which tests/gpu holds to what happens.

What stands here under no name gives on a device what it gives on the host, and the host does not wait for the device.
"""

__all__ = ["LOOKS", "RAISES", "ROWS", "STAND_IN", "on_cupy"]

_NOT_IN_XSF = "CuPy has no such function, and xsf's for it does not compile for devices"

# ufuncs that raise, by the name of their row
ROWS = {
    "itj0y0": _NOT_IN_XSF,
    "iti0k0": _NOT_IN_XSF,
}

_TABLES = "the stand-in does not understand the tables of CuPy's kernel"

# those whose kernels a stand-in for a device cannot run
STAND_IN = {
    "ellipj": _TABLES,
    "expn": _TABLES,
}

_FOLDS = "= but for reduce, accumulate and reduceat, which CuPy lacks"

# what has no answer on a device, for some call at least: what else it does, or why
RAISES = {
    "np.astype": "= but for longdouble, which CuPy lacks",
    **dict.fromkeys(("np.logical_and", "np.logical_or", "np.logical_xor"), _FOLDS),
    **{f"scipy.special.{name}": why for name, why in ROWS.items()},
    **{
        f"dn.linalg.{name}": f"CuPy has no {name}"
        for name in (
            "sqrtm",
            "logm",
            "solve_toeplitz",
            "solve_discrete_lyapunov",
            "solve_continuous_are",
            "solve_discrete_are",
        )
    },
    **dict.fromkeys(("dn.linalg.signm", "dn.linalg.fractional_matrix_power"), "CuPy has no sqrtm and no logm"),
    "dn.linalg.polar": "CuPy has no solve_sylvester",
    "dn.linalg.solve_sylvester": "CuPy has no solve_sylvester",
}

_COUNT = "how many there are"
_APART = "whether the values are apart"
_RANK = "whether the rank is full"
_REAL = "whether the result is real"
_TEXT = "at the numbers"

# where the host must see numbers before it can go on
LOOKS = {
    **dict.fromkeys(("np.nonzero", "np.flatnonzero", "np.argwhere", "np.extract", "np.place", "np.piecewise"), _COUNT),
    **dict.fromkeys(("np.unique", "np.unique_values", "np.unique_counts", "np.unique_inverse"), _COUNT),
    **dict.fromkeys(("np.unique_all", "np.union1d", "np.intersect1d", "np.setdiff1d", "np.setxor1d"), _COUNT),
    **dict.fromkeys(("np.trim_zeros", "np.bincount"), _COUNT),
    **dict.fromkeys(("np.linalg.eigh", "np.linalg.eigvalsh"), _APART),
    **dict.fromkeys(("np.linalg.eig", "np.linalg.eigvals", "np.roots"), f"{_APART}; complex, also where all are real"),
    **dict.fromkeys(("np.linalg.svd", "np.linalg.svdvals", "np.linalg.cond"), _APART),
    "np.linalg.norm": f"{_APART} (of orders 2, −2, nuc)",
    **dict.fromkeys(("np.linalg.qr", "np.linalg.lstsq", "np.linalg.pinv", "np.polyfit"), _RANK),
    **{f"np.lib.scimath.{name}": _REAL for name in (
        "sqrt", "log", "log2", "log10", "logn", "power", "arccos", "arcsin", "arctanh",
    )},
    **dict.fromkeys(("np.array_repr", "np.array_str", "np.array2string"), _TEXT),
    "np.shares_memory": "at the addresses",
    **dict.fromkeys(("np.power", "np.float_power"), "at constant exponents that are an array"),
    **{f"dn.linalg.{name}": "how large the matrices are" for name in ("expm", "expm_frechet", "cosm", "tanhm")},
    "dn.linalg.solve_circulant": "whether the matrix is singular",
}  # fmt: skip


def on_cupy(name: str) -> str:
    """The cell of a function in the column."""
    if name in RAISES:
        return RAISES[name] if RAISES[name].startswith("=") else f"raises: {RAISES[name]}"
    return f"= (looks {LOOKS[name]})" if name in LOOKS else "="
