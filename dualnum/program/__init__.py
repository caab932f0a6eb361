"""Whole functions as programs: traced once, cut into kernels, replayed.

`nodes` are what a trace is made of, `tracing` and `trace` write it down, small arrays as `scalars`, on which NumPy's
functions run `apart`. `cut` divides it, `loops` finds the turns of Python's loops again, `body` and `turns` write the
program of a kernel, `fused` is one kernel, `replay` the function of Python that runs all, `jit` the door for users.
Imports jets and kernels.
"""
