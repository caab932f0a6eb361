"""A function with its derivatives as scipy.optimize calls them: on flat arrays, each more than once at a point."""

from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from ..errors import InvalidType, InvalidValue
from ..kinds import Value
from ..program.jit import jit as compiled
from ..transforms import hessian, hvp, jacobian, value_and_grad

__all__ = ["Objective", "Residuals", "objective", "residuals"]


class _Kept:
    """What was computed last at a point, for whoever asks again there."""

    def __init__(self) -> None:
        self.x: Any = None
        self.args: tuple[Any, ...] = ()
        self.found: dict[str, Any] = {}

    def at(self, x: Any, args: tuple[Any, ...], name: str, compute: Callable[[], Any]) -> Any:
        """What has this name at x; it is computed where it is not known."""
        same = self.x is not None and np.array_equal(self.x, x) and len(args) == len(self.args)
        if not (same and all(a is b for a, b in zip(args, self.args, strict=True))):
            self.x, self.args, self.found = np.array(x), args, {}
        if name not in self.found:
            self.found[name] = compute()
        return self.found[name]


class _Flat:
    """A function of arrays of any shape, or containers of them, as one of flat arrays."""

    def __init__(self, f: Callable[..., Any], like: Any, jit: bool, name: str) -> None:
        if not callable(f):
            raise InvalidType(f"{name}: f is a {type(f).__name__}; expected a function of arrays")
        self._f = f
        self._name = name
        self._like(like)
        self._kept = _Kept()
        self._compiled: Callable[..., Any] = compiled if jit else lambda g: g

    def _like(self, like: Any) -> None:
        """Arguments are taken apart, and put together, as this one."""
        self._structure: Any = None if like is None else optree.tree_structure(like)
        self._shapes = None if like is None else [np.shape(x) for x in optree.tree_leaves(like)]

    def flat(self, x: Any) -> Any:
        """An argument of f as scipy.optimize has it.

        Args:
            x: an array, or a container of them.

        Returns:
            A flat array.
        """
        return np.concatenate([np.ravel(np.asarray(leaf, float)) for leaf in optree.tree_leaves(x)])

    def unflat(self, x: Value) -> Any:
        """A point of scipy.optimize, such as ``result.x``, as an argument of f.

        Args:
            x: a flat array, or one with derivatives.

        Returns:
            The arrays, of the shapes and in the structure of `like`.
        """
        if self._shapes is None:
            return x
        sizes = [int(np.prod(shape)) for shape in self._shapes]
        if np.shape(x) != (sum(sizes),):
            raise InvalidValue(f"{self._name}: x has shape {np.shape(x)}; expected ({sum(sizes)},), as flat as `like`")
        ends = np.cumsum([0, *sizes])
        leaves = [np.reshape(x[i:j], s) for i, j, s in zip(ends[:-1], ends[1:], self._shapes, strict=True)]
        return optree.tree_unflatten(self._structure, leaves)

    def _of_flat(self, x: Value, *args: Any) -> Any:
        return self._f(self.unflat(x), *args)


class Objective(_Flat):
    """A scalar function with its gradient and second derivatives, made by `objective`.

    Value and gradient come from one evaluation, and are kept for the point at which they were asked for last. The
    arguments of ``scipy.optimize.minimize`` altogether are what `quasi_newton`, `newton` and `krylov` give.

    Example:
        >>> rosen = objective(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))
        >>> rosen.fun([1.2, 1.0]), rosen.jac([1.2, 1.0])
        (np.float64(19.4), array([211.6, -88. ]))
    """

    def __init__(self, f: Callable[..., Any], like: Any = None, jit: bool = False) -> None:
        super().__init__(f, like, jit, "objective")
        self._both = self._compiled(value_and_grad(self._of_flat))
        self._hess = self._compiled(hessian(self._of_flat))
        self._times = self._compiled(lambda x, v, *args: hvp(lambda x: self._of_flat(x, *args))(x, v))

    def _value_and_grad(self, x: Any, args: tuple[Any, ...]) -> Any:
        x = np.asarray(x, float)
        return self._kept.at(x, args, "both", lambda: self._both(x, *args))

    def fun(self, x: Any, *args: Any) -> Any:
        """f(x); ``fun=`` of minimize.

        Args:
            x: a flat array.
            args: further arguments of f, as ``args=`` of minimize gives them.

        Returns:
            One number.
        """
        return self._value_and_grad(x, args)[0]

    def jac(self, x: Any, *args: Any) -> Any:
        """The gradient at x, of its shape; ``jac=`` of minimize. Arguments (x, args) as of `fun`."""
        return np.array(self._value_and_grad(x, args)[1])

    def hess(self, x: Any, *args: Any) -> Any:
        """The Hessian at x, of shape (n, n); ``hess=`` of minimize. Arguments (x, args) as of `fun`."""
        x = np.asarray(x, float)
        return np.array(self._kept.at(x, args, "hess", lambda: self._hess(x, *args)))

    def hessp(self, x: Any, p: Any, *args: Any) -> Any:
        """The Hessian at x times p, without the Hessian; ``hessp=`` of minimize.

        Args:
            x: a flat array.
            p: the vector, of the same shape.
            args: further arguments of f.

        Returns:
            A vector of this shape.
        """
        return self._times(np.asarray(x, float), np.asarray(p, float), *args)

    def _start(self, x0: Any, method: str, more: dict[str, Any]) -> dict[str, Any]:
        if isinstance(x0, (dict, tuple)) or np.ndim(x0) != 1:
            self._like(x0)
        return {"fun": self.fun, "x0": self.flat(x0), "jac": self.jac, "method": method, **more}

    def quasi_newton(self, x0: Any, method: str = "L-BFGS-B", **more: Any) -> dict[str, Any]:
        """The arguments of minimize for a method that reads gradients: ``minimize(**obj.quasi_newton(x0))``.

        Args:
            x0: where to start, an array of any shape or a container of arrays (`unflat` puts ``result.x`` together).
            method: one of minimize's.
            more: further arguments of minimize.

        Returns:
            A dict with fun, x0, jac, method and those, x0 as a flat array.
        """
        return self._start(x0, method, more)

    def newton(self, x0: Any, method: str = "trust-exact", **more: Any) -> dict[str, Any]:
        """The same for a method that reads Hessians. Arguments (x0, method, more) as of `quasi_newton`, with hess."""
        return self._start(x0, method, {"hess": self.hess, **more})

    def krylov(self, x0: Any, method: str = "trust-krylov", **more: Any) -> dict[str, Any]:
        """The same for one that multiplies by them, for many variables. (x0, method, more) as of `quasi_newton`."""
        return self._start(x0, method, {"hessp": self.hessp, **more})


class Residuals(_Flat):
    """Functions with their Jacobian, made by `residuals`; each is kept for the point at which it was asked for last.

    Example:
        >>> circle = residuals(lambda x: np.stack([x[0] ** 2 + x[1] ** 2 - 25.0, x[0] - x[1]]))
        >>> circle.fun([4.0, 3.0]), circle.jac([4.0, 3.0])
        (array([0., 1.]), array([[ 8.,  6.],
               [ 1., -1.]]))
    """

    def __init__(self, f: Callable[..., Any], like: Any = None, jit: bool = False) -> None:
        super().__init__(f, like, jit, "residuals")
        self._value = self._compiled(lambda x, *args: np.ravel(self._of_flat(x, *args)))
        self._jac = self._compiled(jacobian(lambda x, *args: np.ravel(self._of_flat(x, *args))))

    def fun(self, x: Any, *args: Any) -> Any:
        """f(x) as a flat array.

        Args:
            x: a flat array.
            args: further arguments of f, as ``args=`` of SciPy's functions gives them.

        Returns:
            An array of shape (m,).
        """
        x = np.asarray(x, float)
        return np.array(self._kept.at(x, args, "fun", lambda: self._value(x, *args)))

    def jac(self, x: Any, *args: Any) -> Any:
        """The Jacobian at x, of shape (m, n); ``jac=`` of SciPy's functions. Arguments (x, args) as of `fun`."""
        x = np.asarray(x, float)
        return np.array(self._kept.at(x, args, "jac", lambda: self._jac(x, *args)))

    def start(self, x0: Any, **more: Any) -> dict[str, Any]:
        """The arguments of least_squares, root or curve-fitting together: ``least_squares(**res.start(x0))``.

        Args:
            x0: where to start, an array of any shape or a container of arrays (`unflat` puts ``result.x`` together).
            more: further arguments of SciPy's function.

        Returns:
            A dict with fun, x0, jac and those, x0 as a flat array.
        """
        if isinstance(x0, (dict, tuple)) or np.ndim(x0) != 1:
            self._like(x0)
        return {"fun": self.fun, "x0": self.flat(x0), "jac": self.jac, **more}


def objective(f: Callable[..., Any], like: Any = None, *, jit: bool = False) -> Objective:
    """A scalar function for scipy.optimize.minimize, with its gradient, Hessian, and products with the Hessian.

    Args:
        f: a function of an array (or container of arrays), and further constant arguments, to one real number.
        like: an argument of f, whose shape or structure flat arrays take on; left out where f takes flat arrays.
        jit: whether value and derivatives are compiled.

    Returns:
        An `Objective`: fun, jac, hess and hessp of flat arrays, and what minimize takes altogether.

    Raises:
        InvalidType: f is no function.
        InvalidValue: a point does not fit `like`.

    Source:
        Nocedal & Wright, Numerical Optimization, 2nd ed., Springer 2006, chapter 8.

    Example:
        >>> from scipy.optimize import minimize
        >>> rosen = objective(lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))
        >>> np.round(minimize(**rosen.newton([-1.2, 1.0, 1.5])).x, 3)
        array([1., 1., 1.])
    """
    return Objective(f, like, jit)


def residuals(f: Callable[..., Any], like: Any = None, *, jit: bool = False) -> Residuals:
    """Functions for scipy.optimize.least_squares or root, with their Jacobian.

    Args:
        f: a function of an array (or container of arrays), and further constant arguments, to an array.
        like: an argument of f, whose shape or structure flat arrays take on; left out where f takes flat arrays.
        jit: whether value and Jacobian are compiled.

    Returns:
        A `Residuals`: fun and jac of flat arrays, and what SciPy's functions take altogether.

    Raises:
        InvalidType: f is no function.
        InvalidValue: a point does not fit `like`.

    Source:
        Nocedal & Wright, Numerical Optimization, 2nd ed., Springer 2006, chapter 10.

    Example:
        >>> from scipy.optimize import least_squares
        >>> t = np.linspace(0.0, 2.0, 9)
        >>> decay = residuals(lambda p: p[0] * np.exp(-p[1] * t) - 3 * np.exp(-0.7 * t))
        >>> least_squares(**decay.start([1.0, 1.0])).x
        array([3. , 0.7])
    """
    return Residuals(f, like, jit)
