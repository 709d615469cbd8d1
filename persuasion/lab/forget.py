"""``persuasion forget``: add to the removals file, say what still holds the rows, and how to purge it.

Names become pseudonyms here and go no further. Deletes nothing itself: the commands that do are
printed, as `dvc gc` takes other versions with it; `persuasion purge` removes the rows' objects alone.
"""

import re
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlsplit

from persuasion.config import PARAMS, Source, load_params
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.files import write_text
from persuasion.lab import holdings, versions
from persuasion.lab.holdings import HOLDS, MAY, Holding, Search
from persuasion.lab.traces import sought
from persuasion.lab.workspace import top
from persuasion.pseudonyms import fingerprint, is_public, key_file, key_for, key_in, pseudonym
from persuasion.removals import HEAD, Removals, extended, is_entry, read_removals

RAW = "data/raw"
_NAME = re.compile(r"/?(?:u|user)/([A-Za-z0-9_-]{1,40})/?")
_SHOWN = 4
"""Revisions of a version named in the text; --json has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was added to which file (or would be, in a ``dry_run``), and where the rows of ``entries`` still are."""

    file: str
    dry_run: bool
    entries: list[str]
    added: list[str]
    fingerprint: str | None
    holdings: list[Holding]
    unnamed: dict[str, int]
    sources: list[str]
    runs: list[str]
    copies: list[str]
    unreachable: dict[str, str]
    notes: list[str]


def forget(asked: Sequence[str], folder: Path, *, dry_run: bool) -> Told:
    """Add what is ``asked`` (nothing: only look for the file's entries) and look for its rows everywhere.

    Raises UsageFailure for a malformed entry, before anything is written, and SurroundingsFailure
    where there is no DVC repository to look into.
    """
    root = top(folder)
    with chdir(root):
        source = load_params(PARAMS).source
        named = any(_name(text) for text in asked)
        entries = list(dict.fromkeys(_entry(text, number, source) for number, text in enumerate(asked, start=1)))
        listed = Path(source.removals_file)
        before = read_removals(listed) if listed.exists() else Removals(ids=frozenset(), authors=frozenset())
        added = [entry for entry in entries if entry not in before.ids | before.authors]
        if added and not dry_run:
            write_text(listed, extended(listed.read_text(encoding="utf-8-sig") if listed.exists() else HEAD, added))
        sought_for = entries or sorted(before.ids | before.authors)
        try:
            return _look(root, source, sought_for, added, named=named, dry_run=dry_run)
        except SurroundingsFailure as failure:
            if added and not dry_run:
                failure.why += f" ({len(added)} entries were added to {listed} all the same)"
            raise


def key(folder: Path) -> dict[str, Any]:
    """Where this user's key lies, made if there is none, its fingerprint, and whether the source uses it."""
    with chdir(top(folder)):
        source = load_params(PARAMS).source
        path = key_file(source)
        secret = key_in(path, make=source.pseudonym_key_file is None)
        return {"path": str(path), "fingerprint": fingerprint(secret), "used": not is_public(source)}


def steps(told: Told) -> list[tuple[str, str]]:
    """Commands that purge what was found, each with its reason."""
    versioned = _versioned(told) if told.holdings else []
    ids = ",".join(told.runs)
    logged = [(f"mlflow runs delete --run-id {run}", "with MLFLOW_TRACKING_URI as you track") for run in told.runs]
    if logged:
        logged.append((f"mlflow gc --backend-store-uri sqlite:///mlflow.db --run-ids {ids}", "deletes their files"))
    left = [(f"rm -r {quote(copy)}", "an experiment's copy; not while one runs") for copy in told.copies]
    again = [("persuasion forget", "look again: nothing is listed")] if told.holdings else []
    return [*versioned, *logged, *left, *again]


def _versioned(told: Told) -> list[tuple[str, str]]:
    places = {place for one in told.holdings for place in one.places}
    remotes = {place.removeprefix(versions.REMOTE) for place in places if place.startswith(versions.REMOTE)}
    revisions = {name for one in told.holdings for name in one.revisions}
    experiments = sorted(n.removeprefix(versions.EXPERIMENT) for n in revisions if n.startswith(versions.EXPERIMENT))
    removed = f"dvc exp remove {' '.join(map(quote, experiments))}"
    return [
        ("dvc repro", "drop the rows here; data/threads/removed.jsonl is the receipt"),
        ('git add --all && git commit --message "Honour removals"', "history has hashes and figures, no row"),
        *([(removed, "add --git-remote NAME for those pushed with `dvc exp push`")] if experiments else []),
        ("dvc gc --workspace", "the cache keeps only what the workspace uses; `persuasion purge` takes only the rows"),
        *(
            (f"dvc gc --workspace --cloud --remote {quote(name)}", "other clones' pushed versions go too")
            for name in sorted(remotes | told.unreachable.keys())
        ),
    ]


def as_json(told: Told) -> dict[str, Any]:
    """The whole of it for scripts."""
    return {**asdict(told), "steps": [command for command, _ in steps(told)]}


def text(told: Told) -> str:
    """The whole of it for people."""
    lines = [f"{told.file}: {len(told.added)} {'to be added' if told.dry_run else 'added'}"]
    lines += [f"  + {entry}" for entry in told.added]
    if told.fingerprint:
        lines.append(f"Names became pseudonyms with the key {told.fingerprint}; data/threads/README.md names its own.")
    if told.holdings:
        lines += ["", "These still hold the rows, or were made from them:", *map(_line, told.holdings)]
    else:
        lines += ["", "No output, cached or pushed version that could be looked into holds them."]
    lines += [f"  MLflow run {run}" for run in told.runs]
    lines += [f"  {copy} may: a copy of the workspace" for copy in told.copies]
    lines += [f"Remote {name} was not looked into: {why}" for name, why in sorted(told.unreachable.items())]
    lines += [f"Note: {note}" for note in told.notes]
    if told.holdings and told.unnamed:
        counts = ", ".join(f"{count} in {store}" for store, count in told.unnamed.items())
        lines.append(f"Note: objects of no revision ({counts}) may be made from them; `dvc gc` removes those too")
    lines.append(f"Raw data is not ours to edit, and may still hold them: {', '.join(told.sources)}")
    if todo := steps(told):
        lines += ["", "To purge them:", *(f"  {n}. {what}\n     {why}" for n, (what, why) in enumerate(todo, 1))]
        lines.append("Other clones, copies and published models are beyond this: tell those who have them.")
    return "\n".join(lines)


def _look(root: Path, source: Source, entries: list[str], added: list[str], *, named: bool, dry_run: bool) -> Told:
    stores, unreachable = versions.stores(root)
    history = versions.history(root)
    raw = _inside(source.path, root)
    imported = versions.tracked(root)
    search = Search(
        stores=stores, wanted=sought(entries), aside=(RAW, *imported, *filter(None, [raw]), *versions.in_git(root))
    )
    search.leave_out(sorted(history.imported))
    if entries:
        search.workspace(root, next((v for v in history.versions if versions.WORKSPACE in v.revisions), None))
        for version in history.versions:
            search.version(version)
    unnamed = search.unnamed() if entries else {}
    exps = root / ".dvc/tmp/exps"
    return Told(
        file=source.removals_file,
        dry_run=dry_run,
        entries=entries,
        added=added,
        fingerprint=fingerprint(key_for(source)) if named else None,
        holdings=sorted(search.holdings.values(), key=lambda one: (one.path == "", one.path, one.md5)),
        unnamed=unnamed,
        sources=list(dict.fromkeys([source.path, *imported])),
        runs=holdings.runs(root, search.wanted),
        copies=sorted(p.relative_to(root).as_posix() for p in (*exps.glob("tmp*"), *exps.glob("standalone/tmp*"))),
        unreachable=unreachable,
        notes=[*history.notes, *sorted(search.trouble)],
    )


def _inside(path: str, root: Path) -> str:
    """A path from the root, "" for one elsewhere."""
    whole = (root / path).resolve()
    return whole.relative_to(root.resolve()).as_posix() if whole.is_relative_to(root.resolve()) else ""


def _entry(text: str, number: int, source: Source) -> str:
    """The entry that an id, a link, a name or a pseudonym means. Messages never repeat what was given."""
    name = _name(text)
    if name:
        return pseudonym(name, _key(source))
    found = text if is_entry(text) else _linked(text)
    if not is_entry(found):
        raise UsageFailure(
            f"argument {number} is neither an id, a link to a comment or post, a name nor a pseudonym",
            fix="give t1_… or t3_…, the page's address (not a /s/ share link), u/NAME, or u_ and 16 hex digits",
        )
    return found


def _key(source: Source) -> bytes:
    """The key in use; none is made, for a new one finds nobody."""
    if not is_public(source) and not key_file(source).exists():
        raise UsageFailure(
            "there is no key here to make a name's pseudonym with",
            where=key_file(source),
            why="with another key than that of the outputs a name would be found nowhere",
            fix="copy the key from where `extract` ran; if it never ran, make one with `persuasion key`",
        )
    return key_for(source)


def _name(text: str) -> str:
    path = _path(text)
    match = _NAME.fullmatch(text) or (_NAME.fullmatch(path) if path else None)
    return match[1] if match else ""


def _linked(text: str) -> str:
    """The id in a comment's or post's address: …/comments/POST/TITLE/COMMENT, or redd.it/POST."""
    parts = [part for part in _path(text).split("/") if part]
    if parts[:1] == ["redd.it"]:
        return f"t3_{parts[1]}" if len(parts) == 2 else ""
    below = parts[parts.index("comments") + 1 :] if "comments" in parts else []
    if len(below) == 3:
        return f"t1_{below[2]}".lower()
    return f"t3_{below[0]}".lower() if len(below) in (1, 2) else ""


def _path(text: str) -> str:
    """The path of a Reddit address, "" for any other text."""
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    if host == "redd.it":
        return f"/redd.it{parts.path}"
    return parts.path if host == "reddit.com" or host.endswith(".reddit.com") else ""


def _line(one: Holding) -> str:
    rows = f" {one.rows} row{'s' * (one.rows != 1)}" if one.how == HOLDS else " rows" if one.how == MAY else " them"
    which = ", ".join(one.revisions[:_SHOWN]) or "no revision"
    more = f" and {len(one.revisions) - _SHOWN} more" if len(one.revisions) > _SHOWN else ""
    label = " ".join(filter(None, [one.path or "an object", one.md5[:7]]))
    return f"  {label:30} {one.how + rows:16} in {', '.join(one.places)} ({which}{more})"
