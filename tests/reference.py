"""Writes the pages of the reference that the code knows best: ``python -m tests.reference``.

Parameters from the classes of ``config`` and the comments of params.yaml, commands from the command line itself, and
tables from the rows of ``records``.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.main import get_command

from persuasion import records
from persuasion.config import PARAMS, Params
from persuasion.lab.cli import app
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT

FOLDER = ROOT / "docs/reference"
KEY = re.compile(r"^( *)([a-z_0-9]+):([^#]*)(?:#\s*(.*))?$")
ABOUT_PARAMETERS = """All of `params.yaml`, checked whole by every stage: an unknown, missing or ill-typed key exits
with 2. *Here* is the value that the file holds; there are no others. `dvc exp run -S name=value` sets one for an
experiment, [a preset](../how-to/presets.md) sets many.
"""
FILES = {
    "Submission": "data/threads/submissions.parquet", "Comment": "data/threads/comments.parquet",
    "Refusal": "data/threads/refused.jsonl", "Pair": "data/pairs/{train,validation,test}.parquet",
    "ThreadSplit": "data/pairs/splits.parquet", "CorpusThread": "data/corpus/small/{train,validation}.parquet",
    "Reference": "data/reference/logps.parquet", "Verdict": "data/verdicts.parquet",
    "EpochVerdict": "data/samples/pairs.parquet", "EpochSample": "data/samples/samples.parquet",
    "EpochReply": "data/samples/replies.parquet", "Reply": "data/replies.parquet",
}  # fmt: skip
MADE = "*Made by `python -m tests.reference`; a test holds it to the code.*\n"


def leaves(kind: Any, tree: Any, dotted: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every parameter: its dotted name, its type and its value in params.yaml."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        name, hint = f"{dotted}{field.name}", hints[field.name]
        if is_dataclass(hint):
            yield from leaves(hint, tree[field.name], f"{name}.")
        else:
            yield name, hint, tree[field.name]


def comments() -> dict[str, str]:
    """The comment of every key of params.yaml by dotted name; a comment goes on in lines that hold nothing else."""
    found: dict[str, str] = {}
    path: list[str] = []
    for line in PARAMS.read_text(encoding="utf-8").splitlines():
        if match := KEY.match(line):
            path[len(match[1]) // 2 :] = [match[2]]
            found[".".join(path)] = (match[4] or "").strip()
        elif (more := re.match(r"^ +#\s*(.*)", line)) and path:
            found[".".join(path)] += f" {more[1]}"
    return found


def takes(hint: Any) -> str:
    """What a parameter takes, in words."""
    if get_origin(hint) is UnionType:
        return " or ".join(takes(option) for option in get_args(hint))
    if get_origin(hint) is Literal:
        return ", ".join(f"`{option}`" for option in get_args(hint))
    if get_origin(hint) is tuple:
        return "a list of numbers" if get_args(hint)[0] is float else "a list of texts"
    words = {int: "a whole number", float: "a number", str: "a text", bool: "`true`, `false`", NoneType: "`null`"}
    return words[hint]


def shown(value: Any) -> str:
    """A value as YAML writes it, short."""
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else f'"{value}"' if value == "" else str(value)


def prose(text: str) -> str:
    """Our own words as Markdown: code stays code, and what Markdown would take for its own is escaped elsewhere."""
    pieces = re.split(r"(`[^`]*`)", " ".join(text.replace("``", "`").split()))
    return "".join(one if one.startswith("`") else re.sub(r"([\\*_<\[\]~])", r"\\\1", one) for one in pieces)


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ").strip()


def parameters() -> str:
    """The page of parameters."""
    said, out, seen = comments(), [], set[str]()
    for name, hint, value in leaves(Params, load_yaml(PARAMS)):
        section, *inner = name.split(".")[:-1]
        if section not in seen:
            seen.add(section)
            out += ["", f"## {section}", "", f"{said[section][:1].upper()}{prose(said[section][1:])}.", ""]
            out += ["| parameter | takes | here | meaning |", "|---|---|---|---|"]
        for group in (".".join([section, *inner[: at + 1]]) for at in range(len(inner))):
            if group not in seen:
                seen.add(group)
                out.append(f"| *{group}* | | | {cell(prose(said[group]))} |")
        out.append(f"| `{name}` | {cell(takes(hint))} | `{cell(shown(value))}` | {cell(prose(said[name]))} |")
    return f"# Parameters\n\n{MADE}\n{ABOUT_PARAMETERS}" + "\n".join(out) + "\n"


def commands() -> str:
    """The page of commands: what ``--help`` says of each, in order."""
    out = ["# Commands", "", MADE, "Exit codes: [one page](exit-codes.md). `persuasion --version` and `--debug` (the "]
    out[-1] += "traceback of a failure) stand before the command."
    for path, command in _walk(get_command(app), ("persuasion",)):
        shape = " ".join(piece for parameter in command.params for piece in _usage(parameter))
        out += ["", f"## {' '.join(path[1:])}", "", "```console", f"$ {' '.join(path)} {shape}".rstrip(), "```", ""]
        out += [prose(command.help or ""), ""]
        rows = [(_name(one), " ".join([getattr(one, "help", "") or "", *_choices(one)])) for one in command.params]
        if rows:
            out += ["| | |", "|---|---|", *(f"| {name} | {cell(prose(said))} |" for name, said in rows), ""]
        if command.epilog:
            out += [f"`{command.epilog.removeprefix('Example: ')}`"]
    return "\n".join(out) + "\n"


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands") or command.invoke_without_command:
        yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _walk(inner, (*path, name))


def _usage(parameter: Any) -> Iterator[str]:
    if parameter.param_type_name == "argument":
        yield parameter.metavar or parameter.name.upper()
    elif not parameter.is_flag:
        yield f"[{parameter.opts[0]} {parameter.metavar or parameter.name.upper()}]"
    else:
        yield f"[{parameter.opts[0]}]"


def _choices(parameter: Any) -> list[str]:
    annotated = parameter.type_descriptor.annotation
    options = get_args(annotated) if get_origin(annotated) is Literal else ()
    return ["One of " + ", ".join(f"`{option}`" for option in options) + "."] if options else []


def _name(parameter: Any) -> str:
    return f"`{', '.join(parameter.opts) if parameter.param_type_name == 'option' else next(_usage(parameter))}`"


def schemas() -> str:
    """The page of tables: the rows of ``records``, with their columns and types."""
    out = ["# Tables", "", MADE, "Rows between stages, one class of `persuasion/records.py` each. " + _tail(), ""]
    for node in ast.parse(inspect.getsource(records)).body:
        if isinstance(node, ast.ClassDef):
            kind = getattr(records, node.name)
            hints = get_type_hints(kind)
            out += [f"## {node.name}", "", prose(kind.__doc__ or ""), ""]
            out += [f"In `{FILES[node.name]}`.", ""] if node.name in FILES else []
            out += ["| column | type |", "|---|---|"]
            out += [f"| `{field.name}` | {_kind(hints[field.name])} |" for field in fields(kind)] + [""]
    return "\n".join(out)


def _tail() -> str:
    return prose((records.__doc__ or "").split("\n\n", 1)[1])


def _kind(hint: Any) -> str:
    if get_origin(hint) is UnionType:
        return " or ".join(_kind(option) for option in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {_kind(get_args(hint)[0])}"
    return {NoneType: "null"}.get(hint, f"`{hint.__name__}`")


PAGES = {"parameters": parameters, "commands": commands, "schemas": schemas}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / f"{name}.md").write_text(page(), encoding="utf-8", newline="\n")
