"""Programs as machine code for the processor at hand, compiled by LLVM.

`instructions` and `render` write LLVM's text, `host` compiles and loads it, `store` keeps what was compiled, `call` is
how it is called and `threads` runs long arrays in chunks. Imports the kernel's programs, and llvmlite when it must.
"""
