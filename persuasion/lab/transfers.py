"""`dvc push` and `dvc pull` with one clear message and one exit code, and what came hashed.

DVC ends with 1 or 255 whatever went wrong, may wait for a password for ever, and delivers an object of the
right size with wrong bytes as if all were well.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from persuasion.errors import SurroundingsFailure
from persuasion.lab import verifying, versions
from persuasion.lab.locks import Entry, entries
from persuasion.lab.refusing import refusal

_TRIES = "3"  # of botocore, whose own number makes a server that is down last two minutes


def push(root: Path, targets: Sequence[str], remote: str | None) -> str:
    """Send; return what DVC said last. Raises RemoteFailure; what was sent until then stays sent."""
    return _dvc(root, "push", targets, remote)


def pull(root: Path, targets: Sequence[str], remote: str | None) -> str:
    """Fetch and hash. Raises RemoteFailure, or IntegrityFailure when an output differs from dvc.lock."""
    try:
        said = _dvc(root, "pull", targets, remote)
    except Exception:
        # with `verify = true` DVC tells a corrupt object as one that it could not check out
        _require_sound(root, targets, remote, {(versions.CACHE, verifying.CORRUPT)})
        raise
    whole = {(versions.WORKSPACE, how) for how in (verifying.CORRUPT, verifying.MISSING)}
    _require_sound(root, targets, remote, {(versions.CACHE, verifying.CORRUPT), *whole})
    return said


def _require_sound(root: Path, targets: Sequence[str], remote: str | None, kinds: set[tuple[str, str]]) -> None:
    """Raise IntegrityFailure where what was asked for is wrong in one of these ways (place, how)."""
    if not (root / versions.LOCK).is_file():  # only .dvc files, of which nothing here knows
        return
    asked = {out.path for out in entries(root) if not targets or any(_named(out, target) for target in targets)}
    told = verifying.verify(root, (), repair=False)
    told.findings = [
        one
        for one in told.findings
        if (one.place, one.how) in kinds and any(versions.touch(one.path, path) for path in asked)
    ]
    if told.findings:
        failure = verifying.failure(told)
        name = f" --remote {remote}" if remote else " --remote NAME"
        failure.fix += f"; if it comes again: `persuasion verify{name} --repair`, then push from a good clone"
        raise failure


def _named(out: Entry, target: str) -> bool:
    """Whether a target of DVC's is this output, a path beside it, or its stage, with or without the file's name."""
    return target.rpartition(":")[2] == out.stage or versions.touch(out.path, os.path.normpath(target))


def _dvc(root: Path, verb: str, targets: Sequence[str], remote: str | None) -> str:
    chosen = ["--remote", remote] if remote else []
    command = [sys.executable, "-m", "dvc", verb, *chosen, "--", *targets]
    env = {"AWS_MAX_ATTEMPTS": _TRIES, **os.environ}
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env)  # noqa: S603
    if done.returncode == 0:
        return (done.stdout.strip().splitlines() or ["Done"])[-1]
    errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    said = " | ".join(errors) or done.stderr.strip() or done.stdout.strip()
    if "No module named" in said:
        raise SurroundingsFailure("dvc is not installed here", fix="make env")
    raise refusal(f"dvc {verb} did not end well", said, where=remote or "the default remote")
