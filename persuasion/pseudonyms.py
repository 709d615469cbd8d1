"""Authors as keyed pseudonyms, and where their secret key lies.

A pseudonym is HMAC-SHA256 (RFC 2104) of the name, cut to 64 bits: without the key nobody can try
names against it. The key therefore stays outside git and DVC. The synthetic sample alone uses a
public key, as nobody stands behind its names. Knows nothing of threads, tables or removals.
"""

import hashlib
import hmac
import os
import secrets
import sys
import tempfile
from functools import cache
from pathlib import Path

from persuasion.config import Source
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.reddit import is_deleted

PUBLIC_KEY = b"persuasion"
SAMPLE = Path("data/raw/sample")
SHORTEST = 16
"""Bytes of a key, at least: 128 bits, if they are random."""
_OWN = Path("persuasion/pseudonym.key")
_PARAMETER = "source.pseudonym_key_file"
_MAKE = "python -c 'import secrets; print(secrets.token_hex(32))' > FILE && chmod 600 FILE"
_ELSEWHERE = f"{_MAKE}, and set {_PARAMETER} to that file"


def pseudonym(author: str, key: bytes) -> str:
    """Return ``u_`` and 16 hex digits for a name, in whatever case; "" for a deleted or unknown author."""
    if not author or is_deleted(author):
        return ""
    # Reddit's names are one account in any case, and a removal may be asked for in another
    name = author.casefold().encode("utf-8", "surrogatepass")
    return "u_" + hmac.digest(key, name, "sha256").hex()[:16]


def fingerprint(key: bytes) -> str:
    """Return 8 hex digits that tell keys apart; safe to publish, as a random key cannot be guessed from them."""
    return hashlib.sha256(b"fingerprint" + key).hexdigest()[:8]


def key_for(source: Source) -> bytes:
    """Return the key of a source's pseudonyms, making this user's own at its first use.

    Raises UsageFailure when the key file is missing, too short, public or inside the project, and
    SurroundingsFailure when none can be read or made.
    """
    return PUBLIC_KEY if is_public(source) else key_in(key_file(source), make=source.pseudonym_key_file is None)


def is_public(source: Source) -> bool:
    """Whether the pseudonyms need no secret: the synthetic sample, unless it is given a key file."""
    # a link from the sample's place to another folder resolves away from it, and is no sample
    return source.pseudonym_key_file is None and Path(source.path).resolve() == Path.cwd() / SAMPLE


def key_file(source: Source) -> Path:
    """Return where the key lies, or would: the configured file, or pseudonym.key among this user's settings.

    That is ~/.config/persuasion, or $XDG_CONFIG_HOME/persuasion (XDG Base Directory Specification,
    which has relative paths ignored). Raises SurroundingsFailure where there is no home.
    """
    try:
        if source.pseudonym_key_file is not None:
            return Path(source.pseudonym_key_file).expanduser()
        settings = Path(os.environ.get("XDG_CONFIG_HOME", ""))
        return (settings if settings.is_absolute() else Path.home() / ".config") / _OWN
    except RuntimeError:  # pathlib's word for a home that nothing names
        raise SurroundingsFailure("there is no home folder for the pseudonyms' key", fix=_ELSEWHERE) from None


def key_in(path: Path, *, make: bool) -> bytes:
    """Return the key that the file holds, without white space around it; ``make`` one where there is none.

    Raises as ``key_for`` does, and warns on stderr when other users may read the file.
    """
    _refuse_inside_project(path)
    try:
        if make and not path.exists():
            _make(path)
        if not path.is_file():
            raise UsageFailure(
                f"{path} is missing", where=_PARAMETER, why="it is to hold a secret", fix=f"{_MAKE}; or null"
            )
        key, mode = path.read_bytes().strip(), path.stat().st_mode
    except OSError as error:
        raise SurroundingsFailure(
            f"the pseudonyms' key at {path} can be neither read nor made", why=error.strerror or "", fix=_ELSEWHERE
        ) from None
    _refuse_weak(key, path)
    if mode & 0o004:
        _warn(f"warning: every user may read the pseudonyms' key {path}; chmod 600 it")
    return key


def _refuse_inside_project(path: Path) -> None:
    # a queued experiment runs in a copy; DVC_ROOT is the project itself
    for project in (Path.cwd(), Path(os.environ.get("DVC_ROOT") or Path.cwd())):
        if path.resolve().is_relative_to(project.resolve()):
            raise UsageFailure(
                f"{path} lies inside the project",
                where=_PARAMETER,
                why="the pseudonyms' key must stay outside git and DVC",
                fix="move it out of the project, and name it in params.yaml",
            )


def _refuse_weak(key: bytes, path: Path) -> None:
    why = f"it holds {len(key)} bytes, and a key has at least {SHORTEST}" if len(key) < SHORTEST else ""
    if key == PUBLIC_KEY:
        why = "it holds the sample's public key, with which anybody can try names against the pseudonyms"
    if why:
        raise UsageFailure(f"{path} holds no usable key", where=_PARAMETER, why=why, fix=_MAKE)


def _make(path: Path) -> None:
    """Write a new key at ``path`` unless another process was first; no process ever sees half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # O_EXCL, mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(32) + "\n")
        os.link(partial, path)  # unlike a rename, it fails where a key is
    except FileExistsError:
        return
    finally:
        Path(partial).unlink()
    _warn(
        f"made the secret key of the authors' pseudonyms: {path}. Keep it: without it no author can be found again. "
        "Colleagues need a copy at the same place; send it privately, never through git or DVC"
    )


@cache
def _warn(line: str) -> None:
    """Say it once a process."""
    print(line, file=sys.stderr)
