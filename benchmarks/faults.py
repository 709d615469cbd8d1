"""Lines with planted faults, each counted: what crawls, crashes and copying do to dumps.

Faults come at fixed places in the row of plain comments, so that a dump of a thousand comments has
each of them; of a large one about every four-thousandth line is at fault.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

UTF8 = 1_480_550_400  # December 2016: records turn from ASCII escapes to UTF-8
ESCAPED_SLASHES = 97  # one thread in so many was written by a writer who escapes slashes
_BODY = b'"body":"'
_REPAIRABLE = {"surrogates": (9_973, 17, b"\\ud83d "), "invalid_utf8": (49_999, 133, b"\xff\xfe ")}
_EXTRA: dict[str, tuple[int, int, Callable[[bytes, int], bytes]]] = {
    "cut": (49_993, 11, lambda line, number: line[: len(line) // 2]),
    "garbage": (49_991, 22, lambda line, number: b"\x00\x01garbage"),
    "not_object": (49_957, 44, lambda line, number: b"[1,2]"),
    "missing_field": (49_943, 55, lambda line, number: b'{"id":"lost%d","link_id":"t3_lost"}' % number),
    "duplicates": (19_997, 66, lambda line, number: line),
    "newer_versions": (29_989, 77, lambda line, number: _newer(line)),
}
NAMES = (*_REPAIRABLE, *_EXTRA)
LAST_LINE = b'{"author":"nobody","body":"the last line is cut sho'


def encoded(record: dict[str, Any], created: int, thread: int) -> bytes:
    """A record as its era's writer wrote it: ASCII at first; UTF-8 and fields in order of the alphabet later."""
    old = created < UTF8
    line = json.dumps(record, ensure_ascii=old, sort_keys=not old, separators=(",", ":")).encode()
    return line.replace(b"/", b"\\/") if thread % ESCAPED_SLASHES == 0 else line


def faulty(line: bytes, number: int, planted: Counter[str]) -> Iterator[bytes]:
    """The line of the ``number``-th plain comment, perhaps damaged but readable, and broken or repeated lines."""
    for name, (every, at, damage) in _REPAIRABLE.items():
        if number % every == at:
            planted[name] += 1
            line = line.replace(_BODY, _BODY + damage, 1)
    yield line
    for name, (every, at, extra) in _EXTRA.items():
        if number % every == at:
            planted[name] += 1
            yield extra(line, number)


def _newer(line: bytes) -> bytes:
    """The same comment, edited and fetched a day later."""
    record = json.loads(line)
    later = {"body": f"{record['body']} EDIT: a word", "retrieved_on": int(record["created_utc"]) + 86_400}
    return json.dumps(record | later, separators=(",", ":")).encode()
