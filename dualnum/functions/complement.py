"""Orthonormal columns made complete, with a gauge for the basis of what is orthogonal to them.

Which basis is arbitrary, and so NumPy's at the value decides: W_0. Near it the basis is W L⁻ᴴ with W = (1 − Q Qᴴ) W_0,
the part of W_0 that is orthogonal to Q, and the Cholesky factor L of Wᴴ W, which makes its columns orthonormal. It is
an analytic function of Q, so that mixed derivatives commute, and of the space of Q alone; to first order the columns
move no more than they must (dW = −Q dQᴴ W_0). A function that asks for more than their space has these derivatives.
"""

from typing import Any

import numpy as np

from ..kinds import Value
from .keywords import with_value
from .matrices import adjoint

__all__ = ["completed"]


def completed(q: Value, numbers: Value) -> Any:
    """(…, m, n) orthonormal columns and, behind them, their complement, which at the value is that of the numbers."""
    first = numbers[..., q.shape[-1] :]
    w = first - q @ (adjoint(q) @ first)
    lower = np.linalg.cholesky(adjoint(w) @ w)
    return np.concatenate([q, with_value(adjoint(np.linalg.solve(lower, adjoint(w))), first)], axis=-1)
