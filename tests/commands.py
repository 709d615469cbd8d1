"""What a page tells its reader to type, and whether it could be: each command against the program that takes it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from persuasion.config import Params
from persuasion.lab.cli import app
from persuasion.yaml12 import Yaml12Loader, load_yaml
from tests.closures import ROOT
from tests.reference import leaves

BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
SECTIONS = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+")
PARAMETERS = {name: hint for name, hint, _ in leaves(Params, load_yaml(ROOT / "params.yaml"))}
STAGES = {path.stem for path in (ROOT / "stages").glob("[a-z]*.py")}
DVC = {
    "add", "cache", "checkout", "commit", "config", "dag", "doctor", "exp", "fetch", "gc", "get", "import-url", "init",
    "metrics", "params", "plots", "pull", "push", "queue", "remote", "repro", "status", "update",
}  # fmt: skip
SEPARATORS = ("&&", "||", "|", ";", ">", "<", "&")


def pages() -> list[Path]:
    """Every Markdown page of the project."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def typed(page: Path) -> Iterator[list[str]]:
    """The words of every command that stands behind a `$` in a console block, pipelines apart, no comments."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if line.startswith("$ "):
                lexer = shlex.shlex(line[2:], posix=True, punctuation_chars=";&|<>")
                lexer.whitespace_split = True
                yield from _parts(list(lexer))


def _parts(words: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in [*words, ";"]:
        if word not in SEPARATORS:
            part.append(word)
            continue
        while part and re.fullmatch(r"[A-Z_]+=.*", part[0]):  # VARIABLE=value before a command
            part.pop(0)
        if part:
            yield part
        part = []


def wrong(words: list[str]) -> str:
    """Why a command cannot be what was meant; "" when it can, or is none of ours."""
    program, *rest = [Path(words[0]).name, *words[1:]]
    if program in ("python", "torchrun", "accelerate"):
        return _module(rest)
    checks = {"persuasion": _persuasion, "dvc": _dvc, "make": _make}
    return checks[program](rest) if program in checks else ""


def _module(rest: list[str]) -> str:
    if "-m" not in rest or rest[-1] == "-m":
        return ""
    name = rest[rest.index("-m") + 1]
    ours = name.split(".")[0] in ("stages", "benchmarks", "tests", "persuasion")
    here = ROOT.joinpath(*name.split("."))
    return "" if not ours or here.with_suffix(".py").is_file() or "<" in name else f"no module {name}"


def _make(rest: list[str]) -> str:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return next((f"no target {name}" for name in rest if not re.search(rf"^{name}:", makefile, re.MULTILINE)), "")


def _dvc(rest: list[str]) -> str:
    if not rest or rest[0] not in DVC:
        return f"dvc knows no {rest[:1]}"
    for at, word in enumerate(rest):
        if word in ("-S", "--set-param") and (problem := _setting(rest[at + 1])):
            return problem
    if rest[0] == "repro":
        names = [word.split("@")[0] for word in rest[1:] if not word.startswith("-")]
        return next((f"no stage {name}" for name in names if name not in STAGES), "")
    return ""


def _setting(setting: str) -> str:
    """`-S name=value`: the name is a parameter and the value, or each of a queue's, has a type that it takes."""
    import yaml

    name, equals, value = setting.partition("=")
    if not equals or name not in PARAMETERS:
        return f"no parameter {name}"
    hint = str(PARAMETERS[name])
    for one in [value] if value.startswith("[") else value.split(","):
        read: Any = yaml.load(one, Loader=Yaml12Loader)
        fits = {"bool": bool, "int": int, "float": (int, float)}
        wanted = next((kinds for word, kinds in fits.items() if word in hint), None)
        if wanted and read is not None and not isinstance(read, wanted) and "tuple" not in hint:
            return f"{name} takes no {one}"
    return ""


def _persuasion(rest: list[str]) -> str:
    command: Any = get_command(app)
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            return f"no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    options = [word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    return next((f"no option {option}" for option in options if option not in known), "")
