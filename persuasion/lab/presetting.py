"""The commands of presets: list, show, apply. Imports what it needs when it runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

JSON = typer.Option("--json", help="Print it as JSON.")
NAME = typer.Argument(metavar="NAME", help="A name that `persuasion preset list` shows.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    presets = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    presets.command("list", epilog="Example: persuasion preset list")(listed)
    presets.command("show", epilog="Example: persuasion preset show qwen2.5-1.5b")(show)
    presets.command("apply", epilog="Example: persuasion preset apply qwen2.5-1.5b --dry-run")(apply)
    app.add_typer(presets, name="preset", help="Settings that belong together: a base model and how to train it.")


def listed(as_json: Annotated[bool, JSON] = False) -> None:
    """Name the presets, with what each is for."""
    from persuasion.lab import presets
    from persuasion.lab.workspace import top

    root = top(Path.cwd())
    told = {name: presets.about(root, name) for name in presets.names(root)}
    if as_json:
        print(json.dumps(told, indent=2))
    else:
        width = max(map(len, told), default=0)
        print("\n".join(f"{name:{width}}  {words}" for name, words in told.items()))


def show(name: Annotated[str, NAME]) -> None:
    """Print a preset's file: the parameters that it sets."""
    from persuasion.lab import presets
    from persuasion.lab.workspace import top

    print(presets.path_of(top(Path.cwd()), name).read_text(encoding="utf-8"), end="")


def apply(
    name: Annotated[str, NAME],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, only tell.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Set a preset's parameters in params.yaml. All others, and every comment, stay; `dvc params diff` shows them."""
    from persuasion.lab import presets
    from persuasion.lab.workspace import top

    changes = presets.apply(top(Path.cwd()), name, dry_run=dry_run)
    if as_json:
        told = [{"name": change.name, "before": change.before, "after": change.after} for change in changes]
        print(json.dumps(told, indent=2))
        return
    for change in changes:
        print(f"{change.name}: {json.dumps(change.before)} -> {json.dumps(change.after)}")
    done = "would change" if dry_run else "changed"
    print(f"preset {name}: {len(changes)} parameters {done} in params.yaml")
