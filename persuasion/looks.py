"""Who has looked at a test set: one line for each policy that was judged on it, in files that outlast experiments.

A test set tells the truth about the first policy judged on it; every choice made after a look wears it out
(Dwork et al. 2015, arXiv:1506.02629). The same policy judged again on the same pairs is no new look.

A look is a fact about people, not about an experiment: it is written into the file that git keeps, into that of the
repository where this is a copy that DVC made of it, and into one that neither git nor DVC sees, for `dvc exp apply`
puts an experiment's file in the place of the repository's. What DVC checks out again was judged, and written down,
before.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from persuasion.errors import DataFailure
from persuasion.files import write_text
from persuasion.places import home, place

Look = Mapping[str, str]
TEST, POLICY = "test_sha256", "policy_sha256"
KEPT = Path("data/looks.jsonl")  # by git


def ledgers() -> list[Path]:
    """The files of the looks: each may know some that another does not."""
    return list(dict.fromkeys((KEPT, home() / KEPT, place("looks.jsonl"))))


def looks(files: Sequence[Path], test: str) -> int:
    """How many policies have been judged on the test set with this digest, by all ``files`` together."""
    return len({look[POLICY] for look in _known(files) if look[TEST] == test})


def note(files: Sequence[Path], test: str, policy: str) -> None:
    """Write down in all ``files`` that ``policy`` is judged on ``test`` (both digests), and what any of them knew.

    Experiments that run side by side wait for each other.
    """
    look = {TEST: test, POLICY: policy}
    with _claimed(files[-1].parent):
        known = _known(files)
        every = known if look in known else [*known, look]
        for file in files:
            if _read(file) != every:
                write_text(file, "".join(json.dumps(line) + "\n" for line in every))


def _known(files: Sequence[Path]) -> list[dict[str, str]]:
    """The looks of all files, each once, in the order of the first file that has them."""
    found: list[dict[str, str]] = []
    for file in files:
        found += [look for look in _read(file) if look not in found]
    return found


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which ends with the process however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(file: Path) -> list[dict[str, str]]:
    """All looks. Raises DataFailure for a line that is none: a count that cannot be trusted must not be given."""
    if not file.is_file():
        return []
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            look = json.loads(line)
            found.append({name: str(look[name]) for name in (TEST, POLICY)})
        except (ValueError, KeyError, TypeError):
            raise DataFailure(
                f"line {number} of {file} is no record of a look at the test set",
                where=file,
                why="another program or a merge has changed it",
                fix="keep the whole lines of both sides of the merge, or restore the file from git",
            ) from None
    return found
