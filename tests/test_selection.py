from dataclasses import replace

import pytest
import torch

from persuasion.selection import Selection
from tests import tiny


def selection(select, patience=None):
    return Selection(replace(tiny.PARAMS.train, select=select, early_stopping=patience))


def judged(one, figure, values):
    """Epochs until it says stop."""
    figures = {"loss": 0.5, "nll_calibrated": 0.5, "reward_accuracy": 0.5}
    for epoch, value in enumerate(values, 1):
        if one.judge(epoch, figures | {figure: value}, {"w": torch.full((2,), float(epoch))}):
            return epoch
    return None


@pytest.mark.parametrize(
    ("select", "values", "best"),
    [
        ("loss", [0.9, 0.3, 0.5], 2),
        ("nll_calibrated", [0.3, 0.3, 0.4], 1),  # equal is not better
        ("reward_accuracy", [0.5, 0.9, 0.7], 2),
        ("loss", [None, 0.7, None], 2),
        ("last", [0.1, 0.2, 0.3], 3),
    ],
)
def test_the_best_epoch_is_chosen_with_its_weights(select, values, best):
    one = selection(select)
    judged(one, "loss" if select == "last" else select, values)
    assert one.chosen == best
    assert ("w" in one.weights) == (select != "last")
    assert select == "last" or one.weights["w"].tolist() == [best, best]


def test_it_stops_after_so_many_epochs_without_a_better_figure():
    assert judged(selection("loss", 2), "loss", [0.5, 0.4, 0.6, 0.41, 0.1]) == 4
    assert judged(selection("last", 1), "loss", [0.5, 0.6]) == 2
    assert judged(selection("reward_accuracy", 1), "reward_accuracy", [0.5, 0.6, 0.7]) is None


def test_it_knows_again_what_it_knew(tmp_path):
    one = selection("loss", 2)
    judged(one, "loss", [0.5, 0.4, 0.6])
    one.write(tmp_path)
    other = selection("loss", 2)
    other.read(tmp_path)
    assert (other.best, other.best_epoch, other.epoch, other.chosen) == (0.4, 2, 3, 2)
    assert torch.equal(other.weights["w"], one.weights["w"])
    assert judged(selection("last"), "loss", []) is None
