"""The command line: the derivatives of a typed formula as a table (`report`) or a picture (`plot`).

Above everything but `__main__`.
"""
