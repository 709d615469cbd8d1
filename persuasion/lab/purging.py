"""``persuasion purge``: remove from cache and remotes the very objects with forgotten rows, or made from them.

`dvc gc` takes all other versions with it; this takes only what a search of ``holdings`` names. What the present
version needs is never touched, so it must be free of the rows before anything is removed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from persuasion.errors import DataFailure, RemoteFailure
from persuasion.lab import forget, versions
from persuasion.lab.hashes import FOLDER, listing
from persuasion.lab.holdings import Holding
from persuasion.lab.refusing import refusal
from persuasion.lab.versions import WORKSPACE, Store, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """An object of ``place`` with the output it is of ("": of no version), why it goes, and its size in bytes."""

    place: str
    md5: str
    bytes: int
    path: str
    how: str
    revisions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What goes, or went where ``removed``; what the present version holds itself; and what was not looked into."""

    entries: list[str]
    objects: list[Doomed]
    present: list[str]
    unreachable: dict[str, str]
    notes: list[str]
    removed: bool


def purge(folder: Path, *, yes: bool) -> Purged:
    """Look for the rows of the removals file in every store; with ``yes`` remove the objects of other versions.

    Raises DataFailure, before anything is removed, where the present version still holds rows, and RemoteFailure
    where a store refuses midway: what was removed stays removed, and the same command goes on.
    """
    root = forget.top(folder)
    told = forget.forget((), root, dry_run=True)
    found, _ = versions.stores(root)
    known = versions.history(root).versions
    kept = frozenset(md5 for version in known if WORKSPACE in version.revisions for md5 in _needs(root, version, found))
    present = sorted({one.path for one in told.holdings if WORKSPACE in one.revisions})
    purged = Purged(
        entries=told.entries,
        objects=sorted(_doomed(told.holdings, found, kept), key=lambda one: (one.place, one.path, one.md5)),
        present=present,
        unreachable=told.unreachable,
        notes=told.notes,
        removed=False,
    )
    if not yes or not purged.objects:
        return purged
    if present:
        raise DataFailure(
            f"the present version itself still holds rows to forget: {', '.join(present)}",
            why="what it needs is never removed, and its outputs were made before the entries stood in the file",
            fix='`dvc repro`, then `git add --all && git commit --message "Honour removals"`, then this again',
        )
    order = {out.path: number for version in known for number, out in enumerate(version.outputs)}
    for store in found:
        _remove(store, [one for one in purged.objects if one.place == store.name], order)
    return replace(purged, removed=True)


def as_json(told: Purged) -> dict[str, Any]:
    """The whole of it for scripts."""
    return {**asdict(told), "bytes": sum(one.bytes for one in told.objects)}


def text(told: Purged) -> str:
    """The whole of it for people."""
    lines = []
    for one in told.objects:
        label = " ".join(filter(None, [one.path or "an object", one.md5[:7]]))
        lines.append(
            f"{one.bytes:>12,}  {one.place:15} {label:30} {one.how} ({', '.join(one.revisions[:3]) or 'no revision'})"
        )
    done = "removed" if told.removed else "to be removed (--yes does it)"
    total = sum(one.bytes for one in told.objects)
    lines.append(
        f"{len(told.objects)} objects, {total:,} bytes {done}"
        if told.objects
        else "No object of another version holds them."
    )
    if told.present and not told.removed:
        lines.append(f"The present version still holds rows: {', '.join(told.present)}. First `dvc repro`, and commit")
    lines += [f"Remote {name} was not looked into: {why}" for name, why in sorted(told.unreachable.items())]
    return "\n".join([*lines, *(f"Note: {note}" for note in told.notes)])


def require_reached(told: Purged) -> None:
    """Raise RemoteFailure where a remote was not looked into: its objects are still there."""
    if told.unreachable:
        names = ", ".join(sorted(told.unreachable))
        raise RemoteFailure(f"not purged: {names}", why="; ".join(told.unreachable.values()), fix="try again later")


def _needs(root: Path, version: Version, stores: Sequence[Store]) -> Iterator[str]:
    """Every object that a dvc.lock needs."""
    for out in version.outputs:
        yield out.md5
        children = versions.folder(out.md5, stores)
        yield from (listing(root / out.path) if children is None else children).values()


def _doomed(held: Sequence[Holding], stores: Sequence[Store], kept: frozenset[str]) -> Iterator[Doomed]:
    """Every object once a store; with a folder's file its list goes too, or a push would take the folder for whole."""
    seen = set()
    for one in held:
        lists = [one.md5] if one.md5.endswith(FOLDER) else []
        for store in stores:
            for md5 in (*one.objects, *lists):
                if md5 in store.objects and md5 not in kept and (store.name, md5) not in seen:
                    seen.add((store.name, md5))
                    yield Doomed(
                        place=store.name,
                        md5=md5,
                        bytes=_size(store, md5),
                        path=one.path,
                        how=one.how if md5 in one.objects else "lists them",
                        revisions=one.revisions,
                    )


def _size(store: Store, md5: str) -> int:
    try:
        return int(store.database.fs.size(store.database.oid_to_path(md5)))
    except Exception as error:  # stores have errors of all kinds
        raise refusal(f"an object of {store.name} could not be looked at", error) from None


def _remove(store: Store, objects: Sequence[Doomed], order: Mapping[str, int]) -> None:
    """Remove objects, what was made of others first: a purge that breaks off must find the rest by what is left."""
    from dvc_data.hashfile.db import get_index

    last_first = sorted(objects, key=lambda one: (-order.get(one.path, len(order)), one.md5.endswith(FOLDER), one.md5))
    try:
        for one in last_first:
            store.database.fs.remove(store.database.oid_to_path(one.md5))
        if objects and store.name.startswith(versions.REMOTE):
            with closing(get_index(store.database)) as index:  # what DVC remembers a remote to have, as `dvc gc` does
                index.clear()
    except Exception as error:  # stores have errors of all kinds
        raise refusal(f"{store.name} could not be purged to the end", error) from None
