"""What runs experiments, as the search sees it: the two runners, ``loop`` and ``queueing``, know nothing of trials."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an experiment ended: DVC's exit code (negative: a signal), None where it came to none, and then why."""

    name: str
    code: int | None
    log: Path
    why: str = "its worker died"


class Runner(Protocol):
    """Runs up to a number of experiments at once, in clones of its own."""

    @property
    def running(self) -> dict[str, float]:
        """What runs, and since when (``time.monotonic``)."""

    @property
    def free(self) -> int:
        """How many more may be started."""

    def start(self, name: str, params: dict[str, Any], message: str) -> None:
        """Begin an experiment; only while ``free``."""

    def ended(self) -> list[Ended]:
        """Experiments that have ended since the last look; whatever they left is gone, and they are published."""

    def stop(self, name: str) -> None:
        """End an experiment; nothing more is heard of it."""

    def copies(self, name: str) -> list[Path]:
        """Where the experiment runs, as far as it has got."""

    def close(self) -> None:
        """End everything and remove the clones."""
