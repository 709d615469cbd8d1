import random

import pytest

from persuasion.copies import Copies
from persuasion.grams import COPIED, grams
from persuasion.settling import Draft

SHARE = 0.8


def text(seed, count=60):
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(3000)}" for _ in range(count))


def run(rows):
    """Drop what is copied among (split, prompt, chosen, rejected)."""
    texts = sorted({each for row in rows for each in row[1:]})
    drafts = [
        Draft(pair_id=f"p{number}", thread_id="", split=split, chosen_id="", chosen_author="", rejected_author="",
              texts=tuple(map(texts.index, parts)))
        for number, (split, *parts) in enumerate(rows)
    ]  # fmt: skip
    return Copies([grams(each, COPIED) for each in texts], SHARE).of(drafts)


def row(split, seed, **changes):
    return (split, changes.get("prompt", text(f"p{seed}")), changes.get("chosen", text(f"c{seed}")), text(f"r{seed}"))


def test_texts_of_their_own_stay_and_so_does_a_copy_within_one_split():
    assert run([row("train", 1), row("test", 2), row("validation", 3)]) == set()
    assert run([row("train", 1), row("train", 2, chosen=text("c1"))]) == set()


@pytest.mark.parametrize("first", ["train", "validation"])
def test_a_copy_goes_from_the_split_that_trains_first(first):
    assert run([row(first, 1), row("test", 2, chosen=text("c1"))]) == {"p0"}


def test_a_text_inside_a_longer_one_is_a_copy_wherever_it_stands():
    longer = text("c1") + " " + text("more", 300)
    assert run([row("train", 1, chosen=longer), row("test", 2, chosen=text("c1"))]) == {"p1"}
    assert run([row("train", 1, chosen=text("c1")), row("test", 2, chosen=longer)]) == {"p0"}


def test_a_shared_passage_is_no_copy():
    shared = text("s", 20)
    assert (
        run([row("train", 1, chosen=text("a") + " " + shared), row("test", 2, chosen=shared + " " + text("b"))])
        == set()
    )
