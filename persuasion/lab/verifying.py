"""``persuasion verify``: every byte against dvc.lock, in the workspace, the cache and, on request, a remote.

DVC's own status trusts times and sizes, and calls a corrupt object up to date; here everything is hashed.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

from persuasion.errors import IntegrityFailure, UsageFailure
from persuasion.lab import versions
from persuasion.lab.hashes import FOLDER, folder_md5, listing, output_md5, stream_md5
from persuasion.lab.locks import Entry, entries, oddities
from persuasion.lab.refusing import refusal

CORRUPT, MISSING, EXTRA, LOCK = "corrupt", "missing", "extra", "lock"
_PARALLEL = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as dvc.lock says: ``how`` (corrupt, missing, extra, lock), where, and what repairs it."""

    how: str
    place: str
    path: str
    md5: str
    why: str
    fix: str


@dataclass(slots=True, kw_only=True)
class Verified:
    """What was hashed, by place; what is wrong; what is only worth a word."""

    checked: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def verify(root: Path, remotes: Sequence[str], *, repair: bool) -> Verified:
    """Hash all that dvc.lock names. ``repair`` removes objects that are corrupt, which are of no use to anybody.

    Raises IntegrityFailure for a dvc.lock that cannot be read, SurroundingsFailure where there is none,
    UsageFailure for a remote that is not configured, RemoteFailure for one that does not answer.
    """
    told = Verified()
    outs = entries(root)
    in_git = versions.in_git(root)
    with versions.repository(root) as repo:
        places = [versions.cache(repo), *(_remote(repo, name) for name in remotes)]
        fetch = bool(repo.config["remote"])
        cached = [out for out in outs if out.path not in in_git]
        lists: dict[str, Mapping[str, str]] = {}
        for place in places:
            _store(place, cached, lists, told, fetch=fetch, repair=repair)
    for out in outs:
        _workspace(root, out, lists.get(out.md5), told, fetch=fetch, in_git=out.path in in_git)
    wrong = [one.path for one in told.findings if one.place == versions.WORKSPACE]
    odd, notes = oddities(root, {out.path for out in outs if not any(versions.touch(out.path, p) for p in wrong)})
    told.notes += notes
    for path, why in odd:
        told.findings.append(
            Finding(how=LOCK, place="dvc.lock", path=path, md5="", why=why, fix="git restore dvc.lock && dvc repro")
        )
    return told


def text(told: Verified) -> str:
    """The whole of it for people."""
    lines = [f"{place:20} {count:,} files hashed" for place, count in told.checked.items()]
    for one in told.findings:
        label = " ".join(filter(None, [one.path, one.md5[:7]]))
        lines += [f"{one.how:8} {label} ({one.place}): {one.why}", f"         fix: {one.fix}"]
    lines += [f"removed  {what}" for what in told.removed]
    lines += [f"note     {note}" for note in told.notes]
    return "\n".join([*lines, "All as dvc.lock says." if not told.findings else f"{len(told.findings)} found."])


def as_json(told: Verified) -> dict[str, Any]:
    """The whole of it for scripts."""
    return asdict(told)


def failure(told: Verified) -> IntegrityFailure:
    """The failure that findings amount to."""
    count, first = len(told.findings), told.findings[0]
    return IntegrityFailure(
        f"{count} thing{'s' * (count != 1)} not as dvc.lock says, first {first.path or first.md5}",
        where=first.place,
        why=first.why,
        fix=first.fix,
    )


def _store(
    place: versions.Store,
    outs: Sequence[Entry],
    lists: dict[str, Mapping[str, str]],
    told: Verified,
    *,
    fetch: bool,
    repair: bool,
) -> None:
    """Hash every object that the outputs need; ``lists`` learns what sound folders hold."""
    owners: dict[str, Entry] = {out.md5: out for out in outs}
    state = _states(place, list(owners))
    for md5, out in list(owners.items()):
        if md5.endswith(FOLDER) and state[md5] == "":
            lists[md5] = _list(place, md5)
        for child in (lists.get(md5) or {}).values():
            owners.setdefault(child, out)
    state |= _states(place, [md5 for md5 in owners if md5 not in state])
    told.checked[place.name] = sum(how != MISSING for how in state.values())
    for md5, how in sorted(state.items(), key=lambda item: (owners[item[0]].path, item[0])):
        if how:
            told.findings.append(_object(place, owners[md5], md5, how, fetch=fetch))
    if repair:
        for md5 in sorted(_useless(place, owners, state)):
            place.database.fs.remove(place.database.oid_to_path(md5))
            told.removed.append(f"{md5} from {place.name}")


def _useless(place: versions.Store, owners: Mapping[str, Entry], state: Mapping[str, str]) -> set[str]:
    """Corrupt objects; on a remote also the lists of folders that lack one: a push takes those for whole."""
    gone = {md5 for md5, how in state.items() if how == CORRUPT}
    if place.name.startswith(versions.REMOTE):
        broken = {owners[md5].md5 for md5, how in state.items() if how}
        gone |= {md5 for md5 in broken if md5.endswith(FOLDER) and state.get(md5) != MISSING}
    return gone


def _states(place: versions.Store, wanted: Sequence[str]) -> dict[str, str]:
    """For each object "", corrupt or missing."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return dict(zip(wanted, pool.map(lambda md5: _state(place, md5), wanted), strict=True))


def _state(place: versions.Store, md5: str) -> str:
    if md5 not in place.objects:
        return MISSING
    try:
        with place.open(md5) as stream:
            return "" if stream_md5(stream) == md5.removesuffix(FOLDER) else CORRUPT
    except FileNotFoundError:
        return MISSING
    except Exception as error:  # stores have errors of all kinds
        raise refusal(f"an object could not be read from {place.name}", error) from None


def _list(place: versions.Store, md5: str) -> Mapping[str, str]:
    """The hashes of a sound folder's files by relative path."""
    try:
        with place.open(md5) as stream:
            return {row["relpath"]: row["md5"] for row in json.load(stream)}
    except Exception as error:  # stores have errors of all kinds
        raise refusal(f"an object could not be read from {place.name}", error) from None


def _object(place: versions.Store, out: Entry, md5: str, how: str, *, fetch: bool) -> Finding:
    """The finding on one object; a remote is mended by a push, the cache by a pull or a run."""
    why = "its bytes are not those of its name" if how == CORRUPT else "no such object there"
    drop = "persuasion verify --repair"
    if place.name.startswith(versions.REMOTE):
        name = quote(place.name.removeprefix(versions.REMOTE))
        drop, mend = f"{drop} --remote {name}", f"dvc push --remote {name} {quote(out.path)}"
    else:
        again = f"dvc pull {quote(out.path)}" if fetch else f"dvc repro {out.stage}"
        mend = f"rm -r {quote(out.path)} && {again}" if how == CORRUPT else f"dvc fetch {quote(out.path)}"
        mend = mend if fetch or how == CORRUPT else f"dvc commit --force {out.stage}"
    unlisted = out.md5.endswith(FOLDER) and place.name.startswith(versions.REMOTE)
    fix = f"{drop}; {mend}" if how == CORRUPT or unlisted else mend
    return Finding(how=how, place=place.name, path=out.path, md5=md5, why=why, fix=fix)


def _workspace(
    root: Path, out: Entry, known: Mapping[str, str] | None, told: Verified, *, fetch: bool, in_git: bool
) -> None:
    """Hash an output as it lies here, and name the files that differ."""
    path, name = root / out.path, quote(out.path)
    mend = f"rm -r {name} && {f'dvc pull {name}' if fetch else f'dvc checkout {name}'}"
    mend = f"git restore {name}, or dvc repro {out.stage}" if in_git else mend

    def found(how: str, where: str, why: str) -> None:
        told.findings.append(Finding(how=how, place=versions.WORKSPACE, path=where, md5=out.md5, why=why, fix=mend))

    if not path.exists():
        return found(MISSING, out.path, "it is not there")
    here = listing(path) if path.is_dir() else {"": output_md5(path) or ""}
    told.checked[versions.WORKSPACE] = told.checked.get(versions.WORKSPACE, 0) + len(here)
    if (folder_md5(here) if path.is_dir() else here[""]) == out.md5:
        return None
    if known is None:
        return found(CORRUPT, out.path, "its hash is another than dvc.lock's")
    for file in sorted(here.keys() | known.keys()):
        label = f"{out.path}/{file}" if file else out.path
        if file not in here:
            found(MISSING, label, "it is not there")
        elif file not in known:
            found(EXTRA, label, "dvc.lock does not know it")
        elif here[file] != known[file]:
            found(CORRUPT, label, "its bytes are not those that dvc.lock names")
    return None


def _remote(repo: Any, name: str) -> versions.Store:
    if name not in repo.config["remote"]:
        known = ", ".join(sorted(repo.config["remote"])) or "there is none"
        raise UsageFailure(f"no remote {name!a} is configured", why=known, fix="`dvc remote list`")
    try:
        return versions.remote(repo, name)
    except Exception as error:  # every kind of remote has its own errors
        raise refusal(f"the remote {name} could not be listed", error) from None
