"""A progress bar on stderr: smooth on a terminal, a line every ten seconds in a log."""

import sys
from typing import Any

from tqdm import tqdm

DELAY, LOG_INTERVAL = 2.0, 10.0  # seconds: shorter work shows nothing, a log is not flooded


def bar(total: int, name: str, unit: str, *, scale: bool = False) -> Any:
    """A tqdm bar over ``total`` units, used as a context manager or closed by its owner."""
    interval = 0.1 if sys.stderr.isatty() else LOG_INTERVAL
    return tqdm(total=total, desc=name, unit=unit, unit_scale=scale, delay=DELAY, mininterval=interval, leave=False)
