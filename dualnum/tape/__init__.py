"""Reverse mode: what was recorded, and the sweep back over it.

`variable` is the operand that records (`recording` by the short way), `sweep` the way back, `transposed` the pull-back
of jets of what is recorded, `reach` which entries take part, `views` and `roots` what variables remember. Imports jets.
"""
