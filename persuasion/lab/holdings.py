"""Which outputs hold rows to forget, in which versions and stores, and what was made from them.

Tables are looked into, in the cache or through the remote that alone has them. Weights and pages
tell no ids: what a stage made from an output that holds rows is listed as made from it. Objects
that no revision names are looked into too, as `dvc repro` without a commit leaves them behind.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from persuasion.lab import traces, versions
from persuasion.lab.traces import Sought
from persuasion.lab.versions import Output, Store, Version

Opener = Callable[[], BinaryIO]
HOLDS, MAY, MADE = "holds", "may hold", "made from"
RUNS = "mlartifacts"
_GONE = "gone"
_RANK = {HOLDS: 0, MAY: 1, MADE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One version of an output. ``md5`` is "" for the files in the workspace, ``path`` "" for an unnamed object.

    ``objects``: the files in a store that hold the rows, or all of what was made from them.
    """

    path: str
    md5: str
    how: str
    rows: int
    revisions: tuple[str, ...]
    places: tuple[str, ...]
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is in an output: how it holds, how many rows, if with texts, which files do, if it has tables at all."""

    how: str
    rows: int
    texts: bool
    files: frozenset[str]
    table: bool


@dataclass(slots=True, kw_only=True)
class Search:
    """A search for ``wanted`` through stores; each object is read once for the same terms.

    Paths ``aside`` (raw sources, and what git keeps) are passed over.
    """

    stores: Sequence[Store]
    wanted: Sought
    aside: Sequence[str]
    trouble: set[str] = field(default_factory=set)
    holdings: dict[tuple[str, str], Holding] = field(default_factory=dict)
    _known: dict[tuple[str, Sought], traces.Found] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)

    def version(self, version: Version) -> None:
        """Look through the outputs that one dvc.lock names."""
        how: dict[str, str] = {}
        wanted = self.wanted
        for output in version.outputs:
            self._named.add(output.md5)
            files = versions.folder(output.md5, self.stores)
            self._named.update((files or {}).values())
            if self._is_aside(output.path):
                continue
            if files is None:
                how[output.path] = _GONE
                continue
            openers = {md5: self._opener(md5) for md5 in files.values()}
            here = {md5: opener for md5, opener in openers.items() if opener}
            seen, wanted = self._look(here, wanted, cached=True)
            found = _judged(seen, output, how)
            how[output.path] = _passed_on(found, seen) if found or len(here) == len(openers) else _GONE
            if found:
                objects = seen.files or frozenset(files.values())
                self._add(output, found, seen, version.revisions, self._places(output.md5, files, seen), objects)

    def workspace(self, root: Path, version: Version | None) -> None:
        """Look through the outputs as they lie in the workspace."""
        how: dict[str, str] = {}
        wanted = self.wanted
        for output in version.outputs if version else ():
            files = sorted(p for p in (root / output.path, *(root / output.path).rglob("*")) if p.is_file())
            if self._is_aside(output.path) or not files:
                continue
            openers = {path.relative_to(root).as_posix(): _opening(path) for path in files}
            seen, wanted = self._look(openers, wanted, cached=False)
            found = _judged(seen, output, how)
            how[output.path] = _passed_on(found, seen)
            if found:
                here = Output(path=output.path, md5="", read=output.read)
                self._add(here, found, seen, (versions.WORKSPACE,), (versions.WORKSPACE,))

    def leave_out(self, objects: Iterable[str]) -> None:
        """Never look into these objects: raw sources that .dvc files name."""
        for md5 in objects:
            self._named.update((md5, *(versions.folder(md5, self.stores) or {}).values()))

    def unnamed(self) -> dict[str, int]:
        """Look through the objects of no version; return how many there are, by store."""
        left = {store.name: sorted(store.objects - self._named) for store in self.stores}
        for md5 in sorted({md5 for every in left.values() for md5 in every if not md5.endswith(".dir")}):
            opener = self._opener(md5)
            seen, _ = self._look({md5: opener} if opener else {}, self.wanted, cached=True)
            if seen.rows:
                places = tuple(store.name for store in self.stores if md5 in store.objects)
                self._add(Output(path="", md5=md5, read=()), HOLDS, seen, (), places, (md5,))
        return {name: len(every) for name, every in left.items() if every}

    def _look(self, files: Mapping[str, Opener], wanted: Sought, *, cached: bool) -> tuple[_Seen, Sought]:
        """Find rows in files until they lead to nothing more; what they lead to is sought from now on."""
        while True:
            found = {name: self._find(name, opened, wanted, cached=cached) for name, opened in files.items()}
            grown = wanted
            for one in found.values():
                grown |= one.sought
            if grown == wanted:
                break
            wanted = grown
        # objects of no revision bear no thread to be told by: all that rows led to anywhere is sought there
        self.wanted |= Sought(ids=wanted.ids, authors=wanted.authors, threads=frozenset())
        rows = sum(one.rows for one in found.values())
        how = HOLDS if rows else MAY if any(one.doubtful for one in found.values()) else ""
        hit = frozenset(name for name, one in found.items() if one.rows or one.doubtful)
        texts, table = any(one.texts for one in found.values()), any(one.table for one in found.values())
        return _Seen(how=how, rows=rows, texts=texts, files=hit, table=table), wanted

    def _find(self, name: str, opened: Opener, wanted: Sought, *, cached: bool) -> traces.Found:
        if (name, wanted) in self._known:
            return self._known[name, wanted]
        try:
            with opened() as stream:
                found = traces.find(stream, wanted)
        except Exception as error:  # stores have errors of all kinds, and Arrow its own
            self.trouble.add(f"{name} cannot be read ({type(error).__name__}), so it may hold rows")
            found = traces.Found(rows=0, texts=0, doubtful=1, table=False, sought=wanted)
        if cached:
            self._known[name, wanted] = found
        return found

    def _opener(self, md5: str) -> Opener | None:
        store = next((store for store in self.stores if md5 in store.objects), None)
        return partial(store.open, md5) if store else None

    def _places(self, md5: str, files: Mapping[str, str], seen: _Seen) -> tuple[str, ...]:
        """Where a file that holds rows lies; for what was made from them, where all of it does."""
        every = set(files.values())
        return tuple(
            store.name
            for store in self.stores
            if (
                seen.files & store.objects if seen.files else md5 in store.objects or (every and every <= store.objects)
            )
        )

    def _is_aside(self, path: str) -> bool:
        return any(versions.touch(path, other) for other in self.aside)

    def _add(
        self,
        output: Output,
        how: str,
        seen: _Seen,
        revisions: Iterable[str],
        places: Iterable[str],
        objects: Iterable[str] = (),
    ) -> None:
        before = self.holdings.get((output.path, output.md5))
        if before:
            how = min(how, before.how, key=_RANK.__getitem__)
            revisions = dict.fromkeys((*before.revisions, *revisions))
            places = dict.fromkeys((*before.places, *places))
            objects = {*before.objects, *objects}
        if places := tuple(places):
            rows = max(seen.rows, before.rows if before else 0)
            self.holdings[output.path, output.md5] = Holding(
                path=output.path,
                md5=output.md5,
                how=how,
                rows=rows,
                revisions=tuple(revisions),
                places=places,
                objects=tuple(sorted(objects)),
            )


def runs(root: Path, wanted: Sought) -> list[str]:
    """MLflow's runs whose logged tables hold rows, in the local store of artifacts."""
    found = set()
    for path in sorted((root / RUNS).glob("*/artifacts/tables/*.json")):
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        if traces.find(io.BytesIO(lines.encode()), wanted).rows:
            found.add(path.parents[2].name)
    return sorted(found)


def _judged(seen: _Seen, output: Output, how: Mapping[str, str]) -> str:
    """How an output holds rows: by what was seen in it, else by what it was made from."""
    if seen.how:
        return seen.how
    above = {how[path] for path in how for read in output.read if versions.touch(path, read)}
    if MADE in above or (HOLDS in above and not seen.table):
        return MADE
    return MAY if MAY in above or (_GONE in above and not seen.table) else ""


def _passed_on(found: str, seen: _Seen) -> str:
    """What an output that holds rows means for what is made from it; ids without texts mean nothing."""
    return "" if found == HOLDS and not seen.texts else found


def _opening(path: Path) -> Opener:
    return lambda: path.open("rb")
