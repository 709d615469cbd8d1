import pytest
import zstandard

from persuasion.extraction import extract, measured
from persuasion.markdown import clean
from persuasion.records import Comment, Submission
from persuasion.residue import announces_delta
from persuasion.tables import write_rows
from tests.builders import source


@pytest.fixture(scope="module")
def sample(real_data):
    return extract(source(real_data / "pushshift-sample"))


def tables(extracted, folder):
    folder.mkdir()
    write_rows(folder / "submissions", extracted.submissions, Submission, key="id")
    write_rows(folder / "comments", extracted.comments, Comment, key="id")
    return [(folder / name).read_bytes() for name in ("submissions", "comments")]


def test_exactly_the_five_confirmed_deltas_are_found(sample):
    given = [(comment, delta) for comment in sample.comments for delta in comment.deltas]
    assert len(given) == 5
    assert {delta.source for _, delta in given} == {"confirmed"}
    assert sum(delta.by_op for _, delta in given) == 4
    assert sum(comment.parent_id == comment.thread_id for comment, _ in given) == 1
    assert sum(sample.deltas_ignored_by.values()) == 0


def test_every_line_is_accounted_for(sample):
    metrics = measured(sample)
    assert metrics["lines"] == 210
    assert (metrics["submissions"], metrics["comments"], metrics["refused"]) == (10, 100, 0)
    assert metrics["skipped_by"] == {"blank": 0, "other_subreddit": 100}


def test_the_same_bytes_as_zstd_give_the_same_tables(sample, real_data, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for path in (real_data / "pushshift-sample").iterdir():
        content = zstandard.ZstdCompressor().compress(path.read_bytes())
        (packed / f"{path.stem}.zst").write_bytes(content)
    again = extract(source(packed))
    assert tables(again, tmp_path / "again") == tables(sample, tmp_path / "once")
    assert measured(again) == measured(sample)


@pytest.fixture(scope="module")
def tan(real_data):
    return extract(source(real_data / "pairs" / "tan-heldout-500.csv"))


def test_tan_heldout_imports_as_pairs(tan):
    assert len(tan.submissions) == 347
    assert sum(len(comment.rivals) for comment in tan.comments) == 497  # 500 rows, 3 of them word for word again
    metrics = measured(tan)
    assert metrics["lines"] == 1500
    assert metrics["refused"] == 0
    assert sum(metrics["skipped_by"].values()) == 1500 - len(tan.submissions) - len(tan.comments)


def test_the_longer_reply_wins_as_often_as_published(tan):
    words = {comment.id: len(comment.body.split()) for comment in tan.comments}
    margins = [words[comment.id] - words[rival] for comment in tan.comments for rival in comment.rivals]
    wins = sum((margin > 0) + 0.5 * (margin == 0) for margin in margins) / len(margins)
    assert wins == pytest.approx(0.582, abs=0.005)


def test_cleaning_takes_nearly_every_verdict_and_every_footnote_from_posts(tan):
    raw = [post.selftext for post in tan.submissions]
    cleaned = [clean(text) for text in raw]
    assert sum(map(announces_delta, raw)) > 30
    assert sum(map(announces_delta, cleaned)) <= 5
    assert not any("Happy CMVing" in text or "footnote from" in text for text in cleaned)
    assert sum(not text for text in cleaned) <= 1
