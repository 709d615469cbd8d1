"""A trial's validation curve while it runs, and whether it is worth going on."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from persuasion.lab import versions
from persuasion.lab.sweep.ledger import Ledger
from persuasion.lab.sweep.spec import Pruning


def points(text: str, pruning: Pruning) -> Iterator[tuple[int, float]]:
    """Steps and finite values of the curve, as far as whole lines are written."""
    _, step, column = pruning.curve.split(":")
    whole = text.rpartition("\n")[0]
    for row in csv.DictReader(io.StringIO(whole), delimiter="\t"):
        try:
            value = float(row[column] or "nan")
            if math.isfinite(value):
                yield round(float(row[step])), value
        except (KeyError, TypeError, ValueError):
            continue


def watch(ledger: Ledger, trial: Any, copies: Sequence[Path]) -> str:
    """Tell the study new points of the trial's curve; give the reason to stop it, or ""."""
    pruning = ledger.spec.settings.pruning
    if pruning.pruner == "none":
        return ""
    file = pruning.curve.partition(":")[0]
    known = dict(trial.intermediate_values)
    for copy in copies:
        try:
            text = (copy / file).read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        # a copy is made with the curve of the commit, which is another experiment's until the training removes it
        if text == versions.git(ledger.root, "cat-file", "blob", f"{ledger.baseline}:{file}"):
            continue
        for step, value in points(text, pruning):
            if step not in known:
                known[step] = value
                ledger.study._storage.set_trial_intermediate_value(trial._trial_id, step, value)
    if set(known) == set(trial.intermediate_values):
        return ""
    frozen = ledger.frozen(trial.number)
    if frozen.state.is_finished() or not ledger.study.pruner.prune(ledger.study, frozen):
        return ""
    step, column = max(known), pruning.curve.rpartition(":")[2]
    return f"{column} is {known[step]:.4g} at step {step}: worse than the trials before it ({pruning.pruner})"
