"""Schur forms of the two matrices of an equation, kept for all coefficients and for the sweep back."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import InvalidValue, not_on_device
from ..functions.matrices import adjoint, transposed
from ..kinds import Value
from ..operand import Operand, library, primal

__all__ = ["Factors", "SteinFactors", "factors_of"]


def factors_of(kind: Any, a: Value, b: Value) -> Any:
    """The factors of the numbers of A and B, whatever derivatives these carry; None where there are none (a trace)."""
    a, b = primal(a), primal(b)
    if isinstance(a, Operand) or isinstance(b, Operand):
        return None
    return kind(a, b)


class Factors:
    """Q ↦ X with A X + X B = Q, for A and B of plain numbers, which may be batches (Bartels & Stewart 1972).

    Args:
        a: A, (…, m, m).
        b: B, (…, n, n).
    """

    name = "solve_sylvester"
    why = "A and −B have an eigenvalue in common"

    def __init__(self, a: Value, b: Value) -> None:
        if library(a, b) is not np:
            raise not_on_device(self.name, f"CuPy has no {self.name}")
        if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
            raise InvalidValue(f"{self.name}: a matrix has entries that are NaN or infinite")
        self.leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        self.dtype = np.result_type(a, b)
        if self.dtype.kind == "c":  # the forms of both must be triangular
            a, b = a.astype(self.dtype, copy=False), b.astype(self.dtype, copy=False)
        count = prod(self.leading) if a.size and b.size else 0
        a, b = (np.broadcast_to(x, self.leading + x.shape[-2:]) for x in (a, b))
        places = list(np.ndindex(self.leading))[:count]
        self.pairs = [self.factored(a[place], b[place]) for place in places]
        self.turned = False

    def transposed(self) -> Any:
        """The same of Aᵀ X + X Bᵀ = Q."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, turned=not self.turned)
        return other

    def sizes(self) -> Any:
        """The least and the largest absolute value of an eigenvalue of A, for each A."""
        found = [np.abs(np.linalg.eigvals(pair[0])) for pair in self.pairs]
        return np.array([[np.min(w), np.max(w)] for w in found]).reshape(-1, 2)

    def __call__(self, q: Value) -> Any:
        """X, of any right sides whose last axes fit."""
        dtype = np.result_type(q, self.dtype)
        shape = np.broadcast_shapes(self.leading, q.shape[:-2]) + q.shape[-2:]
        if not self.pairs or not prod(shape):
            return np.zeros(shape, dtype)
        flat = np.broadcast_to(q, shape).reshape(-1, *q.shape[-2:])
        x = np.empty(flat.shape, dtype)
        which = np.broadcast_to(np.arange(len(self.pairs)).reshape(self.leading), shape[:-2]).ravel()
        for i, pair in enumerate(self.pairs):
            x[which == i] = self._of(pair, flat[which == i])
        return x.reshape(shape)

    def _of(self, pair: Any, q: Any) -> Any:
        if self.dtype.kind != "c" and q.dtype.kind == "c":
            return self._of(pair, q.real) + 1j * self._of(pair, q.imag)
        if self.turned and self.dtype.kind == "c":  # Aᴴ X̄ + X̄ Bᴴ = Q̄
            q = np.conjugate(q)
        x = self.solved(pair, q)
        return np.conjugate(x) if self.turned and self.dtype.kind == "c" else x

    def factored(self, a: Any, b: Any) -> Any:
        """R, U, S, V with A = U R Uᴴ and Bᴴ = V S Vᴴ."""
        from scipy.linalg import schur

        first = schur(a, output="real")
        return *first, *(first if b.shape == a.shape and np.array_equal(adjoint(b), a) else schur(adjoint(b), "real"))

    def solved(self, pair: Any, qs: Sequence[Any]) -> Any:
        """X for each Q; with Aᴴ and Bᴴ where it is turned."""
        from scipy.linalg import get_lapack_funcs

        r, u, s, v = pair
        (trsyl,) = get_lapack_funcs(("trsyl",), (r, s, qs))
        ways = {"trana": "C", "tranb": "N"} if self.turned else {"trana": "N", "tranb": "C"}
        found = []
        for q in qs:
            y, scale, info = trsyl(r, s, np.dot(np.dot(adjoint(u), q), v), **ways)
            if info:
                raise InvalidValue(f"{self.name}: {self.why}, and no solution is the only one; move one of the two")
            found.append(np.dot(np.dot(u, scale * y), adjoint(v)))
        return np.stack(found) if found else qs


class SteinFactors(Factors):
    """Q ↦ X with X − A X B = Q, as for `Factors`."""

    name = "solve_discrete_lyapunov"
    why = "an eigenvalue of A is the reciprocal of one of B"

    def __init__(self, a: Value, b: Value) -> None:
        super().__init__(a, b)
        self.real = self.dtype.kind != "c"

    def factored(self, a: Any, b: Any) -> Any:
        """R, U, S, V with A = U R Uᴴ and B = V S Vᴴ, complex triangles."""
        from scipy.linalg import schur

        r, u = schur(a, output="complex")
        if a.shape == b.shape and np.array_equal(adjoint(a), b):  # its form, turned round to be an upper triangle
            s, v = adjoint(r)[::-1, ::-1], u[:, ::-1]
        else:
            s, v = schur(b, output="complex")
        apart = np.min(np.abs(1 - np.diagonal(r)[:, None] * np.diagonal(s)))
        if apart <= len(r) * np.finfo(r.dtype).eps * max(1.0, np.max(np.abs(np.diagonal(r)))):
            raise InvalidValue(f"{self.name}: {self.why}, and no solution is the only one; move one of the two")
        return r, u, s, v

    def solved(self, pair: Any, qs: Sequence[Any]) -> Any:
        """By columns: (1 − s_jj R) y_j = f_j + R Σ_{l<j} y_l s_lj, with Y = Uᴴ X V and F = Uᴴ Q V."""
        from scipy.linalg import get_lapack_funcs

        r, u, s, v = pair
        if self.turned:  # the last column of adjoint triangles is the first one
            r, s = adjoint(r), adjoint(s)
        f = np.moveaxis(adjoint(u) @ qs @ v, 0, -1)  # rows, columns, right sides
        y = np.zeros_like(f)
        (trtrs,) = get_lapack_funcs(("trtrs",), (r,))
        r = np.asfortranarray(r)
        matrix, n = np.empty_like(r), f.shape[1]
        for j in range(n - 1, -1, -1) if self.turned else range(n):
            known = slice(j + 1, n) if self.turned else slice(0, j)
            right = f[:, j] + r @ np.tensordot(y[:, known], s[known, j], ((1,), (0,)))
            np.multiply(r, -s[j, j], out=matrix)
            np.einsum("ii->i", matrix)[...] += 1
            y[:, j] = trtrs(matrix, right, lower=self.turned)[0]
        x = u @ np.moveaxis(y, -1, 0) @ transposed(np.conjugate(v))
        return x.real if self.real else x
