import json

import pytest
import zstandard

from persuasion import spans, units
from persuasion.extraction import SKIPPED
from persuasion.masking import masked
from persuasion.pseudonyms import key_for
from persuasion.reddit import RawComment, RawSubmission, outcome
from tests.builders import source
from tests.crowds import plainly
from tests.extracting import frames, read


@pytest.fixture(scope="module")
def sample(real_data):
    return read(source(real_data / "pushshift-sample"))


@pytest.fixture(scope="module")
def records(real_data):
    """Every line of the sample, read by nothing of ours."""
    files = sorted(path for path in (real_data / "pushshift-sample").iterdir() if path.suffix != ".md")
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines() if line.strip()]


def test_exactly_the_five_confirmed_deltas_are_found(sample):
    given = [(comment, delta) for comment in sample.comments for delta in comment.deltas]
    assert len(given) == 5
    assert {delta.source for _, delta in given} == {"confirmed"}
    assert sum(delta.by_op for _, delta in given) == 4
    assert sum(comment.parent_id == comment.thread_id for comment, _ in given) == 1
    assert sum(sample.metrics["deltas_ignored_by"].values()) == 0


def test_every_line_is_accounted_for(sample):
    metrics = sample.metrics
    assert metrics["lines"] == 210
    assert (metrics["submissions"], metrics["comments"], metrics["refused"]) == (10, 100, 0)
    assert metrics["skipped_by"] == dict.fromkeys(SKIPPED, 0) | {"deltalog": 100}


@pytest.mark.parametrize("mask", [True, False])
def test_rows_are_those_of_plain_reading(records, real_data, mask):
    how = source(real_data / "pushshift-sample", mask=mask)
    found, expected = read(how), plainly(records, key_for(how), mask=mask)
    assert found.by_id == expected.comments
    assert {row.id: row for row in found.submissions} == expected.submissions


def test_masking_and_pseudonyms_leave_no_author_and_no_address(sample, records):
    raws = [raw for raw in (outcome(json.dumps(record), "changemyview") for record in records)
            if isinstance(raw, RawSubmission | RawComment)]  # fmt: skip
    texts = "\n".join([*(row.body for row in sample.comments), *(row.selftext for row in sample.submissions)])
    mentioned = [raw.author for raw in raws if f"u/{raw.author}" in texts]
    assert not mentioned and masked(texts) == texts
    assert not {raw.author for raw in raws} & {row.author for row in [*sample.comments, *sample.submissions]}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_bytes_in_frames_cut_anywhere_give_the_same_tables(sample, real_data, tmp_path, workers, monkeypatch):
    monkeypatch.setattr(units, "spans", lambda path: spans.spans(path, 1))
    for path in (real_data / "pushshift-sample").iterdir():
        content = path.read_bytes()
        whole = zstandard.ZstdCompressor().compress(content)
        packed = frames(content, range(0, len(content), 50_000)) if "comments" in path.name.lower() else whole
        (tmp_path / f"{path.stem}.zst").write_bytes(packed)
    again = read(source(tmp_path, workers=workers, block_bytes=4096))
    assert (again.tables, again.metrics) == (sample.tables, sample.metrics)
