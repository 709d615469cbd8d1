"""Values in parts of like mass, where equal values share one: the order of rows cannot matter."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def parts(values: ArrayLike, count: int) -> NDArray[np.intp]:
    """Each value's part, from 0 for the least, of up to ``count`` of like mass. Shape [n]."""
    array = np.asarray(values)
    starts = np.unique(np.sort(array)[np.arange(count) * len(array) // count]) if array.size else array
    return np.searchsorted(starts, array, side="right") - 1
