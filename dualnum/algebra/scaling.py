"""From coefficients to derivatives: k!·a_k, rounded once, and where digits were lost on the way."""

import math
import warnings
from typing import Any

import numpy as np

from ..errors import InvalidType, InvalidValue, PrecisionWarning
from ..kinds import Coefficient

__all__ = ["check_order", "factorial_times", "multiple", "scale_of", "underflowed", "warn_of_underflow"]


def factorial_times(k: int, a: Coefficient) -> Any:
    """k!·a, rounded once, with k! exact and an overflow only where the product overflows."""
    return multiple(math.factorial(k), a)


def multiple(exact: int, a: Coefficient) -> Any:
    """A positive integer times a, rounded once, with an overflow only where the product overflows."""
    if exact == 1:
        return a
    exponent = max(0, exact.bit_length() - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        result = a * (exact / (1 << exponent))  # a quotient of integers is correctly rounded
        while exponent:  # in steps that no type overflows
            step = min(exponent, 15)
            result = result * float(1 << step)
            exponent -= step
    return result


def _log2_factorial(k: int) -> float:
    return math.lgamma(k + 1) / math.log(2)


def underflowed(k: int, coefficients: Any) -> bool:
    """Whether digits of a derivative of order k are lost, because its coefficient is too small to keep them.

    A coefficient below the smallest number of full precision has lost digits, and k! brings them to light. One that
    is zero may be less than the smallest number at all; that shows where k! times that number is not small beside
    the derivatives of lower order. (As long as k! < 1/eps, what is lost is below that smallest number itself.)

    Args:
        k: the order of the derivative.
        coefficients: a_0, a_1, …, a_k and perhaps further ones, stacked.
    """
    if k < 3 or type(coefficients) is not np.ndarray or coefficients.dtype.kind not in "fc":
        return False
    info, factor = np.finfo(coefficients.dtype), _log2_factorial(k)
    if factor + info.machep < 0:
        return False
    size = np.abs(coefficients[k])
    small = size < info.tiny
    if np.any(small & (size > 0)):
        return True
    if not small.any():
        return False
    with np.errstate(divide="ignore"):
        lower = np.log2(np.abs(coefficients[:k][:, small]).astype(float))
    largest = np.max(lower + [[_log2_factorial(j)] for j in range(k)], axis=0)  # of the derivatives of lower order
    lost = factor + info.minexp + info.machep
    return bool(np.any((lost > largest + info.machep) & (largest >= info.minexp)))


def scale_of(k: int) -> int:
    """m, so that 2^m as direction keeps the k-th coefficient of an entire function about as large as its derivative."""
    return round(_log2_factorial(k) / max(k, 1))


def warn_of_underflow(function: str, k: int, coefficients: Any) -> None:
    """Warns where `underflowed`, with the way out."""
    if underflowed(k, coefficients):
        m = scale_of(k)
        message = (
            f"{function}: the Taylor coefficient of order {k} is too small for all digits of the derivative; build "
            f"the jet with direction=2.0**{m} and take coefficient({k}) * (math.factorial({k}) / 2**{m * k})"
        )
        warnings.warn(message, PrecisionWarning, stacklevel=3)


def check_order(order: Any, function: str) -> int:
    """order as an int ≥ 0."""
    if isinstance(order, (bool, np.bool_)) or not isinstance(order, (int, np.integer)):
        raise InvalidType(f"{function}: order is {order!r}; expected an integer of 0 or more")
    if order < 0:
        raise InvalidValue(f"{function}: order is {order}; expected 0 or more")
    return int(order)
