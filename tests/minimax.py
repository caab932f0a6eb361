"""Where the coefficients of `dualnum.kernel.elementary` come from: ``python tests/minimax.py`` prints them.

Polynomials through the zeros of Chebyshev's, of what is left of a function behind its first terms. That is the best
one but for a small factor of an error far below rounding (Muller, Elementary Functions, 3rd ed., section 3.5).
"""

from textwrap import fill, indent

from mpmath import cos, expm1, log, mp, mpf, pi, sin, sqrt

mp.dps = 60

# what is left, of a variable between these limits, and how many coefficients it gets in double and single precision
REMAINDERS = {
    # e^r = 1 + r + r²·P(r)
    "EXPM1": (lambda r: (expm1(r) - r) / r**2 if abs(r) > 1e-9 else mpf(0.5), -0.3467, 0.3467, 11, 6),
    # log(1 + s) − log(1 − s) = 2s + s·z·P(z), z = s²
    "LOG": (lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) / sqrt(z) - 2) / z, 0, 0.02945, 8, 3),
    # sin r = r + r·z·P(z), z = r²
    "SIN": (lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z, 0, 0.6170, 6, 4),
    # cos r = 1 − z/2 + z²·P(z)
    "COS": (lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, 0, 0.6170, 6, 3),
}


def fitted(f, low, high, count):
    """The coefficients of the polynomial, the constant one first."""
    low, high = mpf(low), mpf(high)
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    matrix, right = mp.matrix(count, count), mp.matrix(count, 1)
    for i, node in enumerate(nodes):
        right[i] = f(node)
        for k in range(count):
            matrix[i, k] = node**k
    return [float(c) for c in mp.lu_solve(matrix, right)]


def parts(x, *bits):
    """Numbers of so many bits that add up to x, and a last one."""
    found = []
    for b in bits:
        m, e = mp.frexp(x)
        found.append(float(mp.ldexp(mp.nint(mp.ldexp(m, b)), e - b)))
        x -= mpf(found[-1])
    return [*found, float(x)]


if __name__ == "__main__":
    for name, (f, low, high, *counts) in REMAINDERS.items():
        lines = [fill(f"({', '.join(map(repr, fitted(f, low, high, count)))}),", 110) for count in counts]
        print("\n".join([f"_{name} = (", indent("\n".join(lines), "    "), ")  # fmt: skip"]))
    print("_LN2 =", tuple(parts(log(2), 42)))  # times 11 bits is exact
    print("_HALF_PI =", tuple(parts(pi / 2, 53, 53)))
