"""A source, whichever kind it is, to thread tables with every line accounted for."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persuasion import reading, readypairs
from persuasion.config import Source
from persuasion.deltas import IGNORED
from persuasion.errors import DataFailure, UsageFailure
from persuasion.records import Comment, Submission
from persuasion.threads import PUBLIC_KEY, build

SAMPLE = Path("data/raw/sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What a source became, with every line accounted for."""

    submissions: Sequence[Submission]
    comments: Sequence[Comment]
    refusals: Sequence[reading.Refusal]
    lines: int
    repaired: int
    refused_by: dict[str, int]
    skipped_by: dict[str, int]
    deltas_ignored_by: dict[str, int]


def extract(source: Source) -> Extracted:
    """Read ``source`` as a dump or as ready pairs, by its content when ``source.kind`` is auto.

    Raises DataFailure when it is unusable or holds no delta, UsageFailure for a missing key file.
    """
    path = Path(source.path)
    pairs = source.kind == "pairs" or (source.kind == "auto" and readypairs.recognised(path))
    extracted = _from_pairs(path) if pairs else _from_dump(source)
    if not any(comment.earned_delta for comment in extracted.comments):
        raise _nothing_to_learn(extracted, source)
    return extracted


def measured(extracted: Extracted) -> dict[str, Any]:
    """The stage's metrics; lines = submissions + comments + refused + the sum of skipped_by."""
    given = [delta for comment in extracted.comments for delta in comment.deltas]
    return {
        "lines": extracted.lines,
        "submissions": len(extracted.submissions),
        "comments": len(extracted.comments),
        "refused": len(extracted.refusals),
        "refused_by": extracted.refused_by,
        "skipped_by": extracted.skipped_by,
        "repaired": extracted.repaired,
        "deltas": len(given),
        "deltas_by": _counted((delta.source for delta in given), ("confirmed", "token", "given")),
        "deltas_ignored_by": extracted.deltas_ignored_by,
    }


def _from_dump(source: Source) -> Extracted:
    key = _key(source)
    raw = reading.read(source)
    threads = build(raw.submissions, raw.comments, key)
    refusals = [*raw.refusals, *threads.refusals]
    return Extracted(
        submissions=threads.submissions,
        comments=threads.comments,
        refusals=refusals,
        lines=raw.lines,
        repaired=raw.repaired,
        refused_by=_counted((refusal.reason for refusal in refusals), reading.REFUSED),
        skipped_by=_counted(raw.skipped_by.elements(), reading.SKIPPED),
        deltas_ignored_by=_counted(threads.ignored.elements(), IGNORED),
    )


def _from_pairs(path: Path) -> Extracted:
    pairs = readypairs.read_pairs(path)
    return Extracted(
        submissions=list(pairs.submissions.values()),
        comments=list(pairs.comments.values()),
        refusals=pairs.refusals,
        lines=pairs.lines,
        repaired=0,
        refused_by=_counted((refusal.reason for refusal in pairs.refusals), readypairs.REFUSED),
        skipped_by=_counted(pairs.skipped_by.elements(), readypairs.SKIPPED),
        deltas_ignored_by=_counted((), IGNORED),
    )


def _counted(reasons: Iterable[str], known: Sequence[str]) -> dict[str, int]:
    """Count by reason, zeros included, so that the metrics keep their keys."""
    return {**dict.fromkeys(known, 0), **Counter(reasons)}


def _key(source: Source) -> bytes:
    """The pseudonym key. Raises UsageFailure when its file is missing or empty."""
    if source.pseudonym_key_file is None:
        if Path(source.path).resolve() != SAMPLE.resolve():
            print(
                "extract: pseudonyms use the public key; set source.pseudonym_key_file for real data", file=sys.stderr
            )
        return PUBLIC_KEY
    path = Path(source.pseudonym_key_file)
    key = path.read_bytes().strip() if path.is_file() else b""
    if not key:
        raise UsageFailure(
            f"{path} holds no key", where="source.pseudonym_key_file", fix="write a secret into the file"
        )
    return key


def _nothing_to_learn(extracted: Extracted, source: Source) -> DataFailure:
    metrics = measured(extracted)
    return DataFailure(
        f"{source.path} holds no delta",
        where="source.path",
        why=f"its {metrics['lines']} lines gave {metrics['submissions']} posts and {metrics['comments']} comments "
        f"of r/{source.subreddit}, {metrics['refused']} refused and {sum(extracted.skipped_by.values())} skipped; "
        "a pair needs a comment that earned a delta",
        fix="check source.path and source.subreddit, and that submissions and comments are both there",
    )
