"""Stage ``pair``: threads to preference pairs in three splits, and the corpus of the small base model."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean

from persuasion.config import load_params
from persuasion.corpus import corpus
from persuasion.files import replaced_folder, write_json, write_text
from persuasion.leakage import leaks, refuse_leaks
from persuasion.pairing import Dropped, build_pairs, orphans
from persuasion.records import SPLITS, Comment, CorpusThread, Pair, Submission, ThreadSplit
from persuasion.running import run
from persuasion.splits import paired_threads, require_threads, split_threads
from persuasion.tables import read_rows, write_rows
from persuasion.usable import assemble

THREADS, PAIRS = Path("data/threads"), Path("data/pairs")
CORPUS, METRICS = Path("data/corpus/small"), Path("metrics/pair.json")


def main() -> None:
    """Read the threads, build and split the pairs, refuse leaks, write pairs, corpus and metrics."""
    params = load_params().pairs
    comments = read_rows(THREADS / "comments.parquet", Comment)
    threads = assemble(read_rows(THREADS / "submissions.parquet", Submission), comments, clean=params.clean)
    drafts, dropped = build_pairs(threads, params)
    dropped += orphans(threads, comments)
    rows = split_threads([thread.post for thread in threads], {t.post.id: t.prompt for t in threads}, params)
    require_threads(rows, params.min_threads)
    splits = {row.thread_id: row.split for row in rows}
    pairs = [replace(pair, split=splits[pair.thread_id]) for pair in drafts]
    paired = paired_threads(pairs, f"dropped: {_summary(dropped)}")
    found = leaks(pairs, params.near_duplicate)
    refuse_leaks(found, allow=params.allow_leaks)
    _write_pairs(pairs, rows, dropped)
    _write_corpus({split: corpus(threads, splits, split, params) for split in ("train", "validation")})
    counts = {split: sum(pair.split == split for pair in pairs) for split in SPLITS}
    metrics = {
        "pairs": counts,
        "threads": {"all": len(threads), **paired},
        "awarded": {"all": sum(row.earned_delta for row in comments), "chosen": len({p.chosen_id for p in pairs})},
        "dropped_by": dict(Counter(row.reason for row in dropped)),
        "leaks": found,
        "words": _words(pairs),
    }
    write_json(METRICS, {"pair": metrics})
    by_split = ", ".join(f"{split} {count}" for split, count in counts.items())
    print(f"pair: {len(pairs)} pairs from {sum(paired.values())} of {len(threads)} threads ({by_split})")


def _write_pairs(pairs: Sequence[Pair], splits: Iterable[ThreadSplit], dropped: Iterable[Dropped]) -> None:
    """Write the pairs by split, the split of every thread, and what was dropped (ids and reasons, no text)."""
    lines = sorted(json.dumps(asdict(row), sort_keys=True) for row in dropped)
    with replaced_folder(PAIRS) as folder:
        for split in SPLITS:
            write_rows(folder / f"{split}.parquet", [pair for pair in pairs if pair.split == split], Pair, "pair_id")
        write_rows(folder / "splits.parquet", splits, ThreadSplit, "thread_id")
        write_text(folder / "dropped.jsonl", "".join(f"{line}\n" for line in lines))


def _write_corpus(rows: Mapping[str, Sequence[CorpusThread]]) -> None:
    with replaced_folder(CORPUS) as folder:
        for split, threads in rows.items():
            write_rows(folder / f"{split}.parquet", threads, CorpusThread, "thread_id")


def _words(pairs: Sequence[Pair]) -> dict[str, float]:
    """Mean words of prompts and completions, per pair."""
    prompt, chosen, rejected = (
        fmean(len(getattr(pair, side).split()) for pair in pairs) for side in ("prompt", "chosen", "rejected")
    )
    return {
        "prompt_mean": prompt,
        "completion_mean": (chosen + rejected) / 2,
        "chosen_mean": chosen,
        "rejected_mean": rejected,
    }


def _summary(dropped: Iterable[Dropped]) -> str:
    """Reasons and counts, most frequent first."""
    counts = Counter(row.reason for row in dropped)
    return ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items(), key=lambda i: (-i[1], i[0])))


if __name__ == "__main__":
    run(main)
