"""What params.yaml says of the methods of training and of what is trained before them: fields and refusals only."""

from dataclasses import dataclass
from pathlib import Path

from persuasion.typed import refuse

LOSSES = (
    "sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair",
    "sppo_hard", "aot", "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft",
)  # fmt: skip
SMOOTHED = ("robust", "exo_pair", "aot", "aot_unpaired")  # read label_smoothing in TRL; the others pass over it
STEPS = ("lm", "sft")  # in their order


@dataclass(frozen=True, slots=True, kw_only=True)
class Dpo:
    """The preference loss: one of TRL's by name, or several, each with its weight."""

    beta: float
    loss: str | tuple[str, ...]
    weights: tuple[float, ...] | None
    label_smoothing: float
    ld_alpha: float | None

    @property
    def names(self) -> tuple[str, ...]:
        """The losses."""
        return (self.loss,) if isinstance(self.loss, str) else self.loss

    @property
    def losses(self) -> dict[str, float]:
        """The weight of every loss, by name."""
        return dict(zip(self.names, self.weights or [1.0] * len(self.names), strict=True))

    def __post_init__(self) -> None:
        names = self.names
        known = bool(names) and set(names) <= set(LOSSES) and len(set(names)) == len(names)
        refuse("beta", "above 0", unless=self.beta > 0)
        refuse("loss", f"one of {', '.join(LOSSES)}, or a list of some of them", unless=known)
        weighed = self.weights is None or (len(self.weights) == len(names) and min(self.weights) > 0)
        refuse("weights", f"null, or {len(names)} numbers above 0, one for each of dpo.loss", unless=weighed)
        refuse("label_smoothing", "from 0 to below 0.5", unless=0 <= self.label_smoothing < 0.5)
        read = self.label_smoothing == 0 or any(name in SMOOTHED for name in names)
        refuse("label_smoothing", f"0, since only the losses {', '.join(SMOOTHED)} read it", unless=read)
        refuse("label_smoothing", "above 0 with exo_pair", unless="exo_pair" not in names or self.label_smoothing > 0)
        refuse("ld_alpha", "null, or from 0 to 1", unless=self.ld_alpha is None or 0 <= self.ld_alpha <= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kto:
    """How much a completion of each kind weighs in the loss; beta is ``dpo.beta``."""

    desirable_weight: float
    undesirable_weight: float

    def __post_init__(self) -> None:
        for name in ("desirable_weight", "undesirable_weight"):
            refuse(name, "above 0", unless=getattr(self, name) > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sft:
    """What of a chosen completion and its post is learnt, and how a batch is counted."""

    completion_only: bool
    packed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """What is trained on what before `train`, at most one model each, and how."""

    lm: tuple[str, ...]
    sft: tuple[str, ...]
    epochs: int
    batch_size: int
    learning_rate: float
    r: int
    seed: int

    def __post_init__(self) -> None:
        refuse("lm", "[] or [base]", unless=self.lm in ((), ("base",)))
        before = "lm" if self.lm else "base"
        known = self.sft in ((), (before,))
        refuse("sft", f"[] or [{before}], since base.prepare.lm is {'not ' * bool(self.lm)}empty", unless=known)
        refuse("learning_rate", "above 0", unless=self.learning_rate > 0)
        for name in ("epochs", "batch_size", "r"):
            refuse(name, "at least 1", unless=getattr(self, name) >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Which model everything from `reference` on starts from, and how it is prepared."""

    prepare: Prepare
    serves: str

    @property
    def folder(self) -> Path:
        """Where the model lies that everything starts from."""
        return Path("models") / self.serves

    def __post_init__(self) -> None:
        last = [name for name in STEPS if getattr(self.prepare, name)][-1:] or ["base"]
        refuse("serves", f"{last[0]}, the last that base.prepare makes", unless=self.serves == last[0])
