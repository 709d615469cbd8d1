"""What can be had without reading: a classifier that sees only the surface of the two completions.

If it does well, so may a model that has learned nothing about persuasion. Report it beside every accuracy.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS = 5
MOST = 20_000  # pairs looked at, the first by id
COLUMNS = ("pair_id", "thread_id", "chosen", "rejected", "chosen_created_utc", "rejected_created_utc",
           "chosen_score", "rejected_score")  # fmt: skip
_MARKS = (
    re.compile(r"\b(?:edit|update)\b", re.IGNORECASE),
    re.compile(r"[∆Δ]|\bdelta", re.IGNORECASE),
    re.compile(r"^\s*(?:>|&gt;)", re.MULTILINE),
    re.compile(r"[\"“”]"),
    re.compile(r"\n\s*\n"),
    re.compile(r"\?"),
    re.compile(r"\bURL\b|https?:"),
)


def surface_accuracy(rows: Sequence[dict[str, Any]]) -> float | None:
    """The share of pairs told apart by surface alone, cross-validated by thread; ties count half.

    Logistic regression on chosen − rejected of: words, characters, edit marks, delta words, quotes, paragraphs,
    questions, links, which came first (and by how long), votes. Each pair is shown once either way round.
    None with fewer threads than folds.
    """
    rows = sorted(rows, key=lambda row: row["pair_id"])[:MOST]
    threads = [row["thread_id"] for row in rows]
    if len(set(threads)) < FOLDS:
        return None
    seen = np.array([_features(row, "chosen") - _features(row, "rejected") for row in rows])
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(fit_intercept=False, max_iter=1000))
    both, labels = np.concatenate([seen, -seen]), np.repeat([1, 0], len(seen))
    margins = cross_val_predict(
        model, both, labels, groups=threads * 2, cv=GroupKFold(FOLDS), method="decision_function"
    )[: len(seen)]
    return float(np.mean(margins > 1e-9) + np.mean(np.abs(margins) <= 1e-9) / 2)


def _features(row: dict[str, Any], side: str) -> NDArray[np.float64]:
    """One completion's surface. Times and votes enter as differences only, so their level says nothing."""
    text, other = row[side], "rejected" if side == "chosen" else "chosen"
    later = row[f"{side}_created_utc"] - row[f"{other}_created_utc"]
    votes = row[f"{side}_score"] or 0
    counts = [len(text.split()), len(text), *(len(mark.findall(text)) for mark in _MARKS)]
    return np.array([*np.log1p(counts), np.sign(later), np.sign(later) * np.log1p(abs(later)),
                     np.sign(votes) * np.log1p(abs(votes))], float)  # fmt: skip
