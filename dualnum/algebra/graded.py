"""Polynomials of several variables by degree: what the recurrences of `series` run on where levels are nested.

A jet whose coefficients are jets is a polynomial in t_1, t_2, …, one variable for each level, cut at a power of
its own in each. Graded by total degree it multiplies like a series in one variable: its homogeneous parts u_0, u_1,
u_2, … obey every recurrence word for word, since those only use that degrees add up and that D = Σ t_i ∂_i acts on
degree k as k. So a rule decides once, by the plain number u_0, for all levels together, and a derivative of a
derivative is never the derivative of a formula that was only right at a point.

The part of degree 0 is the number itself; a part that is known to be absent has no terms.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..errors import DualnumError
from ..kinds import Coefficient, Index

__all__ = ["Monomial", "NotGraded", "Part", "add", "graded_product", "is_nothing", "is_zero"]

Monomial = tuple[int, ...]


class NotGraded(DualnumError, TypeError):
    """Something was done to a homogeneous part that is not linear in it."""


class Part(NDArrayOperatorsMixin):
    """A homogeneous part of degree 1 or more: Σ c_m t^m over monomials of its algebra.

    It can be added to others of its degree, multiplied, divided by a number, and chosen by a mask of numbers.
    """

    __slots__ = ("algebra", "terms")

    def __init__(self, algebra: Any, terms: dict[Monomial, Any]) -> None:
        self.algebra = algebra
        self.terms = terms

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        rule = _RULES.get(ufunc)
        if method != "__call__" or kwargs or rule is None:
            raise NotGraded(f"{ufunc.__name__} of a homogeneous part")
        return rule(*inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3 and not kwargs:
            return _chosen(*args)
        if function in _LINEAR and args[0] is self:
            return self.map(lambda c: function(c, *args[1:], **kwargs))
        if function is np.linalg.solve and not isinstance(args[0], Part):
            return args[1].map(lambda c: function(args[0], c))
        if function is np.concatenate and all(isinstance(x, Part) for x in args[0]):
            return _concatenated(args[0], **kwargs)
        if function in (np.iscomplexobj, np.shape, np.ndim):
            return function(next(iter(self.terms.values()), 0.0))
        raise NotGraded(f"{function.__name__} of a homogeneous part")

    def map(self, function: Callable[[Any], Any]) -> "Part":
        """A linear function of every coefficient."""
        return Part(self.algebra, {m: function(c) for m, c in self.terms.items()})

    def of(self, last: Monomial) -> dict[Monomial, Any]:
        """The terms with these powers of the last variables, by the powers of the others."""
        n = len(last)
        if not n:
            return self.terms
        return {m[:-n]: c for m, c in self.terms.items() if m[-n:] == last}

    def __getitem__(self, index: Index) -> "Part":
        return self.map(lambda c: c[index])

    @property
    def dtype(self) -> Any:
        return getattr(next(iter(self.terms.values()), 0.0), "dtype", np.dtype(float))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(np.shape(next(iter(self.terms.values()), 0.0)))

    @property
    def ndim(self) -> int:
        return len(self.shape)


def is_zero(x: Coefficient) -> bool:
    """Whether x is the structural zero."""
    return type(x) in (int, float, complex) and x == 0


def _number(x: Coefficient) -> Any:
    if is_zero(x):
        return x
    raise NotGraded("a number was added to a homogeneous part")


def add(a: Coefficient, b: Coefficient) -> Any:
    if not isinstance(a, Part) or not isinstance(b, Part):
        return (a, _number(b))[0] if isinstance(a, Part) else (b, _number(a))[0]
    terms = dict(a.terms)
    for m, c in b.terms.items():
        terms[m] = terms[m] + c if m in terms else c
    return Part(a.algebra, terms)


def _subtract(a: Coefficient, b: Coefficient) -> Any:
    if not isinstance(b, Part):
        return (a, _number(b))[0]
    if not isinstance(a, Part):
        _number(a)
        return -b
    terms = dict(a.terms)
    for m, c in b.terms.items():
        terms[m] = terms[m] - c if m in terms else -c
    return Part(a.algebra, terms)


def _multiply(a: Coefficient, b: Coefficient) -> Any:
    return graded_product(_product, a, b)


def graded_product(product: Callable[[Any, Any], Any], a: Coefficient, b: Coefficient) -> Any:
    """A product of coefficients as one of homogeneous parts, if they are such."""
    if not isinstance(a, Part) and not isinstance(b, Part):
        return product(a, b)
    for x, y in ((a, b), (b, a)):
        if is_zero(x):
            return Part(y.algebra, {})
    if not isinstance(a, Part):
        return b.map(lambda c: product(a, c))
    if not isinstance(b, Part):
        return a.map(lambda c: product(c, b))
    terms: dict[Monomial, Any] = {}
    for m, c in a.terms.items():
        multiples = a.algebra.multiples(m)
        for n, d in b.terms.items():
            for power, factor in multiples.get(n, ()):
                term = product(c, d) if factor == 1 else factor * product(c, d)
                terms[power] = terms[power] + term if power in terms else term
    return Part(a.algebra, terms)


def _product(c: Coefficient, d: Any) -> Any:
    """c·d, without a multiplication by the one of a seed."""
    if type(c) is float and c == 1.0:
        return d
    return c if type(d) is float and d == 1.0 else c * d


def _divide(a: Coefficient, b: Coefficient) -> Any:
    if isinstance(b, Part):
        raise NotGraded("division by a homogeneous part")
    return a.map(lambda c: c / b)


def _square(a: Part) -> Any:
    return _multiply(a, a)


def _chosen(condition: Coefficient, a: Coefficient, b: Coefficient) -> Any:
    """np.where, term by term; what is absent is zero."""
    if isinstance(condition, Part):
        raise NotGraded("a homogeneous part as a condition")
    known = a if isinstance(a, Part) else b
    x, y = (p.terms if isinstance(p, Part) else {} for p in (a, b))
    # beside a part only zero has a meaning, and NaN for what cannot be known
    f, g = (0.0 if isinstance(p, Part) else p if is_nothing(p) else _number(p) for p in (a, b))
    return Part(known.algebra, {m: np.where(condition, x.get(m, f), y.get(m, g)) for m in {**x, **y}})


def _concatenated(parts: Any, axis: int = 0) -> Part:
    monomials = dict.fromkeys(m for x in parts for m in x.terms)
    if not monomials:
        return Part(parts[0].algebra, {})
    zeros = [np.zeros_like(next(iter(x.terms.values()))) for x in parts]
    each = {m: [x.terms.get(m, zero) for x, zero in zip(parts, zeros, strict=True)] for m in monomials}
    return Part(parts[0].algebra, {m: np.concatenate(cs, axis=axis) for m, cs in each.items()})


def _widened(a: Part, power: float) -> Part:
    """c^1.0 in double precision at least."""
    if power != 1.0:
        raise NotGraded(f"float_power of a homogeneous part to {power}")
    return a.map(lambda c: np.float_power(c, 1.0))


def is_nothing(x: Coefficient) -> bool:
    """Whether numbers are zero or NaN: of arrays a look tells, of a symbol how it was written.

    (Arrays on a device are not looked at. What rules do with parts does not depend on where arrays lie.)
    """
    if isinstance(x, (np.ndarray, np.generic, float, int, complex)):
        return bool(np.all((x == 0) | np.isnan(x)))
    return not hasattr(x, "node") and getattr(x, "nothing", True)


def _mapped(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda a, *numbers: a.map(lambda c: ufunc(c, *numbers))


# functions of arrays that are linear in the first argument, as the rules of operations use them
_LINEAR = {
    np.real,
    np.imag,
    np.swapaxes,
    np.moveaxis,
    np.transpose,
    np.reshape,
    np.tril,
    np.triu,
    np.diagonal,
    np.trace,
    np.sum,
    np.take_along_axis,
}
_RULES: dict[np.ufunc, Callable[..., Any]] = {
    np.matmul: partial(graded_product, np.matmul),
    np.add: add, np.subtract: _subtract, np.multiply: _multiply, np.divide: _divide, np.square: _square,
    np.float_power: _widened,
    **{f: _mapped(f) for f in (
        np.negative, np.positive, np.conjugate, np.deg2rad, np.radians, np.rad2deg, np.degrees, np.ldexp,
    )},
}  # fmt: skip
