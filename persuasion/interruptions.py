"""Stop where work can be continued: a first SIGTERM or Ctrl-C waits for the end of the step, a second does not."""

import signal
from types import FrameType
from typing import Any, NoReturn

from persuasion.running import Terminated


class Interruption:
    """While it is open, notes that the run is asked to stop; ``stop`` then raises what the signal means."""

    def __init__(self) -> None:
        self.asked: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interruption":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop(self) -> NoReturn:
        """Raise Terminated (exit 143) or KeyboardInterrupt (exit 130)."""
        raise KeyboardInterrupt if self.asked == signal.SIGINT else Terminated

    def _ask(self, number: int, _: FrameType | None) -> None:
        if self.asked is not None:
            self.stop()
        self.asked = number
