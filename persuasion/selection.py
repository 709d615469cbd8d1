"""Which epoch's adapter is kept, and when to stop early, by a figure of the validation pairs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from persuasion.config import Train

HIGHER_IS_BETTER = {"reward_accuracy"}  # of the other figures, losses all, less is better
STATE, WEIGHTS = "selection.json", "selected.safetensors"


class Selection:
    """Told each epoch's figures; knows the best epoch so far, with its weights where they are to be kept.

    With ``train.select`` "last" the last epoch is kept, and early stopping watches the validation loss.
    A figure that is undefined is never better.
    """

    def __init__(self, settings: Train) -> None:
        self.keeps_last, self.patience = settings.select == "last", settings.early_stopping
        self.figure = "loss" if self.keeps_last else settings.select
        self.best: float | None = None
        self.best_epoch = self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def judge(self, epoch: int, figures: Mapping[str, Any], weights: Mapping[str, Tensor]) -> bool:
        """Take the figures and weights after ``epoch``; True when it is time to stop."""
        self.epoch, value = epoch, figures[self.figure]
        if self.best_epoch == 0 or self._is_better(value):
            self.best, self.best_epoch = value, epoch
            if not self.keeps_last:
                self.weights = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
        return self.patience is not None and epoch - self.best_epoch >= self.patience

    @property
    def chosen(self) -> int:
        """The epoch whose adapter is kept."""
        return self.epoch if self.keeps_last else self.best_epoch

    def _is_better(self, value: float | None) -> bool:
        if value is None or self.best is None:
            return value is not None
        return value > self.best if self.figure in HIGHER_IS_BETTER else value < self.best

    def write(self, folder: Path) -> None:
        """Write all it knows for a checkpoint."""
        state = {"best": self.best, "best_epoch": self.best_epoch, "epoch": self.epoch}
        (folder / STATE).write_text(json.dumps(state), encoding="utf-8")
        save_file(self.weights, folder / WEIGHTS)

    def read(self, folder: Path) -> None:
        """Know what a checkpoint knew."""
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        self.best, self.best_epoch, self.epoch = state["best"], state["best_epoch"], state["epoch"]
        self.weights = load_file(folder / WEIGHTS)
