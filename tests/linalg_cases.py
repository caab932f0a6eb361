"""Scalar functions of linear algebra in the words that NumPy and PyTorch share, at points where values are apart.

`python tests/linalg_cases.py`, with PyTorch, writes their gradients and Hessians to linalg_cases.json, which
`test_linalg_audit.py` holds against ours; PyTorch is not needed for that.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["CASES", "POINT", "REFERENCE"]

REFERENCE = Path(__file__).with_suffix(".json")
RNG = np.random.default_rng(12)
POINT = np.array([0.3, -0.2, 0.5])
BASE, FIRST, SECOND = np.round(16 * RNG.normal(size=(3, 4, 5, 4))) / 16
WEIGHTS = np.round(16 * RNG.normal(size=(5, 5))) / 16


class Words:
    """What a case needs of a library beside its own functions: matrices that depend on x, and weights."""

    def __init__(self, xp: Any, convert: Callable[[Any], Any]) -> None:
        self.xp = xp
        self.la = xp.linalg
        self.convert = convert

    def tall(self, x: Any, kind: int = 0) -> Any:
        base, first, second = (self.convert(c[kind]) for c in (BASE, FIRST, SECOND))
        return base + x[0] * first + x[1] * x[2] * second + x[1] * x[1] * first * second

    def square(self, x: Any) -> Any:
        return self.tall(x)[:4] + 3 * self.convert(np.eye(4))

    def rotated(self, x: Any) -> Any:
        return self.square(x) + 1j * self.tall(x, 1)[:4]

    def symmetric(self, x: Any) -> Any:
        a = self.square(x)
        return a + a.T + self.convert(np.diag([0.0, 4.0, 9.0, 15.0]))

    def positive(self, x: Any) -> Any:
        a = self.tall(x)
        return a.T @ a + self.convert(np.diag([1.0, 2.0, 3.0, 4.0]))

    def cond(self, a: Any, p: Any) -> Any:
        if self.xp is np:
            return self.la.cond(a, p)
        return self.la.matrix_norm(a, ord=p) * self.la.matrix_norm(self.la.inv(a), ord=p)  # theirs has no gradient

    def weighted(self, y: Any) -> Any:
        w = WEIGHTS[: y.shape[0], : y.shape[1]] if y.ndim == 2 else WEIGHTS[0, : y.shape[0]]
        return self.xp.sum(self.convert(w) * y)


def _lstsq(m: Words, x: Any) -> Any:
    found = m.la.lstsq(m.tall(x), m.tall(x, 2)[:, :2])
    return m.weighted(found[0])


CASES: dict[str, Callable[[Words, Any], Any]] = {
    "det": lambda m, x: m.la.det(m.square(x)),
    "det, complex": lambda m, x: m.xp.abs(m.la.det(m.rotated(x))),
    "slogdet": lambda m, x: m.la.slogdet(m.square(x))[1] ** 2,
    "slogdet, complex": lambda m, x: m.la.slogdet(m.rotated(x))[1],
    "inv": lambda m, x: m.weighted(m.la.inv(m.square(x))),
    "inv, complex": lambda m, x: m.weighted(m.xp.abs(m.la.inv(m.rotated(x))) ** 2),
    "solve": lambda m, x: m.weighted(m.la.solve(m.square(x), m.tall(x, 2)[:4])),
    "cholesky": lambda m, x: m.weighted(m.la.cholesky(m.positive(x))),
    "qr": lambda m, x: m.weighted(m.la.qr(m.tall(x))[0] ** 2) + m.weighted(m.la.qr(m.tall(x))[1] ** 2),
    "qr, wide": lambda m, x: m.weighted(m.la.qr(m.tall(x).T)[1] ** 2),
    "svd": lambda m, x: (
        m.weighted(m.la.svd(m.tall(x), full_matrices=False)[0] ** 2)
        + m.weighted(m.la.svd(m.tall(x), full_matrices=False)[1])
        + m.weighted(m.la.svd(m.tall(x), full_matrices=False)[2] ** 2)
    ),
    "svd, complex": lambda m, x: (
        m.weighted(m.xp.abs(m.la.svd(m.rotated(x), full_matrices=False)[0]) ** 2)
        + m.weighted(m.xp.abs(m.la.svd(m.rotated(x), full_matrices=False)[2]) ** 2)
    ),
    "svdvals": lambda m, x: m.weighted(m.la.svdvals(m.tall(x))) ** 3,
    "eigh": lambda m, x: m.weighted(m.la.eigh(m.symmetric(x))[1] ** 2) + m.weighted(m.la.eigh(m.symmetric(x))[0]),
    "eigvalsh": lambda m, x: m.weighted(m.la.eigvalsh(m.symmetric(x)) ** 2),
    "eig": lambda m, x: (
        m.xp.sum(m.xp.abs(m.la.eig(m.rotated(x))[0]) ** 3) + m.xp.sum(m.xp.abs(m.la.eig(m.rotated(x))[1][0]) ** 4)
    ),
    "eigvals": lambda m, x: m.xp.sum(m.xp.abs(m.la.eigvals(m.square(x))) ** 3),
    "pinv": lambda m, x: m.weighted(m.la.pinv(m.tall(x))),
    "pinv, wide": lambda m, x: m.weighted(m.la.pinv(m.tall(x).T)),
    "pinv of rank 2": lambda m, x: m.weighted(m.la.pinv(m.tall(x)[:, :2] @ m.tall(x, 1)[:4, :2].T)),
    "lstsq": _lstsq,
    "matrix_norm, nuclear": lambda m, x: m.la.matrix_norm(m.tall(x), ord="nuc"),
    "matrix_norm, 2": lambda m, x: m.la.matrix_norm(m.tall(x), ord=2),
    "matrix_norm, -2": lambda m, x: m.la.matrix_norm(m.tall(x), ord=-2),
    "matrix_norm, 1": lambda m, x: m.la.matrix_norm(m.tall(x), ord=1),
    "matrix_norm, Frobenius": lambda m, x: m.la.matrix_norm(m.tall(x)),
    "vector_norm, 3": lambda m, x: m.la.vector_norm(m.tall(x), ord=3),
    "matrix_power, -2": lambda m, x: m.weighted(m.la.matrix_power(m.square(x), -2)),
    "matrix_power, 3": lambda m, x: m.weighted(m.la.matrix_power(m.square(x), 3)),
    "cond": lambda m, x: m.la.cond(m.square(x)),
    "cond, Frobenius": lambda m, x: m.cond(m.square(x), "fro"),
    "cond, 1": lambda m, x: m.cond(m.square(x), 1),
    "multi_dot": lambda m, x: m.weighted(m.la.multi_dot([m.tall(x), m.square(x), m.tall(x, 3).T])),
    "tensorinv": lambda m, x: m.weighted(m.la.tensorinv(m.square(x).reshape(4, 2, 2), ind=1).reshape(4, 4)),
}  # fmt: skip


def _by_torch() -> dict[str, dict[str, Any]]:
    import torch

    words = Words(torch, torch.as_tensor)
    found = {}
    for name, f in CASES.items():
        x = torch.as_tensor(POINT).requires_grad_()
        (gradient,) = torch.autograd.grad(f(words, x), x)
        hessian = torch.autograd.functional.hessian(lambda x, f=f: f(words, x), x)
        found[name] = {"gradient": gradient.tolist(), "hessian": hessian.tolist()}
    return found


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(numbers)}" for name, numbers in _by_torch().items()]
    REFERENCE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
