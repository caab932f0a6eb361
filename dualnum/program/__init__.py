"""Whole functions as programs: traced once, cut into kernels, replayed.

`nodes` are what a trace is made of, `tracing` and `trace` write it down, `cut` divides it, `fused` is one kernel of it,
`replay` the function of Python that runs all, `jit` the door for users. Imports jets and kernels.
"""
