"""The recurrences of truncated power series, written once, over any coefficients.

A series is a sequence of Taylor coefficients u = [u_0, u_1, …], u_k = u⁽ᵏ⁾(0)/k!; coefficients past
its end are zero, so a constant is [u_0] and the variable x_0 + t is [x_0, 1]. Each recurrence takes
the wanted `order` K, the value y_0 (always computed by the native function, never by a recurrence:
see `Row.expand`) and its operands, and returns y = [y_0, …], at most K+1 coefficients.

Coefficients may be arrays, scalar symbols of a kernel, tracers, jets of a lower level, or homogeneous
polynomials of a multivariate jet. Nothing here looks at what they are: only operators, NumPy's
ufuncs and `np.where` touch them, and nothing is changed in place. Coefficient k is computed from
coefficients 0 … k in one fixed way, whatever the order: a result of order k is a prefix of the result
of order K, bit for bit.

The notation: D u is the derivative, with coefficients j·u_j, and (u·v)_k the Cauchy product. Most
recurrences read k·y_k = (D u · p)_{k−1}, that is y' = p·u' (Griewank & Walther, Evaluating
Derivatives, 2nd ed., 2008, ch. 13, tables 13.1 and 13.2; Knuth, TAOCP vol. 2, section 4.7).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..kinds import Coefficient

__all__ = [
    "added", "chosen", "coefficient", "combination", "compose", "compose_safely", "convolve", "derivative", "divide",
    "exp", "exp_by_halves", "exponential", "hypot", "integer_power", "integral", "integral_over",
    "inverse_hypotenuse", "less", "log", "multiply", "one_minus_square", "over", "polar", "power", "reciprocal",
    "select", "sinhcosh", "sqrt", "square", "tan", "total",
]  # fmt: skip

Coefficients = Sequence[Any]


# ── sums and products ────────────────────────────────────────────────────────────────────────────


def total(terms: Iterable[Any]) -> Any:
    """The sum of the terms, left to right; the structural zero 0 where there are none."""
    terms = iter(terms)
    result = next(terms, 0)
    for term in terms:
        result = result + term
    return result


def added(*terms: Coefficients) -> list[Any]:
    """The sum of series of different lengths."""
    return [total(u[k] for u in terms if k < len(u)) for k in range(max(map(len, terms)))]


def coefficient(u: Coefficients, k: int) -> Any:
    """u_k, the structural zero 0 past the end."""
    return u[k] if k < len(u) else 0


def less(u: Coefficients, k: int, s: Coefficient) -> Any:
    """u_k − s, without a subtraction from a structural zero."""
    return u[k] - s if k < len(u) else -s


def convolve(u: Coefficients, v: Coefficients, k: int) -> Any:
    """(u·v)_k = Σ_{j=0}^{k} u_j v_{k−j}, over the coefficients that exist."""
    return total(u[j] * v[k - j] for j in range(max(0, k + 1 - len(v)), min(k + 1, len(u))))


def self_convolve(u: Coefficients, k: int) -> Any:
    """(u²)_k = 2 Σ_{j<k/2} u_j u_{k−j} + [k even] (u_{k/2})², in half the products."""
    below = range(max(0, k + 1 - len(u)), (k + 1) // 2)
    pairs = 2 * total(u[j] * u[k - j] for j in below)
    if k % 2 or k // 2 >= len(u):
        return pairs
    middle = u[k // 2] * u[k // 2]
    return pairs + middle if below else middle


def derivative(u: Coefficients) -> list[Any]:
    """(D u)_{j−1} = j u_j: the coefficients of u'."""
    return [u[1], *(j * u[j] for j in range(2, len(u)))] if len(u) > 1 else []


def over(p: Coefficient, k: int) -> Any:
    """p/k, without a division by one."""
    return p if k == 1 else p / k


def integral(order: int, y0: Coefficient, *slopes: tuple[Coefficients, Coefficients]) -> list[Any]:
    """y' = Σ p·u' over the pairs (u, p):  y_k = (1/k) Σ (D u · p)_{k−1}."""
    slopes_ = [(derivative(u), p) for u, p in slopes if len(u) > 1]
    last = min(order, max((len(du) + len(p) - 1 for du, p in slopes_), default=0))
    return [y0, *(over(total(convolve(du, p, k - 1) for du, p in slopes_), k) for k in range(1, last + 1))]


def integral_over(order: int, y0: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """v y' = u':  y_k = (u_k − (1/k) Σ_{j=1}^{k−1} j y_j v_{k−j}) / v_0."""
    if len(v) == 1:
        return [y0, *(u_k / v[0] for u_k in u[1 : order + 1])]
    y = [y0]
    for k in range(1, order + 1 if len(u) > 1 else 1):
        terms = ((j / k) * (y[j] * v[k - j]) for j in range(max(1, k + 1 - len(v)), k))
        y.append((less(u, k, total(terms)) if k > 1 else u[1]) / v[0])
    return y


def combination(y0: Coefficient, *terms: tuple[Any, Coefficients]) -> list[Any]:
    """y = Σ c·u over the pairs (c, u), of which whole numbers are 1, −1 or absent (0)."""
    y = [y0]
    for k in range(1, max((len(u) for c, u in terms if type(c) is not int or c), default=1)):
        y_k: Any = 0
        for c, u in terms:
            if k < len(u) and type(c) is not int:
                y_k = c * u[k] if type(y_k) is int else y_k + c * u[k]
            elif k < len(u) and c:
                y_k = (u[k] if c > 0 else -u[k]) if type(y_k) is int else y_k + u[k] if c > 0 else y_k - u[k]
        y.append(y_k)
    return y


def multiply(order: int, y0: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """w = u·v:  w_k = Σ_{j=0}^{k} u_j v_{k−j}."""
    return [y0, *(convolve(u, v, k) for k in range(1, min(order, len(u) + len(v) - 2) + 1))]


def square(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
    """w = u²."""
    return [y0, *(self_convolve(u, k) for k in range(1, min(order, 2 * len(u) - 2) + 1))]


def divide(order: int, y0: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """w = u/v:  w_k = (u_k − Σ_{j=1}^{k} v_j w_{k−j}) / v_0."""
    if len(v) == 1:
        return [y0, *(u_k / v[0] for u_k in u[1 : order + 1])]
    w = [y0]
    for k in range(1, order + 1):
        w.append(less(u, k, convolve(v[1:], w, k - 1)) / v[0])
    return w


def reciprocal(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
    """w = 1/u:  w_k = −(1/u_0) Σ_{j=1}^{k} u_j w_{k−j}."""
    w = [y0]
    for k in range(1, order + 1):
        w.append(-convolve(u[1:], w, k - 1) / u[0])
    return w


def compose(order: int, outer: Coefficients, u: Coefficients) -> list[Any]:
    """y = f∘u from the Taylor coefficients `outer` of f at u_0: Σ_n f_n (u − u_0)ⁿ, by Horner's rule.

    For functions whose Taylor coefficients are known at every point (gamma's logarithm, Bessel
    functions), where a recurrence in u would be unstable.
    """
    delta = u[1:]  # (u − u_0)/t, so that each factor of delta raises the degree by one
    y = [outer[order]]
    for n in range(order - 1, -1, -1):
        top = min(order - n, len(y) + len(delta) - 1)
        y = [outer[n], *(convolve(delta, y, k - 1) for k in range(1, top + 1))]
    return y


def compose_safely(order: int, outer: Coefficients, u: Coefficients) -> list[Any]:
    """y = f∘u where coefficients f_n of f at u_0 are infinite: a power of u − u_0 that is zero takes nothing of them.

    (It looks at the numbers, and is for the rare points where rules are mended.)
    """
    delta = power = u[1:]  # from degree 1 on
    y: list[Any] = [outer[0], *[0] * order]
    for n in range(1, min(order, len(outer) - 1) + 1):
        for k, c in enumerate(power[: order + 1 - n], n):
            term = _where_there(outer[n], c)
            y[k] = term if type(y[k]) is int else y[k] + term
        power = [convolve(power, delta, k) for k in range(order - n)]
    return y


def _where_there(f: Any, c: Coefficient) -> Any:
    """f·c, 0 where c is."""
    if type(c) is int:
        return 0
    return c.map(lambda a: _where_there(f, a)) if hasattr(c, "map") else chosen(np.equal(c, 0), 0.0, f * c)


# ── powers and roots ─────────────────────────────────────────────────────────────────────────────


def sqrt(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
    """y² = u:  y_k = (u_k − Σ_{j=1}^{k−1} y_j y_{k−j}) / (2 y_0)."""
    y = [y0]
    for k in range(1, order + 1):
        y.append((less(u, k, self_convolve(y[1:], k - 2)) if k > 1 else u[1]) / (2 * y0))
    return y


def integer_power(order: int, y0: Coefficient, u: Coefficients, n: int) -> list[Any]:
    """y = uⁿ for an integer n ≥ 0 by repeated multiplication, right at u_0 = 0 as well."""
    if n == 0:
        return [y0]
    y: list[Any] = []
    base = list(u[: order + 1])
    while True:
        if n & 1:
            y = multiply(order, y[0] * base[0], y, base) if y else base
        n >>= 1
        if not n:
            return [y0, *y[1:]]
        base = square(order, base[0] * base[0], base)


def power(order: int, y0: Coefficient, u: Coefficients, p: Coefficient) -> list[Any]:
    """y = u^p for a constant p, u y' = p y u':  y_k = (1/(k u_0)) Σ_{j=1}^{k} (p j − (k−j)) u_j y_{k−j}."""
    y = [y0]
    for k in range(1, order + 1):
        terms = (((p * j - (k - j)) / k) * (u[j] * y[k - j]) for j in range(1, min(k + 1, len(u))))
        y.append(total(terms) / u[0])
    return y


def polar(r0: Any, u: Coefficients, v: Coefficients) -> tuple[list[Any], list[Any]]:
    """[a_1, …] and [b_1, …], how fast the point (u, v) moves away from the origin, and how fast around it.

    (u, v) = (r_0 + a, b) in the frame turned so that (u_0, v_0) lies on the first axis: a_k = c u_k + s v_k,
    b_k = c v_k − s u_k with c = u_0/r_0, s = v_0/r_0. At the origin all of them are zero.
    """
    r = np.where(r0 == 0, 1.0, r0)
    c, s = u[0] / r, v[0] / r
    a, b = [], []
    for k in range(1, max(len(u), len(v))):
        if k >= len(u):
            a.append(s * v[k])
            b.append(c * v[k])
        elif k >= len(v):
            a.append(c * u[k])
            b.append(-(s * u[k]))
        else:
            a.append(c * u[k] + s * v[k])
            b.append(c * v[k] - s * u[k])
    return a, b


def hypot(order: int, y0: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """y = √(u² + v²) = r_0 + a + e, with (r_0 + a, b) from `polar` and e (2 (r_0 + a) + e) = b².

    e_k = (½ (b²)_k − Σ_{j=1}^{k−2} (a_j + ½ e_j) e_{k−j}) / r_0, e_1 = 0, every product taken with one factor
    over r_0, so that none overflows before the result does. Nothing cancels where the point moves straight
    away from the origin. At the origin the symmetric subgradient 0 stands in.
    """
    if order == 0 or len(u) == len(v) == 1:
        return [y0]
    a, b = polar(y0, u[: order + 1], v[: order + 1])
    r = np.where(y0 == 0, 1.0, y0)
    b_ = [b_k / r for b_k in b]
    e: list[Any] = []  # from e_2 on
    y, g_ = [y0, a[0]], [a[0] / r]  # g_ = (a + e/2)/r_0 from degree 1 on
    for k in range(2, order + 1):
        e.append(0.5 * convolve(b, b_, k - 2) - convolve(g_, e, k - 3))
        a_k = coefficient(a, k - 1)
        g_.append((a_k + 0.5 * e[-1]) / r)
        y.append(a_k + e[-1])
    return y


# ── exponentials and logarithms ──────────────────────────────────────────────────────────────────


def exp(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
    """y' = y u':  k y_k = (D u · y)_{k−1}."""
    du, y = derivative(u), [y0]
    for k in range(1, order + 1):
        y.append(over(convolve(du, y, k - 1), k))
    return y


def exponential(order: int, y0: Coefficient, *slopes: tuple[Coefficients, Coefficients]) -> list[Any]:
    """y' = y Σ p·u' over the pairs (u, p):  y_k = y_0 q_k,  q_0 = 1,  k q_k = Σ_j s_j q_{k−1−j},  s = Σ p·u'."""
    s = integral(order, 0, *slopes)  # its j-th coefficient is s_{j−1}/j
    s = [j * s_j for j, s_j in enumerate(s)][1:]
    q: list[Any] = [s[0]]  # q without its leading 1
    for k in range(2, order + 1):
        rest = convolve(s, q, k - 2)
        q.append((rest + s[k - 1] if k <= len(s) else rest) / k)
    return [y0, *(y0 * q_k for q_k in q)]


def exp_by_halves(order: int, y0: Coefficient, half: Any, u: Coefficients) -> list[Any]:
    """y_k = e^{u_0} q_k, q the series of e^{u − u_0}, which knows nothing of the size of u_0; half = e^{u_0/2}.

    For the neighbourhood of overflow: e^{710} overflows, e^{710}/2! does not.
    """
    return [y0, *((q_k * half) * half for q_k in exp(order, 1.0, u)[1:])]


def log(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
    """u y' = u'."""
    return integral_over(order, y0, u, u)


# ── trigonometric and hyperbolic ─────────────────────────────────────────────────────────────────


def sinhcosh(order: int, s0: Coefficient, c0: Coefficient, u: Coefficients) -> tuple[list[Any], list[Any]]:
    """s = sinh u, c = cosh u:  k s_k = (D u · c)_{k−1},  k c_k = (D u · s)_{k−1}.

    Run on s/h² and c/h² with h = cosh(u_0/2), and multiplied by h twice, so that a coefficient is finite
    where it should be although the values overflow: sinh u_0 = 2 τ h², cosh u_0 = (1 + τ²) h², τ = tanh(u_0/2).
    """
    du, s, c = derivative(u), [s0], [c0]
    h, tau = np.cosh(u[0] / 2), np.tanh(u[0] / 2)
    p, q = [2 * tau], [1 + tau * tau]
    for k in range(1, order + 1):
        p_k = over(convolve(du, q, k - 1), k)
        q.append(over(convolve(du, p, k - 1), k))
        p.append(p_k)
        s.append((p[k] * h) * h)
        c.append((q[k] * h) * h)
    return s, c


def tan(order: int, y0: Coefficient, u: Coefficients) -> list[Any]:
    """y' = w u' with w = 1 + y²:  k y_k = (D u · w)_{k−1},  w_k = (y²)_k."""
    du, y = derivative(u), [y0]
    # w/64, so that it does not overflow before y does near a pole
    eighth, w = [y0 / 8], [(1 + y0 * y0) / 64]
    for k in range(1, order + 1):
        y.append(over(convolve(du, w, k - 1), k) * 64)
        eighth.append(y[k] / 8)
        w.append(self_convolve(eighth, k))
    return y


def one_minus_square(order: int, u: Coefficients) -> list[Any]:
    """1 − u², its constant term as (1 − u_0)(1 + u_0), which cancels neither near 0 nor near ±1.

    (Of a complex u as −(u_0 − 1)(1 + u_0): u_0 − 1 keeps the sign of a zero imaginary part, and so the side of a
    branch cut, which 1 − u_0 would lose. Of a real u that is −0 at 1, and an infinite slope would get its sign.)
    """
    near = -(u[0] - 1) if np.iscomplexobj(u[0]) else 1 - u[0]
    return [near * (1 + u[0]), *(-s for s in square(order, u[0], u)[1:])]


def inverse_hypotenuse(order: int, u: Coefficients) -> list[Any]:
    """1/√(1 + u²), the slope of arcsinh and the square root of arctan's.

    The hypotenuse of 1 and u is formed by `hypot`: in 1 + u² digits would cancel wherever u comes back to
    where it is small, and u² would overflow. (A complex u has no hypotenuse.)
    """
    if np.iscomplexobj(u[0]):
        w0 = 1 + u[0] * u[0]
        return power(order, 1 / np.sqrt(w0), [w0, *square(order, w0, u)[1:]], -0.5)
    y0 = np.hypot(1.0, u[0])
    return reciprocal(order, 1 / y0, hypot(order, y0, [1.0], u)) if order else [1 / y0]


# ── piecewise ────────────────────────────────────────────────────────────────────────────────────


def select(order: int, y0: Coefficient, condition: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    """y_k = u_k where the condition holds, else v_k."""
    last = min(order, max(len(u), len(v)) - 1)
    return [y0, *(chosen(condition, coefficient(u, k), coefficient(v, k)) for k in range(1, last + 1))]


def chosen(condition: Coefficient, a: Coefficient, b: Coefficient) -> Any:
    """np.where; what is absent from both stays so, and of two numbers one that is known already stays a number."""
    if type(a) in (int, float) and type(b) in (int, float) and a == b == 0:
        return a
    if type(condition) in (bool, np.bool_) and isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a if condition else b
    return np.where(condition, a, b)
