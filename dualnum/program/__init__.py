"""Whole functions as programs: traced once, cut into kernels, replayed.

`nodes` are what a trace is made of. `tracing` and `trace` write it down; of the tracers' methods `following` holds
those that look at numbers, `writes` those that write, `calls` the steps that NumPy runs, `quick` arithmetic. Small
arrays are `scalars`, on which NumPy's functions run `apart`. `cut` divides a trace, `places` says what kernels read
where it lies, `loops` finds the turns of Python's loops again, `body` and `turns` write the program of a kernel,
`fused` is one kernel, `pared` what is left of a trace, `reuse` says what may be written over, `replay` is the function
of Python that runs all. `signature` tells calls apart, `variants` keeps what was traced for each and what it took,
`explained` tells of it, and `jit` is the door for users; `saved` writes to files, where values are `described`, and
`loaded` is a program out of one. Imports jets and kernels.
"""
