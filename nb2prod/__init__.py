"""Turns tagged Jupyter notebooks into proved BentoML services."""

__version__ = "0.1.0"
