"""JSON texts to values with their bytes: rows of a line form, entries of a list, documents of any depth.

The standard decoder recurses, and a comment thread 5,000 replies deep is one document; where it
gives up, ``decoded`` goes on without recursion. Knows nothing of Reddit.
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from persuasion.dumps import Line
from persuasion.errors import DataFailure
from persuasion.reddit import Place, Refuse, Skip
from persuasion.unpacking import Limits, unpacked

DOCUMENT_BYTES = 1 << 30
DEEPEST = 100_000  # marks open at once: a reply takes five
ESCAPED = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8, as ``whole`` holds it
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(strict=False)  # as ``reddit`` reads a line
_CLOSING = {"{": "}", "[": "]"}


def rows(lines: Iterable[Line]) -> Iterator[tuple[Place, dict[str, Any] | Refuse | Skip]]:
    """Read each line as a JSON object, or say why it is none; invalid UTF-8 is replaced."""
    for line in lines:
        if line.raw is None:
            yield line.place, Refuse(reason="line_too_long")
            continue
        text = line.raw.decode(errors="surrogateescape")
        repaired = ESCAPED.search(text) is not None
        yield replace(line.place, repaired=repaired), _row(line.raw.decode(errors="replace") if repaired else text)


def _row(text: str) -> dict[str, Any] | Refuse | Skip:
    text = text.removeprefix("\ufeff").strip()
    if not text:
        return Skip(reason="blank")
    try:
        value = loaded(text)
    except ValueError:
        return Refuse(reason="not_json")
    return value if isinstance(value, dict) else Refuse(reason="not_object")


def whole(stream: BinaryIO, name: str, limits: Limits) -> str:
    """Read and decompress a document of at most 1 GiB; bytes that are no UTF-8 become surrogate escapes.

    Raises DataFailure when it is larger, empty, or as ``unpacked``.
    """
    blocks, size = [], 0
    for block in unpacked(stream, name, limits):
        blocks.append(block)
        size += len(block)
        if size > DOCUMENT_BYTES:
            raise DataFailure(
                f"{name} is longer than {DOCUMENT_BYTES >> 20} MiB",
                why="a JSON document or CSV file is read whole",
                fix="split it, or use a form with one record a line",
            )
    if not size:
        raise DataFailure(f"{name} is an empty file", fix="fetch the file again")
    return b"".join(blocks).decode("utf-8", "surrogateescape")


def entries(text: str, name: str) -> Iterator[tuple[Any, Place]]:
    """Yield each document in ``text``, a list entry by entry, with its place in the file ``name``; lines count them.

    Raises DataFailure where the text is not valid JSON.
    """
    done = offset = 0
    try:
        for line, (value, start, end) in enumerate(_values(text), start=1):
            offset += _size(text, done, start)
            length = _size(text, start, end)
            repaired = ESCAPED.search(text, start, end) is not None
            yield value, Place(file=name, line=line, offset=offset, length=length, repaired=repaired)
            offset, done = offset + length, end
    except ValueError as error:
        raise DataFailure(f"{name} is not valid JSON", why=str(error), fix="correct it, or fetch it again") from None


def _values(text: str) -> Iterator[tuple[Any, int, int]]:
    here = _space(text, 1 if text.startswith("\ufeff") else 0)
    while here < len(text):
        if text.startswith("[", here):
            end = yield from _listed(text, here)
        else:
            value, end = decoded(text, here)
            yield value, here, end
        here = _space(text, end)


def _listed(text: str, here: int) -> Generator[tuple[Any, int, int], None, int]:
    """Yield the entries of the list at ``here`` and return where it ends."""
    here = _space(text, here + 1)
    if text.startswith("]", here):
        return here + 1
    while True:
        value, end = decoded(text, here)
        yield value, here, end
        here = _space(text, end)
        if text.startswith("]", here):
            return here + 1
        here = _space(text, _after(text, here, ","))


def loaded(text: str) -> Any:
    """The one JSON value that is ``text``, however deep. Raises ValueError."""
    value, end = decoded(text, _space(text, 0))
    if _space(text, end) != len(text):
        raise ValueError(f"more than one value (character {end})")
    return value


def decoded(text: str, start: int) -> tuple[Any, int]:
    """The JSON value at ``start``, however deep, and where it ends. Raises ValueError."""
    try:
        return _DECODER.raw_decode(text, start)
    except RecursionError:
        return _unrolled(text, start)


def keys(text: str) -> dict[str, str]:
    """The names in the first object of ``text``, each with what opens its value: ``{``, ``[`` or ``value``.

    The text may end anywhere, and the object may be the first entry of a list.
    """
    found: dict[str, str] = {}
    depth, waiting = 0, ""
    try:
        for mark, value, _ in _marks(text, 1 if text.startswith("[") else 0):
            if depth == 1 and waiting:
                found[waiting] = mark
            waiting = value if depth == 1 and mark == "key" else ""
            depth += (mark in _CLOSING) - (mark in _CLOSING.values())
    except ValueError:
        return found
    return found


def _unrolled(text: str, start: int) -> tuple[Any, int]:
    top: list[Any] = []
    open_: list[Any] = [top]
    names = [""]
    end = start
    for mark, value, here in _marks(text, start):
        end = here
        if mark == "key":
            names[-1] = value
        elif mark in _CLOSING.values():
            open_.pop()
            names.pop()
        else:
            made = value if mark == "value" else {} if mark == "{" else []
            inner = open_[-1]
            if isinstance(inner, dict):
                inner[names[-1]] = made
            else:
                inner.append(made)
            if mark != "value":
                open_.append(made)
                names.append("")
    return top[0], end


def _marks(text: str, here: int) -> Iterator[tuple[str, Any, int]]:
    """Yield (mark, value, end) through one JSON value: an opened or closed bracket, a key, a plain value.

    Raises ValueError where the text breaks JSON's grammar, or ends before the value does.
    """
    open_: list[str] = []
    expected = "value"  # or "key", "," (after a value); "first key" and "first value" may also close
    while expected != "," or open_:
        here = _space(text, here)
        mark = text[here : here + 1]
        if expected in (",", "first key", "first value") and mark and mark == _CLOSING[open_[-1]]:
            open_.pop()
            here, expected = here + 1, ","
            yield mark, None, here
        elif expected == ",":
            here, expected = _after(text, here, ","), "key" if open_[-1] == "{" else "value"
        elif expected in ("key", "first key"):
            if mark != '"':
                raise ValueError(f"no key in double quotes (character {here})")
            name, here = _DECODER.raw_decode(text, here)
            here, expected = _after(text, _space(text, here), ":"), "value"
            yield "key", name, here
        elif mark and mark in _CLOSING:
            open_.append(mark)
            here, expected = here + 1, "first key" if mark == "{" else "first value"
            if len(open_) > DEEPEST:
                raise ValueError(f"nested more than {DEEPEST} deep")
            yield mark, None, here
        else:
            value, here = _DECODER.raw_decode(text, here)
            expected = ","
            yield "value", value, here


def _after(text: str, here: int, mark: str) -> int:
    if not text.startswith(mark, here):
        raise ValueError(f"no {mark!r} (character {here})")
    return here + 1


def _space(text: str, here: int) -> int:
    found = _SPACE.match(text, here)
    return found.end() if found else here


def _size(text: str, start: int, end: int) -> int:
    """How many bytes the characters were."""
    part = text[start:end]
    return len(part) if part.isascii() else len(part.encode("utf-8", "surrogateescape"))
