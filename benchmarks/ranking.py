"""Ranking alone, in one process and on one core: ours beside per-thread Python, on the same comments of each thread.

Reading tables, finding who may be rejected and the draw among equals are left out on both sides. CPU seconds, in
interleaved rounds.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.ours import ROOT
from benchmarks.peers.ranking import NAIVE, similar_kept
from persuasion.challenges import Challenge, rivals
from persuasion.config import Pairs, load_params
from persuasion.discussions import Discussions, discussions
from persuasion.negatives import STRATEGIES, Choice
from persuasion.pairing import chosen_or_reason, rejectable
from persuasion.threadtables import ranges

KEPT = "similar, sets kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The choices to be made in some threads, and their texts."""

    talk: Discussions
    choices: Sequence[Choice]
    texts: Sequence[tuple[int, str, Sequence[str]]]


def measure(threads: Path, rounds: int) -> tuple[dict[str, dict[str, float]], int]:
    """Median CPU seconds of ``ours`` and ``naive`` by strategy, and how many comparisons each makes."""
    params = replace(load_params(ROOT / "params.yaml").pairs, clean=False)
    loads = [_load(discussions(*part.read(), clean=False), params) for part in ranges(threads, threads / "sorted")]
    work: dict[str, dict[str, Callable[[Load], None]]] = {
        name: {"ours": _ours(name), "naive": _naive(name)} for name in NAIVE
    }
    work[KEPT] = {"ours": _ours("similar"), "naive": _kept}
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, sides in work.items():
            for side, run in sides.items():
                start = time.process_time()
                for load in loads:
                    run(load)
                seconds.setdefault((name, side), []).append(time.process_time() - start)
    found = {name: {side: median(seconds[name, side]) for side in sides} for name, sides in work.items()}
    return found, sum(len(choice.rivals) for load in loads for choice in load.choices)


def ratios(measured: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Naive over ours."""
    named = {KEPT: "similar_vs_kept"}
    return {named.get(name, f"{name}_vs_naive"): each["naive"] / each["ours"] for name, each in measured.items()}


def _load(talk: Discussions, params: Pairs) -> Load:
    free = rejectable(talk, params)
    choices = []
    for row in np.flatnonzero(talk.awarded).tolist():
        chosen = chosen_or_reason(talk, row, params)
        if isinstance(chosen, Challenge):
            choices.append(Choice(chosen=chosen, rivals=rivals(talk, row, free, params.unit)))
    texts = [
        (
            int(talk.post[choice.chosen.parts[0]]),
            talk.texts(choice.chosen.parts)[0],
            [talk.texts(parts)[0] for parts in choice.rivals],
        )
        for choice in choices
    ]
    return Load(talk=talk, choices=choices, texts=texts)


def _ours(name: str) -> Callable[[Load], None]:
    def run(load: Load) -> None:
        for _ in STRATEGIES[name](load.talk, load.choices):
            pass

    return run


def _naive(name: str) -> Callable[[Load], None]:
    def run(load: Load) -> None:
        for _, chosen, candidates in load.texts:
            NAIVE[name](chosen, candidates)

    return run


def _kept(load: Load) -> None:
    for _, thread in groupby(load.texts, key=lambda row: row[0]):
        rank = similar_kept({})
        for _, chosen, candidates in thread:
            rank(chosen, candidates)
