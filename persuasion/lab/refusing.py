"""What a remote's error means, in words: DVC and the clients behind it have a hundred ways to say five things.

Never repeats a secret: addresses lose their user names, and what looks like a key is left out.
"""

import re
from collections.abc import Iterator

from persuasion.errors import Failure, RemoteFailure, SurroundingsFailure
from persuasion.running import SECRET

_SHOWN = 200
_KEYS = re.compile(r"(?i)\b(secret\w*|password|token|access_key\w*|session_token)(\s*[=:]\s*)\S+")
CREDENTIALS = "set the credentials in the environment or with `dvc remote modify --local` (docs/how-to/remotes.md)"
# (words of DVC, botocore, asyncssh or the system; what they mean; what to do), the first that fits
_MEANINGS = (
    (
        r"unable to locate credentials|nocredentials|no credentials|partialcredentials",
        "there are no credentials",
        CREDENTIALS,
    ),
    (
        r"permission denied for user|signaturedoesnotmatch|invalidaccesskeyid|authentication failed|permissiondenied",
        "the credentials are wrong",
        CREDENTIALS,
    ),
    (r"host key is not trusted|hostkeynotverifiable", "the host's key is not known", "connect once with `ssh HOST`"),
    (
        r"\b403\b|forbidden|access ?denied|\b401\b|unauthorized|permission denied|permissionerror",
        "access was denied: the credentials are wrong, or lack the right to do this",
        CREDENTIALS,
    ),
    (
        r"nosuchbucket|bucket does not exist|no such bucket",
        "the bucket does not exist",
        "create it, or correct the remote's url (`dvc remote list`)",
    ),
    (
        # asyncssh's own time-out has no words, and DVC puts them in the place of its dots
        r"timed? ?out|timeout|failed to connect to \w+ \([^)]*\) -[\s:]*(?:\||$)",
        "it did not answer in time",
        "check the network and the server, then run the same command again: what was sent is kept",
    ),
    (
        r"could not connect|connect call failed|connection (?:lost|refused|reset|not open|closed|was closed)|errno 111|"
        r"name or service not known|getaddrinfo|endpointconnection|broken pipe|disconnect|network is unreachable|"
        r"\b50[0234]\b",
        "the connection failed or broke off",
        "check the network and the server, then run the same command again: what was sent is kept",
    ),
    (
        r"missing[- ](?:cache )?files|no such file|does not exist|not ?found|nosuchkey|\b404\b|missing from|no remote|"
        r"missing cache|checkout failed",
        "objects are missing there",
        "`dvc push` from where they were made, then run the same command again",
    ),
)
_FULL = re.compile(r"(?i)no space left|errno 28\b|quota exceeded|errno 122\b")


def refusal(what: str, error: object, *, where: object = "") -> Failure:
    """The failure that ``error`` (an exception, or what a command said) amounts to."""
    said = " | ".join(_chain(error)) if isinstance(error, BaseException) else str(error)
    if _FULL.search(said):
        return SurroundingsFailure(what, where=clean(where), why="the disk is full", fix="make room, then run it again")
    if "unable to acquire lock" in said.lower():
        why = "another DVC command is running in this clone"
        return SurroundingsFailure(what, where=clean(where), why=why, fix="let it end, then run this again")
    for words, why, fix in _MEANINGS:
        if re.search(words, said, re.IGNORECASE):
            return RemoteFailure(what, where=clean(where), why=f"{why} ({shortened(said)})", fix=fix)
    return RemoteFailure(what, where=clean(where), why=shortened(said), fix="`persuasion doctor` looks at every remote")


def clean(text: object) -> str:
    """``text`` on one line without credentials."""
    line = " ".join(str(text).split())
    return _KEYS.sub(r"\1\2***", SECRET.sub("", line))


def shortened(text: object) -> str:
    """``text`` on one short line without credentials."""
    line = clean(text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _chain(error: BaseException | None) -> Iterator[str]:
    """What an exception and those behind it say, with their kinds."""
    while error is not None:
        yield f"{type(error).__name__}: {error}"
        error = error.__cause__ or error.__context__
