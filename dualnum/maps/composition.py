"""Jets of jets: composition of Taylor maps, and their inverses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optree
from numpy.lib.array_utils import normalize_axis_index

from .. import containers
from ..algebra import Algebra, Monomial, TotalDegree, Univariate
from ..backend import as_floating
from ..errors import InvalidType, InvalidValue, ours
from ..jets.jet import Jet
from ..jets.multiindex import horner
from ..jets.variables import started
from ..kinds import Value
from ..operand import Operand, is_jet
from .points import check_regular

__all__ = ["compose", "inverse_map", "reversion"]


def compose(outer: Any, inner: Any, *, axis: int = -1) -> Any:
    """The composition (f∘g)(t) = f(g(t)) of Taylor maps: f = Σ f_m s^m at s = g(t) − g(0), by Horner's rule.

    Args:
        outer: f, a jet in m variables that was expanded at the values of g, or a nested container of such.
        inner: g, a tuple or list of m jets; or one whose entries along an axis are these m; or, if f is a series in one
            variable, one of any shape.
        axis: that axis; f has it as well, for the components of a map, or has g's shape without it.

    Returns:
        Jets like g's in the structure of f, of the shapes to which f's and those of the m jets broadcast.

    Raises:
        InvalidType: f or g holds no jets.
        InvalidValue: there are more or fewer jets than variables; those of g differ in their variables; f does not keep
            all that the order of g asks for; shapes do not fit.
        InvalidAxis: g has no such axis.

    Source:
        Berz, Modern Map Methods in Particle Beam Physics, Academic Press 1999, section 2.3.

    Example:
        >>> y = np.exp(dn.jet(0.5, 3))
        >>> compose(np.sin(dn.jet(y.value, 3)), y).derivatives() == np.sin(y).derivatives()
        True
    """
    leaves, structure = containers.flatten(outer)
    wrong = next((f for f in leaves if not isinstance(f, Jet)), None)
    if wrong is not None or not leaves:
        given = "nothing" if wrong is None else f"a {type(wrong).__name__}"
        raise InvalidType(f"compose: outer holds {given}; expected jets, as dn.jets makes them")
    try:
        results = [_composed(f, inner, axis) for f in leaves]
    except ValueError as error:
        raise ours(error, "compose") from None
    return optree.tree_unflatten(structure, results)


def _composed(f: Any, inner: Any, axis: int) -> Any:
    count = f.algebra.variables
    if f.algebra.directions is not None:
        raise InvalidValue(f"compose: outer has {f.algebra}; expected one direction, or independent variables")
    single = is_jet(inner)
    if single and not isinstance(f.algebra, Univariate):
        axis = normalize_axis_index(axis, inner.ndim)
        split: Any = np.moveaxis(inner, axis, 0)
        given: list[Any] = [split[i] for i in range(split.shape[0])]
        given = [np.expand_dims(g, axis) for g in given] if f.ndim == inner.ndim else given
    else:
        given = [inner] if single else list(inner) if isinstance(inner, (tuple, list)) else []
    own = next((g for g in given if isinstance(g, Jet)), None)
    if own is None:
        raise InvalidType("compose: inner holds no jets; to evaluate the polynomial at numbers, write outer(t)")
    if len(given) != count:
        raise InvalidValue(f"compose: inner has {len(given)} components, outer has {f.algebra}; expected as many")
    algebra = own.algebra
    moving = [own._is_mine(g, "compose") for g in given]
    _check_kept(f.algebra, algebra, [g.extent if its else 0 for g, its in zip(given, moving, strict=True)])
    s = [g - g.value if its else 0.0 for g, its in zip(given, moving, strict=True)]
    terms = {
        m: f.planes[place]
        for place, m in f.algebra.within((f.extent,))
        if sum(m) <= algebra.order and all(its or not k for k, its in zip(m, moving, strict=True))
    }
    result = horner(terms, s)
    shape = np.broadcast_shapes(f.shape, *map(np.shape, given))
    if not (isinstance(result, Jet) and result.scope is own.scope):
        return started(np.broadcast_to(result, shape)[()], {}, algebra, own.scope)
    return result if result.shape == shape else np.broadcast_to(result, shape)


def _check_kept(outer: Algebra, inner: Algebra, extents: Sequence[int]) -> None:
    """Raises where a power of the inner jets may be nonzero of which the outer jet does not know the coefficient."""
    if isinstance(outer, (Univariate, TotalDegree)) and outer.order >= inner.order:
        return
    one = (0,) * inner.variables if not isinstance(inner, Univariate) else (0,)
    slopes = [[m for _, m in inner.within((extent,)) if sum(m)] for extent in extents]
    reached: dict[Monomial, set[Monomial]] = {(0,) * outer.variables: {one}}
    while reached:
        higher: dict[Monomial, set[Monomial]] = {}
        for m, powers in reached.items():
            if m not in outer.places:
                raise InvalidValue(
                    f"compose: outer has {outer}, inner has {inner}, and the coefficient of {m} of outer, which is not "
                    f"kept, takes part; build outer with the order {inner.order}, or cut inner with .truncate"
                )
            last = max((i for i, k in enumerate(m) if k), default=0)
            for i in range(last, outer.variables):
                found = {p for a in powers for b in slopes[i] for p, _ in inner.multiples(a).get(b, ())}
                if found:
                    higher[(*m[:i], m[i] + 1, *m[i + 1 :])] = found
        reached = higher


# ── inverses ─────────────────────────────────────────────────────────────────────────────────────


def inverse_map(f: Any, x: Any = None, *, axis: int = -1) -> Any:
    """The inverse of a square Taylor map y = f(x + t): the jets x + t(s) with f(x + t(s)) = f(x) + s.

    With f = y + A t + N(t), t = A⁻¹ (s − N(t)) is right to one degree more in each iteration.

    Args:
        f: n jets in n variables up to a total degree: a tuple or list, or one jet with an axis of n entries.
        x: where f was expanded, an array like the values of f (a tuple or list of such), which become the values of the
            inverse; zeros when left out, and the inverse gives displacements.
        axis: of the n entries.

    Returns:
        As many jets of the same shapes and order in the variables s, in the structure of f.

    Raises:
        InvalidType: f is not made of jets.
        InvalidValue: there are not as many jets as variables, or other algebras than of a total degree; A is singular
            at a point; x does not fit.
        InvalidAxis: f has no such axis.

    Source:
        Berz, Modern Map Methods in Particle Beam Physics, Academic Press 1999, section 2.3.1.

    Example:
        >>> x = np.array([0.3, 0.2])
        >>> t = dn.jets(x, order=3, axis=-1)
        >>> henon = np.stack([1 - 1.4 * t[0]**2 + t[1], 0.3 * t[0]])
        >>> dn.inverse_map(henon, x)[1].partial(0, 2) * 0.3**2
        np.float64(2.8)
    """
    single = is_jet(f)
    components = _components(f, axis)
    n, algebra, scope = components.shape[-1], components.algebra, components.scope
    if components.algebra.variables != n or algebra.directions is not None:
        raise InvalidValue(f"inverse_map: f has {n} components and {algebra}; expected as many variables")
    if not isinstance(algebra, (TotalDegree, Univariate)) or not algebra.order:
        raise InvalidValue(
            f"inverse_map: f has {algebra}; expected all monomials up to a total degree of 1 or more, as of "
            "dn.jets(…, order=K)"
        )
    slopes = components.gradient()
    check_regular(slopes, "inverse_map: the linear part of f is singular at {}; expected a map that can be inverted")
    kept = [(m, place) for place, m in algebra.within((components.extent,)) if sum(m) > 1]
    linear = np.linalg.inv(slopes)
    higher: dict[Monomial, Any] = {}
    if kept:
        places = [place for _, place in kept]
        solved = np.linalg.solve(slopes, np.moveaxis(components.planes[places], 0, -1))
        higher = {m: solved[..., k] for k, (m, _) in enumerate(kept)}
    t: Any = _fixed(linear, higher, algebra.named(None), scope)
    if x is not None:
        try:
            at = _stacked(x, axis, single)
            fits = np.broadcast_shapes(at.shape, t.shape) == t.shape
        except ValueError:
            fits = False
        if not fits:
            shapes = np.shape(x) if single else [np.shape(u) for u in x]
            raise InvalidValue(f"inverse_map: x has shape {shapes}, f {components.shape}; expected shapes that fit")
        t = t + at
    return np.moveaxis(t, -1, axis) if single else type(f)([t[..., i] for i in range(n)])


def _components(f: Any, axis: int) -> Any:
    """The components of a map along the last axis."""
    jets = [f] if is_jet(f) else f if isinstance(f, (tuple, list)) else []
    own: Any = next((y for y in jets if isinstance(y, Jet)), None)
    if own is None:
        raise InvalidType("inverse_map: f is not made of jets; expected n of them, or one with an axis of n entries")
    try:
        for y in jets:
            own._is_mine(y, "inverse_map")
        return _stacked(f, axis, f is own)
    except ValueError as error:
        raise ours(error, "inverse_map") from None


def _stacked(components: Any, axis: int, single: bool) -> Any:
    """Components apart, or those along an axis, along the last axis."""
    if not single:
        return np.stack(np.broadcast_arrays(*components), axis=-1)
    given: Any = components if isinstance(components, Operand) else as_floating(components, "inverse_map", "x")
    return np.moveaxis(given, axis, -1)


def _fixed(linear: Value, higher: dict[Monomial, Any], algebra: Algebra, scope: Any) -> Jet:
    """t = A⁻¹ s − Σ a_m t^m, degree by degree, each in the algebra that ends with it."""
    n, order = linear.shape[-1], algebra.order
    units = {m: linear[..., i] for i, m in enumerate(algebra.monomials[1 : n + 1])}
    zero = np.zeros_like(linear[..., 0])
    t = started(zero, units, algebra.truncated(1) if higher else algebra, scope)
    for k in range(2, order + 1 if higher else 0):
        cut = algebra.truncated(k)
        planes = np.concatenate([t.planes, np.zeros_like(t.planes, shape=(cut.size - t.algebra.size, *t.shape))])
        s = object.__new__(Jet)._set(planes, t.extent, cut, scope)
        t = started(zero, units, cut, scope)
        terms = {m: a for m, a in higher.items() if sum(m) <= k}
        if terms:
            t = t - horner(terms, [s[..., i, None] for i in range(n)])
    return t


def reversion(y: Jet, x: Value = 0.0) -> Jet:
    """The series of the inverse function: x + t(s) with y(t(s)) = y(0) + s.

    By Lagrange's formula: t_k = [t^{k−1}] φ^k / k with φ = t/(y − y_0).

    Args:
        y: a series in one variable, any shape, y_1 ≠ 0.
        x: where y was expanded, which becomes the value of the inverse.

    Returns:
        A jet of y's shape and order in s.

    Raises:
        InvalidType: y is no jet.
        InvalidValue: y has several variables or order 0, or y_1 = 0 at a point.

    Source:
        Lagrange 1770; Knuth, The Art of Computer Programming 2, 3rd ed., 1997, section 4.7.

    Example:
        >>> reversion(np.sin(dn.jet(0.0, 5))).coeffs * 120
        array([  0., 120.,   0.,  20.,   0.,   9.])
    """
    if not isinstance(y, Jet):
        raise InvalidType(f"reversion: y is a {type(y).__name__}; expected a jet")
    order = y.order
    if not isinstance(y.algebra, Univariate) or y.algebra.directions is not None or not order:
        raise InvalidValue(
            f"reversion: y has {y.algebra}; expected one variable and an order of 1 or more (of maps: dn.inverse_map)"
        )
    slope = y.planes[1]
    check_regular(slope[..., None, None], "reversion: y_1 is 0 at {}; the inverse function has no Taylor series there")
    shifted = object.__new__(Jet)._set(y.planes[1:], max(y.extent - 1, 0), Univariate(order - 1), y.scope)
    phi = power = 1 / shifted
    planes = [np.zeros_like(slope) + x, power.planes[0]]
    for k in range(2, order + 1):
        power = power * phi
        planes.append(power.planes[k - 1] / k)
    return y._like(np.stack(np.broadcast_arrays(*planes)), order)
