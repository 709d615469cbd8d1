"""The sections of params.yaml that the data stages read: fields and refusals, no defaults and no behaviour."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from persuasion.typed import refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The synthetic dump."""

    seed: int
    threads: int

    def __post_init__(self) -> None:
        refuse("threads", "at least 1", unless=self.threads >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which raw data is read, and how strictly."""

    path: str
    kind: Literal["auto", "dump", "arcticshift", "convokit", "tan", "shp", "pairs"]
    subreddit: str
    strict: bool
    mask: bool
    pseudonym_key_file: str | None
    removals_file: str
    max_line_bytes: int
    zst_window_mb: int
    engine: Literal["local", "ray"]
    workers: int
    block_bytes: int

    def __post_init__(self) -> None:
        refuse("max_line_bytes", "at least 1024", unless=self.max_line_bytes >= 1024)
        refuse("zst_window_mb", "from 1 to 2048", unless=1 <= self.zst_window_mb <= 2048)
        refuse("workers", "at least 0 (0: one per core)", unless=self.workers >= 0)
        refuse("block_bytes", "from 1024 to 268435456", unless=1024 <= self.block_bytes <= 1 << 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of thread groups; they sum to 1."""

    train: float
    validation: float
    test: float

    def __post_init__(self) -> None:
        shares = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, share in shares.items():
            refuse(name, "above 0 and below 1", unless=0 < share < 1)
        refuse("train", "train + validation + test = 1", unless=abs(sum(shares.values()) - 1) < 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """The days on which validation and test begin, both or neither."""

    validation: str | None
    test: str | None

    def __post_init__(self) -> None:
        for name, day in (("validation", self.validation), ("test", self.test)):
            refuse(name, 'a day in quotes, such as "2015-05-08", or null', unless=day is None or _is_day(day))
        both = (self.validation is None) == (self.test is None)
        refuse("test", "a day when validation is one, else null", unless=both)
        refuse("test", "after validation", unless=not (self.validation and self.test) or self.validation < self.test)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """How comments become pairs and threads become splits."""

    unit: Literal["root", "path", "nested"]
    clean: bool
    negative: Literal["random", "similar", "lexical", "length", "score"]
    per_positive: int
    max_reuse: int | None
    max_per_thread: int | None
    max_per_author: int | None
    min_words: int
    max_words: int
    max_prompt_words: int
    op_must_read: bool
    split: Literal["hash", "time"]
    shares: Shares
    cuts: Cuts
    commenter_disjoint: bool
    min_threads: int
    near_duplicate: float
    copied_text: float
    allow_leaks: bool
    seed: int

    def __post_init__(self) -> None:
        refuse("per_positive", "at least 1", unless=self.per_positive >= 1)
        for name in ("max_reuse", "max_per_thread", "max_per_author"):
            cap = getattr(self, name)
            refuse(name, "at least 1, or null for no cap", unless=cap is None or cap >= 1)
        refuse("min_words", "from 1 to max_words", unless=1 <= self.min_words <= self.max_words)
        refuse("max_prompt_words", "at least 1", unless=self.max_prompt_words >= 1)
        refuse("min_threads", "at least 1", unless=self.min_threads >= 1)
        for name in ("near_duplicate", "copied_text"):
            refuse(name, "above 0 and at most 1", unless=0 < getattr(self, name) <= 1)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
