"""The parameters of replies: how they are written, what they may not be like, and who compares them."""

from dataclasses import dataclass
from typing import Literal

from persuasion.typed import refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """How replies are sampled."""

    split: Literal["train", "validation", "test"]
    allow_train: bool
    prompts: int
    challenges: bool
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    repetition_penalty: float
    no_repeat_ngram: int
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        refuse("split", "train only with generate.allow_train", unless=self.split != "train" or self.allow_train)
        refuse("temperature", "at least 0", unless=self.temperature >= 0)
        refuse("top_p", "above 0 and at most 1", unless=0 < self.top_p <= 1)
        refuse("top_k", "at least 0", unless=self.top_k >= 0)
        refuse("repetition_penalty", "at least 1", unless=self.repetition_penalty >= 1)
        refuse("no_repeat_ngram", "at least 0", unless=self.no_repeat_ngram >= 0)
        for name in ("prompts", "max_tokens", "batch_size"):
            refuse(name, "at least 1", unless=getattr(self, name) >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest share of replies in which each lexicon may be found."""

    self_harm_encouragement: float
    medical_directive: float
    threat: float
    slur: float
    insult: float
    identity_claim: float
    unsupported_claim: float
    manipulation: float

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            refuse(name, "from 0 to 1", unless=0 <= getattr(self, name) <= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """The gate on replies, and a classifier of the user's own."""

    gate: bool
    limits: Limits
    classifier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Who compares the tuned reply with the base's: a proxy for people, whoever it is."""

    kind: Literal["none", "length", "reward", "llm"]
    model: str | None
    bootstrap: int

    def __post_init__(self) -> None:
        refuse("bootstrap", "at least 100", unless=self.bootstrap >= 100)
        named = self.kind in ("none", "length") or bool(self.model)
        refuse("model", "a local folder when judge.kind is reward or llm", unless=named)
