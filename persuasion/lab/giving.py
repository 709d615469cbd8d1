"""The commands that give models away: export adapter, export hub. Imports what it needs when it runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

JSON = typer.Option("--json", help="Print it as JSON.")


def register(app: typer.Typer) -> None:
    """Add the commands to ``persuasion export``."""
    app.command("adapter", epilog="Example: persuasion export adapter -o ../adapter")(adapter)
    app.command("hub", epilog="Example: persuasion export hub exports/merged --repo you/persuasion")(hub)


def adapter(
    out: Annotated[str | None, typer.Option("-o", "--out", metavar="DIR", help="Default: in exports/.")] = None,
    base: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Hub id or path of the base there. Default: its hub name, or a copy."),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Adapter and base as one bfloat16 model, judged again.")
    ] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Write a folder that peft's AutoPeftModelForCausalLM (merged: transformers) loads, with nothing of ours."""
    from persuasion.lab import publishing
    from persuasion.lab.workspace import top

    told = publishing.adapter(top(Path.cwd()), out, base=base, merge=merge)
    print(json.dumps(publishing.as_json(told), indent=2) if as_json else publishing.text(told))


def hub(
    repo: Annotated[str, typer.Option(metavar="OWNER/NAME", help="Where it would go.")],
    folder: Annotated[str | None, typer.Argument(metavar="DIR", help="Default: exports/adapter.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Say what would be uploaded to the Hugging Face Hub; upload nothing.

    Exit 8 for people's texts, a credential or an exceeded safety gate, 3 for a missing card or judgement of replies.
    """
    from persuasion.lab import uploading
    from persuasion.lab.workspace import top

    told = uploading.upload(top(Path.cwd()), folder, repo)
    print(json.dumps(uploading.as_json(told), indent=2) if as_json else uploading.text(told))
