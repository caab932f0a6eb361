"""Ufuncs that act on values only, and those that have no derivative, with the reason."""

import numpy as np
from numpy._core import umath

from .table import predicate, unsupported

predicate(
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isfinite, np.isinf, np.isnan, np.signbit,
)  # fmt: skip

unsupported(
    "it works on the bits of integers",
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift, np.bitwise_count,
)  # fmt: skip
unsupported("it is defined for integers only", np.gcd, np.lcm)
unsupported("it is defined for dates only", np.isnat)
unsupported("it is an internal helper of NumPy", umath._ones_like)  # type: ignore[attr-defined]
