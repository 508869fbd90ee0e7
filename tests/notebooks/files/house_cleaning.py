"""Cleaning of the houses table, used by a notebook beside it."""

import re

import numpy as np

SQUARE_METRE = 10.764


def square_feet(text):
    """'1100 - 1300' -> 1200.0, '100Sq. Meter' -> 1076.4, else the number, or NaN."""
    numbers = [float(n) for n in re.findall(r"\d+\.?\d*", str(text))]
    if not numbers:
        return np.nan
    value = sum(numbers[:2]) / len(numbers[:2])
    return value * SQUARE_METRE if "Meter" in str(text) else value


def bedrooms(text):
    """'3 BHK' -> 3.0"""
    return float(text.split()[0]) if isinstance(text, str) else np.nan
