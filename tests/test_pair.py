"""The stage ``pair`` from tables to files: counts that add up, the same bytes whatever the order or the workers."""

import json
import random
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from persuasion.config import load_params
from persuasion.errors import DataFailure
from persuasion.records import SPLITS, Comment, CorpusThread, Pair, Submission, ThreadSplit
from persuasion.tables import read_rows, table_writer
from stages import pair as stage
from tests.builders import arrow
from tests.project import change
from tests.test_pairing import forum


def run(folder, monkeypatch, posts, comments, changes=None):
    """Run the stage on tables with these rows, as they come."""
    shutil.copy("params.yaml", folder)
    change(folder, changes or {})
    monkeypatch.chdir(folder)
    for name, rows, kind in (("submissions", posts, Submission), ("comments", comments, Comment)):
        with table_writer(Path(f"data/threads/{name}.parquet"), kind) as write:
            write(arrow(rows, kind))
    stage.main()
    return json.loads(stage.METRICS.read_text())["pair"]


def test_figures_add_up_and_every_thread_has_a_split(tmp_path, monkeypatch):
    posts, comments = forum(120)
    figures = run(tmp_path, monkeypatch, posts, comments)
    pairs = {split: read_rows(stage.PAIRS / f"{split}.parquet", Pair) for split in SPLITS}
    assert figures["pairs"] == {split: len(rows) for split, rows in pairs.items()}
    lines = [json.loads(line) for line in (stage.PAIRS / "dropped.jsonl").read_text().splitlines()]
    assert figures["dropped_by"] == Counter(line["reason"] for line in lines)
    assert {tuple(line) for line in lines} == {("id", "kind", "reason", "thread_id")}
    kinds = Counter(line["kind"] for line in lines)
    assert figures["awarded"]["all"] == figures["awarded"]["chosen"] + kinds["comment"] == 240
    assert figures["threads"]["all"] == sum(figures["threads"][split] for split in SPLITS) + kinds["thread"] == 120
    assert not any(figures["leaks"].values())
    splits = {row.thread_id: row.split for row in read_rows(stage.PAIRS / "splits.parquet", ThreadSplit)}
    assert set(splits) == {row.id for row in posts}
    corpus = {split: read_rows(stage.CORPUS / f"{split}.parquet", CorpusThread) for split in ("train", "validation")}
    for split, rows in corpus.items():
        assert {row.thread_id for row in rows} == {thread for thread, name in splits.items() if name == split}
    assert all(splits[pair.thread_id] == pair.split == split for split, rows in pairs.items() for pair in rows)
    histogram = [line.split("\t") for line in (stage.PLOTS / "lengths.tsv").read_text().splitlines()[1:]]
    assert sum(int(line[2]) for line in histogram) == sum(figures["pairs"].values())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"pairs.unit": "path", "pairs.negative": "similar", "pairs.split": "time"},
        {"pairs.unit": "nested", "pairs.negative": "lexical", "pairs.max_per_author": 1},
    ],
    ids=str,
)
def test_the_same_bytes_for_shuffled_rows_any_ranges_and_any_workers(tmp_path, monkeypatch, changes):
    posts, comments = forum(60)
    posts = [replace(row, created_utc=place + 1) for place, row in enumerate(posts)]
    root, seen = Path.cwd(), set()
    for number, (workers, group) in enumerate([(1, 1 << 16), (1, 16), (2, 16)]):
        monkeypatch.chdir(root)
        folder = tmp_path / str(number)
        folder.mkdir()
        for rows in (posts, comments):
            random.Random(number).shuffle(rows)
        # small row groups make many ranges; the outputs, which have groups of their own, are compared as rows
        monkeypatch.setattr("persuasion.tables.ROW_GROUP", group)
        figures = run(folder, monkeypatch, posts, comments, changes | {"source.workers": workers})
        tables = [pq.read_table(path).to_pylist() for path in sorted((folder / "data").rglob("*.parquet"))
                  if "threads" not in path.parts]  # fmt: skip
        others = [(folder / "data/pairs" / name).read_text() for name in ("dropped.jsonl", "README.md")]
        others[1] = re.sub("[0-9a-f]{64}", "", others[1])  # of the files, whose groups differ here
        seen.add(json.dumps([tables, others, figures], sort_keys=True))
        assert len(tables) == 6
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("threads", "says"), [(1, r"train \d, validation \d, test \d"), (10, "no thread gives a pair")]
)
def test_too_little_is_refused_and_leaves_nothing(tmp_path, monkeypatch, threads, says):
    posts, comments = forum(threads)
    if threads == 10:
        comments = [replace(row, earned_delta=False, deltas=()) for row in comments]
    with pytest.raises(DataFailure, match=says):
        run(tmp_path, monkeypatch, posts, comments)
    assert {path.name for path in Path().iterdir()} == {"params.yaml", "data"}
    assert {path.name for path in Path("data").iterdir() if any(path.iterdir())} == {"threads"}


def test_a_reply_pasted_into_threads_of_other_splits_goes_and_is_named(tmp_path, monkeypatch):
    posts, comments = forum(120)
    pasted = comments[1].body
    changed = [replace(row, body=pasted) if row.id.endswith("-won") else row for row in comments]
    figures = run(tmp_path, monkeypatch, posts, changed)
    assert figures["dropped_by"]["copied_text"] > 0 and figures["leaks"]["text"] == 0
    texts = [pq.read_table(stage.PAIRS / f"{split}.parquet")["chosen"].to_pylist() for split in SPLITS]
    assert sum(pasted in column for column in texts) <= 1


def test_commenters_can_be_parted_and_the_price_is_told(tmp_path, monkeypatch):
    posts, comments = forum(120)
    few = [replace(row, author=f"reg{hash_of(row.id) % 30}") if "-won" in row.id else row for row in comments]
    root = Path.cwd()
    price = run(tmp_path, monkeypatch, posts, few)["audit"]["pairs_to_part_commenters"]
    assert price > 0
    monkeypatch.chdir(root)
    (tmp_path / "parted").mkdir()
    figures = run(tmp_path / "parted", monkeypatch, posts, few, {"pairs.commenter_disjoint": True})
    lines = map(json.loads, (stage.PAIRS / "dropped.jsonl").read_text().splitlines())
    assert sum((line["kind"], line["reason"]) == ("pair", "commenter_elsewhere") for line in lines) == price
    assert figures["audit"]["commenters_in_two_splits"] > 0
    seen = [set(pq.read_table(stage.PAIRS / f"{split}.parquet")["chosen_author"].to_pylist()) for split in SPLITS]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def hash_of(name):
    return sum(map(ord, name))


def test_defaults_are_those_that_the_docs_promise():
    params = load_params().pairs
    assert (params.unit, params.negative, params.split, params.op_must_read) == ("root", "random", "hash", True)
    assert (params.shares.train, params.shares.validation, params.shares.test) == (0.6, 0.2, 0.2)


def test_datasets_takes_the_folder_as_it_is_and_the_card_parses(tmp_path, monkeypatch):
    from datasets import load_dataset
    from huggingface_hub import DatasetCard

    posts, comments = forum(60)
    figures = run(tmp_path, monkeypatch, posts, comments)
    loaded = load_dataset(str(tmp_path / "data/pairs"), cache_dir=str(tmp_path / "cache"))
    assert {split: loaded[split].num_rows for split in SPLITS} == figures["pairs"]
    assert {"prompt", "chosen", "rejected"} <= set(loaded["train"].column_names)
    card = DatasetCard.load(tmp_path / "data/pairs/README.md")
    assert card.data.license == "other" and "## Themes of the posts" in card.text
    assert not any(row.body in card.text for row in comments)
