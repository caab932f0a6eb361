"""What is read of a jet: coefficients, derivatives, and values of the polynomial."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..algebra import Monomial, Univariate, factorial_times, multiple, warn_of_underflow
from ..backend import as_floating, device_of
from ..errors import InvalidType, InvalidValue, NoAttribute
from ..kinds import Value
from ..operand import Operand, beside, explained
from .base import Base
from .multiindex import each, entries, factorial, horner, missing, remedy
from .planes import readonly, stack_blocks

__all__ = ["Reading"]


class Reading(Base):
    """The polynomial Σ a_m t^m and its derivatives ∂^m y = m!·a_m, m! = Π m_i!."""

    __slots__ = ()

    @property
    def value(self) -> Any:
        """Coefficient 0: what NumPy would have computed. A read-only view."""
        return readonly(self.planes[0])

    @property
    def coeffs(self) -> Any:
        """All coefficients a_k = y⁽ᵏ⁾/k!, shape (K+1, *shape), in several variables as `partials` lists them.

        A read-only view.
        """
        return readonly(self.planes)

    @property
    def device(self) -> str:
        """Where the coefficients are: "cpu" or "cuda:N"."""
        return device_of(self.planes)

    def coefficient(self, *multi_index: int, **powers: int) -> Any:
        """a_m, the coefficient of t^m, a read-only view; arguments, shape and errors as for `partial`."""
        return readonly(self.planes[self.algebra.at(self._multi_index("coefficient", multi_index, powers))])

    def derivative(self, k: int = 1) -> Any:
        """y⁽ᵏ⁾(0) = k!·a_k.

        Args:
            k: from 0 to the order.

        Returns:
            An array of the shape and type of the value (with several directions: (P, *shape) for k ≥ 1). A
            `PrecisionWarning` says where a_k is too small to have all digits of the derivative.

        Raises:
            InvalidType: k is not an integer.
            InvalidValue: k is negative or above the order; the jet has several variables.

        Example:
            >>> (jet(5.0, order=3) ** 3).derivative(2)
            np.float64(30.0)
        """
        if len(self.algebra.monomials[0]) > 1:
            raise InvalidValue(
                f"derivative: the jet has {self.algebra}; expected one variable: write .partial(…), .gradient(), "
                ".hessian() or .tensor(k)"
            )
        m = (self._degree("derivative", k),)
        if self.algebra.directions is None and self.algebra.holds(self.extent, m):
            warn_of_underflow("derivative", m[0], self.planes)
        return factorial_times(m[0], readonly(self.planes[self.algebra.at(m)]))

    def derivatives(self) -> list[Any]:
        """[y, y', …, y⁽ᴷ⁾], each as for `derivative`."""
        return [self.derivative(k) for k in range(self.order + 1)]

    # ── several variables ────────────────────────────────────────────────────────────────────────

    def partial(self, *multi_index: int, **powers: int) -> Any:
        """The mixed derivative ∂^m y = m!·a_m; of a jet in one variable the same as `derivative`.

        Args:
            multi_index: how many times by each variable.
            powers: the same by the names of the variables; those that are left out count as 0.

        Returns:
            An array of the shape and type of the value.

        Raises:
            InvalidType: an index is not an integer.
            InvalidValue: there are more or fewer indices than variables; no variable has such a name; m is negative or
                not kept.

        Example:
            >>> x, t = dn.jets(x=2.0, t=3.0, order=2)
            >>> (x**3 * t).partial(1, 1), (x**3 * t).partial(x=2)
            (np.float64(12.0), np.float64(36.0))
        """
        m = self._multi_index("partial", multi_index, powers)
        if len(m) == 1:
            return self.derivative(m[0])
        return multiple(factorial(m), readonly(self.planes[self.algebra.at(m)]))

    def partials(self) -> dict[Monomial, Any]:
        """All {m: ∂^m y} that are kept, by degree: the value first.

        Example:
            >>> x, t = dn.jets(2.0, 3.0, order=1)
            >>> (x * t).partials()
            {(0, 0): np.float64(6.0), (1, 0): np.float64(3.0), (0, 1): np.float64(2.0)}
        """
        return {m: self.partial(*m) for m in self.algebra.monomials}

    def gradient(self) -> Any:
        """The first derivatives by all variables, ∂y/∂t_i, shape (*shape, variables).

        Raises:
            InvalidValue: the order is 0.

        Example:
            >>> x, t = dn.jets(2.0, 3.0, order=1)
            >>> (x * t**2).gradient()
            array([ 9., 12.])
        """
        return self._tensor("gradient", 1)

    def hessian(self) -> Any:
        """The second derivatives ∂²y/∂t_i∂t_j, shape (*shape, variables, variables).

        Raises:
            InvalidValue: not all of them are kept: the order is below 2, or squares vanish.

        Example:
            >>> x, t = dn.jets(2.0, 3.0, order=2)
            >>> (x * t**2).hessian()
            array([[0., 6.],
                   [6., 4.]])
        """
        return self._tensor("hessian", 2)

    def tensor(self, k: int) -> Any:
        """The symmetric tensor of the k-th derivatives, shape (*shape, variables, …, variables).

        Raises:
            InvalidType: k is not an integer.
            InvalidValue: not all derivatives of this order are kept.

        Example:
            >>> x, t = dn.jets(2.0, 3.0, order=3)
            >>> (x * t**2).tensor(3)[0, 1, 1]
            np.float64(2.0)
        """
        return self._tensor("tensor", self._degree("tensor", k))

    def degree(self, k: int) -> Any:
        """The homogeneous part of degree k: the jet Σ a_m t^m over |m| = k.

        Raises:
            InvalidType: k is not an integer.
            InvalidValue: it is negative or above the order.

        Example:
            >>> x, t = dn.jets(2.0, 3.0, order=2)
            >>> (x * t**2).degree(2)(0.5, 0.1) == 2 * 0.1**2 + 6 * 0.5 * 0.1
            np.True_
        """
        algebra, k = self.algebra, self._degree("degree", k)
        block = algebra.block(k)
        if isinstance(block, int):
            block = slice(block, block + 1)
        part = self.planes[block]
        blocks: list[tuple[Any, int]] = [(part, block.stop - block.start)]
        if block.start:
            blocks.insert(0, (0.0, block.start))
        return self._like(stack_blocks(blocks, algebra.size, self.planes[0]), algebra.below(self.extent, k))

    def along(self, *direction: Value, **directions: Value) -> Any:
        """The jet in one variable s of the same function along a line, y(s·v): a_k = Σ_{|m|=k} a_m v^m.

        Args:
            direction: v, for each variable a number or an array that broadcasts to the shape; or by
            directions: the names of the variables; 0 for those left out.

        Returns:
            A `Jet` of the same order, of the shape to which the value and v broadcast.

        Raises:
            InvalidType: a component is not a number.
            InvalidValue: there are more or fewer components than variables; no variable has such a name; one does not
                broadcast.

        Example:
            >>> x, t = dn.jets(2.0, 3.0, order=2)
            >>> (x * t).along(1.0, -1.0).derivatives()
            [np.float64(6.0), np.float64(1.0), np.float64(-2.0)]
        """
        v = self._displacements("along", direction, directions)
        order = self.order
        parts: list[Any] = [0.0] * (order + 1)
        try:
            for place, m in self.algebra.within((self.extent,)):
                factors = [x**power if power > 1 else x for x, power in zip(v, m, strict=True) if power]
                parts[sum(m)] = parts[sum(m)] + math.prod(factors, start=self.planes[place])
            shape = np.broadcast_shapes(*map(np.shape, parts))
        except (TypeError, ValueError) as error:
            raise explained(error, "along", self, v) from None
        first = np.broadcast_to(parts[0], shape)[()]
        first = first.astype(np.result_type(*(p.dtype for p in parts if hasattr(p, "dtype"))))
        planes = stack_blocks([(first, 1), *((p, 1) for p in parts[1:])], order + 1, first)
        return object.__new__(self.kind)._set(planes, order, Univariate(order), self.scope)

    # ── the polynomial ───────────────────────────────────────────────────────────────────────────

    def __call__(self, *t: Value, **by_name: Value) -> Any:
        """The Taylor polynomial Σ a_m t^m at t, one for each variable (broadcast against the shape), by Horner's rule.

        With several directions the result has one polynomial for each of them: shape (P, *shape). Jets for t give the
        composition.

        Raises:
            InvalidType: t is not made of numbers.
            InvalidValue: t does not broadcast; there are more or fewer than variables; no variable has such a name.

        Example:
            >>> y = jet(2.0, order=2) ** 2
            >>> y(0.5) == 2.5**2
            np.True_
        """
        displacements = self._displacements("y(t)", t, by_name)
        try:
            if isinstance(self.algebra, Univariate):
                return self._series_at(displacements[0])
            terms = {m: self.planes[place] for place, m in self.algebra.within((self.extent,))}
            return horner(terms, displacements) + sum(0 * x for x in displacements)  # spread over their shapes
        except (TypeError, ValueError) as error:
            raise explained(error, "y(t)", self, displacements) from None

    def _series_at(self, t: Value) -> Any:
        parts = self._parts(self.ndim)
        result = parts[-1]
        for part in parts[-2::-1]:
            result = result * t + part
        if len(parts) > 1:
            return result
        result = result + 0 * t  # a constant, spread over the shape of t and over the directions
        count = self.algebra.directions
        return result if count is None else np.broadcast_to(result, (count, *np.shape(result)))

    # ── hyper-dual numbers ───────────────────────────────────────────────────────────────────────

    def eps(self, *numbers: int) -> Any:
        """The coefficient of a product of ε: eps(1, 2) that of ε₁ε₂, eps() the value. A read-only view.

        Raises:
            InvalidType: the numbers are not integers.
            InvalidValue: the jet has no such ε, or they are not different.

        Example:
            >>> np.exp(dn.hyperdual(0.5, 1.0, 2.0)).eps(1, 2) / np.exp(0.5)
            np.float64(2.0)
        """
        algebra = self.algebra
        if algebra.letter != "ε":
            raise InvalidValue(f"eps: the jet has {algebra}, and no ε; build it with dn.dual or dn.hyperdual")
        count = algebra.variables
        if any(isinstance(i, bool) or not isinstance(i, (int, np.integer)) for i in numbers):
            raise InvalidType(f"eps: the numbers are {numbers}; expected integers from 1 to {count}")
        m = tuple([int(i in numbers) for i in range(1, count + 1)])
        if len(set(numbers)) < len(numbers) or sum(m) < len(numbers) or m not in algebra.places:
            raise InvalidValue(
                f"eps: the numbers are {numbers}, but the jet has {algebra}; expected different ones from 1 to "
                f"{count}, {algebra.order} at most"
            )
        return readonly(self.planes[algebra.places[m]])

    @property
    def eps1(self) -> Any:
        """The coefficient of ε₁."""
        return self._attribute(1)

    @property
    def eps2(self) -> Any:
        """The coefficient of ε₂."""
        return self._attribute(2)

    @property
    def eps3(self) -> Any:
        """The coefficient of ε₃."""
        return self._attribute(3)

    @property
    def eps12(self) -> Any:
        """The coefficient of ε₁ε₂."""
        return self._attribute(1, 2)

    @property
    def eps13(self) -> Any:
        """The coefficient of ε₁ε₃."""
        return self._attribute(1, 3)

    @property
    def eps23(self) -> Any:
        """The coefficient of ε₂ε₃."""
        return self._attribute(2, 3)

    @property
    def eps123(self) -> Any:
        """The coefficient of ε₁ε₂ε₃."""
        return self._attribute(1, 2, 3)

    def _attribute(self, *numbers: int) -> Any:
        """The same as `eps`, for attributes."""
        try:
            return self.eps(*numbers)
        except InvalidValue as error:
            raise NoAttribute(str(error)) from None

    def __dir__(self) -> list[str]:
        names = super().__dir__()
        return [x for x in names if x[:3] != "eps" or self.algebra.letter == "ε"]

    # ── what was asked for ───────────────────────────────────────────────────────────────────────

    def _degree(self, name: str, k: Any) -> int:
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool):
            raise InvalidType(f"{name}: k is {k!r}; expected an integer from 0 to {self.order}")
        if not 0 <= k <= self.order:
            more = f": build the jet with order={int(k)} or more" if k > 0 else ", 0 for the value"
            raise InvalidValue(
                f"{name}: k is {k}, but the jet has order {self.order}; expected 0 ≤ k ≤ {self.order}{more}"
            )
        return int(k)

    def _multi_index(self, name: str, given: Sequence[Any], powers: Mapping[str, Any]) -> Monomial:
        """One index for each variable, of a monomial that is kept."""
        algebra = self.algebra
        if len(algebra.monomials[0]) == 1 and len(given) == 1 and not powers:
            return (self._degree(name, given[0]),)
        m = each(algebra, name, given, powers, "an index")
        if any(isinstance(k, bool) or not isinstance(k, (int, np.integer)) for k in m):
            raise InvalidType(f"{name}: the multi-index is {m}; expected integers")
        m = tuple(map(int, m))
        if m not in algebra.places:
            raise InvalidValue(f"{name}: the multi-index is {m}, but the jet has {algebra}; {remedy(algebra, m)}")
        return m

    def _displacements(self, name: str, given: Sequence[Any], by_name: Mapping[str, Any]) -> list[Any]:
        """One number, array or jet for each variable."""
        if isinstance(self.algebra, Univariate) and len(given) == 1 and not by_name:
            chosen: Sequence[Any] = given
        else:
            chosen = each(self.algebra, name, given, by_name, "a displacement")
        numbers = (Operand, int, float, complex)  # a Python number does not widen
        return [x if isinstance(x, numbers) else as_floating(x, name, "t") for x in chosen]

    def _tensor(self, name: str, k: int) -> Any:
        algebra = self.algebra
        count = algebra.variables
        if algebra.directions is not None and k < 2:
            planes = readonly(self.planes[algebra.block(k)])
            return np.moveaxis(planes, 0, -1) if k else planes
        absent = missing(algebra, k)
        if absent is not None:
            raise InvalidValue(
                f"{name}: the derivatives of order {k} are not all kept, as {absent} of a jet with {algebra}; "
                f"{remedy(algebra, absent)}"
            )
        places, factorials = entries(algebra, k, "cpu" if isinstance(self.planes, Operand) else self.device)
        planes = self.planes[places]
        if k > 1:
            planes = planes * beside(factorials, self).reshape(-1, *(1,) * self.ndim)
        planes = planes.reshape((*(count,) * k, *self.shape))[()]
        return np.moveaxis(planes, range(k), range(self.ndim, self.ndim + k)) if self.ndim else planes
