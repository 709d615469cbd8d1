"""The synthetic dump: ``grammar`` writes the arguments, ``fauna`` what surrounds them, here they meet.

Thread ``k`` is drawn from its own generator, keyed by sha256(seed, k), so it does not change with the
number of threads.
"""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import zstandard

from persuasion.config import Sample
from persuasion.errors import UsageFailure
from persuasion.files import replaced_folder
from persuasion.grammar import Discussion, discussion
from persuasion.records import Truth
from persuasion.scene import Dump, Line, Scene
from persuasion.tables import write_rows

ATTEMPTS = 1000  # drawings of one thread before the grammar counts as exhausted
LEVEL = 10  # of zstd; part of the bytes
SUBMISSIONS, COMMENTS, TRUTH = "changemyview_submissions.zst", "changemyview_comments.zst", "truth/truth.parquet"


def write_sample(settings: Sample, folder: Path) -> Dump:
    """Write both dump files and the truth table under ``folder``, whole or not at all; same seed, same bytes."""
    dump = build_dump(settings.seed, settings.threads)
    with replaced_folder(folder) as partial:
        _write_lines(partial / SUBMISSIONS, _with_torn(dump.submissions, (2,)))
        _write_lines(partial / COMMENTS, _with_torn(dump.comments, (4, 3)))
        write_rows(partial / TRUTH, dump.truth, Truth, "comment_id")
    return dump


def build_dump(seed: int, threads: int) -> Dump:
    """All lines, in order of time."""
    dump = Dump()
    for index, talk in enumerate(discussions(seed, threads)):
        Scene(index, talk, stream(seed, index, "scene"), dump).play()
    for lines in (dump.submissions, dump.comments):
        lines.sort(key=lambda line: (int(line["created_utc"]), line["id"], line["score"] or 0))
    return dump


def discussions(seed: int, count: int) -> Iterator[Discussion]:
    """``count`` threads; one that repeats an earlier title, post or comment is drawn again.

    Raises UsageFailure when the grammar has no more to say.
    """
    seen: set[str] = set()
    for index in range(count):
        for attempt in range(ATTEMPTS):
            talk = discussion(stream(seed, index, attempt))
            texts = {talk.claim, talk.body, *(remark.text for remark in talk.remarks)}
            if len(texts) == len(talk.remarks) + 2 and not texts & seen:
                seen |= texts
                yield talk
                break
        else:
            raise UsageFailure(f"no new thread after {index}", why="every title is used", fix="lower sample.threads")


def stream(*key: object) -> Random:
    """A generator keyed by ``key`` alone."""
    return Random(int.from_bytes(sha256("/".join(map(str, key)).encode()).digest()))


def _with_torn(lines: list[Line], places: tuple[int, ...]) -> Iterator[str]:
    """The lines as JSON, and at 1/2, 1/3 … of the way a line torn in the middle, as in broken crawls."""
    torn = {len(lines) // place for place in places}
    for number, line in enumerate(lines):
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        if number in torn:
            yield text[: len(text) // 2]
        yield text


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, threads=0).compress(data))
