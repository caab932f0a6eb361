"""Names for what no type says: arrays, and all that may stand in their place.

NumPy's arrays, CuPy's and the operands here have no type in common that a checker knows, and rules run on symbols and
homogeneous parts as well. So these are `Any` to the checker; to a reader they say what is meant.
"""

from typing import Any, TypeAlias

__all__ = ["Axis", "Coefficient", "DType", "Index", "Shape", "Value"]

Value: TypeAlias = Any  # a number, an array of NumPy or CuPy, or an operand
Coefficient: TypeAlias = Any  # what recurrences run on: a value, a symbol of a program, a homogeneous part, a series
Index: TypeAlias = Any  # of an array, as NumPy takes it
DType: TypeAlias = Any  # what NumPy takes for a type
Axis: TypeAlias = Any  # an integer, several of them, or None
Shape: TypeAlias = Any  # an integer or several, as NumPy takes it
