"""A progress bar on stderr: smooth on a terminal, a line every ten seconds in a log."""

import os
import sys
from typing import Any

from tqdm import tqdm

DELAY, LOG_INTERVAL = 2.0, 10.0  # seconds: shorter work shows nothing, a log is not flooded


def bar(total: int, name: str, unit: str, *, scale: bool = False, initial: int = 0) -> Any:
    """A tqdm bar over ``total`` units, used as a context manager or closed by its owner; the first process shows it."""
    return tqdm(
        total=total,
        desc=name,
        unit=unit,
        unit_scale=scale,
        initial=initial,
        delay=DELAY,
        mininterval=0.1 if sys.stderr.isatty() else LOG_INTERVAL,
        leave=False,
        disable=os.environ.get("RANK", "0") != "0",
    )
