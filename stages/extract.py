"""Stage ``extract``: raw files of any known form to the thread tables."""

import json
from pathlib import Path

from persuasion.arrow import without_pandas
from persuasion.config import load_params
from persuasion.datasheet import sheet
from persuasion.errors import DataFailure
from persuasion.extraction import Extracted, extract, measured
from persuasion.files import replaced_folder, write_json, write_text
from persuasion.pseudonyms import fingerprint, key_for
from persuasion.refusals import joined, write_refusals
from persuasion.running import run

THREADS, METRICS = Path("data/threads"), Path("metrics/extract.json")


def main() -> None:
    """Read the source, write the tables with their receipts and data sheet, then the metrics."""
    source = load_params().source
    with replaced_folder(THREADS) as folder:
        extracted = extract(source, folder)
        metrics = measured(extracted)
        _require_deltas(extracted, source.path)
        _write(extracted, folder)
        mark = fingerprint(key_for(source))
        page = sheet(extracted, subreddit=source.subreddit, fingerprint=mark, mask=source.mask)
        write_text(folder / "README.md", page)
    write_json(METRICS, {"extract": metrics})
    print(
        f"extract: {metrics['submissions']} submissions, {metrics['comments']} comments, {metrics['deltas']} deltas "
        f"from {metrics['lines']} lines ({metrics['refused']} refused, {sum(metrics['skipped_by'].values())} skipped)"
    )


def _write(extracted: Extracted, folder: Path) -> None:
    """Write what became of every record that is no row."""
    write_refusals(folder / "refused.jsonl", joined(extracted.refusals))
    receipt = ({"removal": entry} | counts for entry, counts in sorted(extracted.removed.items()))
    write_text(folder / "removed.jsonl", "".join(json.dumps(row) + "\n" for row in receipt))


def _require_deltas(extracted: Extracted, path: str) -> None:
    """Stop early where no pair can come of the data: most often half of a dump is missing."""
    metrics = measured(extracted)
    if metrics["deltas"] or (not metrics["comments"] and extracted.forms == ["tan"]):
        return
    raise DataFailure(
        f"{path} holds no delta",
        where="source.path",
        why=f"its {metrics['lines']} lines gave {metrics['submissions']} posts and {metrics['comments']} comments, "
        f"{metrics['refused']} refused and {sum(metrics['skipped_by'].values())} skipped; "
        "a pair needs a comment that earned a delta",
        fix="check source.path and source.subreddit, and that submissions and comments are both there",
    )


if __name__ == "__main__":
    without_pandas()
    run(main)
