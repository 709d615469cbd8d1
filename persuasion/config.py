"""params.yaml as a tree of frozen dataclasses: fields and refusals, no defaults and no behaviour.

Every stage reads the whole tree, so that a typo stops ``extract`` and not a training run.
Field comments with units stand in params.yaml, beside the numbers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from persuasion.dataparams import Pairs, Sample, Source
from persuasion.errors import UsageFailure
from persuasion.methodparams import Base, Dpo, Kto, Sft
from persuasion.replyparams import Generate, Judge, Safety
from persuasion.typed import refuse, section
from persuasion.yaml12 import load_yaml

PARAMS = Path("params.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """The small model's shape and its own training."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    context: int
    epochs: int
    batch_threads: int
    learning_rate: float
    weight_decay: float
    warmup_ratio: float
    max_perplexity: float
    seed: int

    def __post_init__(self) -> None:
        refuse("vocabulary", "at least 300 (256 bytes and the special tokens)", unless=self.vocabulary >= 300)
        refuse("heads", "a divisor of width", unless=self.heads >= 1 and self.width % self.heads == 0)
        refuse("layers", "at least 1", unless=self.layers >= 1)
        refuse("context", "at least 16", unless=self.context >= 16)
        refuse("epochs", "at least 1", unless=self.epochs >= 1)
        refuse("batch_threads", "at least 1", unless=self.batch_threads >= 1)
        refuse("learning_rate", "above 0", unless=self.learning_rate > 0)
        refuse("weight_decay", "at least 0", unless=self.weight_decay >= 0)
        refuse("warmup_ratio", "from 0 to below 1", unless=0 <= self.warmup_ratio < 1)
        refuse("max_perplexity", "above 1", unless=self.max_perplexity > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The base model: trained here, a hub snapshot, or a local folder."""

    kind: Literal["small", "hub", "local"]
    name: str | None
    revision: str | None
    small: Small

    def __post_init__(self) -> None:
        named = self.kind == "small" or bool(self.name)
        refuse("name", "a hub id or a folder when model.kind is hub or local", unless=named)
        pinned = self.kind != "hub" or (self.revision is not None and len(self.revision) == 40)
        refuse("revision", "a full commit hash (40 hex digits) when model.kind is hub", unless=pinned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """From text to token ids."""

    template: Literal["chat", "plain"]
    prefix: str
    suffix: str
    prompt_tokens: int
    total_tokens: int

    def __post_init__(self) -> None:
        refuse("prompt_tokens", "at least 16", unless=self.prompt_tokens >= 16)
        refuse("total_tokens", "above prompt_tokens", unless=self.total_tokens > self.prompt_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Where and in what precision tensors live."""

    device: Literal["auto", "cpu", "cuda"]
    precision: Literal["float32", "bfloat16"]
    quantize: Literal["none", "4bit"]
    threads: int
    batch_tokens: int

    @property
    def weights(self) -> str:
        """How the base's weights are held: log-probs depend on it."""
        return self.precision if self.quantize == "none" else f"{self.precision}, {self.quantize}"

    def __post_init__(self) -> None:
        refuse("threads", "at least 1", unless=self.threads >= 1)
        refuse("batch_tokens", "at least 1", unless=self.batch_tokens >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """The adapter's shape."""

    r: int
    alpha: int
    dropout: float
    targets: str | tuple[str, ...]
    layers: int | None
    rslora: bool
    dora: bool

    def __post_init__(self) -> None:
        refuse("r", "at least 1", unless=self.r >= 1)
        refuse("alpha", "at least 1", unless=self.alpha >= 1)
        refuse("dropout", "from 0 to below 1", unless=0 <= self.dropout < 1)
        named = isinstance(self.targets, tuple) or self.targets == "all-linear"
        refuse("targets", "all-linear or a list of module names", unless=bool(self.targets) and named)
        refuse("layers", "at least 1, or null for all", unless=self.layers is None or self.layers >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """The method, the optimiser and what is written down on the way."""

    method: Literal["dpo", "kto", "sft"]
    learning_rate: float
    schedule: Literal["cosine", "linear", "constant"]
    warmup_ratio: float
    weight_decay: float
    epochs: int
    batch_size: int
    accumulation: int
    max_grad_norm: float
    optimizer: str
    gradient_checkpointing: bool
    early_stopping: int | None
    select: Literal["last", "nll_calibrated", "reward_accuracy", "loss", "perplexity_chosen"]
    processes: int
    log_every: int
    save_every: int
    sample_pairs: int
    sample_tokens: int
    sample_training: int
    seed: int

    def __post_init__(self) -> None:
        refuse("learning_rate", "above 0", unless=self.learning_rate > 0)
        refuse("warmup_ratio", "from 0 to below 1", unless=0 <= self.warmup_ratio < 1)
        refuse("weight_decay", "at least 0", unless=self.weight_decay >= 0)
        refuse("early_stopping", "null or at least 1", unless=self.early_stopping is None or self.early_stopping >= 1)
        refuse("save_every", "at least 0 (0: no checkpoints)", unless=self.save_every >= 0)
        refuse("max_grad_norm", "above 0", unless=self.max_grad_norm > 0)
        for name in ("epochs", "batch_size", "accumulation", "processes", "log_every", "sample_tokens"):
            refuse(name, "at least 1", unless=getattr(self, name) >= 1)
        refuse("sample_pairs", "at least 0", unless=self.sample_pairs >= 0)
        mated = self.method != "kto" or self.batch_size > 1
        refuse("batch_size", "at least 2 with train.method: kto, whose pairs lend each other completions", unless=mated)
        refuse("sample_training", "at least 0", unless=self.sample_training >= 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """How verdicts are judged."""

    split: Literal["validation", "test"]
    bootstrap: int
    permutations: int
    length_tolerance: float
    length_bins: int
    topics: int
    seed: int

    def __post_init__(self) -> None:
        refuse("bootstrap", "at least 100", unless=self.bootstrap >= 100)
        refuse("permutations", "at least 100", unless=self.permutations >= 100)
        refuse("length_bins", "at least 1", unless=self.length_bins >= 1)
        refuse("topics", "at least 2", unless=self.topics >= 2)
        refuse("length_tolerance", "from 0 to 1", unless=0 <= self.length_tolerance <= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the page shows."""

    examples: int
    public: bool

    def __post_init__(self) -> None:
        refuse("examples", "at least 0", unless=self.examples >= 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The whole of params.yaml."""

    sample: Sample
    source: Source
    pairs: Pairs
    model: Model
    base: Base
    encoding: Encoding
    compute: Compute
    dpo: Dpo
    kto: Kto
    sft: Sft
    lora: Lora
    train: Train
    evaluate: Evaluate
    generate: Generate
    safety: Safety
    judge: Judge
    report: Report


def load_params(path: Path = PARAMS) -> Params:
    """Read and check the whole tree.

    Raises UsageFailure (exit 2) with the dotted path, what was expected and a "did you mean".
    """
    if not path.is_file():
        raise UsageFailure(f"{path} is missing", fix="run from the project's root")
    params: Params = section(Params, load_yaml(path), "", path)
    return params
