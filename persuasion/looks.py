"""Who has looked at a test set: one line for each policy that was judged on it, in a file that git keeps.

A test set tells the truth about the first policy judged on it; every choice made after a look wears it out
(Dwork et al. 2015, arXiv:1506.02629). The same policy judged again on the same pairs is no new look.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from persuasion.errors import DataFailure
from persuasion.files import write_text

Look = Mapping[str, str]
TEST, POLICY = "test_sha256", "policy_sha256"


def looks(file: Path, test: str) -> int:
    """How many policies have been judged on the test set with this digest."""
    return len({look[POLICY] for look in _read(file) if look[TEST] == test})


def note(file: Path, test: str, policy: str) -> None:
    """Write down that ``policy`` is judged on ``test`` (both digests), unless it stands there."""
    known = _read(file)
    look = {TEST: test, POLICY: policy}
    if look not in known:
        write_text(file, "".join(json.dumps(line) + "\n" for line in [*known, look]))


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
