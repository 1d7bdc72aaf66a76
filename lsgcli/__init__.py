"""Simultaneous translation as a Unix filter."""

__version__ = "0.1.0"
