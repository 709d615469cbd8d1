from dataclasses import replace

from persuasion import slices
from persuasion.undefined import Undefined, settled
from tests.test_baselines import pair
from tests.test_clumps import posts
from tests.test_judging import SETTINGS

YEAR = 31_557_600
TEXTS, THEMES = posts(90, 1)
EVERY = [
    replace(
        pair(2 * i, "x", "y", text + " word" * (i % 9)),
        created_utc=(i % 3) * YEAR,
        label_source="token" if i % 2 else "",
    )
    for i, text in enumerate(TEXTS)
]
TRAINING, JUDGED = EVERY[:60], EVERY[60:]
SCORES: list[float | None] = [float(i % 4 > 0) for i in range(30)]


def rows() -> list[dict]:
    return slices.sliced(SCORES, [0.5] * 30, JUDGED, TRAINING, replace(SETTINGS, topics=3))


def test_every_cut_holds_every_pair_once_and_says_how_many() -> None:
    found = rows()
    for by in ("year", "topic", "post_length", "label_source"):
        cut = [row for row in found if row["by"] == by]
        assert sum(row["pairs"] for row in cut) == 30
        assert sum(row["pairs"] * row["accuracy"] for row in cut) == sum(SCORES)  # type: ignore[arg-type]
    names = {by: [row["slice"] for row in found if row["by"] == by] for by in ("year", "label_source", "topic")}
    assert names == {
        "year": ["1971", "1972", "unknown"],
        "label_source": ["token", "unknown"],
        "topic": ["1", "2", "3"],
    }


def test_topics_are_what_the_posts_are_about_in_words_of_theirs() -> None:
    lines = {row["slice"]: row for row in rows() if row["by"] == "topic"}
    assert all(row["pairs"] == 10 for row in lines.values())
    assert len({row["words"] for row in lines.values()}) == 3


def test_post_lengths_are_named_by_their_ends() -> None:
    cut = [row for row in rows() if row["by"] == "post_length"]
    assert cut[0]["words"].startswith("7 to ") and cut[-1]["words"].endswith(" to 15 words")
    assert [row["slice"] for row in cut] == ["1", "2", "3", "4"]


def test_the_branch_holds_numbers_only_and_too_few_posts_say_so() -> None:
    tree = slices.branch(rows())
    assert tree["year"]["1971"]["pairs"] == 10 and "words" not in tree["year"]["1971"]
    bare = slices.branch(slices.sliced(SCORES[:2], [0.5] * 2, JUDGED[:2], TRAINING[:2], SETTINGS))
    assert isinstance(bare["topic"], Undefined) and bare["year"]
    assert settled(slices.branch(slices.sliced([], [], [], TRAINING, SETTINGS)))[0] == dict.fromkeys(tree, None)


def test_a_slice_of_one_post_has_no_interval() -> None:
    only = slices.sliced([1.0], [0.5], JUDGED[:1], TRAINING, SETTINGS)[0]
    assert only["accuracy"] == 1.0 and isinstance(only["accuracy_low"], Undefined) and only["threads"] == 1
