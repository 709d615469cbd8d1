"""Which drafted pairs stay, once the splits are known: what only a look over all threads can tell.

In this order: pairs older than their split's days (``out_of_order``), pairs beyond an author's share
(``author_cap``), pairs of commenters who are at home in another split (``commenter_elsewhere``, on request), and
pairs with a text copied from another split (``copied_text``). Each drops by ids alone, whatever the order of rows.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from persuasion.config import Pairs
from persuasion.pairing import COMMENT, PAIR, THREAD, Dropped
from persuasion.records import SPLITS

Reasons = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A pair without its texts, and the split of its thread. ``texts`` name the prompt and both completions."""

    pair_id: str
    thread_id: str
    split: str
    chosen_id: str
    chosen_author: str
    rejected_author: str
    texts: tuple[int, int, int]


def settle(
    drafts: Sequence[Draft], late: set[str], params: Pairs, copied: Callable[[Sequence[Draft]], set[str]]
) -> tuple[Reasons, dict[str, int]]:
    """Return why each pair that goes does so, by id, and what is known of commenters.

    Args:
        drafts: every pair.
        late: threads whose pairs are out of order.
        params: the author's cap and whether commenters must be disjoint.
        copied: tells the pairs among some that hold a copied text.

    """
    gone: Reasons = {draft.pair_id: "out_of_order" for draft in drafts if draft.thread_id in late}
    _drop(gone, "author_cap", _beyond(_left(drafts, gone), params.max_per_author, params.seed))
    shared, elsewhere = commenters(_left(drafts, gone))
    if params.commenter_disjoint:
        _drop(gone, "commenter_elsewhere", elsewhere)
    _drop(gone, "copied_text", copied(_left(drafts, gone)))
    return gone, {"in_two_splits": shared, "pairs_to_part_them": len(elsewhere)}


def consequences(drafts: Iterable[Draft], gone: Mapping[str, str]) -> list[Dropped]:
    """Name the pairs that went, the chosen comments left without one, and the threads left without any."""
    comments: dict[str, list[Draft]] = defaultdict(list)
    threads: dict[str, list[Draft]] = defaultdict(list)
    for draft in sorted(drafts, key=lambda draft: draft.pair_id):
        comments[draft.chosen_id].append(draft)
        threads[draft.thread_id].append(draft)
    lost = [
        Dropped(kind=PAIR, id=draft.pair_id, thread_id=draft.thread_id, reason=gone[draft.pair_id])
        for rows in threads.values()
        for draft in rows
        if draft.pair_id in gone
    ]
    for name, rows in comments.items():
        if all(draft.pair_id in gone for draft in rows):
            lost.append(Dropped(kind=COMMENT, id=name, thread_id=rows[0].thread_id, reason=gone[rows[0].pair_id]))
    for name, rows in threads.items():
        if all(draft.pair_id in gone for draft in rows):
            lost.append(Dropped(kind=THREAD, id=name, thread_id=name, reason="no_pair"))
    return lost


def commenters(drafts: Iterable[Draft]) -> tuple[int, set[str]]:
    """How many commenters stand in two splits or more, and the pairs that would go to part them.

    A commenter is at home where most of their pairs are; of equals, in the first split by name. A pair stays
    where both of its commenters are at home; unknown authors ("") are nobody.
    """
    rows = list(drafts)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for draft in rows:
        for author in {draft.chosen_author, draft.rejected_author} - {""}:
            counts[author][draft.split] += 1
    home = {
        author: min(found, key=lambda split: (-found[split], SPLITS.index(split))) for author, found in counts.items()
    }
    elsewhere = {
        draft.pair_id
        for draft in rows
        if any(home[author] != draft.split for author in (draft.chosen_author, draft.rejected_author) if author)
    }
    return sum(len(found) > 1 for found in counts.values()), elsewhere


def _left(drafts: Iterable[Draft], gone: Mapping[str, str]) -> list[Draft]:
    return [draft for draft in drafts if draft.pair_id not in gone]


def _drop(gone: Reasons, reason: str, pairs: Iterable[str]) -> None:
    gone.update(dict.fromkeys(pairs, reason))


def _beyond(drafts: Iterable[Draft], most: int | None, seed: int) -> list[str]:
    """The pairs beyond each chosen author's first ``most``, in an order that is drawn by their names."""
    if most is None:
        return []
    by_author: dict[str, list[str]] = defaultdict(list)
    for draft in drafts:
        if draft.chosen_author:
            by_author[draft.chosen_author].append(draft.pair_id)
    return [
        pair
        for pairs in by_author.values()
        for pair in sorted(pairs, key=lambda pair: sha256(f"{seed}\0{pair}".encode()).digest())[most:]
    ]
