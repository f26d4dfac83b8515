"""Types of the arrays that rules count with, how Arrow's become them, and the one division they share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def ints(array: pa.Array) -> Ints:
    """Whole numbers without nulls. By way of Polars: to make an array of NumPy, Arrow imports pandas."""
    return pl.Series(array, dtype=pl.Int64).to_numpy()


def ratio(part: Floats, whole: Floats) -> Floats:
    """The quotient, 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
