"""The first 500 usable rows of Tan et al. 2016 heldout root replies, from file to pairs."""

import csv
import json
from dataclasses import replace

import pytest

from persuasion.config import load_params
from persuasion.leakage import leaks
from persuasion.pairing import build_pairs
from persuasion.records import SPLITS, Pair
from persuasion.tables import write_rows
from tests.builders import source, talk_of
from tests.extracting import read

PARAMS = load_params().pairs
AS_GIVEN = replace(PARAMS, clean=False, min_words=1, max_words=10**6, max_prompt_words=10**6)


@pytest.fixture(scope="module")
def tan(real_data):
    """The file, and its rows as (post, positive, negative), read by nothing of ours."""
    path = real_data / "pairs" / "tan-heldout-500.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        return path, [(row["post"], row["positive"], row["negative"]) for row in csv.DictReader(stream)]


def built(path, params=PARAMS):
    """Pairs and drops of the file; texts are masked where they are cleaned."""
    ready = read(source(path, max_line_bytes=1 << 24, mask=params.clean))
    return build_pairs(talk_of(ready.submissions, ready.comments, clean=params.clean), params)


def unix(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


def longer_wins(pairs):
    """The share of (chosen, rejected) in which the chosen has more words; a tie counts half."""
    lengths = [(len(chosen.split()), len(rejected.split())) for chosen, rejected in pairs]
    return sum((chosen > rejected) + (chosen == rejected) / 2 for chosen, rejected in lengths) / len(lengths)


def test_every_row_is_imported_the_right_way_round(tan):
    path, rows = tan
    ready = read(source(path, mask=False))
    post = {row.id: row.selftext for row in ready.submissions}
    comments = ready.by_id
    won = [row for row in comments.values() if row.earned_delta]
    assert (ready.metrics["lines"], ready.metrics["refused"], ready.unaccounted) == (1500, 0, 0)
    assert ready.metrics["deltas_by"]["given"] == len(won)
    imported = {(post[row.thread_id], row.body, comments[rival].body) for row in won for rival in row.rivals}
    assert {tuple(map(unix, row)) for row in imported} == {tuple(map(unix, row)) for row in rows}
    assert (len(rows), len(imported), len(post)) == (500, 497, 347)
    assert longer_wins([row[1:] for row in rows]) == pytest.approx(0.582, abs=0.0005)


def test_the_pairs_survive_cleaning_and_every_lost_one_is_named(tan):
    pairs, dropped = built(tan[0])
    lost = [row for row in dropped if row.kind == "pair"]
    assert len(pairs) + len(lost) == 497
    assert len(pairs) >= 475
    assert sum(row.reason.endswith("label_residue") for row in dropped) <= 15
    assert longer_wins([(pair.chosen, pair.rejected) for pair in pairs]) == pytest.approx(0.57, abs=0.01)


def test_uncleaned_every_distinct_row_is_a_pair(tan):
    path, rows = tan
    pairs, dropped = built(path, AS_GIVEN)
    assert (len(pairs), dropped) == (497, [])
    assert {(pair.prompt, pair.chosen, pair.rejected) for pair in pairs} == set(rows)


def label_leaks(folder, pairs):
    """What the audit counts in files of these pairs."""
    for split in SPLITS:
        rows = [replace(pair, split=split) for pair in pairs if split == "test"]
        write_rows(folder / f"{split}.parquet", rows, Pair, "pair_id")
    return leaks(folder, set(), PARAMS)["label"]


def test_the_audit_finds_the_posts_that_announce_their_verdict_and_cleaning_leaves_none(tan, tmp_path):
    raw, cleaned = built(tan[0], AS_GIVEN)[0], built(tan[0])[0]
    posts = [replace(pair, chosen="A reply.", rejected="Another.") for pair in raw]
    assert label_leaks(tmp_path, posts) >= 36  # as counted by hand with a narrower rule
    assert label_leaks(tmp_path, raw) > label_leaks(tmp_path, posts)
    assert label_leaks(tmp_path, cleaned) == 0


def test_cleaning_does_not_change_who_is_longer(tan):
    raw = {(pair.chosen_id, pair.rejected_id): pair for pair in built(tan[0], AS_GIVEN)[0]}
    every = replace(PARAMS, min_words=1, max_words=10**6, max_prompt_words=10**6)
    cleaned = {(pair.chosen_id, pair.rejected_id): pair for pair in built(tan[0], every)[0]}
    shared = sorted(raw.keys() & cleaned.keys())
    before, after = (longer_wins([(rows[key].chosen, rows[key].rejected) for key in shared]) for rows in (raw, cleaned))
    assert len(shared) >= 480 and abs(before - after) < 0.01, (before, after)


def test_json_gives_the_same_pairs(tan, tmp_path):
    path, rows = tan
    copy = tmp_path / "pairs.json"
    names = ("prompt", "chosen", "rejected")
    copy.write_text(json.dumps([dict(zip(names, row, strict=True)) for row in rows]), encoding="utf-8")
    assert texts(copy) == texts(path)


def texts(path):
    return {(pair.prompt, pair.chosen, pair.rejected) for pair in built(path)[0]}
