"""Texts that another split holds too: reposted arguments, pasted passages.

Two texts need not be alike as a whole: a reply of which nearly all 13-word runs stand in a longer one was
copied. The share above which it counts is ``pairs.copied_text`` (0.8 after Touvron et al. 2023, arXiv:2307.09288,
appendix A.6). Pairs go from the training split first, then from validation, then from test, until none is
left: taking a text out of one split can only make the others' shares smaller.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from persuasion.grams import Grams
from persuasion.records import SPLITS
from persuasion.settling import Draft


class Copies:
    """The 13-word runs of all texts, and who shares them."""

    def __init__(self, texts: Sequence[Grams], share: float) -> None:
        self._share = share
        self._sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        every = np.concatenate([np.zeros(0, np.uint64), *texts])
        order = np.argsort(every, kind="stable")
        self._text = np.repeat(np.arange(len(texts), dtype=np.int32), self._sizes)[order]
        self._first = np.flatnonzero(np.diff(every[order], prepend=~every[order[:1]]))  # of each distinct run

    def of(self, drafts: Sequence[Draft]) -> set[str]:
        """The pairs to drop, so that no text has ``share`` or more of its runs in another split."""
        gone: set[str] = set()
        for number, split in enumerate(SPLITS):
            left = [draft for draft in drafts if draft.pair_id not in gone]
            copied = self._shares(left, number) >= self._share
            gone |= {draft.pair_id for draft in left if draft.split == split and copied[list(draft.texts)].any()}
        return gone

    def _shares(self, drafts: Sequence[Draft], split: int) -> NDArray[np.float64]:
        """The share of each text's runs that stand in a text of another split than ``split``."""
        where = np.zeros(len(self._sizes), np.uint8)  # one bit a split
        for draft in drafts:
            where[list(draft.texts)] |= 1 << SPLITS.index(draft.split)
        if not len(self._first):
            return np.zeros(len(self._sizes))
        held = np.bitwise_or.reduceat(where[self._text], self._first)
        elsewhere = np.repeat((held & ~np.uint8(1 << split)) != 0, np.diff(self._first, append=len(self._text)))
        return np.bincount(self._text, weights=elsewhere, minlength=len(self._sizes)) / np.maximum(self._sizes, 1)
