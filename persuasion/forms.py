"""Which form of CMV each file of a source has, told by its content: first bytes, then the first record's fields.

Names decide only where they are part of the form: ConvoKit's ``utterances.jsonl`` inside its folder
or zip, and the folders of Tan et al. 2016 and of the monthly dumps. Knows nothing of how a form is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from persuasion import readypairs, shp, tan
from persuasion.archives import Container, container, members
from persuasion.config import Source
from persuasion.convokit import is_utterance
from persuasion.datafiles import HEAD, data_files
from persuasion.documents import keys
from persuasion.errors import DataFailure
from persuasion.unpacking import Limits, compression, unpacked

UTTERANCES, CONVERSATIONS = "utterances.jsonl", "conversations.json"
TITLES = {
    "dump": "a dump file",
    "arcticshift": "a reply of the Arctic Shift API",
    "convokit": "a ConvoKit corpus",
    "tan": "the data of Tan et al. 2016",
    "shp": "a file of SHP",
    "pairs": "a file of ready pairs",
}
_BINARY = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"\xfd7zXZ": "xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"PAR1": "Parquet",
    b"SQLite format 3": "a SQLite database",
    b"%PDF": "a PDF",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_REDDIT = {"body", "selftext", "title", "link_id", "parent_id", "subreddit", "author"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One thing to read: a file, an archive or a folder of ``form``; ``name`` stands in places and messages."""

    form: str
    path: Path
    name: str
    kind: Container


def limits(source: Source) -> Limits:
    """The source's limits for its lines and windows."""
    return Limits(line_bytes=source.max_line_bytes, window_mb=source.zst_window_mb)


def inputs(source: Source) -> list[Input]:
    """Tell what ``source.path`` holds: a corpus's folder is one input, any other folder its visible files.

    Raises DataFailure when it holds nothing, a file of no known form or another than ``source.kind``,
    or forms that cannot be read together.
    """
    path = Path(source.path)
    if path.is_file():
        found = [_input(path, source, path.name)]
    elif path.is_dir():
        found = _corpus(path, limits(source)) or [
            _input(file, source, file.relative_to(path).as_posix()) for file in data_files(path)
        ]
    else:
        raise DataFailure(
            f"{path} does not exist", why="source.path names it", fix="correct source.path in params.yaml"
        )
    _require_kind({input_.form for input_ in found}, source)
    return found


def _require_kind(forms: set[str], source: Source) -> None:
    """Raise DataFailure unless ``forms`` can be read together and are what ``source.kind`` asks for."""
    if source.kind != "auto" and forms != {source.kind}:
        detected = ", ".join(TITLES[form] for form in sorted(forms))
        raise _wrong(source.path, source.kind, detected, f"correct source.kind ({source.kind}) or source.path")
    if len(forms) > 1 and forms != {"dump", "arcticshift"}:
        raise DataFailure(
            f"{source.path} holds files of several forms",
            why=", ".join(TITLES[form] for form in sorted(forms)),
            fix="put each form in a folder of its own",
        )


def _corpus(path: Path, limits: Limits) -> list[Input]:
    """The folder as one corpus when it is laid out as one, else nothing."""
    layout = path / UTTERANCES
    folders = [file for name in tan.FOLDERS for file in sorted((path / name).glob("[!.]*")) if file.is_file()]
    for form, files in (("convokit", [layout] if layout.is_file() else []), ("tan", folders)):
        if any(_form_of(_text(_peek(file, limits)[1]))[0] == form for file in files):
            return [Input(form=form, path=path, name="", kind="folder")]
    return []


def _input(path: Path, source: Source, name: str) -> Input:
    """Tell a file's form. Raises DataFailure when it has none, or not the one that ``source.kind`` asks for."""
    head, plain = _peek(path, limits(source))
    kind = container(head, plain)
    if kind == "file":
        form, detected = _form_of(_text(plain)) if not _magic(plain) else ("", _magic(plain))
    else:
        form, detected = _archived(path, kind, limits(source)), f"a {kind} archive"
    asked = "" if source.kind == "auto" else source.kind
    if not form or asked not in ("", form):
        title = f"{TITLES[form]} ({detected})" if form else detected
        fix = "convert it, or move it out of source.path; docs/how-to/own-data.md lists the forms"
        raise _wrong(name, asked or "dump", title, f"correct source.kind ({asked})" if form else fix)
    if form == "convokit" and kind == "file":
        raise DataFailure(
            f"{name} is only a part of a ConvoKit corpus", where=path, fix="give source.path its folder or its zip"
        )
    return Input(form=form, path=path, name=name, kind=kind)


def _archived(path: Path, kind: Container, limits: Limits) -> str:
    """The form of what an archive holds: ``convokit``, ``tan``, or "" for neither."""
    for member in members(path, path.name, kind, limits):
        form, _ = _form_of(_text(head_of(member.stream, member.name, limits)))
        if form == "tan" or (form == "convokit" and member.path.name == UTTERANCES):
            return form
    return ""


def head_of(stream: BinaryIO, name: str, limits: Limits) -> bytes:
    """The first decompressed bytes of a stream, about 1 MiB; a fault behind the first block is left to the reader."""
    parts: list[bytes] = []
    try:
        for block in unpacked(stream, name, limits):
            parts.append(block)
            if sum(map(len, parts)) >= HEAD:
                break
    except DataFailure:
        if not parts:
            raise
    return b"".join(parts)[:HEAD]


def _peek(path: Path, limits: Limits) -> tuple[bytes, bytes]:
    """The first bytes of a file, and those of what it decompresses to."""
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
            stream.seek(0)
            return head, head_of(stream, path.name, limits) if compression(head) else stream.read(HEAD)
    except OSError as error:
        raise DataFailure(f"{path.name} cannot be read", where=path, why=error.strerror or str(error)) from None


def _text(head: bytes) -> str:
    return head.decode("utf-8", "replace").removeprefix("\ufeff").lstrip()


def _magic(head: bytes) -> str:
    """Name a binary format, or bytes that are no text; "" for a text."""
    known = next((name for magic, name in _BINARY.items() if head.startswith(magic)), "")
    known = known or (f"{compression(head)}, compressed twice" if compression(head) else "")
    if known or not head.strip():
        return known or ("blank lines only" if head else "an empty file")
    return "binary data" if b"\0" in head and b"{" not in head else ""


def _form_of(text: str) -> tuple[str, str]:
    """The form of a text ("" for none) and what it looks like, from its first records."""
    rows = [row.strip() for row in text.split("\n") if row.strip()]
    if not rows:
        return "", "blank lines only"
    if text.startswith("[") and not (rows[0].endswith("]") and rows[1:2] and rows[1].startswith("{")):
        return _listed(keys(text)), "a JSON list"
    if readypairs.delimiter(rows[0]):
        return "pairs", "CSV or TSV"
    objects = [row for row in rows if row.startswith("{")]
    if objects:
        first = text[text.index(objects[0]) :]
        found = _first_known(_form_of_record(keys(record)) for record in [first, *objects[1:50]])
        return found or "dump", "JSON lines"
    if rows[0].startswith("<"):
        return "", "HTML or XML"
    return "", "CSV or TSV" if "," in rows[0] or "\t" in rows[0] else "plain text"


def _first_known(forms: Iterable[str]) -> str:
    return next((form for form in forms if form), "")


def _listed(names: dict[str, str]) -> str:
    """The form of a list whose first entry has these fields; what is no Reddit record is taken for pairs."""
    pairs = any(names.keys() >= set(columns) for columns in readypairs.COLUMNS)
    return "arcticshift" if not pairs and ({"kind", "data"} <= names.keys() or names.keys() & _REDDIT) else "pairs"


def _form_of_record(names: dict[str, str]) -> str:
    """The form of which an object with these fields is a record, "" for none."""
    if names.keys() >= shp.FIELDS:
        return "shp"
    if tan.task(names) and names.get("comments", "[") == "[":
        return "tan"
    if any(names.keys() >= set(columns) for columns in readypairs.COLUMNS):
        return "pairs"
    if is_utterance(names):
        return "convokit"
    if "data" in names and (names["data"] == "[" or names.keys() & {"kind", "error"}):
        return "arcticshift"
    return "dump" if names.keys() & _REDDIT else ""


def _wrong(name: str, expected: str, detected: str, fix: str) -> DataFailure:
    kinds = "newline-delimited JSON (plain, gzip, zstd or bzip2)" if expected == "dump" else TITLES[expected]
    return DataFailure(f"{name} is not {TITLES[expected]}", why=f"expected {kinds}, detected {detected}", fix=fix)
