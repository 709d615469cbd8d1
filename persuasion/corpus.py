"""The corpus of the small base model: cleaned posts with their replies, of one split, paired or not."""

from collections.abc import Iterable, Mapping

from persuasion.config import Pairs
from persuasion.records import CorpusThread
from persuasion.usable import Thread, residue, unfit


def corpus(threads: Iterable[Thread], splits: Mapping[str, str], split: str, params: Pairs) -> list[CorpusThread]:
    """Every usable thread of ``split`` with every usable top-level reply to OP, at least one.

    Args:
        threads: all threads.
        splits: thread id to split; a thread without one is an error (KeyError).
        split: the split wanted.
        params: word limits of a completion. Texts that announce a verdict are left out.

    """
    rows = []
    for thread in threads:
        if splits[thread.post.id] != split or thread.refusal or residue(thread.prompt, params):
            continue
        replies = [row.id for row in thread.comments if row.id in thread.texts and not row.is_op]
        completions = tuple(thread.texts[row] for row in replies if not unfit(thread.texts[row], params))
        if completions:
            rows.append(CorpusThread(thread_id=thread.post.id, prompt=thread.prompt, completions=completions))
    return rows
