"""The way most scripts read Reddit dumps: a zstandard stream, json.loads, dicts, and pandas at the end.

``python -m benchmarks.peers.scripts DUMP OUT [--bare]``: reads ``*_submissions.zst`` and ``*_comments.zst``
under DUMP, labels who earned a delta by DeltaBot's confirmations and, where no bot spoke, by OP's tokens,
makes authors pseudonyms and masks identities in texts, writes two Parquet files under OUT, and prints one
line of JSON that says what it found. ``--bare`` leaves out tokens, pseudonyms and masks, as most scripts do.

Written to be fast within that way: large chunks, a split per chunk, the needed fields only, patterns run
only where a plain search finds their sign. Against ours it leaves out the places of refusals, r/DeltaLog,
bots and moderators, and the harder cases of tokens and masks.
"""

import hmac
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import zstandard

CHUNK = 1 << 24
CONFIRMED = re.compile(r"\b1 (?:delta|point) awarded to /?u/")
TOKEN = re.compile(r"!delta|[∆Δ]|&#8710;", re.IGNORECASE)
QUOTE = re.compile(r"^(?:>|&gt;).*$", re.MULTILINE)
URL = re.compile(r"https?://[^\s)]+|www\.[^\s)]+")
USER = re.compile(r"/?\bu/[\w-]+")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
PHONE = re.compile(r"\+?\d{1,3}[-. (]*\d{3}[-. )]*\d{3,4}[-. ]*\d{4}")
KEY = b"a secret of the benchmark"
Rows = dict[str, dict[str, Any]]


def lines(path: Path) -> Iterator[str]:
    """Decompress a file in large chunks and yield its lines, bad UTF-8 replaced."""
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(file, read_across_frames=True)
        rest = b""
        while chunk := reader.read(CHUNK):
            whole, _, rest = (rest + chunk).rpartition(b"\n")
            yield from whole.decode("utf-8", "replace").split("\n")
        if rest:
            yield rest.decode("utf-8", "replace")


def posts_of(path: Path, bad: Counter[str]) -> Rows:
    """Submissions by id."""
    posts: Rows = {}
    for line in lines(path):
        try:
            record = json.loads(line)
            posts[record["id"]] = {
                "id": record["id"],
                "author": record["author"],
                "created_utc": int(record["created_utc"]),
                "score": record["score"],
                "title": record["title"],
                "selftext": record["selftext"],
            }
        except (ValueError, KeyError, TypeError) as error:
            bad[type(error).__name__] += 1
    return posts


def comments_of(path: Path, posts: Rows, bad: Counter[str]) -> Rows:
    """Comments of known posts by id."""
    comments: Rows = {}
    for line in lines(path):
        try:
            record = json.loads(line)
            post = posts.get(record["link_id"][3:])
            if post is None:
                bad["orphan"] += 1
                continue
            comments[record["id"]] = {
                "id": record["id"],
                "thread_id": record["link_id"],
                "parent_id": record["parent_id"],
                "author": record["author"],
                "created_utc": int(record["created_utc"]),
                "score": record["score"],
                "body": record["body"],
                "is_op": record["author"] == post["author"],
                "deltas": 0,
            }
        except (ValueError, KeyError, TypeError) as error:
            bad[type(error).__name__] += 1
    return comments


def label(posts: Rows, comments: Rows) -> int:
    """Count every comment's deltas: DeltaBot answers the award, the award answers the comment that earned it."""
    awards = {
        comment["parent_id"][3:]
        for comment in comments.values()
        if comment["author"] == "DeltaBot" and CONFIRMED.search(comment["body"])
    }
    given = 0
    for award_id in awards:
        award = comments.get(award_id)
        earned = comments.get(award["parent_id"][3:]) if award and award["parent_id"].startswith("t1_") else None
        if award is None or earned is None:
            continue
        op = posts[earned["thread_id"][3:]]["author"]
        if earned["author"] not in (award["author"], op, "DeltaBot"):
            earned["deltas"] += 1
            given += 1
    return given


def label_by_token(posts: Rows, comments: Rows) -> int:
    """Count the deltas of OP's tokens in threads where DeltaBot is silent."""
    spoken = {comment["thread_id"] for comment in comments.values() if comment["author"] == "DeltaBot"}
    given = 0
    for award in comments.values():
        body = award["body"]
        if not award["is_op"] or award["thread_id"] in spoken or not TOKEN.search(body):
            continue
        earned = comments.get(award["parent_id"][3:]) if award["parent_id"].startswith("t1_") else None
        if earned and not earned["is_op"] and TOKEN.search(QUOTE.sub("", body)):
            earned["deltas"] += 1
            given += 1
    return given


def hide(rows: Rows, texts: tuple[str, ...]) -> None:
    """Make authors pseudonyms and mask names, addresses, phone numbers and URLs in texts."""
    pseudonyms: dict[str, str] = {}
    for row in rows.values():
        author = row["author"]
        if author not in pseudonyms:
            pseudonyms[author] = pseudonym(author)
        row["author"] = pseudonyms[author]
        for name in texts:
            row[name] = masked(row[name])


def pseudonym(author: str) -> str:
    """An author under a keyed pseudonym."""
    return "u_" + hmac.digest(KEY, author.encode("utf-8", "replace"), "sha256").hex()[:16]


def masked(text: str) -> str:
    """A text without identities."""
    if "http" in text or "www." in text:
        text = URL.sub("URL", text)
    if "u/" in text:
        text = USER.sub("USER", text)
    if "@" in text:
        text = EMAIL.sub("EMAIL", text)
    return PHONE.sub("PHONE", text)


def write(path: Path, rows: Rows, texts: tuple[str, ...]) -> None:
    """Write rows, sorted by id; lone surrogates, which Parquet cannot hold, are replaced."""
    for row in rows.values():
        for name in texts:
            row[name] = row[name].encode("utf-8", "replace").decode()
    pd.DataFrame(sorted(rows.values(), key=lambda row: row["id"])).to_parquet(path, compression="zstd", index=False)


def main(dump: Path, out: Path, *, bare: bool) -> None:
    """Read, label, hide, write, and say what was found."""
    bad: Counter[str] = Counter()
    posts = posts_of(next(dump.glob("*_submissions.zst")), bad)
    comments = comments_of(next(dump.glob("*_comments.zst")), posts, bad)
    awards = label(posts, comments)
    if not bare:
        label_by_token(posts, comments)
        hide(posts, ("title", "selftext"))
        hide(comments, ("body",))
    out.mkdir(parents=True, exist_ok=True)
    write(out / "submissions.parquet", posts, ("title", "selftext"))
    write(out / "comments.parquet", comments, ("body",))
    counts = {"submissions": len(posts), "comments": len(comments), "awards": awards, "refused": bad.total()}
    print(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), bare="--bare" in sys.argv[3:])
