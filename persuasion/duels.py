"""Tuned against base reply by a judge that sees two texts: asked in both orders, with how much the order mattered.

A judge is a function (post, first, second) to the probability that the first is better, ½ for a tie. Whatever it
is, it is a proxy: judges of this kind agreed badly with people whose minds were measured (Durmus et al. 2024).
"""

from collections.abc import Callable, Sequence

import numpy as np

from persuasion.measures import cluster_bootstrap, mean, scores, words
from persuasion.records import Reply
from persuasion.undefined import NO_REPLIES, ONE_POST, Figure, told

Judgement = Callable[[str, str, str], float]


def longer(post: str, first: str, second: str) -> float:
    """The judge that prefers more words: what a win rate looks like that is about length alone."""
    return float(scores(words(first) - words(second)))


def duel(rows: Sequence[Reply], judge: Judgement, resamples: int, seed: int) -> dict[str, Figure | int]:
    """Win rate of the tuned reply, with its 95 % interval over posts, and what the order did.

    Both orders are asked and averaged (Zheng et al. 2023, arXiv:2306.05685, section 3.4). ``first_rate`` is the share
    of votes for whoever stood first, ½ without position bias; ``consistency`` the share of pairs with the same
    winner both ways. Ties count one half. All are undefined without rows.
    """
    ahead = np.array([judge(row.prompt, row.text, row.base_text) for row in rows])
    behind = np.array([judge(row.prompt, row.base_text, row.text) for row in rows])
    wins = _votes((ahead + 1 - behind) / 2)
    low, high = cluster_bootstrap(wins, [row.thread_id for row in rows], resamples, seed)
    return {
        "win_rate": told(mean(wins), NO_REPLIES),
        "win_rate_low": told(low, ONE_POST if rows else NO_REPLIES),
        "win_rate_high": told(high, ONE_POST if rows else NO_REPLIES),
        "first_rate": told(mean(np.concatenate([_votes(ahead), _votes(behind)])), NO_REPLIES),
        "consistency": told(mean(_votes(ahead) == 1 - _votes(behind)), NO_REPLIES),
        "pairs": len(rows),
    }


def _votes(chances: np.ndarray) -> np.ndarray:
    """1, ½ or 0 for a chance above, at or below one half."""
    return scores(np.round(chances - 0.5, 9))
