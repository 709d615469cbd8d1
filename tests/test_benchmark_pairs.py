"""The peers of `benchmarks.pairs` do ours' work: on the same tables all choose the same pairs."""

import sys

import pytest

from benchmarks import choosing, dump
from benchmarks.peers import pandas_pairs, row_pairs
from benchmarks.threads import write_threads
from persuasion.files import digest
from persuasion.negatives import STRATEGIES


@pytest.fixture(scope="module")
def threads(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables") / "threads"
    write_threads(folder, dump.THREADS)
    return folder


def chosen(module, threads, negative, out, *more):
    """The lines that a contender writes."""
    sys.argv = ["", str(threads), negative, str(out), *more]
    module.main()
    return out.read_text().splitlines()


@pytest.mark.parametrize("negative", STRATEGIES)
def test_ours_and_both_peers_choose_the_same_pairs(threads, negative, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", sys.argv)
    mine = chosen(choosing, threads, negative, tmp_path / "ours", "1")
    assert len(mine) > 50
    assert mine == chosen(row_pairs, threads, negative, tmp_path / "kept")
    assert mine == chosen(pandas_pairs, threads, negative, tmp_path / "naive")


def test_the_tables_are_the_same_bytes_each_time(threads, tmp_path):
    write_threads(tmp_path / "again", dump.THREADS)
    assert digest(tmp_path / "again") == digest(threads)
