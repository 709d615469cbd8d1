"""The first 500 usable rows of Tan et al. 2016 heldout root replies, from file to pairs."""

import csv
import json
from dataclasses import replace

import pytest

from persuasion.config import load_params
from persuasion.leakage import leaks
from persuasion.pairing import build_pairs
from persuasion.usable import assemble
from tests.builders import source
from tests.extracting import read

PARAMS = load_params().pairs


@pytest.fixture(scope="module")
def tan(real_data):
    """The file, and its rows as (post, positive, negative), read by nothing of ours."""
    path = real_data / "pairs" / "tan-heldout-500.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        return path, [(row["post"], row["positive"], row["negative"]) for row in csv.DictReader(stream)]


def built(path, params=PARAMS):
    """Pairs and drops of the file; texts are masked where they are cleaned."""
    ready = read(source(path, max_line_bytes=1 << 24, mask=params.clean))
    return build_pairs(assemble(ready.submissions, ready.comments, clean=params.clean), params)


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
    found = leaks(pairs, PARAMS.near_duplicate)
    assert (found["label"], found["chosen_rejected"]) == (0, 0)


def test_uncleaned_every_distinct_row_is_a_pair(tan):
    path, rows = tan
    pairs, dropped = built(path, replace(PARAMS, clean=False, min_words=1, max_words=10**6))
    assert (len(pairs), dropped) == (497, [])
    assert {(pair.prompt, pair.chosen, pair.rejected) for pair in pairs} == set(rows)


def test_json_gives_the_same_pairs(tan, tmp_path):
    path, rows = tan
    copy = tmp_path / "pairs.json"
    names = ("prompt", "chosen", "rejected")
    copy.write_text(json.dumps([dict(zip(names, row, strict=True)) for row in rows]), encoding="utf-8")
    assert texts(copy) == texts(path)


def texts(path):
    return {(pair.prompt, pair.chosen, pair.rejected) for pair in built(path)[0]}
