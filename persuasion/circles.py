"""Comments whose chain of parents runs in a circle, and all that hangs below one.

Reddit numbers comments upwards, so a comment's parent has a smaller id; a circle has at least one
link the other way, to a comment that is there. Only threads with such a link are walked, never recursively.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from persuasion.keys import Keys


def circular(thread: Keys, key: Keys, parent: Keys, top: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which comments never reach a top-level one or an absent parent; arrays run over comments.

    ``top``: the parent is the post.
    """
    found = np.zeros(len(key), bool)
    upwards = np.flatnonzero(~top & (parent >= key))
    for suspect in np.unique(thread[upwards[np.isin(parent[upwards], key)]]):
        rows = np.flatnonzero(thread == suspect)
        parents = {int(key[row]): None if top[row] else int(parent[row]) for row in rows}
        endless = _endless(parents)
        found[[row for row in rows if int(key[row]) in endless]] = True
    return found


def _endless(parents: Mapping[int, int | None]) -> set[int]:
    """Members of a loop and all below; None is the end of a chain, and so is whatever is no key."""
    ends: dict[int, bool] = {}
    for start in parents:
        path: dict[int, None] = {}
        here: int | None = start
        while here is not None and here in parents and here not in ends and here not in path:
            path[here] = None
            here = parents[here]
        finite = here is None or ends.get(here, here not in path)
        ends.update(dict.fromkeys(path, finite))
    return {key for key, finite in ends.items() if not finite}
