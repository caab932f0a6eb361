"""What all distributions share: parameters by name, the type of the arguments, and parameters given beforehand."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..errors import InvalidType, NoAttribute
from ..functions.keywords import array
from ..kinds import Value
from ..operand import Operand, primal

__all__ = ["Distribution", "Frozen", "like", "log_of", "number", "special"]


class _Special:
    """scipy.special, imported when it is first asked for a function."""

    def __getattr__(self, name: str) -> Any:
        import scipy.special

        return getattr(scipy.special, name)


special: Any = _Special()


class Distribution:
    """A family of distributions: see `Continuous` and `Discrete`."""

    methods: Sequence[str] = ()
    _steps = ""  # methods that there are not, as they would be steps

    def __init__(self, name: str, doc: str, shapes: str, valid: Callable[..., Any]) -> None:
        self.name = name
        self.shapes = tuple(shapes.split())
        self.valid = valid
        self.__doc__ = doc

    def __call__(self, *args: Any, **kwargs: Any) -> "Frozen":
        """The distribution with these parameters, whose methods take the point alone.

        Args:
            args: shape parameters, loc and scale, as of the methods.
            kwargs: the same by name.
        """
        self._parameters(args, kwargs, self.name)
        return Frozen(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<distribution {self.name}>"

    def __getattr__(self, name: str) -> Any:
        if name in self._steps.split():
            raise NoAttribute(
                f"{self.name}: {name} is a step function of its arguments, which has no derivatives; "
                f"scipy.stats.{self.name}.{name} has its values"
            )
        known = ", ".join(self.methods)
        raise NoAttribute(f"{self.name} has no {name}; it has {known}")

    def _parameters(self, args: Sequence[Any], kwargs: dict[str, Any], function: str) -> dict[str, Any]:
        """The parameters by name."""
        names = (*self.shapes, *self._placing)
        if len(args) > len(names):
            raise InvalidType(
                f"{function}: {len(args)} parameters are given; expected {', '.join(names)} at most, in this order"
            )
        given = dict(zip(names, args, strict=False))
        for name, x in kwargs.items():
            if name not in names or name in given:
                what = "is given twice" if name in given else "is no parameter"
                raise InvalidType(f"{function}: {name} {what}; expected {', '.join(names)}")
            given[name] = x
        missing = [name for name in self.shapes if name not in given]
        if missing:
            raise InvalidType(f"{function}: {missing[0]} is not given; expected {', '.join(names)}")
        return {name: given.get(name, self._placing.get(name)) for name in names}

    _placing: ClassVar[dict[str, float]] = {"loc": 0.0}

    def _arguments(self, method: str, x: Value, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, list[Any]]:
        """The point and all parameters as floating-point arrays or operands of one type."""
        given = [x, *self._parameters(args, kwargs, f"{self.name}.{method}").values()]
        given = [v if isinstance(v, (int, float)) and i else array(v) for i, v in enumerate(given)]
        types = [v if isinstance(v, (int, float)) else v.dtype for v in given]
        dtype = np.result_type(*types)
        if dtype.kind == "c":
            raise InvalidType(f"{self.name}.{method}: an argument is complex; expected real numbers")
        dtype = dtype if dtype.kind == "f" else np.dtype(float)
        point, *parameters = [
            v
            if isinstance(v, Operand)
            else np.asanyarray(v, dtype)
            if isinstance(v, (int, float, np.ndarray, np.generic))
            else v.astype(dtype)
            for v in given
        ]
        return point, parameters


def number(y: Value) -> Any:
    """A result without axes as a number of NumPy's."""
    return y if isinstance(y, Operand) else y[()]


def log_of(small: Value, complement: Value) -> Any:
    """log p from p and 1 − p, whichever has the digits."""
    low = np.less(primal(small), 0.5)
    return np.where(low, np.log(np.where(low, small, 0.5)), np.log1p(-np.where(low, 0.0, complement)))


def like(args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A number that widens no type of these."""
    types = [v.dtype for v in map(array, (*args, *kwargs.values())) if not isinstance(v, (int, float))]
    wide = np.result_type(np.float16, *types) if types else np.dtype(float)
    return np.zeros((), wide if wide.kind == "f" and any(t.kind == "f" for t in types) else float)


class Frozen:
    """A distribution with its parameters, made by calling a family: its methods take the point alone.

    Args:
        family: the distribution.
        args: its parameters by position.
        kwargs: the others by name.

    Example:
        >>> height = dn.stats.norm(170.0, scale=8.0)
        >>> dn.derivative(height.logpdf)(180.0), height.std()
        (np.float64(-0.15625), np.float64(8.0))
    """

    def __init__(self, family: Distribution, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.family = family
        self.args = tuple(args)
        self.kwargs = kwargs

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("family", "args", "kwargs"):
            raise AttributeError(name)
        method = getattr(self.family, name)
        if name not in self.family.methods:
            raise NoAttribute(f"{self.family.name} has no method {name}; it has {', '.join(self.family.methods)}")
        return lambda *x: method(*x, *self.args, **self.kwargs)

    def __dir__(self) -> list[str]:
        return list(self.family.methods)

    def __repr__(self) -> str:
        given = [*map(repr, self.args), *(f"{name}={x!r}" for name, x in self.kwargs.items())]
        return f"{self.family.name}({', '.join(given)})"
