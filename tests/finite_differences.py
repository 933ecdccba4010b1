"""Gradients by central differences, to hold those of layers and losses against."""

from collections.abc import Callable
from typing import Any

import numpy


def slope(array: Any, place: tuple[int, ...], function: Callable[[], float], step: float = 1e-6) -> float:
    """Derivative of a function for one element of an array that it reads."""
    kept = float(array[place])
    array[place] = kept + step
    above = function()
    array[place] = kept - step
    below = function()
    array[place] = kept
    return float(above - below) / (2 * step)


def differences(array: Any, function: Callable[[], float], step: float = 1e-6) -> Any:
    """Gradient of a function for an array that it reads."""
    slopes = [slope(array, place, function, step) for place in numpy.ndindex(*array.shape)]
    return numpy.reshape(slopes, array.shape)
