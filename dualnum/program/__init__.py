"""Whole functions as programs: traced once, cut into kernels, replayed.

`nodes` are what a trace is made of. `tracing` and `trace` write it down; of the tracers' methods `following` holds
those that look at numbers, `writes` those that write, `calls` the steps that NumPy runs. `cut` divides a trace, `fused`
is one kernel of it, `reuse` says what may be written over, `replay` is the function of Python that runs all.
`signature` tells calls apart, `variants` keeps what was traced for each and what it took, `explained` tells of it, and
`jit` is the door for users. Imports jets and kernels.
"""
