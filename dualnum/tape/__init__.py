"""Reverse mode: what was recorded, and the sweep back over it.

`recorded` is the operand that records (`recording` by the short way) and `step` what is kept of each operation; `sweep`
is the way back, `transposed` the pull-back of jets of what is recorded, `reach` says which entries take part, `hooks`
who looks on; `views` and `roots` are what variables remember. Imports jets.
"""
