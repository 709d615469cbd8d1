"""Stage ``pair``: threads to preference pairs in three splits, and the corpus of the small base model."""

from collections import Counter
from pathlib import Path

from persuasion import drafting, pairfigures
from persuasion.config import Params, load_params
from persuasion.copies import Copies
from persuasion.cores import cores, in_order, workers
from persuasion.drafting import Job, Made
from persuasion.files import digest, remove, replaced_folder, write_json, write_text
from persuasion.leakage import leaks, refuse_leaks
from persuasion.paircard import card
from persuasion.pairfiles import write_corpus, write_dropped, write_pairs
from persuasion.progress import bar
from persuasion.records import SPLITS, ThreadSplit
from persuasion.running import run
from persuasion.settling import consequences, settle
from persuasion.splits import out_of_order, require_pairs, require_threads, split_threads
from persuasion.tables import write_rows, write_tsv
from persuasion.themes import themes
from persuasion.threadtables import COMMENTS, earned, ranges

THREADS, PAIRS, CORPUS = Path("data/threads"), Path("data/pairs"), Path("data/corpus/small")
METRICS, PLOTS = Path("metrics/pair.json"), Path("metrics/pair")


def main() -> None:
    """Draft the pairs range by range, split, settle and write them, and look for leaks in what was written."""
    params = load_params()
    with replaced_folder(CORPUS) as corpus, replaced_folder(PAIRS) as folder:
        scratch = folder / "scratch"
        made = _drafted(params, scratch)
        known = drafting.posts(made)
        rows = split_threads(known, params.pairs)
        require_threads(rows, params.pairs.min_threads)
        splits = {row.thread_id: row.split for row in rows}
        drafts, runs = drafting.drafts(made, splits)
        late = out_of_order(known, rows, params.pairs)
        gone, commenters = settle(drafts, late, params.pairs, Copies(runs, params.pairs.copied_text).of)
        stay = {draft.pair_id: draft.split for draft in drafts if draft.pair_id not in gone}
        dropped = [row for one in made for row in one.dropped] + consequences(drafts, gone)
        reasons = Counter(row.reason for row in dropped)
        require_pairs(len(stay), reasons)
        write_pairs(folder, made, stay.get)
        write_corpus(corpus, made, splits.get)
        write_rows(folder / "splits.parquet", rows, ThreadSplit, "thread_id")
        write_dropped(folder / "dropped.jsonl", dropped)
        remove(scratch)
        found = leaks(folder, earned(THREADS), params.pairs)
        refuse_leaks(found, allow=params.pairs.allow_leaks)
        counts = pairfigures.counts(folder)
        chosen = {draft.chosen_id for draft in drafts if draft.pair_id in stay}
        figures = {
            **counts,
            "threads": {"all": len(rows), **counts["threads"]},
            "awarded": {"all": sum(one.awarded for one in made), "chosen": len(chosen)},
            "dropped_by": dict(reasons),
            "leaks": found,
            "audit": pairfigures.audit(folder, commenters),
            "words": pairfigures.words(folder),
        }
        topics = themes(pairfigures.prompts(folder), params.pairs.seed)
        hashes = {f"{split}.parquet": digest(folder / f"{split}.parquet") for split in SPLITS}
        write_text(folder / "README.md", card(figures, topics, params.pairs, hashes))
        histogram = pairfigures.lengths(folder)
    with replaced_folder(PLOTS) as plots:
        write_tsv(plots / "lengths.tsv", histogram)
    write_json(METRICS, {"pair": figures})
    by_split = ", ".join(f"{split} {count}" for split, count in counts["pairs"].items())
    print(f"pair: {len(stay)} pairs from {sum(counts['threads'].values())} of {len(rows)} threads ({by_split})")


def _drafted(params: Params, scratch: Path) -> list[Made]:
    """Work on every range of threads, in processes where that pays."""
    with workers(params.source.workers, (THREADS / COMMENTS).stat().st_size) as pool:
        parts = ranges(THREADS, scratch / "sorted")
        jobs = [Job(range=part, folder=scratch / str(place), params=params.pairs) for place, part in enumerate(parts)]
        made = []
        with bar(len(jobs), "pairing", "range") as shown:
            for one in in_order(pool, drafting.work, jobs, ahead=cores(params.source.workers) + 1):
                made.append(one)
                shown.update()
    return made


if __name__ == "__main__":
    run(main)
