"""Programs as machine code for the processor at hand.

`native` is the target whatever the language, `call` how its code is called, `threads` runs long arrays in chunks.
`llvm` is the language: `instructions` and `render` write its text, `rolled` that of programs too long to be written
out, `host` compiles and loads it, `store` keeps what was compiled. Imports the contract and what stands below it;
llvmlite where something is compiled.
"""
