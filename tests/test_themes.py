import random

from persuasion.themes import themes

SUBJECTS = {"nap": ["sleep", "pillow", "afternoon", "rest"], "tax": ["income", "state", "money", "budget"]}


def posts(count):
    draw = random.Random(0)
    return [" ".join(draw.choices(draw.choice(list(SUBJECTS.values())), k=30)) + f" secret{k}" for k in range(count)]


def test_themes_are_subjects_and_no_word_of_a_single_post_is_named():
    found = themes(posts(200), 1)
    assert sum(theme.posts for theme in found) == 200 and found == themes(posts(200), 1)
    assert {word for theme in found for word in theme.words} <= {word for words in SUBJECTS.values() for word in words}


def test_few_posts_have_none():
    assert themes(posts(20), 1) == [] and themes(["alike"] * 100, 1) == []
