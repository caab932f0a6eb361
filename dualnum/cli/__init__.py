"""The command line: a typed formula (`formula`), its derivatives as a table (`report`) or a picture (`plot`).

Above everything but `__main__`.
"""
