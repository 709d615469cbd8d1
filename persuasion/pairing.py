"""From threads to preference pairs: a completion that OP gave a delta, against one that earned none.

Only OP's awards make a comment chosen (Tan et al. 2016); an award by another makes it neither chosen
nor rejected. Everything that is not used is named with one reason. Knows nothing of splits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import numpy as np

from persuasion import challenges
from persuasion.challenges import Challenge, Parts
from persuasion.config import Pairs
from persuasion.discussions import ABSENT, NOBODY, POST, Discussions, Flags
from persuasion.grams import alike
from persuasion.negatives import Choice, lot, ordered, whole
from persuasion.picking import Turn, pick
from persuasion.records import Pair
from persuasion.usable import unfit, unfit_prompt

COMMENT, PAIR, THREAD = "comment", "pair", "thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What came to no pair: a ``thread``, a ``comment`` that earned a delta, or a ``pair``."""

    kind: str
    id: str
    thread_id: str
    reason: str


def build_pairs(talk: Discussions, params: Pairs) -> tuple[list[Pair], list[Dropped]]:
    """Build every pair, ``split`` still "", and name what was dropped.

    A thread is dropped for its post's refusal, for ``no_delta``, or for ``no_pair`` (all its awarded
    comments were). Each comment that earned a delta is chosen in one pair or more, or dropped once.
    """
    turns, dropped = _turns(talk, params)
    pairs: list[Pair] = []
    for group in _by_thread(talk, turns, params.seed):
        pick(group, params)
        for turn in group:
            pairs += [_pair(talk, turn.choice.chosen, rival) for rival in turn.taken]
            dropped += _untaken(talk, turn)
    with_pairs = {pair.thread_id for pair in pairs}
    awarded = set(talk.post[talk.awarded].tolist())
    for place, post in enumerate(talk.posts):
        reason = post.refusal or ("" if post.id in with_pairs else "no_pair" if place in awarded else "no_delta")
        if reason:
            dropped.append(Dropped(kind=THREAD, id=post.id, thread_id=post.id, reason=reason))
    return pairs, dropped


def pair_name(chosen_id: str, rejected_id: str) -> str:
    """``p_`` and 16 hex digits of sha256(chosen_id NUL rejected_id)."""
    return "p_" + sha256(f"{chosen_id}\0{rejected_id}".encode()).hexdigest()[:16]


def _turns(talk: Discussions, params: Pairs) -> tuple[list[Turn], list[Dropped]]:
    """A turn for each awarded comment that can be chosen, in the order of rows; the others are dropped."""
    free = rejectable(talk, params)
    turns: list[Turn] = []
    dropped: list[Dropped] = []
    for row in np.flatnonzero(talk.awarded).tolist():
        chosen, named = chosen_or_reason(talk, row, params), dict.fromkeys(talk.field("rivals", row))
        if isinstance(chosen, str):
            lost = [_dropped_pair(talk, row, rival, "chosen_dropped") for rival in named]
            dropped += [_dropped(talk, row, chosen), *lost]
        elif named:
            rivals, lost = _given(talk, row, tuple(named), params)
            dropped += lost
            turns.append(Turn(choice=Choice(chosen=chosen, rivals=rivals), most=len(rivals), order=iter(rivals)))
        else:
            rivals = challenges.rivals(talk, row, free, params.unit)
            turns.append(Turn(choice=Choice(chosen=chosen, rivals=rivals), most=params.per_positive, order=None))
    asked = [turn for turn in turns if turn.order is None]
    nearest = ordered(talk, [turn.choice for turn in asked], params.negative, params.seed)
    for turn, order in zip(asked, nearest, strict=True):
        turn.order = filter(partial(_may_lose, talk, whole(talk, turn.choice.chosen.parts), params), order)
    return turns, dropped


def chosen_or_reason(talk: Discussions, row: int, params: Pairs) -> Challenge | str:
    """What an awarded comment makes a completion of, or the first reason, in this order, why it cannot be chosen."""
    if talk.post[row] == len(talk.posts):
        return "no_post"
    if talk.posts[talk.post[row]].refusal:
        return "thread_dropped"
    if talk.gone[row]:
        return "deleted"
    if not talk.person[row] or talk.op[row]:
        return "not_a_challenger"
    found = challenges.challenge(talk, row, params.unit)
    if isinstance(found, str):
        return found
    if not talk.won[row]:
        return "award_not_by_op"
    return unfit(whole(talk, found.parts), params) or unfit_prompt(_prompt(talk, found), params) or found


def rejectable(talk: Discussions, params: Pairs) -> Flags:
    """The comments that may be rejected, as far as their texts do not matter.

    Authors with a delta anywhere in the thread are out: a reply may have failed only because its
    author won elsewhere. With ``op_must_read`` (Tan et al. 2016) OP was still there to read it.
    """
    known = talk.author != NOBODY
    account = talk.post * (int(talk.author.max(initial=0)) + 1) + talk.author
    winner = known & np.isin(account, account[talk.awarded & known])
    free = talk.person & ~talk.op & ~talk.awarded & ~talk.gone & ~winner
    if params.op_must_read:
        last = np.full(len(talk.posts) + 1, np.iinfo(np.int64).min)
        np.maximum.at(last, talk.post[talk.op], talk.created[talk.op])
        free &= talk.created < last[talk.post]
    return free


def _given(talk: Discussions, row: int, named: Sequence[str], params: Pairs) -> tuple[list[Parts], list[Dropped]]:
    """The rivals that the source itself set against an awarded comment, and the given pairs that cannot be."""
    thread = talk.rows_of(int(talk.post[row]))
    known = {talk.ids[place]: place for place in range(thread.start, thread.stop)}
    text = whole(talk, (row,))
    rivals: list[Parts] = []
    dropped: list[Dropped] = []
    for rival in named:
        reason = _not_given(talk, known.get(rival, ABSENT), text, params)
        if reason:
            dropped.append(_dropped_pair(talk, row, rival, f"rejected_{reason}"))
        else:
            rivals.append((known[rival],))
    return rivals, dropped


def _not_given(talk: Discussions, row: int, chosen: str, params: Pairs) -> str:
    """Why a named rival cannot be rejected; "" when it can."""
    if row == ABSENT:
        return "missing"
    if talk.awarded[row]:
        return "earned_delta"
    if talk.parent[row] != POST or not talk.person[row] or talk.gone[row]:
        return "unusable"
    return _no_rival(whole(talk, (row,)), chosen, params)


def _may_lose(talk: Discussions, chosen: str, params: Pairs, rival: Parts) -> bool:
    return not _no_rival(whole(talk, rival), chosen, params)


def _no_rival(text: str, chosen: str, params: Pairs) -> str:
    """Why a text cannot be rejected against ``chosen``; "" when it can."""
    return unfit(text, params) or ("near_chosen" if alike(text, chosen, params.near_duplicate) else "")


def _by_thread(talk: Discussions, turns: Iterable[Turn], seed: int) -> list[list[Turn]]:
    """Turns thread by thread; within one, their order is drawn, so that caps favour neither early nor late."""
    groups: dict[int, list[Turn]] = {}
    for turn in turns:
        groups.setdefault(int(talk.post[turn.choice.chosen.parts[-1]]), []).append(turn)
    return [
        sorted(group, key=lambda turn: lot(seed, talk.ids[turn.choice.chosen.parts[-1]], ""))
        for group in groups.values()
    ]


def _untaken(talk: Discussions, turn: Turn) -> list[Dropped]:
    """A chosen completion without a pair, and given pairs that a cap cut off."""
    row = turn.choice.chosen.parts[-1]
    lost = [] if turn.taken else [_dropped(talk, row, turn.reason)]
    if not talk.field("rivals", row):
        return lost
    left = [parts for parts in turn.choice.rivals if parts not in turn.taken]
    return [*lost, *(_dropped_pair(talk, row, talk.ids[parts[-1]], turn.reason) for parts in left)]


def _prompt(talk: Discussions, found: Challenge) -> str:
    return talk.posts[talk.post[found.parts[-1]]].prompt + challenges.shown_above(talk, found.above)


def _pair(talk: Discussions, found: Challenge, rival: Parts) -> Pair:
    post = talk.posts[talk.post[found.parts[-1]]]
    name, rejected = (talk.ids[parts[-1]] for parts in (found.parts, rival))
    return Pair(
        pair_id=pair_name(name, rejected),
        thread_id=post.id,
        split="",
        prompt=_prompt(talk, found),
        chosen=whole(talk, found.parts),
        rejected=whole(talk, rival),
        chosen_id=name,
        rejected_id=rejected,
        chosen_author=talk.field("author", found.parts[0]),
        rejected_author=talk.field("author", rival[0]),
        op_author=post.author,
        created_utc=post.created_utc,
        chosen_created_utc=talk.field("created_utc", found.parts[0]),
        rejected_created_utc=talk.field("created_utc", rival[0]),
        chosen_score=talk.field("score", found.parts[0]),
        rejected_score=talk.field("score", rival[0]),
        # Alphabetical order is the order of trust: confirmed, deltalog, given, token.
        label_source=min(delta["source"] for delta in talk.field("deltas", found.parts[-1]) if delta["by_op"]),
    )


def _dropped(talk: Discussions, row: int, reason: str) -> Dropped:
    return Dropped(kind=COMMENT, id=talk.ids[row], thread_id=talk.field("thread_id", row), reason=reason)


def _dropped_pair(talk: Discussions, row: int, rival: str, reason: str) -> Dropped:
    name = pair_name(talk.ids[row], rival)
    return Dropped(kind=PAIR, id=name, thread_id=talk.field("thread_id", row), reason=reason)
