"""Stage ``extract``: raw dump files, or one file of ready pairs, to the thread tables."""

import json
from dataclasses import asdict
from pathlib import Path

from persuasion.config import load_params
from persuasion.extraction import Extracted, extract, measured
from persuasion.files import replaced_folder, write_json, write_text
from persuasion.records import Comment, Submission
from persuasion.running import run
from persuasion.tables import write_rows

THREADS, METRICS = Path("data/threads"), Path("metrics/extract.json")


def main() -> None:
    """Read the source, write the tables, then the metrics."""
    extracted = extract(load_params().source)
    metrics = measured(extracted)
    _write(extracted)
    write_json(METRICS, {"extract": metrics})
    print(
        f"extract: {metrics['submissions']} submissions, {metrics['comments']} comments, {metrics['deltas']} deltas "
        f"from {metrics['lines']} lines ({metrics['refused']} refused, {sum(metrics['skipped_by'].values())} skipped)"
    )


def _write(extracted: Extracted) -> None:
    ordered = sorted((asdict(refusal) for refusal in extracted.refusals), key=lambda row: (row["file"], row["line"]))
    with replaced_folder(THREADS) as folder:
        write_rows(folder / "submissions.parquet", extracted.submissions, Submission, key="id")
        write_rows(folder / "comments.parquet", extracted.comments, Comment, key="id")
        write_text(folder / "refused.jsonl", "".join(json.dumps(row) + "\n" for row in ordered))


if __name__ == "__main__":
    run(main)
