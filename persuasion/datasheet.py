"""The sheet that lies beside the thread tables: what they hold, in numbers only.

After "Datasheets for Datasets" (Gebru et al. 2021), as far as counts can answer it. No text of
anybody's, no names, no dates of this run.
"""

from collections import Counter
from collections.abc import Mapping

from persuasion.extraction import Extracted, measured

_HEAD = """# Threads of r/{subreddit}

Made by the stage `extract` from {forms}. `submissions.parquet` and `comments.parquet` are sorted by thread,
time and id; authors are keyed pseudonyms (key {fingerprint}), identities in texts are {masked}.
`refused.jsonl` names the bytes of every refused record: `length` bytes from `offset` of the decompressed `file`.
`removed.jsonl` is the receipt of the removals asked for.

Written by people who did not write for this purpose: do not publish the tables, and honour removals.
"""


def sheet(extracted: Extracted, *, subreddit: str, fingerprint: str, mask: bool) -> str:
    """Return the data sheet as Markdown. ``fingerprint`` tells keys apart without giving them away."""
    figures = measured(extracted)
    deltas = figures["deltas_by"] | {"all": figures["deltas"], "from OP": figures["deltas_from_op"]}
    head = _HEAD.format(
        subreddit=subreddit,
        forms=" and ".join(extracted.forms) or "nothing",
        fingerprint=fingerprint,
        masked="masked" if mask else "not masked",
    )
    return "\n".join([
        head,
        _table("Lines", ("what became of them", "lines"), _fates(figures)),
        _years(extracted.years),
        _table("Deltas", ("how known", "deltas"), deltas),
        _table("Signs of a delta that made none", ("reason", "signs"), figures["deltas_ignored_by"]),
        _table("Refused", ("reason", "lines"), figures["refused_by"]),
        _table("Skipped", ("reason", "lines"), figures["skipped_by"]),
    ])  # fmt: skip


def _fates(figures: Mapping[str, int]) -> dict[str, int]:
    skipped = {"skipped": sum(figures["skipped_by"].values())}  # type: ignore[attr-defined]
    return {name: figures[name] for name in ("lines", "submissions", "comments", "refused")} | skipped


def _table(title: str, heads: tuple[str, str], rows: Mapping[str, int]) -> str:
    """A Markdown table of the counts that are not zero, or a word that there are none."""
    lines = [f"| {name} | {count} |" for name, count in rows.items() if count]
    body = [f"| {heads[0]} | {heads[1]} |", "|---|---:|", *lines] if lines else ["None."]
    return "\n".join([f"## {title}", "", *body, ""])


def _years(counts: Counter[tuple[str, int]]) -> str:
    """Rows by year (UTC), and the period they span."""
    years = sorted({year for _, year in counts})
    rows = [f"| {year or 'unknown'} | {counts['submissions', year]} | {counts['comments', year]} |" for year in years]
    known = [year for year in years if year]
    period = f"From {known[0]} to {known[-1]}." if known else "Times are unknown."
    return "\n".join(["## Period", "", period, "", "| year | submissions | comments |", "|---|---:|---:|", *rows, ""])
