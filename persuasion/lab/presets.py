"""Presets: settings that belong together, written into params.yaml in one go.

A preset is a part of params.yaml in configs/presets/. DVC sees nothing but the changed parameters, so they stand in
``dvc params diff`` and ``dvc exp show`` like any others. Lines are edited in place, so comments and order stay.
"""

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from persuasion.config import PARAMS, load_params
from persuasion.errors import UsageFailure
from persuasion.files import write_text
from persuasion.lab.workspace import flat
from persuasion.yaml12 import load_yaml

FOLDER = Path("configs/presets")
LINE = re.compile(r"""^( *)(\w+):( *)("(?:[^"\\]|\\.)*"|'[^']*'|[^#]*?) *(#.*)?$""")
PLAIN = re.compile(r"[A-Za-z][\w./-]*")
WORDS = {"null", "true", "false"}
COLUMN = 30  # where comments begin, unless a value is too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A parameter that a preset sets to another value than it has."""

    name: str
    before: Any
    after: Any


def names(root: Path) -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))


def about(root: Path, name: str) -> str:
    """What a preset says of itself in its first line."""
    return path_of(root, name).read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def path_of(root: Path, name: str) -> Path:
    """A preset's file. Raises UsageFailure where there is none of that name."""
    known = names(root)
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(known) or 'none'}"
        raise UsageFailure(f"no preset {name}", where=root / FOLDER, fix=hint)
    return root / FOLDER / f"{name}.yaml"


def apply(root: Path, name: str, *, dry_run: bool = False) -> list[Change]:
    """Set a preset's parameters in params.yaml, and tell what changed.

    Raises UsageFailure, and changes nothing, where the outcome would not be the valid parameters it should be.
    """
    path, file = path_of(root, name), root / PARAMS
    load_params(file)
    now, wanted = dict(flat(load_yaml(file))), dict(flat(load_yaml(path)))
    for key in wanted.keys() - now.keys():
        raise UsageFailure(f"there is no parameter {key}", where=path, fix="correct the preset")
    changes = [Change(name=key, before=now[key], after=after) for key, after in wanted.items() if now[key] != after]
    text = edited(file.read_text(encoding="utf-8"), {change.name: change.after for change in changes})
    _check(text, now | wanted, path, file)
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


def _check(text: str, expected: dict[str, Any], preset: Path, file: Path) -> None:
    """Refuse text that is not the parameters expected, or that no stage would take, before it is written."""
    with TemporaryDirectory() as folder:
        trial = Path(folder) / PARAMS
        trial.write_text(text, encoding="utf-8")
        if dict(flat(load_yaml(trial))) != expected:
            raise UsageFailure(f"{file} has several keys in a line", fix="put each on a line of its own, as git has it")
        try:
            load_params(trial)
        except UsageFailure as failure:
            failure.where = str(preset)
            raise
