"""exp, expm1, log, log1p, pow, sin, cos, tanh of a machine's steps, where it has no vector functions of its own.

All computes in double precision, what is `short` only as far as single precision shows; within 2 ulp of either. The
methods are those of Cody & Waite, Software Manual for the Elementary Functions (1980), of Muller, Elementary Functions
(3rd ed. 2016), and of Sun's fdlibm for the logarithms; the coefficients are computed by `tests/minimax.py`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from .emit import Arithmetic

__all__ = ["ELEMENTARY", "Bits"]


class Bits(Arithmetic, Protocol):
    """A writer that knows how numbers are built.

    Attributes:
        short: the results become single precision.
    """

    short: bool

    def power_of_two(self, k: str) -> str:
        """2ᵏ for whole numbers from −1022 to 1023; for others anything."""

    def taken_apart(self, x: str) -> tuple[str, str]:
        """m and e with x = m·2ᵉ and m from √½ to √2, for normal positive numbers; for others anything."""


# in double and in single precision
_EXPM1 = (
    (0.5, 0.1666666666666667, 0.04166666666666667, 0.00833333333332612, 0.0013888888888883737,
    0.00019841269874873975, 2.480158732558584e-05, 2.755725533255441e-06, 2.7557273594799413e-07,
    2.510524515390137e-08, 2.0914707069612355e-09),
    (0.5000000013487226, 0.16666666681647016, 0.04166646471137908, 0.00833331090172597, 0.0013933673732931852,
    0.0001989101718430203),
)  # fmt: skip
_LOG = (
    (0.6666666666666666, 0.4000000000000088, 0.28571428570801954, 0.22222222392089008, 0.18181795600060793,
    0.15386241881938595, 0.13268714792348096, 0.1308723619665962),
    (0.6666668506375033, 0.39988770673510876, 0.2958039828148471),
)  # fmt: skip
_SIN = (
    (-0.16666666666666666, 0.008333333333330946, -0.000198412698367542, 2.7557316100283695e-06,
    -2.5051131372218632e-08, 1.5918095236696272e-10),
    (-0.16666666663852564, 0.008333331873650577, -0.00019840086163020333, 2.7249851596168045e-06),
)  # fmt: skip
_COS = (
    (0.041666666666666664, -0.0013888888888887395, 2.480158729876295e-05, -2.755731727031051e-07,
    2.087614597263508e-09, -1.1382611119025631e-11),
    (0.0416666646580437, -0.0013888302752417692, 2.454788084226998e-05),
)  # fmt: skip
_LN2 = (0.6931471805598903, 5.497923018708371e-14)
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)


class _Steps:
    """Arithmetic, in short."""

    def __init__(self, w: Bits) -> None:
        self.w = w
        self.number = w.number
        self.short = w.short

    def add(self, a: str, b: str) -> str:
        return self.w.infix("+", a, b)

    def sub(self, a: str, b: str) -> str:
        return self.w.infix("-", a, b)

    def mul(self, a: str, b: str) -> str:
        return self.w.infix("*", a, b)

    def div(self, a: str, b: str) -> str:
        return self.w.infix("/", a, b)

    def fma(self, a: str, b: str, c: str) -> str:
        return self.w.intrinsic("fma", a, b, c)

    def two_sum(self, a: str, b: str) -> tuple[str, str]:
        """a + b and its rounding error (Knuth)."""
        s = self.add(a, b)
        v = self.sub(s, a)
        return s, self.add(self.sub(a, self.sub(s, v)), self.sub(b, v))

    def product(self, a: str, b: str) -> tuple[str, str]:
        """a·b and its rounding error."""
        p = self.mul(a, b)
        return p, self.fma(a, b, self.w.negative(p))

    def polynomial(self, fitted: Sequence[Sequence[float]], x: str, skip: int = 0) -> str:
        """Even and odd powers side by side, which wait half as long for each other."""
        coefficients = fitted[self.short][skip:]
        square = self.mul(x, x)
        even, odd = (self._horner(coefficients[i::2], square) for i in (0, 1))
        return self.fma(odd, x, even)

    def _horner(self, coefficients: Sequence[float], x: str) -> str:
        y = self.number(coefficients[-1])
        for c in coefficients[-2::-1]:
            y = self.fma(y, x, self.number(c))
        return y

    def where(self, a: str, how: str, b: float, y: str, z: str) -> str:
        return self.w.select(self.w.compare(how, a, self.number(b)), y, z)

    def least(self, x: str, b: float) -> str:
        return self.where(x, ">", b, self.number(b), x)

    def most(self, x: str, b: float) -> str:
        return self.where(x, "<", b, self.number(b), x)


# ── exponentials ─────────────────────────────────────────────────────────────────────────────────


def _reduced(s: _Steps, x: str) -> tuple[str, str, str]:
    """k and, as a sum, eʳ − 1 with x = k·ln 2 + r, |r| ≤ ½ ln 2."""
    k = s.w.intrinsic("rint", s.mul(x, s.number(1 / np.log(2))))
    minus = s.w.negative(k)
    if s.short:
        r = s.fma(minus, s.number(np.log(2)), x)
        return k, s.fma(s.mul(r, r), s.polynomial(_EXPM1, r), r), s.number(0.0)
    high, low = s.fma(minus, s.number(_LN2[0]), x), s.mul(k, s.number(_LN2[1]))
    r = s.sub(high, low)
    rest = s.sub(s.sub(high, r), low)
    p = s.fma(s.mul(r, r), s.polynomial(_EXPM1, r), rest)
    y = s.add(r, p)
    return k, y, s.add(s.sub(r, y), p)


def _bounded(s: _Steps, x: str, low: float) -> str:
    """x, or where nothing changes any more."""
    return s.most(s.least(x, 200.0 if s.short else 710.0), low)


def _scaled(s: _Steps, y: str, k: str) -> str:
    """y·2ᵏ, in two steps, so that it overflows and vanishes where it should."""
    if s.short:
        return s.mul(y, s.w.power_of_two(k))
    half = s.w.intrinsic("floor", s.mul(k, s.number(0.5)))
    return s.mul(s.mul(y, s.w.power_of_two(half)), s.w.power_of_two(s.sub(k, half)))


def _exp(s: _Steps, x: str) -> str:
    k, y, _ = _reduced(s, _bounded(s, x, -200.0 if s.short else -746.0))
    return _scaled(s, s.add(s.number(1.0), y), k)


def _less_one(s: _Steps, k: str, y: str, rest: str) -> tuple[str, str]:
    """2ᵏ·(1 + y) − 1 as a sum, k up to 1,000."""
    power = s.w.power_of_two(k)
    less = s.sub(power, s.number(1.0))
    if s.short:
        return s.fma(power, y, less), rest
    high, low = s.two_sum(less, s.mul(power, y))
    return high, s.fma(power, rest, low)


def _expm1(s: _Steps, x: str) -> str:
    k, y, rest = _reduced(s, _bounded(s, x, -40.0))
    if s.short:
        large, _ = _less_one(s, k, y, rest)
    else:
        small = s.add(*_less_one(s, s.least(k, 1000.0), y, rest))
        large = s.where(k, ">", 60.0, _scaled(s, s.add(s.number(1.0), y), k), small)
    return s.where(s.w.intrinsic("fabs", x), "<", 2.0**-54, x, large)


def _tanh(s: _Steps, x: str) -> str:
    """n/(n + 2) with n = e²ˣ − 1, the quotient mended by what is left over."""
    size = s.w.intrinsic("fabs", x)
    least = s.least(size, 22.0)
    n, rest = _less_one(s, *_reduced(s, s.add(least, least)))
    if s.short:
        q = s.div(n, s.add(n, s.number(2.0)))
    else:
        d, behind = s.two_sum(n, s.number(2.0))
        inverse = s.div(s.number(1.0), d)
        q = s.mul(n, inverse)
        minus = s.w.negative(q)
        left = s.add(s.fma(minus, d, n), s.fma(minus, s.add(behind, rest), rest))
        q = s.fma(left, inverse, q)
    return s.w.intrinsic("copysign", s.where(size, "<", 2.0**-28, size, q), x)


# ── logarithms ───────────────────────────────────────────────────────────────────────────────────


def _logarithm(s: _Steps, m: str, e: str, rest: str) -> str:
    """log m + e·log 2 + rest: with f = m − 1, s = f/(2 + f), it is f − f²/2 + s·(f²/2 + s²·P(s²)) of m."""
    f = s.sub(m, s.number(1.0))
    t = s.div(f, s.add(s.number(2.0), f))
    z, half = s.mul(t, t), s.mul(s.mul(f, f), s.number(0.5))
    inner = s.fma(z, s.polynomial(_LOG, z), half)
    low = s.fma(t, inner, rest if s.short else s.fma(e, s.number(_LN2[1]), rest))
    return s.fma(e, s.number(np.log(2) if s.short else _LN2[0]), s.sub(f, s.sub(half, low)))


def _edges(s: _Steps, x: str, y: str) -> str:
    """The logarithm of x where it is not a positive number."""
    y = s.where(x, "<", np.inf, y, x)  # a NaN as well
    return s.where(x, "<", 0.0, s.number(np.nan), s.where(x, "==", 0.0, s.number(-np.inf), y))


def _log(s: _Steps, x: str) -> str:
    if s.short:  # nothing is subnormal here
        return _edges(s, x, _logarithm(s, *s.w.taken_apart(x), s.number(0.0)))
    least = 2.0**-1022
    m, e = s.w.taken_apart(s.where(x, "<", least, s.mul(x, s.number(2.0**54)), x))
    e = s.where(x, "<", least, s.sub(e, s.number(54.0)), e)
    return _edges(s, x, _logarithm(s, m, e, s.number(0.0)))


def _log1p(s: _Steps, x: str) -> str:
    u, rest = s.two_sum(s.number(1.0), x)
    m, e = s.w.taken_apart(u)
    y = _edges(s, u, _logarithm(s, m, e, s.div(rest, u)))
    return s.where(s.w.intrinsic("fabs", x), "<", 2.0**-54, x, y)


# ── sine and cosine ──────────────────────────────────────────────────────────────────────────────

_FARTHEST = 2.0**30  # from there on the machine's own, number by number


def _quarters(s: _Steps, x: str) -> tuple[str, str, str]:
    """k mod 4 and, as a sum, r with x = k·π/2 + r, |r| ≤ π/4: the first difference is exact, π has 159 bits."""
    k = s.w.intrinsic("rint", s.mul(x, s.number(2 / np.pi)))
    minus = s.w.negative(k)
    high = s.fma(minus, s.number(_HALF_PI[0]), x)
    if s.short:
        r, low = s.fma(minus, s.number(_HALF_PI[1]), high), s.number(0.0)
        return _modulo_four(s, k), r, low
    t = s.mul(minus, s.number(_HALF_PI[1]))
    error = s.fma(minus, s.number(_HALF_PI[1]), s.w.negative(t))
    r, low = s.two_sum(high, t)
    low = s.add(low, s.fma(minus, s.number(_HALF_PI[2]), error))
    return _modulo_four(s, k), r, low


def _modulo_four(s: _Steps, k: str) -> str:
    return s.fma(s.w.intrinsic("floor", s.mul(k, s.number(0.25))), s.number(-4.0), k)


def _waves(s: _Steps, r: str, low: str) -> tuple[str, str]:
    """sin and cos of r + low."""
    z = s.mul(r, r)
    half = s.mul(z, s.number(0.5))
    near = s.sub(s.number(1.0), half)
    if s.short:
        sine = s.fma(s.mul(r, z), s.polynomial(_SIN, z), r)
        return sine, s.fma(s.mul(z, z), s.polynomial(_COS, z), near)
    sine = s.add(r, s.fma(s.mul(r, z), s.polynomial(_SIN, z), s.mul(low, near)))
    rest = s.sub(s.sub(s.number(1.0), near), half)
    tail = s.fma(s.mul(z, z), s.polynomial(_COS, z), s.w.negative(s.mul(r, low)))
    return sine, s.add(near, s.add(rest, tail))


def _wave(s: _Steps, x: str, ahead: float) -> str:
    """The sine of x + ahead·π/2."""
    k, r, low = _quarters(s, x)
    sine, cosine = _waves(s, r, low)
    if ahead:
        k = s.add(k, s.number(ahead))
        k = s.where(k, ">=", 4.0, s.sub(k, s.number(4.0)), k)
    half = s.where(k, ">=", 2.0, s.sub(k, s.number(2.0)), k)  # 0 or 1
    y = s.where(half, "==", 1.0, cosine, sine)
    return s.where(k, ">=", 2.0, s.w.negative(y), y)


def _sin(s: _Steps, x: str) -> str:
    return s.where(s.w.intrinsic("fabs", x), "<", 2.0**-27, x, _wave(s, x, 0.0))


def _cos(s: _Steps, x: str) -> str:
    return _wave(s, x, 1.0)


# ── powers ───────────────────────────────────────────────────────────────────────────────────────

_TWO_THIRDS = (2 / 3, 2**-54 / 1.5)  # of which a sum makes twice as many bits


def _double_logarithm(s: _Steps, x: str) -> tuple[str, str]:
    """The same series as a sum of two numbers, with some 65 bits: all terms of which more bits than 53 matter."""
    m, e = s.w.taken_apart(x)
    f = s.sub(m, s.number(1.0))
    d, d_low = s.two_sum(m, s.number(1.0))
    inverse = s.div(s.number(1.0), d)
    t = s.mul(f, inverse)
    minus = s.w.negative(t)
    t_low = s.mul(s.fma(minus, d_low, s.fma(minus, d, f)), inverse)
    z, z_low = s.product(t, t)
    z_low = s.fma(s.add(t, t), t_low, z_low)
    p, p_low = s.two_sum(s.number(_TWO_THIRDS[0]), s.mul(z, s.polynomial(_LOG, z, skip=1)))
    p_low = s.add(p_low, s.number(_TWO_THIRDS[1]))
    u, u_low = s.product(z, p)
    u_low = s.fma(z, p_low, s.fma(z_low, p, u_low))
    v, v_low = s.product(t, u)
    v_low = s.fma(t, u_low, s.fma(t_low, u, v_low))
    high, low = s.two_sum(s.mul(e, s.number(_LN2[0])), s.add(t, t))
    y, more = s.two_sum(high, v)
    rest = s.fma(e, s.number(_LN2[1]), s.add(s.add(t_low, t_low), v_low))
    return s.two_sum(y, s.add(s.add(low, more), rest))


def _pow(s: _Steps, x: str, y: str) -> tuple[str, str]:
    """exp(y·log x) of regular numbers."""
    if s.short:
        high, low = _logarithm(s, *s.w.taken_apart(x), s.number(0.0)), s.number(0.0)
    else:
        high, low = _double_logarithm(s, x)
    exponent, rest = s.product(y, high)
    rest = s.fma(y, low, rest)
    k, power, behind = _reduced(s, exponent)
    one = s.number(1.0)
    behind = s.add(behind, s.fma(rest, power, rest))
    inside = s.w.compare("<", s.w.intrinsic("fabs", exponent), s.number(200.0 if s.short else 700.0))
    inside = s.w.logic("&", inside, s.w.compare(">=", x, s.number(2.0**-1022)))
    inside = s.w.logic("&", inside, s.w.compare("<", x, s.number(np.inf)))
    return _scaled(s, s.add(one, s.add(power, behind)), k), inside


Rule = Callable[..., tuple[str, str | None]]


def _everywhere(rule: Callable[[_Steps, str], str]) -> Rule:
    return lambda w, x: (rule(_Steps(w), x), None)


def _near(rule: Callable[[_Steps, str], str]) -> Rule:
    def write(w: Bits, x: str) -> tuple[str, str | None]:
        return rule(_Steps(w), x), w.compare("<", w.intrinsic("fabs", x), w.number(_FARTHEST))

    return write


# by the name in libm: a writer and arguments → the result, and where it holds, if not everywhere
ELEMENTARY: dict[str, Rule] = {
    "exp": _everywhere(_exp),
    "expm1": _everywhere(_expm1),
    "tanh": _everywhere(_tanh),
    "log": _everywhere(_log),
    "log1p": _everywhere(_log1p),
    "sin": _near(_sin),
    "cos": _near(_cos),
    "pow": lambda w, x, y: _pow(_Steps(w), x, y),
}
