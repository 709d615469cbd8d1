import random
from collections import Counter
from dataclasses import replace

from persuasion.config import load_params
from persuasion.settling import Draft, commenters, consequences, settle

PARAMS = replace(load_params().pairs, max_per_author=None)


def draft(number, **changes):
    given = {"pair_id": f"p_{number:03}", "thread_id": f"t3_{number // 2}", "split": "train"}
    given |= {"chosen_id": f"t1_{number // 2}", "chosen_author": "", "rejected_author": "", "texts": (0, 0, 0)}
    return Draft(**given | changes)


def settled(drafts, late=(), copied=(), **changes):
    return settle(drafts, set(late), replace(PARAMS, **changes), lambda left: {d.pair_id for d in left} & set(copied))


def test_all_stay_where_nothing_is_wrong():
    assert settled([draft(k) for k in range(9)]) == ({}, {"in_two_splits": 0, "pairs_to_part_them": 0})


def test_each_reason_is_named_once_and_the_first_counts():
    drafts = [draft(k, chosen_author="ann") for k in range(8)]
    gone, _ = settled(drafts, late=["t3_0"], copied=["p_000", "p_002"], max_per_author=3)
    assert Counter(gone.values()) == {"out_of_order": 2, "author_cap": 3} | ({"copied_text": 1} if "p_002" not in
        settled(drafts, late=["t3_0"], max_per_author=3)[0] else {})  # fmt: skip
    shuffled = random.Random(2).sample(drafts, len(drafts))
    assert settled(shuffled, late=["t3_0"], copied=["p_000", "p_002"], max_per_author=3)[0] == gone


def test_commenters_are_at_home_in_one_split_and_their_price_is_told_either_way():
    drafts = [
        draft(0, chosen_author="ann"),
        draft(2, chosen_author="ann"),
        draft(4, split="test", rejected_author="ann"),
    ]
    assert commenters(drafts) == (1, {"p_004"})
    gone, told = settled(drafts)
    assert gone == {} and told == {"in_two_splits": 1, "pairs_to_part_them": 1}
    gone, _ = settled(drafts, commenter_disjoint=True)
    assert gone == {"p_004": "commenter_elsewhere"}
    assert commenters([row for row in drafts if row.pair_id not in gone]) == (0, set())


def test_what_follows_names_pairs_comments_and_threads():
    drafts = [draft(0), draft(1), draft(2), draft(3)]
    lost = consequences(drafts, {"p_000": "copied_text", "p_001": "author_cap", "p_002": "author_cap"})
    assert Counter((row.kind, row.id, row.reason) for row in lost) == Counter([
        ("pair", "p_000", "copied_text"), ("pair", "p_001", "author_cap"), ("pair", "p_002", "author_cap"),
        ("comment", "t1_0", "copied_text"), ("thread", "t3_0", "no_pair"),
    ])  # fmt: skip
