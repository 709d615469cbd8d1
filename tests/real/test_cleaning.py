"""Cleaning and masking on real posts and comments: what must be gone is gone, and little else with it."""

import csv
import json
import re

import pyarrow as pa
import pytest

from persuasion.hiding import masked_column
from persuasion.markdown import clean
from persuasion.masking import masked
from persuasion.residue import announces_delta

NAMES = (("post", "positive", "negative"), ("prompt", "chosen", "rejected"))
HANDLE = re.compile(r"(?<!\w)@[A-Za-z_]")


@pytest.fixture(scope="module")
def tan(real_data):
    """The distinct posts and the distinct replies of the pair file."""
    with (real_data / "pairs" / "tan-heldout-500.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    post, *replies = next(names for names in NAMES if names[0] in rows[0])
    return sorted({row[post] for row in rows}), sorted({row[name] for row in rows for name in replies})


@pytest.fixture(scope="module")
def sample(real_data):
    """Posts and comments of the dump, DeltaBot's left out: no text of its can be a completion."""
    posts, comments = (
        [json.loads(line) for line in (real_data / "pushshift-sample" / f"{name}.ndjson").open(encoding="utf-8")]
        for name in ("submissions", "comments")
    )
    return [row["selftext"] for row in posts], [row["body"] for row in comments if row["author"] != "DeltaBot"]


@pytest.fixture(scope="module", params=["tan", "sample"])
def texts(request):
    posts, comments = request.getfixturevalue(request.param)
    assert len(posts) >= 10 and len(comments) >= 90
    return posts + comments


def test_no_cleaned_text_announces_the_verdict(tan):
    posts, comments = tan
    assert sum(map(announces_delta, posts)) > 30 and sum(map(announces_delta, comments)) > 5
    assert not any(announces_delta(clean(text)) for text in posts + comments)


def test_no_cleaned_text_holds_a_footnote_a_name_or_an_address(texts):
    for text in map(clean, texts):
        assert "Happy CMVing" not in text and "footnote from" not in text and "users of CMV" not in text
        assert "/u/" not in text and not HANDLE.search(text)
        assert "http:" not in text and "https:" not in text and "www." not in text


def test_cleaning_empties_next_to_nothing_and_keeps_the_own_words(tan):
    posts, replies = tan
    assert all(clean(post) for post in posts if post.strip())
    assert sum(not clean(reply) for reply in replies) <= 1  # of 946
    marked = re.compile(r"(?i)edit|update|>|&gt;|delta|http|www|/u/|view|mind|opinion")
    plain = [reply for reply in replies if not marked.search(reply)]
    words = [(len(reply.split()), len(clean(reply).split())) for reply in plain]
    assert len(plain) > 100
    assert sum(after for _, after in words) >= 0.998 * sum(before for before, _ in words)


def test_masking_first_changes_nothing_for_cleaning_and_a_column_is_masked_alike(texts):
    assert [clean(masked(text)) for text in texts] == [clean(text) for text in texts]
    assert masked_column(pa.array(texts)).to_pylist() == [masked(text) for text in texts]


def test_masking_is_stable_and_leaves_no_address_in_the_raw_text(texts):
    for text in map(masked, texts):
        assert masked(text) == text
        assert not re.search(r"https?://|/u/\w|(?<!\w)u/\w\w|\w@\w+\.\w", text)
