"""From threads to preference pairs: a top-level comment that OP gave a delta, against one that earned none.

The unit is the root reply (Tan et al. 2016): the completion must make sense with the post alone as
prompt. As there, only OP's awards make a comment chosen; an award by another makes it neither chosen
nor rejected. Everything that is not used is named with one reason. Knows nothing of splits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from persuasion.config import Pairs
from persuasion.records import DELETED, PERSON, Comment, Pair
from persuasion.shingles import alike
from persuasion.usable import GONE, Thread, residue, unfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What came to no pair: a ``thread``, a ``comment`` that earned a delta, or a given ``pair``."""

    kind: str
    id: str
    thread_id: str
    reason: str


def build_pairs(threads: Sequence[Thread], params: Pairs) -> tuple[list[Pair], list[Dropped]]:
    """Build every pair, ``split`` still "", and name what was dropped.

    A thread is dropped for its post's refusal, for ``no_delta``, or for ``no_pair`` (all its awarded
    comments were). Each comment that earned a delta is chosen in one pair or more, or dropped once.
    """
    pairs: list[Pair] = []
    dropped: list[Dropped] = []
    for thread in threads:
        found: list[Pair] = []
        for chosen in (comment for comment in thread.comments if comment.earned_delta):
            made, refused = _pairs_of(chosen, thread, params)
            found += made
            dropped += refused
        reason = thread.refusal or ("" if found else _barren(thread))
        if reason:
            dropped.append(Dropped(kind="thread", id=thread.post.id, thread_id=thread.post.id, reason=reason))
        pairs += found
    return pairs, dropped


def orphans(threads: Sequence[Thread], comments: Iterable[Comment]) -> list[Dropped]:
    """Comments that earned a delta in a thread whose post is not in the data."""
    known = {thread.post.id for thread in threads}
    return [_dropped(row, "no_post") for row in comments if row.earned_delta and row.thread_id not in known]


def _barren(thread: Thread) -> str:
    return "no_pair" if any(comment.earned_delta for comment in thread.comments) else "no_delta"


def _pairs_of(chosen: Comment, thread: Thread, params: Pairs) -> tuple[list[Pair], list[Dropped]]:
    """All pairs of one awarded comment, or why there is none; every given pair that fails is named besides."""
    reason = _not_chosen(chosen, thread, params)
    if reason:
        given = [_dropped_pair(chosen, rival, "chosen_dropped") for rival in dict.fromkeys(chosen.rivals)]
        return [], [_dropped(chosen, reason), *given]
    dropped: list[Dropped] = []
    if chosen.rivals:
        rejected, dropped = _given(chosen, thread, params)
    else:
        order = sorted(_candidates(chosen, thread, params), key=lambda row: _lot(params.seed, chosen.id, row.id))
        rejected = order[: params.per_positive]
    if not rejected:
        dropped.append(_dropped(chosen, "no_negative"))
    return [_pair(thread, chosen, row) for row in rejected], dropped


def _not_chosen(comment: Comment, thread: Thread, params: Pairs) -> str:
    """Why a comment that earned a delta cannot be chosen: the first reason in this order, "" when it can."""
    if thread.refusal:
        return "thread_dropped"
    if comment.role == DELETED or comment.body.strip() in GONE:
        return "deleted"
    if comment.role != PERSON or comment.is_op:
        return "not_a_challenger"
    if comment.parent_id != thread.post.id:
        return "nested"
    if not any(delta.by_op for delta in comment.deltas):
        return "award_not_by_op"
    return unfit(thread.texts[comment.id], params) or residue(thread.prompt, params)


def _candidates(chosen: Comment, thread: Thread, params: Pairs) -> Iterator[Comment]:
    """The comments that may be rejected against ``chosen``.

    Authors with a delta anywhere in the thread are out: a reply may have failed only because its
    author won elsewhere. With ``op_must_read`` (Tan et al. 2016) OP was still there to read it.
    """
    winners = {row.author for row in thread.comments if row.earned_delta and row.author}
    last_read = max((row.created_utc for row in thread.comments if row.is_op), default=None)
    for row in thread.comments:
        late = params.op_must_read and (last_read is None or row.created_utc >= last_read)
        if late or row.author in winners or _is_op(row, thread) or _no_rival(row, chosen, thread, params):
            continue
        yield row


def _is_op(comment: Comment, thread: Thread) -> bool:
    return comment.is_op or bool(comment.author and comment.author == thread.post.author)


def _given(chosen: Comment, thread: Thread, params: Pairs) -> tuple[list[Comment], list[Dropped]]:
    """The rivals that the source set against ``chosen``, and the given pairs whose rejected side is unfit."""
    known = {row.id: row for row in thread.comments}
    rejected, dropped = [], []
    for rival in dict.fromkeys(chosen.rivals):
        reason = _no_rival(known[rival], chosen, thread, params) if rival in known else "missing"
        if reason:
            dropped.append(_dropped_pair(chosen, rival, f"rejected_{reason}"))
        else:
            rejected.append(known[rival])
    return rejected, dropped


def _no_rival(row: Comment, chosen: Comment, thread: Thread, params: Pairs) -> str:
    """Why a comment cannot be rejected against ``chosen``, whoever wrote it and when; "" when it can."""
    if row.earned_delta:
        return "earned_delta"
    if row.id not in thread.texts:
        return "unusable"
    if reason := unfit(thread.texts[row.id], params):
        return reason
    return "near_chosen" if alike(thread.texts[row.id], thread.texts[chosen.id], params.near_duplicate) else ""


def pair_name(chosen_id: str, rejected_id: str) -> str:
    """``p_`` and 16 hex digits of sha256(chosen_id NUL rejected_id)."""
    return "p_" + sha256(f"{chosen_id}\0{rejected_id}".encode()).hexdigest()[:16]


def _lot(seed: int, chosen_id: str, candidate_id: str) -> bytes:
    """A draw that depends on nothing but the seed and the two ids."""
    return sha256(f"{seed}\0{chosen_id}\0{candidate_id}".encode()).digest()


def _pair(thread: Thread, chosen: Comment, rejected: Comment) -> Pair:
    return Pair(
        pair_id=pair_name(chosen.id, rejected.id),
        thread_id=thread.post.id,
        split="",
        prompt=thread.prompt,
        chosen=thread.texts[chosen.id],
        rejected=thread.texts[rejected.id],
        chosen_id=chosen.id,
        rejected_id=rejected.id,
        chosen_author=chosen.author,
        rejected_author=rejected.author,
        op_author=thread.post.author,
        created_utc=thread.post.created_utc,
        chosen_created_utc=chosen.created_utc,
        rejected_created_utc=rejected.created_utc,
        chosen_score=chosen.score,
        rejected_score=rejected.score,
        # Alphabetical order is the order of trust: confirmed, deltalog, given, token.
        label_source=min(delta.source for delta in chosen.deltas if delta.by_op),
    )


def _dropped(comment: Comment, reason: str) -> Dropped:
    return Dropped(kind="comment", id=comment.id, thread_id=comment.thread_id, reason=reason)


def _dropped_pair(chosen: Comment, rival: str, reason: str) -> Dropped:
    return Dropped(kind="pair", id=pair_name(chosen.id, rival), thread_id=chosen.thread_id, reason=reason)
