"""Mean and covariance of f(x) for uncertain x, and what each input contributes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from ..errors import InvalidType, InvalidValue
from ..kinds import Value
from ..transforms import hessian, jacobian

__all__ = ["Propagated", "propagate"]


class Propagated:
    """The result of `propagate`, which prints as a table.

    Attributes:
        mean: the expected value of f, of its shape.
        cov: its covariance, of shape (*shape, *shape); the variance where f gives one number.
        std: its standard deviation, of its shape.
        names: of the inputs.
        values, uncertainties: their means and standard deviations, of shape (n,).
        sensitivities: ∂f/∂x_i, of shape (*shape, n).
        contributions: what x_i adds to the variance of first order, ∂_i f Σ_j C_ij ∂_j f; they may be negative where
            inputs are correlated; of shape (*shape, n).
        second: what the second derivatives add to the variance, of the shape of f; zeros for order 1.
        order: 1 or 2.

    Example:
        >>> dn.propagate(lambda x: x[0] * x[1], [3.0, 5.0], [0.3, 0.1]).std
        np.float64(1.529706)
    """

    def __init__(self, **found: Any) -> None:
        self.mean: Any = found["mean"]
        self.cov: Any = found["cov"]
        self.std: Any = found["std"]
        self.names: list[str] = found["names"]
        self.values: Any = found["values"]
        self.uncertainties: Any = found["uncertainties"]
        self.sensitivities: Any = found["sensitivities"]
        self.contributions: Any = found["contributions"]
        self.second: Any = found["second"]
        self.order: int = found["order"]

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        """(input, value, u, ∂f/∂x, share) of a function to one number."""
        variance = float(self.cov)

        def share(part: Any) -> str:
            return f"{100 * float(part) / variance:.1f} %" if variance else "—"

        table = zip(self.names, self.values, self.uncertainties, self.sensitivities, self.contributions, strict=True)
        rows = [(name, f"{x:.6g}", f"{u:.3g}", f"{slope:.4g}", share(part)) for name, x, u, slope, part in table]
        if self.order == 2:
            rows.append(("second order", "", "", "", share(self.second)))
        return rows

    _HEAD = ("input", "value", "u", "∂f/∂x", "share of variance")

    def _title(self) -> str:
        if np.ndim(self.mean) == 0:
            return f"{float(self.mean):.6g} ± {float(self.std):.3g}  (order {self.order})"
        shown = ", ".join(f"{m:.6g} ± {s:.3g}" for m, s in zip(np.ravel(self.mean), np.ravel(self.std), strict=True))
        return f"[{shown}]  (order {self.order})"

    def __repr__(self) -> str:
        if np.ndim(self.mean):
            return self._title()
        table = [self._HEAD, *self._rows()]
        widths = [max(len(row[i]) for row in table) for i in range(5)]
        lines = ["  ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
                 for row in table]  # fmt: skip
        return "\n".join([self._title(), *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        from html import escape

        if np.ndim(self.mean):
            return f"<p>{escape(self._title())}</p>"

        def cells(row: Sequence[str], tag: str) -> str:
            return "".join(f"<{tag}>{escape(c)}</{tag}>" for c in row)

        body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in self._rows())
        return (
            f"<table><caption>{escape(self._title())}</caption><thead><tr>{cells(self._HEAD, 'th')}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


def propagate(f: Callable[..., Any], mean: Any, cov: Any, order: int = 1) -> Propagated:
    """The mean and covariance of f(x) for x with this mean and covariance, by the derivatives of f there.

    Of order 1, f is taken for its tangent: E f = f(μ), cov f = J C Jᵀ (the law of propagation of uncertainty). Of order
    2 for its quadratic model, whose moments for normal x are exact: E f = f(μ) + ½ tr(H C), and cov(f, g) is larger by
    ½ tr(H_f C H_g C). (The note to 5.1.2 of the GUM has one term more, of third derivatives, in its variance.)

    Args:
        f: a function of an array (or nested container of arrays) to an array or number.
        mean: the expected value μ of its argument, in its structure.
        cov: the covariance C of all entries of μ, in the order of its flattened arrays, of shape (n, n); or their
            standard deviations, in the structure of μ or as a flat array, where they are independent.
        order: 1 or 2.

    Returns:
        A `Propagated`: mean and std of the shape of f's result, its covariance, and what each input contributes.

    Raises:
        InvalidValue: cov does not fit mean, is not symmetric or has a negative variance; order is another number.
        InvalidType: mean is not made of real numbers.

    Source:
        JCGM 100:2008, Guide to the expression of uncertainty in measurement, 5.1.2 and 5.2.2; Mekid & Vaja,
        "Propagation of uncertainty: expressions of second and third order uncertainty with third and fourth moments",
        Measurement 41, 2008.

    Example:
        >>> def period(p):
        ...     return 2 * np.pi * np.sqrt(p["length"] / p["g"])
        >>> dn.propagate(period, {"length": 1.2, "g": 9.81}, {"length": 0.01, "g": 0.05})
        2.19754 ± 0.0107  (order 1)
        input   value     u   ∂f/∂x  share of variance
        g        9.81  0.05  -0.112             27.2 %
        length    1.2  0.01  0.9156             72.8 %
    """
    if order not in (1, 2):
        raise InvalidValue(f"propagate: order is {order!r}; expected 1 or 2")
    mean = np.asarray(mean) if isinstance(mean, list) else mean
    leaves, structure = optree.tree_flatten(mean)
    leaves = [_real(x) for x in leaves]
    shapes, sizes = [x.shape for x in leaves], [x.size for x in leaves]
    values = np.concatenate([np.ravel(x) for x in leaves]) if leaves else np.zeros(0)
    cov = _covariance(cov, structure, values.size)
    ends = np.cumsum([0, *sizes])

    def flat(x: Value) -> Any:
        parts = [np.reshape(x[i:j], s) for i, j, s in zip(ends[:-1], ends[1:], shapes, strict=True)]
        return f(optree.tree_unflatten(structure, parts))

    y = np.asarray(flat(values), float)
    slopes = np.reshape(jacobian(flat)(values), (*y.shape, values.size))
    j = slopes.reshape(y.size, values.size)
    total = j @ cov @ j.T
    second = np.zeros(y.size)
    expected = y
    if order == 2:
        h = _hessians(flat, values, y)
        hc = h @ cov
        added = 0.5 * np.einsum("aij,bji->ab", hc, hc)
        expected = y + np.reshape(0.5 * np.trace(hc, axis1=1, axis2=2), y.shape)
        total, second = total + added, np.diag(added).copy()
    contributions = (j * (j @ cov)).reshape(slopes.shape)
    return Propagated(
        mean=expected[()], cov=total.reshape(y.shape * 2)[()], std=np.sqrt(np.diag(total)).reshape(y.shape)[()],
        names=_names(mean, leaves), values=values, uncertainties=np.sqrt(np.diag(cov)), sensitivities=slopes,
        contributions=contributions, second=second.reshape(y.shape)[()], order=order,
    )  # fmt: skip


def _hessians(flat: Callable[..., Any], values: Any, y: Any) -> Any:
    """∂²f_a/∂x_i ∂x_j, one after the other; of shape (m, n, n)."""
    if y.ndim == 0:
        return hessian(flat)(values)[None]
    return np.reshape(jacobian(jacobian(flat, mode="reverse"), mode="forward")(values), (y.size, *values.shape * 2))


def _real(x: Any) -> Any:
    x = np.asarray(x)
    if x.dtype.kind not in "fiu":
        raise InvalidType(f"propagate: mean has dtype {x.dtype}; expected real numbers")
    return x.astype(float)


def _covariance(cov: Any, structure: Any, n: int) -> Any:
    """The covariance matrix, of standard deviations a diagonal one."""
    if isinstance(cov, (dict, tuple)):
        deviations: list[Any]
        deviations, its = optree.tree_flatten(cov)  # type: ignore[arg-type]
        if its != structure:
            raise InvalidValue("propagate: the standard deviations have another structure than mean; expected the same")
        cov = np.concatenate([np.ravel(np.asarray(s, float)) for s in deviations])
    cov = np.asarray(cov, float)
    if cov.ndim == 0 or (cov.size == n and cov.shape != (n, n)):
        cov = np.diag(np.ravel(cov) ** 2)
    if cov.shape != (n, n):
        raise InvalidValue(
            f"propagate: cov has shape {cov.shape}, and mean has {n} entries; expected ({n}, {n}), or the {n} standard "
            "deviations"
        )
    if not np.allclose(cov, cov.T, rtol=1e-10, atol=0) or np.any(np.diag(cov) < 0):
        raise InvalidValue("propagate: cov is not symmetric, or a variance is negative; expected a covariance matrix")
    return cov


def _names(mean: Any, leaves: list[Any]) -> list[str]:
    """The inputs by where they stand in the argument."""
    paths = optree.tree_paths(mean)
    names = []
    for path, x in zip(paths, leaves, strict=True):
        name = ".".join(map(str, path)) if path else "x"
        names += [name + (str(list(place)) if place else "") for place in np.ndindex(x.shape)]
    return names
