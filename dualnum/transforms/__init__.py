"""Transforms: functions to the functions of their derivatives."""

from .forward import derivative, directional, jvp, taylor

__all__ = ["derivative", "directional", "jvp", "taylor"]
