"""Programs as CUDA C, for arrays on a GPU: one launch for a program, a thread for an element.

`text` writes a kernel down, for operands of any strides; `launch` compiles it through CuPy's NVRTC and starts it on
CuPy's current stream; `machine` is the target. CuPy is imported by whoever has an array of it: nothing here does.
"""
