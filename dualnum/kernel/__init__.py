"""Straight-line kernels: one fused pass over memory for a whole jet operation.

`ir` writes a primitive's recurrence down as a program, `optimize` tidies it, `interpret` and `cpu` run it,
and `launch` chooses between them, lays out memory and keeps what was compiled.
"""
