"""Every form but the dump, from its files to raw records: one stream of (place, outcome).

Opens what ``forms`` found and hands lines or texts to the form's own reader. Dumps have a faster way
of their own. Knows nothing of threads, deltas or pseudonyms.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from persuasion import arcticshift, convokit, readypairs, shp, tan
from persuasion.archives import Member, members
from persuasion.config import Source
from persuasion.documents import keys, loaded, whole
from persuasion.dumps import Line, lines
from persuasion.errors import DataFailure
from persuasion.forms import CONVERSATIONS, UTTERANCES, Input, head_of, limits
from persuasion.reddit import Outcome, Place


def read(inputs: Sequence[Input], source: Source) -> Iterator[tuple[Place, Outcome]]:
    """Yield one (place, outcome) for each record of ``inputs``, none of which is a dump.

    Of the records of one line (a thread, a pair) the first alone says that its bytes were repaired.
    Raises DataFailure and IntegrityFailure as the readers and ``archives`` do.
    """
    by_form = {form: [input_ for input_ in inputs if input_.form == form] for form in _READERS}
    last = ("", -1)
    for form, found in by_form.items():
        for place, outcome in _READERS[form](found, source) if found else ():
            here = (place.file, place.offset)
            yield (replace(place, repaired=False) if place.repaired and here == last else place), outcome
            last = here


def _arcticshift(inputs: Sequence[Input], source: Source) -> Iterator[tuple[Place, Outcome]]:
    for member in _members(inputs, source):
        text = whole(member.stream, member.name, limits(source))
        yield from arcticshift.records(text, member.name, source.subreddit)


def _shp(inputs: Sequence[Input], source: Source) -> Iterator[tuple[Place, Outcome]]:
    yield from shp.records(_lines(inputs, source), source.subreddit)


def _pairs(inputs: Sequence[Input], source: Source) -> Iterator[tuple[Place, Outcome]]:
    yield from readypairs.records(_pair_rows(inputs, source))


def _pair_rows(inputs: Sequence[Input], source: Source) -> Iterator[tuple[Place, Any]]:
    for member in _members(inputs, source):
        text = whole(member.stream, member.name, limits(source))
        for place, row in readypairs.rows(text, member.name):
            if place.line == 1 and (names := readypairs.unused(row)):
                print(f"extract: {member.name}: not used: {ascii(names)[:200]}", file=sys.stderr)
            yield place, row


def _tan(inputs: Sequence[Input], source: Source) -> Iterator[tuple[Place, Outcome]]:
    """Read the best task that the files hold; a first pass over all of them finds which."""
    found = {member.name: _task(member, source) for member in _members(inputs, source)}
    wanted = next((task for task in tan.TASKS if task in found.values()), None)
    if wanted is None:
        raise DataFailure(f"{source.path} holds no row of Tan et al. 2016", fix="correct source.path or source.kind")
    yield from tan.records(_lines(inputs, source, {name for name in found if found[name]}), wanted, source.subreddit)


def _task(member: Member, source: Source) -> str:
    """The task of a file, "" for one that is not part of the data (its README).

    Raises DataFailure for a file without a row in one of the data's own folders.
    """
    head = head_of(member.stream, member.name, limits(source)).decode("utf-8", "replace")
    task = next((found for row in head.split("\n") if (found := tan.task(keys(row.lstrip("\ufeff \t\r"))))), "")
    if not task and member.path.parent.name in tan.FOLDERS:
        raise DataFailure(f"{member.name} holds no row of Tan et al. 2016", fix="fetch it again, or remove it")
    return task


def _convokit(inputs: Sequence[Input], source: Source) -> Iterator[tuple[Place, Outcome]]:
    if len(inputs) > 1:
        raise DataFailure(f"{source.path} holds several ConvoKit corpora", fix="give source.path one of them")
    found = [member.name for member in _members(inputs, source) if member.path.name == UTTERANCES]
    if len(found) != 1:
        raise DataFailure(f"{source.path} holds {len(found)} files {UTTERANCES}", why="a corpus has one")
    conversations = _conversations(inputs, source)
    yield from convokit.records(lambda: _lines(inputs, source, set(found)), conversations, source.subreddit)


def _conversations(inputs: Sequence[Input], source: Source) -> dict[str, Any]:
    for member in _members(inputs, source):
        if member.path.name == CONVERSATIONS:
            try:
                value = loaded(whole(member.stream, member.name, limits(source)).removeprefix("\ufeff"))
            except ValueError as error:
                raise DataFailure(f"{member.name} is not valid JSON", why=str(error), fix="fetch it again") from None
            if isinstance(value, dict):
                return value
    raise DataFailure(
        f"{source.path} has no {CONVERSATIONS} with an object", why="posts' titles stand there", fix="fetch it again"
    )


def _members(inputs: Sequence[Input], source: Source) -> Iterator[Member]:
    for input_ in inputs:
        yield from members(input_.path, input_.name, input_.kind, limits(source))


def _lines(inputs: Sequence[Input], source: Source, names: set[str] | None = None) -> Iterator[Line]:
    """The lines of all members, or of those with these names."""
    for member in _members(inputs, source):
        if names is None or member.name in names:
            yield from lines(member.stream, member.name, limits(source))


_READERS = {"arcticshift": _arcticshift, "convokit": _convokit, "tan": _tan, "shp": _shp, "pairs": _pairs}
