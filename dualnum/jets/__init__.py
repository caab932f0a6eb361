"""The jet: an array that carries its Taylor coefficients.

`jet` is the type, `reading` what is read of one, `display` shows one; `seeding` begins one, `variables` those in
several variables. `evaluation` runs a primitive on it and `eager` does so by the shortest way, `tower` on jets of jets;
`multilinear` runs linear functions. Imports kernels and functions.
"""
