import random
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pytest

from persuasion.config import load_params
from persuasion.corpus import corpus
from persuasion.pairing import build_pairs
from persuasion.records import BOT, DELETED, MODERATOR, Pair
from persuasion.tables import write_rows
from tests.builders import comment, delta, submission, talk_of

PARAMS = replace(load_params().pairs, min_words=1, max_words=60)

TOLD = "You made the one point that tells the verdict, friend, and I thank you."


def words(seed, count=20):
    """A text that no other seed gives."""
    draw = random.Random(seed)
    return " ".join(draw.choice("abcdefghij") + draw.choice("aeiou") + draw.choice("klmnprst") for _ in range(count))


@pytest.fixture(autouse=True)
def telling(monkeypatch):
    """Cleaning leaves no residue that the check knows, so the check is taught one that cleaning does not know."""
    monkeypatch.setattr("persuasion.usable.announces_delta", lambda text: TOLD in text)


def post(name, **changes):
    given = {"id": name, "author": f"op-{name}", "created_utc": 1, "title": f"CMV: {words(name, 5)}"}
    return submission(**given | {"selftext": words(f"post {name}", 40)} | changes)


def reply(name, thread, **changes):
    """A top-level comment; a delta given as ``deltas`` is earned."""
    given = {"id": name, "thread_id": thread, "parent_id": thread, "author": f"by-{name}", "created_utc": 10}
    given |= {"body": words(name), "is_op": False, "deltas": (), "rivals": ()} | changes
    return comment(**given, earned_delta=bool(given["deltas"]))


def talk(thread, *replies):
    """The comments of a thread: OP's last word at 100, the winner and ``replies`` before it."""
    op = reply(f"{thread}-op", thread, author=f"op-{thread}", is_op=True, created_utc=100)
    return [op, reply(f"{thread}-won", thread, deltas=(delta(),)), *replies]


def forum(count=40):
    """Threads with one winner, one other award, and up to four that earned none."""
    posts = [post(f"t3_{number:03}") for number in range(count)]
    comments = []
    for number, row in enumerate(posts):
        others = [reply(f"{row.id}-{k}", row.id) for k in range(number % 5)]
        comments += talk(row.id, *others, reply(f"{row.id}-fan", row.id, deltas=(delta(by_op=False),)))
    return posts, comments


def built(posts, comments, params=PARAMS):
    return build_pairs(talk_of(posts, comments), params)


def test_order_of_rows_does_not_matter(tmp_path):
    posts, comments = forum()
    results = {}
    for name in ("given", "shuffled"):
        results[name] = built(posts, comments)
        write_rows(tmp_path / name, results[name][0], Pair, "pair_id")
        random.Random(name).shuffle(posts)
        random.Random(name).shuffle(comments)
    assert results["given"] == results["shuffled"]
    assert (tmp_path / "given").read_bytes() == (tmp_path / "shuffled").read_bytes()


def test_every_award_and_every_thread_ends_once():
    posts, comments = forum()
    posts += [
        post("t3_gone", role=DELETED, author=""),
        post("t3_cut", selftext="[removed]"),
        post("t3_mod", role=MODERATOR),
    ]
    posts += [post("t3_empty", title="", selftext=" \n"), post("t3_silent")]
    comments += [row for name in ("t3_gone", "t3_cut", "t3_mod", "t3_empty") for row in talk(name)]
    win = {"deltas": (delta(),)}
    more = [
        ("nested", reply("n", "t3_000", parent_id="t1_x", **win)),
        ("too_short", reply("s", "t3_000", body="&gt; Only a quote.", **win)),
        ("too_long", reply("l", "t3_000", body=words("l", 61), **win)),
        ("deleted", reply("d", "t3_000", body="[deleted]", **win)),
        ("deleted", reply("a", "t3_000", role=DELETED, **win)),
        ("not_a_challenger", reply("b", "t3_000", role=BOT, **win)),
        ("not_a_challenger", reply("i", "t3_000", is_op=True, **win)),
        ("label_residue", reply("r", "t3_000", body=TOLD, **win)),
        ("no_post", reply("o", "t3_unknown", **win)),
    ]
    comments += [row for _, row in more]
    pairs, dropped = built(posts, comments)
    reasons = {row.id: row.reason for row in dropped if row.kind == "comment"}
    assert [reasons[row.id] for _, row in more] == [reason for reason, _ in more]
    ended = [row.id for row in dropped if row.kind == "comment"] + list({pair.chosen_id for pair in pairs})
    assert sorted(ended) == sorted(row.id for row in comments if row.earned_delta)
    ended = [row.id for row in dropped if row.kind == "thread"] + list({pair.thread_id for pair in pairs})
    assert sorted(ended) == sorted(row.id for row in posts)
    counts = Counter(row.reason for row in dropped)
    assert counts["thread_dropped"] == 4
    assert counts["award_not_by_op"] == 40
    assert counts["no_negative"] == counts["no_pair"] == 8
    assert all(counts[reason] == 1 for reason in ("op_deleted", "post_removed", "moderator_post", "empty_post"))
    assert counts["no_delta"] == 1


def test_who_earned_a_delta_is_never_rejected():
    posts, comments = forum()
    comments += [reply(f"{row.id}-again", row.id, author=f"by-{row.id}-won") for row in posts]
    pairs, _ = built(posts, comments)
    winners = {(row.thread_id, row.author) for row in comments if row.earned_delta}
    assert len(pairs) == 8 + 24 * 2
    assert not winners & {(pair.thread_id, pair.rejected_author) for pair in pairs}


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "&gt; Only a quote."},
        {"body": words("long", 61)},
        {"body": "[removed]"},
        {"body": words("t3_1-won")},
        {"body": words("t3_1-won") + " more"},
        {"body": TOLD},
        {"role": BOT},
        {"role": DELETED},
        {"role": MODERATOR},
        {"is_op": True},
        {"author": "op-t3_1"},
        {"author": "by-t3_1-won"},
        {"parent_id": "t1_other"},
        {"created_utc": 100},
        {"deltas": (delta(by_op=False),)},
    ],
    ids=str,
)
def test_what_may_not_be_rejected(changes):
    good, bad = reply("good", "t3_1"), reply("bad", "t3_1", **changes)
    pairs, _ = built([post("t3_1")], talk("t3_1", good, bad))
    assert [pair.rejected_id for pair in pairs] == ["good"]


def test_unknown_authors_are_not_one_person():
    fan = reply("fan", "t3_1", deltas=(delta(by_op=False),))
    comments = [replace(row, author="") for row in talk("t3_1", reply("a", "t3_1"), reply("b", "t3_1"), fan)]
    pairs, _ = built([post("t3_1", author="")], comments)
    assert {pair.rejected_id for pair in pairs} == {"a", "b"}


def test_choice_is_a_hash_of_seed_and_ids():
    posts, comments = [post("t3_1")], talk("t3_1", *(reply(f"c{k}", "t3_1") for k in range(9)))
    pairs, _ = built(posts, comments)
    order = sorted((f"c{k}" for k in range(9)), key=lambda k: sha256(f"1\0t3_1-won\0{k}".encode()).hexdigest())
    assert {pair.rejected_id for pair in pairs} == set(order[:2])
    name = sha256(f"t3_1-won\0{order[0]}".encode()).hexdigest()[:16]
    assert f"p_{name}" in {pair.pair_id for pair in pairs}
    others, _ = built(posts, comments, replace(PARAMS, seed=2, per_positive=9))
    assert len(others) == 9


def test_given_pairs_are_kept_as_given():
    rivals = ("late", "short", "absent", "same", "also", "nested")
    won = reply("won", "t3_1", author="", deltas=(delta(source="given"),), rivals=rivals, created_utc=0)
    late, short = (reply("late", "t3_1", author="", created_utc=0), reply("short", "t3_1", author="", body="&gt; No."))
    same = reply("same", "t3_1", author="", body=won.body)
    also = reply("also", "t3_1", deltas=(delta(by_op=False),))
    others = [reply("other", "t3_1", author="", created_utc=0), reply("nested", "t3_1", parent_id="t1_x"), also]
    pairs, dropped = built([post("t3_1", author="", title="")], [won, late, short, same, *others])
    assert [(pair.chosen_id, pair.rejected_id, pair.label_source) for pair in pairs] == [("won", "late", "given")]
    assert pairs[0].prompt == words("post t3_1", 40)
    reasons = ["earned_delta", "missing", "near_chosen", "too_short", "unusable"]
    assert sorted(row.reason for row in dropped if row.kind == "pair") == [f"rejected_{name}" for name in reasons]
    pairs, dropped = built([post("t3_1")], [replace(won, body=TOLD), late, short, same])
    assert Counter(row.reason for row in dropped) == {"label_residue": 1, "chosen_dropped": 6, "no_pair": 1}
    assert not pairs


def test_prompt_is_title_blank_line_text_and_tells_no_verdict():
    posts = [post("t3_1", title="CMV: Naps help.", selftext="They do, and " + words("x"))]
    pairs, _ = built(posts, talk("t3_1", reply("a", "t3_1")))
    assert pairs[0].prompt.split("\n\n") == ["CMV: Naps help.", "They do, and " + words("x")]
    told = [replace(posts[0], selftext=TOLD + " " + words("x"))]
    pairs, dropped = built(told, talk("t3_1", reply("a", "t3_1")))
    assert [row.reason for row in dropped] == ["label_residue", "no_pair"]
    assert not pairs


def test_corpus_is_every_usable_reply():
    posts = [post("t3_1"), post("t3_2", selftext=TOLD), post("t3_3", role=DELETED), post("t3_4"), post("t3_5")]
    spoiled = [reply("told", "t3_1", body=TOLD), reply("n", "t3_1", parent_id="t1_x"), reply("b", "t3_1", role=BOT)]
    comments = talk("t3_1", reply("plain", "t3_1"), *spoiled) + talk("t3_2") + talk("t3_3") + talk("t3_4")
    rows = corpus(talk_of(posts, comments), PARAMS)
    assert [(row.thread_id, row.completions) for row in rows] == [
        ("t3_1", (words("plain"), words("t3_1-won"))),
        ("t3_4", (words("t3_4-won"),)),
    ]
    assert rows[0].prompt == talk_of(posts[:1], []).posts[0].prompt


def test_a_title_alone_is_a_prompt_and_uncleaned_texts_stay_as_they_are():
    posts, comments = forum(1)
    titled = replace(posts[0], title="CMV: Naps help", selftext="")
    assert talk_of([titled], comments).posts[0].prompt == "CMV: Naps help"
    raw = talk_of([replace(posts[0], selftext="&gt; EDIT: !delta")], comments, clean=False)
    assert raw.posts[0].prompt.endswith("&gt; EDIT: !delta")
    assert sorted(raw.texts(range(len(comments)))) == sorted(row.body for row in comments)


def test_a_prompt_of_absurd_length_is_dropped():
    posts, comments = forum(1)
    _, dropped = built(posts, comments, replace(PARAMS, max_prompt_words=40))
    assert {row.reason for row in dropped if row.id == "t3_000-won"} == {"prompt_too_long"}


def crowd(winners=3, others=2):
    """One thread of many winners and few who earned nothing."""
    won = [reply(f"w{k}", "t3_1", deltas=(delta(),)) for k in range(winners)]
    return [post("t3_1")], talk("t3_1", *won, *(reply(f"c{k}", "t3_1") for k in range(others)))


def test_no_negative_is_used_more_often_than_allowed_and_first_pairs_come_before_second_ones():
    pairs, dropped = built(*crowd(), replace(PARAMS, max_reuse=2))
    assert max(Counter(pair.rejected_id for pair in pairs).values()) == 2
    assert len(pairs) == 4 and {pair.chosen_id for pair in pairs} == {"t3_1-won", "w0", "w1", "w2"}
    pairs, dropped = built(*crowd(), replace(PARAMS, max_reuse=1))
    assert len({pair.rejected_id for pair in pairs}) == len(pairs) == 2
    assert [row.reason for row in dropped if row.kind == "comment"] == ["negatives_used_up"] * 2


def test_a_thread_gives_no_more_pairs_than_allowed():
    pairs, dropped = built(*crowd(), replace(PARAMS, max_per_thread=3))
    assert len(pairs) == len({pair.chosen_id for pair in pairs}) == 3
    assert [row.reason for row in dropped if row.kind == "comment"] == ["thread_cap"]
    posts, comments = crowd()
    random.Random(1).shuffle(comments)
    assert built(posts, comments, replace(PARAMS, max_per_thread=3))[0] == pairs
