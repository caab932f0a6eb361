"""Straight-line kernels: one fused pass over memory for a whole jet operation.

`ir` writes a primitive's recurrence down as a program, `optimize` tidies it, `launch` and `transpose` choose a machine
for it. `target` is the contract of machines, `plan` a program made ready for one, `layout` what operands look like,
`emit` what operations are made of. `interpret` and the folders are machines; `engine` names them.
"""
