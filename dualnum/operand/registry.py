"""Which implementation stands in for which function of NumPy."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["IMPLEMENTATIONS", "WITHOUT_AXES", "function_name", "implementation", "implements"]

F = TypeVar("F", bound=Callable[..., Any])
IMPLEMENTATIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
# what a result without axes is where it is no number as of most functions: "array", or as it came, a "view" perhaps
WITHOUT_AXES: dict[Callable[..., Any], str] = {}


def implements(*functions: Callable[..., Any], without_axes: str = "number") -> Callable[[F], F]:
    """Registers what stands in for NumPy's functions when an argument is an operand.

    Args:
        without_axes: whether a result without axes is a "number" to NumPy, an "array", or as the implementation gives
            it ("view"). The difference is seen by `y += 1`, which writes into arrays and binds numbers anew.
    """

    def register(implementation: F) -> F:
        for function in functions:
            if without_axes != "number":
                WITHOUT_AXES[function] = without_axes
            assert function not in IMPLEMENTATIONS, f"two implementations of {function_name(function)}"
            IMPLEMENTATIONS[function] = implementation
        return implementation

    return register


def implementation(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """What is registered for a function of NumPy, if anything."""
    return IMPLEMENTATIONS.get(function)


def function_name(function: Callable[..., Any]) -> str:
    module = (getattr(function, "__module__", None) or "").replace("numpy", "np", 1)
    return f"{module}.{function.__name__}" if module else str(function.__name__)
