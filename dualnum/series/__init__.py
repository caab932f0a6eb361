"""The mathematics: a coefficient from the lower ones, whatever the coefficients are.

The recurrences of the elementary functions (`recurrences`, all exported here) and of the special ones (`special`).
They are written with operators and NumPy's functions only, and import nothing of this package.
"""

from .equations import solve as solve
from .recurrences import *  # noqa: F403
from .recurrences import __all__  # noqa: F401
