"""The removals file: whose rows are to be gone, one entry a line.

An entry is the id of a comment or post (``t1_…``, ``t3_…``) or an author's pseudonym (``u_`` and 16
hex digits), never a name: the file is in git. ``#`` begins a comment. Knows nothing of tables;
the join drops the rows and writes the receipt.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from persuasion.errors import UsageFailure

_ID = re.compile(r"t[13]_[A-Za-z0-9_]{1,20}")
_PSEUDONYM = re.compile(r"u_[0-9a-f]{16}")
HEAD = """\
# Rows that the stage `extract` drops, one entry a line: the id of a comment (t1_...) or post (t3_..., with its whole
# thread), or an author's pseudonym (u_...). `persuasion forget` adds to it and never writes a name.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """Ids of comments and posts, and pseudonyms of authors, to drop."""

    ids: frozenset[str]
    authors: frozenset[str]


def read_removals(path: Path) -> Removals:
    """Read the removals file. Raises UsageFailure, with the line, for anything that is no entry.

    The message never repeats the line: it may hold a name.
    """
    entries = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        entry = line.partition("#")[0].strip()
        if entry and not is_entry(entry):
            raise UsageFailure(
                "a line of the removals file is neither an id nor a pseudonym",
                where=f"{path} line {number}",
                why="expected t1_… (a comment), t3_… (a post), u_ and 16 hex digits (an author), or a # comment",
                fix="take the line out and give what it says to `persuasion forget` (an id, a link or u/NAME)",
            )
        entries.append(entry)
    return removals(filter(None, entries))


def removals(entries: Iterable[str]) -> Removals:
    """Sort valid entries into ids and pseudonyms."""
    every = frozenset(entries)
    authors = frozenset(entry for entry in every if is_pseudonym(entry))
    return Removals(ids=every - authors, authors=authors)


def is_entry(text: str) -> bool:
    """Whether ``text`` is an id with its kind or a pseudonym."""
    return bool(_ID.fullmatch(text)) or is_pseudonym(text)


def is_pseudonym(text: str) -> bool:
    """Whether ``text`` is an author's pseudonym."""
    return bool(_PSEUDONYM.fullmatch(text))


def extended(text: str, entries: Iterable[str]) -> str:
    """Return the file's text with ``entries`` appended as they come; all that it says already is kept."""
    kept = text if not text or text.endswith("\n") else text + "\n"
    return kept + "".join(f"{entry}\n" for entry in entries)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UsageFailure(
            f"there is no removals file {path}",
            where="source.removals_file",
            fix="`git checkout` it, or make an empty file there",
        ) from None
    except UnicodeDecodeError:
        raise UsageFailure(f"{path} is not UTF-8 text", where="source.removals_file", fix="save it as UTF-8") from None
