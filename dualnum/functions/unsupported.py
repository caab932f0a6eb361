"""Functions without a derivative rule, each with the reason and a way out."""

import numpy as np

from .keywords import raises

_VALUE = "apply it to x.value if the result is meant as a constant"

raises("how far it divides is decided by leading zeros, which may have derivatives; " + _VALUE, np.polydiv)

raises("it works on the bits of integers; give x.value.astype(np.uint8)", np.packbits, np.unpackbits)
raises(
    "it works on dates, which have no derivatives",
    np.busday_count, np.busday_offset, np.is_busday, np.datetime_as_string,
)  # fmt: skip
