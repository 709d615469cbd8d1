"""The same work with ConvoKit: its Corpus of Utterances, its walk for the deltas, its table of utterances.

``python -m benchmarks.peers.convokit_corpus DUMP OUT [--bare]``, as ``scripts``, whose masks and pseudonyms it
takes. ConvoKit has no reader of dumps, so records come to it through the popular loop. The utterances' ids are
full names (``t1_…``), because ids of posts and comments meet when they lose their kind.
"""

import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard
from convokit import Corpus, Speaker, Utterance

from benchmarks.peers.scripts import QUOTE, TOKEN, masked, pseudonym

CONFIRMED = re.compile(r"\b1 (?:delta|point) awarded to /?u/")


class Reading:
    """Utterances and speakers by name, and what could not be read."""

    def __init__(self) -> None:
        self.utterances: dict[str, Utterance] = {}
        self.speakers: dict[str, Speaker] = {}
        self.bad: Counter[str] = Counter()

    def speaker(self, name: str) -> Speaker:
        """The one Speaker of a name."""
        if name not in self.speakers:
            self.speakers[name] = Speaker(id=name)
        return self.speakers[name]

    def post(self, record: dict[str, Any]) -> None:
        """Add a submission: the root of its conversation."""
        name = f"t3_{record['id']}"
        self.utterances[name] = Utterance(
            id=name,
            speaker=self.speaker(record["author"]),
            conversation_id=name,
            reply_to=None,
            timestamp=int(record["created_utc"]),
            text=clean(record["selftext"]),
            meta={"score": record["score"], "title": clean(record["title"])},
        )

    def comment(self, record: dict[str, Any]) -> None:
        """Add a comment of a known submission."""
        if record["link_id"] not in self.utterances:
            self.bad["orphan"] += 1
            return
        name = f"t1_{record['id']}"
        self.utterances[name] = Utterance(
            id=name,
            speaker=self.speaker(record["author"]),
            conversation_id=record["link_id"],
            reply_to=record["parent_id"],
            timestamp=int(record["created_utc"]),
            text=clean(record["body"]),
            meta={"score": record["score"]},
        )

    def read(self, path: Path, add: Any) -> None:
        """Feed every record of a file to ``add``."""
        for line in lines(path):
            try:
                add(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                self.bad[type(error).__name__] += 1


def lines(path: Path) -> Iterator[str]:
    """The lines of a compressed file, bad UTF-8 replaced."""
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(file, read_across_frames=True)
        yield from io.TextIOWrapper(reader, "utf-8", errors="replace", newline="\n")


def clean(text: str) -> str:
    """Lone surrogates, which Parquet cannot hold, replaced."""
    return text.encode("utf-8", "replace").decode()


def label(corpus: Corpus) -> int:
    """Count every utterance's deltas: DeltaBot answers the award, the award answers what earned it."""
    awards = {
        utterance.reply_to
        for utterance in corpus.iter_utterances()
        if utterance.speaker.id == "DeltaBot" and CONFIRMED.search(utterance.text)
    }
    given = 0
    for name in awards:
        if not corpus.has_utterance(name):
            continue
        award = corpus.get_utterance(name)
        if not (award.reply_to or "").startswith("t1_") or not corpus.has_utterance(award.reply_to):
            continue
        earned = corpus.get_utterance(award.reply_to)
        op = corpus.get_utterance(earned.conversation_id).speaker.id
        if earned.speaker.id not in (award.speaker.id, op, "DeltaBot"):
            earned.meta["deltas"] = earned.meta.get("deltas", 0) + 1
            given += 1
    return given


def label_by_token(corpus: Corpus) -> None:
    """Count the deltas of OP's tokens in threads where DeltaBot is silent."""
    spoken = {each.conversation_id for each in corpus.iter_utterances() if each.speaker.id == "DeltaBot"}
    for award in corpus.iter_utterances():
        if award.conversation_id in spoken or not TOKEN.search(award.text):
            continue
        op = corpus.get_utterance(award.conversation_id).speaker.id
        if award.speaker.id != op or not (award.reply_to or "").startswith("t1_"):
            continue
        earned = corpus.get_utterance(award.reply_to) if corpus.has_utterance(award.reply_to) else None
        if earned and earned.speaker.id != op and TOKEN.search(QUOTE.sub("", award.text)):
            earned.meta["deltas"] = earned.meta.get("deltas", 0) + 1


def main(dump: Path, out: Path, *, bare: bool) -> None:
    """Read, build, label, hide, write, and say what was found."""
    reading = Reading()
    reading.read(next(dump.glob("*_submissions.zst")), reading.post)
    posts = len(reading.utterances)
    reading.read(next(dump.glob("*_comments.zst")), reading.comment)
    corpus = Corpus(utterances=list(reading.utterances.values()))
    awards = label(corpus)
    if not bare:
        label_by_token(corpus)
    out.mkdir(parents=True, exist_ok=True)
    table = corpus.get_utterances_dataframe().drop(columns=["vectors"]).sort_index()
    table = table.astype({"meta.score": "float64", "meta.deltas": "float64", "meta.title": "str"})
    if not bare:  # in the table, which is quicker than utterance by utterance
        table["speaker"] = table["speaker"].map({name: pseudonym(name) for name in table["speaker"].unique()})
        for name in ("text", "meta.title"):
            table[name] = table[name].map(masked, na_action="ignore")
    table.to_parquet(out / "utterances.parquet", compression="zstd")
    comments = len(reading.utterances) - posts
    found = {"submissions": posts, "comments": comments, "awards": awards, "refused": reading.bad.total()}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), bare="--bare" in sys.argv[3:])
