"""What devices cannot do, by name, and why; the table in docs/coverage.md says so, and the tests hold it.

`ROWS` are ufuncs that raise on CuPy's arrays. `STAND_IN` are those whose kernels a stand-in for a device cannot run.
"""

__all__ = ["ROWS", "STAND_IN"]

_NOT_IN_XSF = "CuPy has no such function, and xsf's for it does not compile for devices"

ROWS = {
    "itj0y0": _NOT_IN_XSF,
    "iti0k0": _NOT_IN_XSF,
}

_TABLES = "the stand-in does not understand the tables of CuPy's kernel"

STAND_IN = {
    "ellipj": _TABLES,
    "expn": _TABLES,
}
