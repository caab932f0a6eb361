"""What devices cannot do, by name, and why; the table in docs/coverage.md says so, and the tests hold it.

`ROWS` are ufuncs that raise on CuPy's arrays. `LOOKS` are those that copy numbers to the host, and wait for that.
`STAND_IN` are those whose kernels a stand-in for a device cannot run.
"""

__all__ = ["LOOKS", "ROWS", "STAND_IN"]

_NOT_IN_XSF = "CuPy has no such function, and xsf's for it does not compile for devices"

ROWS = {
    "itj0y0": _NOT_IN_XSF,
    "iti0k0": _NOT_IN_XSF,
}

_EXPONENTS = "with an array of constant exponents, of which the distinct ones decide how the rule goes"

LOOKS = {
    "power": _EXPONENTS,
    "float_power": _EXPONENTS,
}

_TABLES = "the stand-in does not understand the tables of CuPy's kernel"

STAND_IN = {
    "ellipj": _TABLES,
    "expn": _TABLES,
}
