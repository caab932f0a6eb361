"""Functions without a derivative rule, each with the reason and a way out."""

import numpy as np

from .keywords import raises

_VALUE = "apply it to x.value if the result is meant as a constant"

raises(
    "derivatives of matrix factorizations and solutions have no rule yet; for small systems write the elimination "
    f"with arithmetic, or {_VALUE}",
    np.linalg.qr, np.linalg.lstsq, np.linalg.pinv,
)  # fmt: skip
raises(
    "eigenvalues and singular values have no derivative rule yet (and none where they are repeated); " + _VALUE,
    np.linalg.eig, np.linalg.eigh, np.linalg.eigvals, np.linalg.eigvalsh, np.linalg.svd, np.linalg.svdvals,
)  # fmt: skip
raises("it needs singular values, which have no derivative rule yet; " + _VALUE, np.linalg.cond, np.linalg.matrix_rank)
raises("the roots are eigenvalues, which have no derivative rule yet; " + _VALUE, np.roots)
raises("it solves a least-squares problem, which has no derivative rule yet; " + _VALUE, np.polyfit)
raises("how far it divides is decided by leading zeros, which may have derivatives; " + _VALUE, np.polydiv)

raises("it works on the bits of integers; give x.value.astype(np.uint8)", np.packbits, np.unpackbits)
raises(
    "it works on dates, which have no derivatives",
    np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string,
)  # fmt: skip
