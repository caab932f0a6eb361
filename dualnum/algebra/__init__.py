"""Which monomials a jet keeps, where their planes lie, and how they multiply.

`polynomials` is what all algebras have in common, `univariate` the series, `families` those in several variables,
`apolar` those of differential operators, `product` several levels; `graded` the homogeneous parts on which the
recurrences run, `extended` one variable more, `interpolation` weights of curves; `stack` is planes as one value,
`directions` are axes of arrays. Only this folder knows how planes are laid out: a new algebra is one class here.
Imports nothing but the errors.
"""

from .apolar import Apolar, Form, paired
from .families import Box, Nilpotent, TotalDegree
from .graded import Monomial, NotGraded, Part, graded_product
from .interpolation import amplification, polarized, weights
from .polynomials import Algebra, Extents, Monomials, Partial, unlike
from .product import Product, product_of
from .scaling import check_order, factorial_times, multiple, scale_of, underflowed, warn_of_underflow
from .stack import Stack
from .univariate import Univariate

__all__ = [
    "Algebra", "Apolar", "Box", "Extents", "Form", "Monomial", "Monomials", "Nilpotent", "NotGraded", "Part",
    "Partial", "Product", "Stack", "TotalDegree", "Univariate", "amplification", "check_order", "factorial_times",
    "graded_product", "multiple", "paired", "polarized", "product_of", "scale_of", "underflowed", "unlike",
    "warn_of_underflow", "weights",
]  # fmt: skip
