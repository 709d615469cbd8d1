"""Other values in params.yaml: lines are edited in place, so comments and order stay."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from persuasion.config import PARAMS, load_params
from persuasion.errors import UsageFailure
from persuasion.files import write_text
from persuasion.lab.workspace import flat
from persuasion.yaml12 import load_yaml

LINE = re.compile(r"""^( *)(\w+):( *)("(?:[^"\\]|\\.)*"|'[^']*'|[^#]*?) *(#.*)?$""")
PLAIN = re.compile(r"[A-Za-z][\w./-]*")
WORDS = {"null", "true", "false"}
COLUMN = 30  # where comments begin, unless a value is too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A parameter that gets another value than it has."""

    name: str
    before: Any
    after: Any


def put(root: Path, wanted: Mapping[str, Any], source: Path, *, dry_run: bool = False) -> list[Change]:
    """Set parameters by dotted name, as ``source`` asks for them, and tell what changed.

    Raises UsageFailure, and changes nothing, where the outcome would not be the valid parameters it should be.
    """
    file = root / PARAMS
    load_params(file)
    now = dict(flat(load_yaml(file)))
    for key in wanted.keys() - now.keys():
        raise UsageFailure(f"there is no parameter {key}", where=source, fix="correct its name there")
    changes = [Change(name=key, before=now[key], after=after) for key, after in wanted.items() if now[key] != after]
    text = edited(file.read_text(encoding="utf-8"), {change.name: change.after for change in changes})
    _check(text, now | dict(wanted), source, file)
    if changes and not dry_run:
        write_text(file, text)
    return changes


def edited(text: str, values: dict[str, Any]) -> str:
    """YAML of one key a line with other ``values`` by dotted name; a comment stays in its column where it can."""
    lines, path = [], list[str]()
    for line in text.splitlines():
        found = LINE.match(line)
        if found:
            path[len(found[1]) // 2 :] = [found[2]]
        if found and (dotted := ".".join(path)) in values:
            line = f"{found[1]}{found[2]}: {written(values[dotted])}"
            line = f"{line:{COLUMN - 2}}  {found[5]}" if found[5] else line
        lines.append(line)
    return "\n".join(lines) + "\n"


def written(value: Any) -> str:
    """A value as YAML of one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    plain = isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def _check(text: str, expected: dict[str, Any], source: Path, file: Path) -> None:
    """Refuse text that is not the parameters expected, or that no stage would take, before it is written."""
    with TemporaryDirectory() as folder:
        trial = Path(folder) / PARAMS
        trial.write_text(text, encoding="utf-8")
        if dict(flat(load_yaml(trial))) != expected:
            raise UsageFailure(f"{file} has several keys in a line", fix="put each on a line of its own, as git has it")
        try:
            load_params(trial)
        except UsageFailure as failure:
            failure.where = str(source)
            raise
