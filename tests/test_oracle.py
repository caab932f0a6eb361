"""The exact coefficients are exact: against closed forms, zeros and tiny numbers among them."""

from collections.abc import Callable
from typing import Any

import pytest
from mpmath import mp, mpf
from oracle import coefficients


def bessel_10(x: Any, k: int) -> Any:
    """Of J_10, term by term from its series (DLMF 10.2.2)."""
    terms = ((m, 2 * m + 10) for m in range(60) if 2 * m + 10 >= k)
    return sum(
        (-1) ** m * mp.binomial(p, k) * x ** (p - k) / (mp.factorial(m) * mp.factorial(m + 10) * mpf(2) ** p)
        for m, p in terms
    )


# function, point, distance to the nearest singularity, (x, k) ↦ the k-th coefficient
CLOSED: dict[str, tuple[Callable[[Any], Any], Any, Any, Callable[[Any, int], Any]]] = {
    "exp": (mp.exp, 0.3, mp.inf, lambda x, k: mp.exp(x) / mp.factorial(k)),
    "exp, far away": (mp.exp, -1e5, mp.inf, lambda x, k: mp.exp(x) / mp.factorial(k)),
    "exp, beyond floats": (mp.exp, 1e300, mp.inf, lambda x, k: mp.exp(x) / mp.factorial(k)),
    "1/(1 − z)": (lambda z: 1 / (1 - z), 0.5, 0.5, lambda x, k: (1 - x) ** -(k + 1)),
    "1/(1 − z), beside its pole": (lambda z: 1 / (1 - z), 1 - 2.0**-53, 2.0**-53, lambda x, k: (1 - x) ** -(k + 1)),
    "log": (mp.log, 1e-300, 1e-300, lambda x, k: (-1) ** (k + 1) / (k * x**k) if k else mp.log(x)),
    "complex": (mp.exp, 0.3 - 2j, mp.inf, lambda x, k: mp.exp(x) / mp.factorial(k)),
    "z³, mostly zeros": (lambda z: z**3, 0.0, mp.inf, lambda x, k: mpf(k == 3)),
    "nothing": (lambda z: 0 * z, 0.0, mp.inf, lambda x, k: mpf(0)),
    "a tiny term": (lambda z: z + mpf(1e-300) * z**2, 0.0, mp.inf, lambda x, k: [0, 1, mpf(1e-300)][k] if k < 3 else 0),
    "even": (mp.cos, 0.0, mp.inf, lambda x, k: (-1) ** (k // 2) / mp.factorial(k) if k % 2 == 0 else 0),
    "J_10": (lambda z: mp.besselj(10, z), 0.001, 0.001, bessel_10),
}  # fmt: skip


@pytest.mark.parametrize("order", [0, 1, 4, 9, 25])
@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name: str, order: int) -> None:
    f, x, radius, closed = CLOSED[name]
    computed = coefficients(f, x, order, radius)
    assert len(computed) == order + 1
    with mp.workdps(80):
        x = mp.mpmathify(x)
        for k, c in enumerate(computed):
            exact = closed(x, k)
            with mp.workdps(60):
                # a rounding of x is allowed for: see `error`
                slack = abs(x) * (k + 1) * abs(closed(x, k + 1)) if k < order else 0
                assert abs(c - exact) <= mpf(10) ** -30 * (abs(exact) + slack) + mpf(10) ** -345, (k, c, exact)


def test_zeros_are_told_from_tiny_numbers_as_far_as_asked() -> None:
    c = coefficients(lambda z: mp.sin(z), 0.0, 4, floor=40)
    with mp.workdps(60):
        assert abs(c[2]) < mpf(10) ** -40 and abs(c[3] + mpf(1) / 6) < mpf(10) ** -30


def test_a_circle_that_is_much_too_wide_is_an_error() -> None:
    with pytest.raises(ArithmeticError, match="the radius right"):
        coefficients(lambda z: mp.power(1e20, z), 0.5, 12, 1e20)
