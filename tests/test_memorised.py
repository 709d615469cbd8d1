import random

from persuasion.measures import copied
from persuasion.memorised import longest_runs


def brute(text, sources):
    words = text.lower().split()
    for size in range(len(words), 0, -1):
        runs = {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}
        for source in sources:
            own = source.lower().split()
            if any(tuple(own[i : i + size]) in runs for i in range(len(own) - size + 1)):
                return size
    return 0


def test_longest_runs_are_those_found_by_trying_all():
    chance = random.Random(7)
    for _ in range(150):
        texts, sources = (
            [" ".join(chance.choices("abc", k=chance.randint(0, 9))) for _ in range(chance.randint(0, 4))] for _ in "ab"
        )
        assert longest_runs(texts, sources) == [brute(text, sources) for text in texts]


def test_thirteen_words_are_what_the_copy_rate_counts():
    chance = random.Random(1)
    sources = [" ".join(chance.choices("abcd", k=60)) for _ in range(5)]
    texts = [" ".join(source.split()[5 : 5 + size]) for source, size in zip(sources, (12, 13, 14, 3, 30), strict=True)]
    assert [run >= 13 for run in longest_runs(texts, sources)] == copied(texts, sources)


def test_case_and_space_do_not_hide_a_copy():
    assert longest_runs(["So  THE cat\nsat there", ""], ["the cat sat on"]) == [3, 0]
