"""What all tests share: generated cases are the same in every run, and no test is judged by its speed."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("repeatable")
