"""Primitives that are not elementwise: a value, a series rule and a pull-back, which serve every kind of operand."""

from collections.abc import Callable, Sequence
from typing import Any

from ..operand import highest

__all__ = ["Operation"]


class Operation:
    """A function of arrays as a primitive, such as the solution of a linear system.

    Its rules are written with NumPy's functions and operators, so that coefficients and cotangents may be arrays, jets,
    variables or tracers of lower levels: they are right with all derivatives.

    Args:
        name: of the function.
        value: (*arguments) → the result, on arrays.
        expand: (order, value, *operands) → the coefficients of the result, from those of the arguments, each a list
            that ends with the last that may be nonzero. Along several directions the coefficients above the value have
            an axis more in front. None where there is a push-forward in its place.
        pull: (wanted, cotangent, value, *arguments) → for each argument that is wanted what the cotangent contributes
            to its own, else None. Axes along which an argument was broadcast may stay.
        may_turn_complex: real arguments may have a complex result, as their numbers are.
        push: (primals, tangents) → the tangent of the result, linear in the tangents; it may call the operation itself.
        reads_reach: the pull-back may be given one argument more, `reach`: None, or a function without arguments to a
            mask of the elements of the result that what is differentiated depends on.

    Example:
        >>> inverse = np.linalg.inv  # an operation for jets
        >>> x = dn.jet(np.eye(2), 1)
        >>> np.allclose((inverse(x) @ x).derivative(1), 0)
        True
    """

    def __init__(
        self,
        name: str,
        value: Callable[..., Any],
        expand: Callable[..., Sequence[Any]] | None,
        pull: Callable[..., Sequence[Any]],
        may_turn_complex: bool = False,
        push: Callable[[Sequence[Any], Sequence[Any]], Any] | None = None,
        reads_reach: bool = False,
    ) -> None:
        self.name = self.__name__ = name
        self.may_turn_complex = may_turn_complex
        self.value = value
        self.expand = expand
        self.pull = pull
        self.push = push
        self.reads_reach = reads_reach

    def __call__(self, *args: Any) -> Any:
        top = highest(args)
        return self.value(*args) if top is None else top._operation(self, args)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"
