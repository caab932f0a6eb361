"""Multi-indices: what is meant by indices and names, and where the entries of a tensor stand."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..algebra import Algebra, Monomial
from ..backend import to_device
from ..errors import InvalidValue

__all__ = ["each", "entries", "factorial", "horner", "missing", "remedy"]


def each(algebra: Algebra, name: str, given: Sequence[Any], by_name: Mapping[str, Any], what: str) -> tuple[Any, ...]:
    """One of what is given for each variable, by place or by name."""
    count = algebra.variables
    if by_name:
        if algebra.names is None:
            raise InvalidValue(f"{name}: the variables of the jet have no names; give {what} for each, in their order")
        unknown = [x for x in by_name if x not in algebra.names]
        if unknown or given:
            wrong = f"no variable is called {unknown[0]}" if unknown else "some are given by place, some by name"
            raise InvalidValue(f"{name}: {wrong}; the variables are {', '.join(algebra.names)}")
        return tuple(by_name.get(x, 0) for x in algebra.names)
    if len(given) != count or algebra.directions is not None:
        raise InvalidValue(f"{name}: {len(given)} given for a jet with {algebra}; expected {what} for each variable")
    return tuple(given)


def remedy(algebra: Algebra, m: Monomial) -> str:
    if min(m) < 0:
        return "expected 0 or more for each"
    if algebra.letter == "ε":
        return "squares of ε vanish: take dn.jets"
    if algebra.directions is not None:
        return "products of directions vanish: take dn.jets"
    order = sum(m) if algebra.limits is None else tuple(map(max, algebra.limits, m))
    return f"build the jets with order={order} or more"


def factorial(m: Monomial) -> int:
    return math.prod(map(math.factorial, m))


def _monomial(algebra: Algebra, index: Sequence[int]) -> Monomial:
    """The monomial of an entry of a tensor."""
    m = [0] * algebra.variables
    for i in index:
        m[i] += 1
    return tuple(m)


@lru_cache(maxsize=256)
def missing(algebra: Algebra, k: int) -> Monomial | None:
    """A monomial of degree k that is not kept."""
    if algebra.directions is not None:
        return _monomial(algebra, (0, 1, *(0,) * (k - 2)))
    for index in np.ndindex(*(algebra.variables,) * k):
        m = _monomial(algebra, index)
        if m not in algebra.places:
            return m
    return None


@lru_cache(maxsize=256)
def entries(algebra: Algebra, k: int, device: str) -> tuple[Any, Any]:
    """The planes of the entries of a tensor, and their m!, on a device."""
    ms = [_monomial(algebra, index) for index in np.ndindex(*(algebra.variables,) * k)]
    places, factorials = [algebra.places[m] for m in ms], [float(factorial(m)) for m in ms]
    return to_device(np.array(places, np.intp), device), to_device(np.array(factorials), device)


def horner(terms: dict[Monomial, Any], t: Sequence[Any]) -> Any:
    """Σ a_m t^m, by powers of the first variable of polynomials in the others."""
    if not t:
        return terms[()]
    by_power: dict[int, dict[Monomial, Any]] = {}
    for m, a in terms.items():
        by_power.setdefault(m[0], {})[m[1:]] = a
    result: Any = None
    for k in range(max(by_power), -1, -1):
        result = None if result is None else result * t[0]
        if k in by_power:
            part = horner(by_power[k], t[1:])
            result = part if result is None else result + part
    return result
