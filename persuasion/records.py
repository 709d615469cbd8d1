"""The rows that pass between stages: one frozen dataclass per table, and nothing else.

``tables`` derives the Arrow schema from the annotations. Ids keep their ``t1_``/``t3_`` kind;
times are Unix seconds, UTC; log-probabilities are nats summed over completion tokens.
"""

from dataclasses import dataclass

PERSON, BOT, MODERATOR, DELETED = "person", "bot", "moderator", "deleted"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One award. ``source`` is how it is known: confirmed (DeltaBot), deltalog, token or given (imported pairs)."""

    by: str
    by_op: bool
    source: str
    at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A post. ``author`` is a keyed pseudonym ("" when unknown); ``role`` says what wrote it."""

    id: str
    author: str
    role: str
    created_utc: int
    score: int | None
    title: str
    selftext: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment, body raw. ``rivals`` are the comments that the source itself set against this one."""

    id: str
    thread_id: str
    parent_id: str
    author: str
    role: str
    created_utc: int
    score: int | None
    body: str
    is_op: bool
    earned_delta: bool
    deltas: tuple[Delta, ...]
    rivals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A record that became no row: where its bytes lie in the decompressed file, and why. Never its text."""

    file: str
    line: int
    offset: int
    length: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A preference pair; ``prompt``, ``chosen`` and ``rejected`` load unchanged in TRL."""

    pair_id: str
    thread_id: str
    split: str
    prompt: str
    chosen: str
    rejected: str
    chosen_id: str
    rejected_id: str
    chosen_author: str
    rejected_author: str
    op_author: str
    created_utc: int
    chosen_created_utc: int
    rejected_created_utc: int
    chosen_score: int | None
    rejected_score: int | None
    label_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadSplit:
    """Where a thread went. ``group`` is the smallest thread id of its connected component."""

    thread_id: str
    group: str
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusThread:
    """A cleaned thread for the small base model: the post as prompt and every usable comment."""

    thread_id: str
    prompt: str
    completions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the reference (base, adapter off) gives a pair."""

    pair_id: str
    reference_chosen_logp: float
    reference_rejected_logp: float
    chosen_tokens: int
    rejected_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A pair judged: log-probs of policy and reference, implicit rewards and their margin."""

    pair_id: str
    policy_chosen_logp: float
    policy_rejected_logp: float
    reference_chosen_logp: float
    reference_rejected_logp: float
    chosen_reward: float
    rejected_reward: float
    margin: float
    chosen_tokens: int
    rejected_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochVerdict(Verdict):
    """A verdict during training: after which epoch, on which split, and the pair's DPO loss (nats)."""

    epoch: int
    split: str
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochSample(EpochVerdict):
    """An epoch's verdict with all that it is about: the run, the optimiser step, and the pair's post and texts."""

    run: str
    step: int
    thread_id: str
    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReply:
    """A reply sampled during the training ``run`` for a fixed validation pair."""

    epoch: int
    run: str
    pair_id: str
    thread_id: str
    prompt: str
    text: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A generated reply, base and tuned side by side. ``stopped``: the policy ended it itself.

    ``crisis``: the post speaks of acute danger; both texts are the resource message, written by no model.
    """

    thread_id: str
    prompt: str
    text: str
    base_text: str
    chosen: str
    seed: int
    stopped: bool
    base_stopped: bool
    crisis: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The sample's answer key: the cue a thread carries, and a comment's true chance of a delta."""

    comment_id: str
    thread_id: str
    kind: str
    chance: float
