import math

import pytest

from persuasion.curves import Curve, Tally
from persuasion.tables import write_tsv


def test_a_curve_can_be_read_at_any_time_and_ends_as_if_written_at_once(tmp_path):
    curve = Curve("loss", tmp_path)
    for step in range(1, 4):
        curve.add({"step": step, "loss": 1 / step, "odd": None})
        lines = (tmp_path / "loss.tsv").read_text().splitlines()
        assert len(lines) == 1 + step and lines[-1] == f"{step}\t{1 / step!r}\t"
    write_tsv(tmp_path / "whole.tsv", curve.rows)
    assert (tmp_path / "loss.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()


def test_a_curve_taken_up_shows_its_rows_and_no_later_ones(tmp_path):
    first = Curve("loss", tmp_path / "shown")
    first.add({"step": 1, "loss": 0.1 + 0.2})
    (tmp_path / "kept").mkdir()
    first.write(tmp_path / "kept")
    first.add({"step": 2, "loss": 9.0})
    second = Curve("loss", tmp_path / "shown")
    second.read(tmp_path / "kept")
    assert second.rows == first.rows[:1]
    second.add({"step": 2, "loss": 0.5})
    assert (tmp_path / "shown/loss.tsv").read_text() == "step\tloss\n1\t0.30000000000000004\n2\t0.5\n"


def test_a_curve_without_rows_still_leaves_its_file(tmp_path):
    Curve("loss", tmp_path).finish()
    assert (tmp_path / "loss.tsv").is_file()


def test_means_are_over_pairs_and_perplexities_over_tokens_whatever_the_batches():
    losses, logps, tokens = [1.0, 2.0, 4.0], [-10.0, -30.0, -2.0], [5, 10, 1]
    uneven = Tally()
    for part in (slice(0, 2), slice(2, 3)):
        count = len(losses[part])
        sums = {"logp_chosen": sum(logps[part]), "tokens_chosen": sum(tokens[part])}
        uneven.add(count, {"loss": sum(losses[part]) / count}, sums)
    row = uneven.drain()
    assert row["loss"] == pytest.approx(7 / 3)
    assert row["perplexity_chosen"] == pytest.approx(math.exp(42 / 16))
    assert row["perplexity_rejected"] is None
    assert uneven.sums == {}


def test_a_perplexity_beyond_a_float_is_undefined():
    tally = Tally()
    tally.add(1, {}, {"logp_chosen": -1e6, "tokens_chosen": 1})
    assert tally.drain()["perplexity_chosen"] is None
