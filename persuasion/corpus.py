"""The corpus of the small base model: cleaned posts with their replies, paired or not."""

import numpy as np

from persuasion.config import Pairs
from persuasion.discussions import POST, Discussions
from persuasion.records import CorpusThread
from persuasion.usable import unfit, unfit_prompt


def corpus(talk: Discussions, params: Pairs) -> list[CorpusThread]:
    """Every usable thread with every usable top-level reply to OP, at least one."""
    reply = talk.person & ~talk.op & ~talk.gone & (talk.parent == POST)
    rows = []
    for place, post in enumerate(talk.posts):
        if post.refusal or unfit_prompt(post.prompt, params):
            continue
        thread = talk.rows_of(place)
        texts = talk.texts((np.flatnonzero(reply[thread]) + thread.start).tolist())
        completions = tuple(text for text in texts if not unfit(text, params))
        if completions:
            rows.append(CorpusThread(thread_id=post.id, prompt=post.prompt, completions=completions))
    return rows
