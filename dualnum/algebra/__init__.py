"""Which monomials a jet keeps, where their planes lie, and how they multiply.

`polynomials` is what all algebras have in common, `univariate` the series, `graded` the homogeneous parts on which the
recurrences run, `extended` one variable more; `stack` is planes as one value, `directions` are axes of arrays. Only
this folder knows how planes are laid out: a new algebra is one class here. Imports nothing but the errors.
"""

from .graded import Monomial, NotGraded, Part
from .polynomials import Algebra, Degrees, Monomials, Nilpotent, Partial, Product, product_of
from .scaling import check_order, factorial_times, scale_of, underflowed, warn_of_underflow
from .stack import Stack
from .univariate import Univariate

__all__ = [
    "Algebra", "Degrees", "Monomial", "Monomials", "Nilpotent", "NotGraded", "Part", "Partial", "Product", "Stack",
    "Univariate", "check_order",
    "factorial_times", "product_of", "scale_of", "underflowed", "warn_of_underflow",
]  # fmt: skip
