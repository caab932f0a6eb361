"""The jet: an array that carries its Taylor coefficients.

`jet` is the type, `seeding` begins one, `display` shows one. `evaluation` runs a primitive on it and `eager` does so
by the shortest way, `tower` on jets of jets; `multilinear` runs linear functions. Imports kernels and functions.
"""
